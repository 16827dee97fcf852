"""Names: looked up, made, moved, removed.

A new name on the medium is asked about before it appears. A file that is not on the medium yet is asked with its
content, under the name it then has; so it may be renamed freely.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from contextlib import nullcontext
from typing import TYPE_CHECKING

from agent.fsys.rename import rename_to_free
from agent.gates.airlock import protocol as wire
from agent.gates.airlock.judging import renamed_needs_asking
from agent.gates.airlock.medium import checked, is_temporary
from agent.gates.airlock.operations.waiting import until_killed
from agent.gates.airlock.volume import GHOST_S
from agent.gates.asking import Flag

if TYPE_CHECKING:
    from agent.gates.airlock.nodes import Node
    from agent.gates.airlock.session import Request
    from agent.gates.airlock.volume import Volume

_NOREPLACE = 1
_TRIES = 64  # of a rename, while somebody else changes the same file


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def find(volume: Volume, parent: Node, name: bytes) -> Node:
    """The node of a name that exists. Raises OSError ENOENT."""
    if is_temporary(name):
        raise _error(errno.ENOENT)
    node = volume.tree.child(parent, name)
    if node is not None and not (node.staged is None and (node.on_medium or node.sealed_as)):
        return node
    try:
        state = volume.medium.state(volume.folder(parent), name)
    except FileNotFoundError:
        return _ghost(volume, parent, name, node)
    with volume.tree.lock:
        node = volume.tree.child(parent, name)
        if node is None or node.kind != stat.S_IFMT(state.st_mode) or not (node.on_medium or node.staged):
            node = volume.tree.bind(parent, name, stat.S_IFMT(state.st_mode), state.st_ino, on_medium=True)
        return node


def _ghost(volume: Volume, parent: Node, name: bytes, node: Node | None) -> Node:
    with volume.tree.lock:
        ghost = volume.tree.ghost(parent, name)
        if ghost is None:
            if node is not None and volume.tree.child(parent, name) is node:
                volume.tree.unbind(node)
            raise _error(errno.ENOENT)
        if node is not None and node.sealed_as == ghost.sealed_as:
            return node
        node = volume.tree.bind(parent, name, stat.S_IFREG, volume.tree.invent(), on_medium=False)
        node.sealed_as, node.sealed_meta = ghost.sealed_as, ghost.meta
        return node


def entry(volume: Volume, node: Node) -> bytes:
    """The reply that names a node to the kernel, which then holds it once more. Raises OSError."""
    attributes, valid_s = volume.attributes(node)
    with volume.tree.lock:
        node.lookups += 1
    name_s = 0 if not node.on_medium else 1 if volume.medium.folds else valid_s
    return wire.entry_reply(node.number, attributes, name_s, valid_s)


def lookup(volume: Volume, request: Request) -> bytes:
    return entry(volume, find(volume, volume.tree.get(request.node), wire.one_name(request.body)))


def forget(volume: Volume, request: Request) -> None:
    (count,) = struct.unpack_from("=Q", request.body)
    volume.tree.forget(request.node, count)


def batch_forget(volume: Volume, request: Request) -> None:
    (count,) = struct.unpack_from("=I", request.body)
    for number, times in wire.FORGET_ONE.iter_unpack(request.body[8 : 8 + 16 * count]):
        volume.tree.forget(number, times)


def new_name(volume: Volume, parent: Node, name: bytes) -> bytes:
    """The name, if it may be made in this folder at all. Raises OSError."""
    volume.medium.refuse_impossible(checked(name))
    if parent is not volume.tree.root and parent.parent is None:
        raise _error(errno.ENOENT)
    return name


def group(volume: Volume, parent: Node, gid: int) -> tuple[int, int]:
    """(group, set-group-id bit) that something new in the folder gets."""
    above, _ = volume.attributes(parent)
    return (above.gid, stat.S_ISGID) if above.mode & stat.S_ISGID else (gid, 0)


def make_folder(volume: Volume, request: Request) -> bytes:
    mode, _ = struct.unpack_from("=II", request.body)
    parent = volume.tree.get(request.node)
    name = new_name(volume, parent, wire.one_name(request.body[8:]))
    path = volume.tree.path(parent, name)
    volume.names.ask(path, Flag.NEW | Flag.FOLDER, (request.uid, request.pid), until_killed(request))
    gid, inherited = group(volume, parent, request.gid)
    with volume.tree.lock:
        folder = volume.folder(parent)
        volume.medium.make_folder(folder, name, stat.S_IMODE(mode) | inherited, request.uid, gid)
    return entry(volume, find(volume, parent, name))


def make_link(volume: Volume, request: Request) -> bytes:
    """A symbolic link: its target is text that reaches the medium, and is asked about like the name."""
    raw_name, target = wire.two_names(request.body)
    parent = volume.tree.get(request.node)
    name = new_name(volume, parent, raw_name)
    path = volume.tree.path(parent, name)
    volume.names.ask(path, Flag.NEW | Flag.LINK, (request.uid, request.pid), until_killed(request), target)
    gid, _ = group(volume, parent, request.gid)
    with volume.tree.lock:
        volume.medium.make_link(target, volume.folder(parent), name, request.uid, gid)
    return entry(volume, find(volume, parent, name))


def refuse_link(_volume: Volume, _request: Request) -> bytes:
    """A second name for the same bytes would outlive what is decided about the first."""
    raise _error(errno.EPERM)


def unlink(volume: Volume, request: Request) -> bytes:
    parent = volume.tree.get(request.node)
    name = checked(wire.one_name(request.body))
    with volume.tree.lock:
        node = find(volume, parent, name)
        folder = volume.folder(parent)
        if node.on_medium:
            volume.hold_open(node)
            os.unlink(name, dir_fd=folder)
            volume.tree.unseal(parent, name)
        elif node.sealed_as and (node.staged is not None or volume.tree.ghost(parent, name)):
            os.unlink(node.sealed_as, dir_fd=folder)  # whoever has just written it takes it back
        _nameless(volume, node)
        volume.tree.lay_ghost(parent, name)
    return b""


def _nameless(volume: Volume, node: Node) -> None:
    if node.staged is not None:
        node.staged.orphan = True
    node.on_medium = False
    volume.tree.unbind(node)


def remove_folder(volume: Volume, request: Request) -> bytes:
    parent = volume.tree.get(request.node)
    name = checked(wire.one_name(request.body))
    with volume.tree.lock:
        node = find(volume, parent, name)
        _must_be_empty(node)
        os.rmdir(name, dir_fd=volume.folder(parent))
        _nameless(volume, node)
    return b""


def _must_be_empty(node: Node) -> None:
    """Files that are not on the medium yet count too."""
    if any(child.staged is not None for child in node.children.values()):
        raise _error(errno.ENOTEMPTY)


def rename(volume: Volume, request: Request) -> bytes:
    (to,) = struct.unpack_from("=Q", request.body)
    return _rename(volume, request, volume.tree.get(to), request.body[8:], 0)


def rename_with_flags(volume: Volume, request: Request) -> bytes:
    to, flags, _ = struct.unpack_from("=QII", request.body)
    if flags & ~_NOREPLACE:
        raise _error(errno.EINVAL)  # exchanging two names: programs fall back
    return _rename(volume, request, volume.tree.get(to), request.body[16:], flags)


def _rename(volume: Volume, request: Request, to: Node, body: memoryview, flags: int) -> bytes:
    parent = volume.tree.get(request.node)
    old, raw_new = wire.two_names(body)
    new = new_name(volume, to, raw_new)
    checked(old)
    tick = until_killed(request)
    for _ in range(_TRIES):
        node = find(volume, parent, old)
        asked = renamed_needs_asking(volume, node, to, new)
        if asked:
            what = Flag.FOLDER if node.is_folder else Flag.LINK if node.kind == stat.S_IFLNK else Flag.NONE
            volume.names.ask(volume.tree.path(to, new), Flag.NEW | what, (request.uid, request.pid), tick)
        staged = node.staged
        with staged.gate(tick) if staged is not None else nullcontext(), volume.tree.lock:
            if volume.tree.child(parent, old) is not node or node.staged is not staged:
                continue  # refused and gone, or begun anew: its bytes may be under judgement, with the name they have
            if not asked and renamed_needs_asking(volume, node, to, new):
                continue  # it came to the medium while we waited: from now on its name is asked about
            if node.sealed_as and not node.on_medium:
                _rename_sealed(volume, node, to, new)
            else:
                _move(volume, node, to, new, flags)
            return b""
    raise _error(errno.EBUSY)


def _move(volume: Volume, node: Node, to: Node, new: bytes, flags: int) -> None:
    folder = volume.folder(to)
    below = volume.medium.exists(folder, new)
    target = volume.tree.child(to, new)
    if target is node:
        target = None  # other capitals for the same name
    elif flags & _NOREPLACE and (below or (target is not None and target.staged is not None)):
        raise _error(errno.EEXIST)
    if target is not None:
        _must_be_empty(target)
        volume.hold_open(target)
    if node.on_medium and node.parent is not None:
        volume.medium.rename(volume.folder(node.parent), node.name, folder, new)
        volume.tree.unseal(node.parent, node.name)
        volume.tree.unseal(to, new)
    if target is not None:
        _nameless(volume, target)
    volume.tree.move(node, to, new)
    volume.tree.lay_ghost(to, new)
    node.on_medium = node.on_medium or below


def _move_sealed(volume: Volume, node: Node, to: Node, new: bytes) -> bytes:
    """The sealed file of ``node``, which is to be called ``new`` in ``to``, to where that goes; its name there.

    It takes the place of what this very document was sealed as a moment before. Raises OSError.
    """
    assert node.parent is not None
    here, folder, sealed = volume.folder(node.parent), volume.folder(to), node.sealed_as
    before = volume.tree.ghost(to, new)
    if sealed.startswith(node.name):
        added = sealed[len(node.name) :]
        wanted = new[: 255 - len(added)] + added
        if before is not None and before.sealed_as == wanted:
            volume.medium.rename(here, sealed, folder, wanted)
            return wanted
        return rename_to_free(here, sealed, folder, wanted)
    final = sealed if node.parent is to else rename_to_free(here, sealed, folder, sealed)
    if before is not None and before.sealed_as != final and volume.medium.exists(folder, before.sealed_as):
        os.unlink(before.sealed_as, dir_fd=folder)
    return final


def _rename_sealed(volume: Volume, node: Node, to: Node, new: bytes) -> None:
    """The writer gives its document its final name. The sealed file follows; one that is called after the document gets
    the new name too, with what sealing added to it, and a name that says nothing of the document stays as it is.
    """
    parent, old = node.parent, node.name
    if parent is None:
        raise _error(errno.ENOENT)
    folder = volume.folder(to)
    final = _move_sealed(volume, node, to, new)
    target = volume.tree.child(to, new)
    if target is not None and target is not node:
        volume.hold_open(target)
    if volume.medium.exists(folder, new):
        os.unlink(new, dir_fd=folder)  # the clear version that this one replaces
    if target is not None and target is not node:
        _nameless(volume, target)
    volume.tree.lay_ghost(parent, old)
    if node.staged is not None:  # its writer has it open still: the next state takes the place of this one
        volume.tree.move(node, to, new)
        node.sealed_as = final
        return
    volume.tree.unbind(node)
    volume.tree.remember_ghost(to, new, final, GHOST_S, node.sealed_meta)
