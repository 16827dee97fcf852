"""Putting exactly the judged bytes on the medium, or the sealed file in their place.

Always a temporary file in the volume's root first, every chunk compared with the digest of what was judged, then one
rename: the version that was there is readable until that moment, and a kill leaves a temporary file that the next start
removes. What replaces an existing file is made durable before the rename, since a FAT would otherwise forget the old
bytes before it has the new ones; a new file waits for fsync or for the unmounting, as on the bare volume.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.fsys.rename import free_names, sync_folder_fd
from agent.gates.airlock.medium import TEMPORARY, Medium
from agent.gates.airlock.staged import Meta, Staged
from agent.stamp import Stamp

if TYPE_CHECKING:
    from agent.gates.airlock.descriptor import Descriptor
    from agent.gates.airlock.nodes import Node, Tree

_COPY = 1 << 20
_NOT_TAKEN = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EOVERFLOW})


class Gone(OSError):
    """The file lost its name while it was judged: there is nothing to commit any more."""

    def __init__(self) -> None:
        super().__init__(errno.ENOENT, os.strerror(errno.ENOENT))


def commit(medium: Medium, tree: Tree, staged: Staged, digests: dict[int, bytes], *, sync: bool) -> Stamp:
    """The staged bytes under the name of their node; what stands there then. Raises OSError, and Gone.

    The caller is alone with the bytes (``Staged.gate``).
    """
    node = staged.node
    safely = sync or node.on_medium
    with _temporary(medium, staged.verified(digests), staged.blob.size, staged.meta, safely) as name, tree.lock:
        folder = _folder(medium, tree, node, staged)
        medium.rename(medium.root, name, folder.fd, node.name)
        if node.parent is not None:
            tree.unseal(node.parent, node.name)
        node.on_medium, node.file, node.sealed_as = True, None, b""
        state = medium.state(folder.fd, node.name)
    if sync:
        _sync_names(medium, folder)
    return _stamp(state)


def commit_sealed(
    medium: Medium, tree: Tree, staged: Staged, sealed: Descriptor, name: bytes, *, sync: bool
) -> tuple[Stamp, bytes]:
    """The sealed file instead, under ``name`` or the next free one, in the same folder; its state and name.

    What this document was sealed as before is replaced; the clear version that its name had goes. Raises OSError, Gone.
    """
    node = staged.node
    size = os.fstat(sealed.fd).st_size
    with _temporary(medium, _content(sealed.fd, size), size, staged.meta, True) as temporary, tree.lock:
        folder = _folder(medium, tree, node, staged)
        final = _place_sealed(medium, tree, node, folder.fd, temporary, name)
        if node.on_medium:
            os.unlink(node.name, dir_fd=folder.fd)
        node.on_medium, node.file, node.sealed_as = False, None, final
        state = medium.state(folder.fd, final)
    if sync:
        _sync_names(medium, folder)
    return _stamp(state), final


def _place_sealed(medium: Medium, tree: Tree, node: Node, folder: int, temporary: bytes, name: bytes) -> bytes:
    """Over what this very document was sealed as a moment before, or beside everything that is there: later the same
    name is another document's, for all that its writer can see.
    """
    ghost = tree.ghost(node.parent, node.name) if node.parent else None
    before = node.sealed_as or (ghost.sealed_as if ghost else b"")
    if before and medium.exists(folder, before):
        medium.rename(medium.root, temporary, folder, before)
        return before
    for candidate in free_names(name):
        if node.parent is not None and tree.child(node.parent, candidate) is not None:
            continue  # somebody is writing a file of that name
        try:
            medium.rename(medium.root, temporary, folder, candidate, replace=False)
        except FileExistsError:
            continue
        return candidate
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _sync_names(medium: Medium, folder: Descriptor) -> None:
    """The new name is durable, and so is that the temporary one is gone."""
    sync_folder_fd(folder.fd)
    if folder.fd != medium.root:
        sync_folder_fd(medium.root)


def _folder(medium: Medium, tree: Tree, node: Node, staged: Staged) -> Descriptor:
    if staged.orphan or node.parent is None:
        raise Gone
    return medium.folder(tree, node.parent)


@contextmanager
def _temporary(
    medium: Medium, content: Iterable[tuple[int, memoryview]], size: int, meta: Meta, sync: bool
) -> Iterator[bytes]:
    """The name of a complete temporary file in the root; it is gone afterwards unless it was renamed."""
    name = TEMPORARY[0] + os.urandom(8).hex().encode() + b"x" + TEMPORARY[1]
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=medium.root)
    try:
        try:
            _fill(fd, content, size)
            _dress(fd, meta)
            if sync:
                os.fsync(fd)
        finally:
            os.close(fd)  # drivers of the user space write here: an error counts
        _date(medium, name, meta)
        yield name
    finally:
        try:
            os.unlink(name, dir_fd=medium.root)
        except OSError:
            pass  # renamed, or the medium is gone


def _fill(fd: int, content: Iterable[tuple[int, memoryview]], size: int) -> None:
    for offset, data in content:
        at, rest = offset, data
        while rest:
            written = os.pwrite(fd, rest, at)
            at, rest = at + written, rest[written:]
    if os.fstat(fd).st_size != size:
        os.ftruncate(fd, size)


def _content(fd: int, size: int) -> Iterator[tuple[int, memoryview]]:
    """A sealed file of the agent's; it must not shrink meanwhile."""
    buffer = memoryview(bytearray(min(size, _COPY) or 1))
    offset = 0
    while offset < size:
        length = os.preadv(fd, (buffer[: size - offset],), offset)
        if length == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        yield offset, buffer[:length]
        offset += length


def _dress(fd: int, meta: Meta) -> None:
    """Owner and mode as far as the file system takes them."""
    state = os.fstat(fd)
    try:
        if (state.st_uid, state.st_gid) != (meta.uid, meta.gid):
            os.fchown(fd, meta.uid, meta.gid)
        if stat.S_IMODE(state.st_mode) != meta.mode or meta.mode & (stat.S_ISUID | stat.S_ISGID):
            os.fchmod(fd, meta.mode)
    except OSError as error:
        if error.errno not in _NOT_TAKEN:
            raise


def _date(medium: Medium, name: bytes, meta: Meta) -> None:
    try:
        os.utime(name, ns=(meta.atime_ns, meta.mtime_ns), dir_fd=medium.root, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NOT_TAKEN:
            raise


def _stamp(state: os.stat_result) -> Stamp:
    return Stamp(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
