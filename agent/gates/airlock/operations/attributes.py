"""Attributes: read and changed; figures of the volume.

A new size is a change of content: it is staged and, where no writer will close the file, judged at once.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from agent.gates.airlock import protocol as wire
from agent.gates.airlock.judging import judge_state
from agent.gates.airlock.operations.waiting import until_killed
from agent.gates.airlock.passthrough import make_way
from agent.gates.asking import Flag

if TYPE_CHECKING:
    from agent.gates.airlock.nodes import Node
    from agent.gates.airlock.session import Request
    from agent.gates.airlock.staged import Staged
    from agent.gates.airlock.volume import Volume

_SECOND = 1_000_000_000
_TIMES = wire.FATTR_ATIME | wire.FATTR_MTIME


def nothing(_volume: Volume, _request: Request) -> bytes:
    return b""


def get(volume: Volume, request: Request) -> bytes:
    attributes, valid_s = volume.attributes(volume.tree.get(request.node))
    return wire.attributes_reply(attributes, valid_s)


def read_link(volume: Volume, request: Request) -> bytes:
    node = volume.tree.get(request.node)
    if node.parent is None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    return os.readlink(node.name, dir_fd=volume.folder(node.parent))


def figures(volume: Volume, _request: Request) -> bytes:
    """What is staged is as good as used."""
    found = os.fstatvfs(volume.medium.root)
    staged = -(-volume.store.total // found.f_frsize)
    return wire.statfs_reply(
        found.f_blocks, max(0, found.f_bfree - staged), max(0, found.f_bavail - staged), found.f_files, found.f_ffree,
        found.f_frsize, found.f_namemax,
    )  # fmt: skip


def change(volume: Volume, request: Request) -> bytes:
    valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _ = (
        wire.SET_ATTRIBUTES.unpack_from(request.body)
    )
    node = volume.tree.get(request.node)
    if valid & wire.FATTR_SIZE:
        _resize(volume, request, node, size, open_handle=bool(valid & wire.FATTR_FH))
    if valid & (wire.FATTR_UID | wire.FATTR_GID):
        _change_owner(volume, node, uid if valid & wire.FATTR_UID else -1, gid if valid & wire.FATTR_GID else -1)
    if valid & wire.FATTR_MODE:
        _change_mode(volume, node, stat.S_IMODE(mode))
    if valid & _TIMES:
        now = time.time_ns()
        read_at = now if valid & wire.FATTR_ATIME_NOW else _signed(atime) * _SECOND + atime_ns
        written_at = now if valid & wire.FATTR_MTIME_NOW else _signed(mtime) * _SECOND + mtime_ns
        _change_times(
            volume,
            node,
            read_at if valid & wire.FATTR_ATIME else None,
            written_at if valid & wire.FATTR_MTIME else None,
        )
    attributes, valid_s = volume.attributes(node)
    return wire.attributes_reply(attributes, valid_s)


def _signed(seconds: int) -> int:
    return seconds - (1 << 64) if seconds >> 63 else seconds


def _resize(volume: Volume, request: Request, node: Node, size: int, *, open_handle: bool) -> None:
    """An ftruncate waits for the close; truncate of a path that nobody is writing is judged now."""
    writer = (request.uid, request.pid)
    volume.medium.refuse_too_large(size)
    if not open_handle:
        with volume.tree.lock:
            make_way(volume.tree, node)
    volume.changing(node, writer, lambda staged: staged.truncate(size), until_killed(request))
    staged = node.staged
    if open_handle or node.writers or staged is None:
        return
    code = 0
    with staged.gate(until_killed(request)):
        if not staged.dropped and not node.writers:
            code = judge_state(volume, staged, Flag.NONE, request.tick)
            volume.settle(staged)
    if code:
        raise OSError(code, os.strerror(code))


def _on_medium(node: Node) -> bool:
    return node.on_medium and node.parent is not None


def _folder_and_name(volume: Volume, node: Node) -> tuple[int, bytes]:
    if node is volume.tree.root:
        return volume.medium.root, b"."
    if node.parent is None:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    return volume.folder(node.parent), node.name


def _with_staged(node: Node) -> Staged | None:
    staged = node.staged
    if staged is not None:
        staged.meta.ctime_ns = time.time_ns()
    return staged


def _change_mode(volume: Volume, node: Node, mode: int) -> None:
    staged = _with_staged(node)
    if staged is not None:
        staged.meta.mode = mode
    if node is volume.tree.root or _on_medium(node):
        folder, name = _folder_and_name(volume, node)
        volume.medium.change_mode(folder, name, mode)
    elif staged is None and node.file is not None:
        os.fchmod(node.file.fd, mode)


def _change_owner(volume: Volume, node: Node, uid: int, gid: int) -> None:
    staged = _with_staged(node)
    if staged is not None:
        staged.meta.uid = uid if uid >= 0 else staged.meta.uid
        staged.meta.gid = gid if gid >= 0 else staged.meta.gid
    if node is volume.tree.root or _on_medium(node):
        folder, name = _folder_and_name(volume, node)
        os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
    elif staged is None and node.file is not None:
        os.fchown(node.file.fd, uid, gid)


def _change_times(volume: Volume, node: Node, atime_ns: int | None, mtime_ns: int | None) -> None:
    staged = _with_staged(node)
    if staged is not None:
        staged.meta.atime_ns = staged.meta.atime_ns if atime_ns is None else atime_ns
        staged.meta.mtime_ns = staged.meta.mtime_ns if mtime_ns is None else mtime_ns
    if node is volume.tree.root or _on_medium(node):
        folder, name = _folder_and_name(volume, node)
        if atime_ns is None or mtime_ns is None:
            before = volume.medium.state(folder, name)
            atime_ns = before.st_atime_ns if atime_ns is None else atime_ns
            mtime_ns = before.st_mtime_ns if mtime_ns is None else mtime_ns
        os.utime(name, ns=(atime_ns, mtime_ns), dir_fd=folder, follow_symlinks=False)
