"""Opening, creating and closing files. A staged file begins with the first change, and is judged at the latest with the
last close.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from agent.gates.airlock import passthrough
from agent.gates.airlock import protocol as wire
from agent.gates.airlock.judging import judge_state
from agent.gates.airlock.operations.names import entry, find, group, new_name
from agent.gates.airlock.operations.waiting import until_killed
from agent.gates.airlock.staged import Meta, Staged
from agent.gates.asking import Flag

if TYPE_CHECKING:
    from agent.gates.airlock.nodes import Node
    from agent.gates.airlock.session import Request
    from agent.gates.airlock.volume import Handle, Volume


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def create(volume: Volume, request: Request) -> bytes:
    flags, mode, _, _ = wire.CREATE_IN.unpack_from(request.body)
    parent = volume.tree.get(request.node)
    name = new_name(volume, parent, wire.one_name(request.body[wire.CREATE_IN.size :]))
    node = _existing(volume, parent, name)
    if node is not None:
        if flags & os.O_EXCL:
            raise _error(errno.EEXIST)
        reply = entry(volume, node)
        return reply + _open(volume, request, node, flags)
    gid, _ = group(volume, parent, request.gid)
    writer = (request.uid, request.pid)
    node, _ = _new(volume, parent, name, Meta.new(mode, request.uid, gid), writer)
    handle = volume.open(node, writer, writing=True)
    node.plain_opens += 1
    return entry(volume, node) + wire.OPENED.pack(handle.number, wire.FOPEN_KEEP_CACHE, 0)


def _existing(volume: Volume, parent: Node, name: bytes) -> Node | None:
    try:
        return find(volume, parent, name)
    except FileNotFoundError:
        return None


def _new(volume: Volume, parent: Node, name: bytes, meta: Meta, writer: tuple[int, int]) -> tuple[Node, Staged]:
    """A file that is only here: not on the medium until it was judged."""
    with volume.tree.lock:
        node = volume.tree.bind(parent, name, stat.S_IFREG, volume.tree.invent(), on_medium=False)
        try:
            staged = node.staged = Staged(node, volume.store, meta, writer)
        except BaseException:  # no descriptor is left: a name without a file would stay in everybody's way
            volume.tree.unbind(node)
            raise
        staged.ready = True
    return node, staged


def make_node(volume: Volume, request: Request) -> bytes:
    """mknod(2): an empty regular file, judged at once since nobody will close it. No fifos, sockets, devices."""
    mode, _, _, _ = wire.CREATE_IN.unpack_from(request.body)
    if not stat.S_ISREG(mode):
        raise _error(errno.EPERM)
    parent = volume.tree.get(request.node)
    name = new_name(volume, parent, wire.one_name(request.body[16:]))
    if _existing(volume, parent, name) is not None:
        raise _error(errno.EEXIST)
    gid, _ = group(volume, parent, request.gid)
    node, staged = _new(volume, parent, name, Meta.new(mode, request.uid, gid), (request.uid, request.pid))
    with staged.gate():
        code = judge_state(volume, staged, Flag.NONE, request.tick)
        volume.settle(staged)
    if code:
        raise _error(code)
    return entry(volume, node)


def open_file(volume: Volume, request: Request) -> bytes:
    flags, _ = wire.OPEN_IN.unpack_from(request.body)
    return _open(volume, request, volume.tree.get(request.node), flags)


def _open(volume: Volume, request: Request, node: Node, flags: int) -> bytes:
    writing = (flags & os.O_ACCMODE) != os.O_RDONLY or bool(flags & os.O_TRUNC)
    if node.kind != stat.S_IFREG:
        raise _error(errno.EPERM)
    with volume.tree.lock:
        if writing:
            passthrough.make_way(volume.tree, node)
            if node.outgrown and node.staged is None:
                node.outgrown = False
                raise _error(errno.ESTALE)  # the kernel looks it up again, and learns its size
        _must_be_there(volume, node, writing=writing, emptied=bool(flags & os.O_TRUNC))
        handle = volume.open(node, (request.uid, request.pid), writing=writing)
        opened = _how(volume, node, handle)
    if flags & os.O_TRUNC:
        try:
            _empty(volume, request, node)
        except BaseException:
            close(volume, handle)
            raise
    return wire.OPENED.pack(handle.number, *opened)


def _must_be_there(volume: Volume, node: Node, *, writing: bool, emptied: bool) -> None:
    """Opened now: an error is seen by whoever opens, and the bytes stay his when the name goes.

    The kernel looks the name up anew after ESTALE: there is none, and whoever may make the file makes it.
    """
    if node.bytes_here is not None or node.staged is not None or (emptied and node.sealed_as):
        return
    if node.parent is not None and not node.on_medium:
        if node.sealed_as and not writing:
            raise _error(errno.ENOENT)
        volume.tree.lay_ghost(node.parent, node.name)
        raise _error(errno.ESTALE)
    volume.reading(node)


def _how(volume: Volume, node: Node, handle: Handle) -> tuple[int, int]:
    """(flags, backing) of the reply to an open. Under ``Tree.lock``.

    Who only reads has nothing to be judged and must not wait for us at the close: a killed agent that reads a file here
    would wait in its own exit, with the connection in its hands, for an airlock that was killed too.
    """
    closing = 0 if handle.writing else wire.FOPEN_NOFLUSH
    if not handle.writing and volume.connection >= 0 and node.staged is None:
        handle.backing = passthrough.join(node, volume.connection, volume.reading(node))
        if handle.backing is not None:
            return wire.FOPEN_PASSTHROUGH | closing, handle.backing.number
    node.plain_opens += 1
    flags = 0 if node.stale else wire.FOPEN_KEEP_CACHE
    node.stale = False
    return flags | closing, 0


def _empty(volume: Volume, request: Request, node: Node) -> None:
    """O_TRUNC: the old version stays on the medium until the new one is judged."""
    writer = (request.uid, request.pid)
    if node.staged is None:
        staged = volume.stage(node, writer, empty=True)
        staged.meta.touch()
    volume.changing(node, writer, lambda staged: staged.truncate(0), until_killed(request))


def release(volume: Volume, request: Request) -> bytes:
    (number,) = wire.HANDLE.unpack_from(request.body)
    close(volume, volume.handle(number))
    return b""


def close(volume: Volume, handle: Handle) -> None:
    """The last reference to an open file is gone; nobody sees an error any more."""
    node = handle.node
    last_writer = volume.close(handle)
    with volume.tree.lock:
        if handle.backing is not None:
            passthrough.leave(node, handle.backing)
        else:
            node.plain_opens -= 1
    staged = node.staged
    if last_writer and staged is not None:
        finish(volume, staged)
    with volume.tree.lock:
        if not node.readers and not node.writers and not node.is_folder:
            node.file = None
            node.let_kept_go()
    volume.tree.settle(node)


def finish(volume: Volume, staged: Staged) -> None:
    """The last writer has closed: judge what nobody judged yet, then let the medium speak again."""
    with staged.gate():
        judge_state(volume, staged, Flag.LAST)
        volume.settle(staged)
