"""Moving a name without ever overwriting another one, also where the file system cannot promise it.

renameat2(2) with RENAME_NOREPLACE is atomic. FUSE drivers of libfuse 2 (exFAT, NTFS, FAT) answer EINVAL: there a hard
link followed by an unlink gives the same promise, and where there are no hard links either (FAT) the new name is first
claimed with an empty file of ours. Works on directory descriptors and last components only; a caller never passes a
path. Nothing here decides which file to move.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator

NAME_MAX = 255  # bytes in one component
_RENAME_NOREPLACE = 1
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})
_libc = ctypes.CDLL(None, use_errno=True)


def rename_noreplace(folder_fd: int, old: bytes, new_folder_fd: int, new: bytes) -> None:
    """Give the file ``old`` the name ``new``; FileExistsError when that is taken, OSError as rename(2) otherwise."""
    try:
        _renameat2(folder_fd, old, new_folder_fd, new)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        _rename_by_link(folder_fd, old, new_folder_fd, new)


def _renameat2(folder_fd: int, old: bytes, new_folder_fd: int, new: bytes) -> None:
    if _libc.renameat2(folder_fd, old, new_folder_fd, new, _RENAME_NOREPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _rename_by_link(folder_fd: int, old: bytes, new_folder_fd: int, new: bytes) -> None:
    try:
        os.link(old, new, src_dir_fd=folder_fd, dst_dir_fd=new_folder_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_by_claim(folder_fd, old, new_folder_fd, new)
        return
    os.unlink(old, dir_fd=folder_fd)


def _rename_by_claim(folder_fd: int, old: bytes, new_folder_fd: int, new: bytes) -> None:
    """The claim makes a name that appears in the meantime fail loudly instead of being overwritten."""
    os.stat(old, dir_fd=folder_fd, follow_symlinks=False)  # ENOENT before anything is made
    claim = os.open(
        new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=new_folder_fd
    )
    os.close(claim)
    try:
        os.rename(old, new, src_dir_fd=folder_fd, dst_dir_fd=new_folder_fd)
    except OSError:
        if os.stat(new, dir_fd=new_folder_fd, follow_symlinks=False).st_size == 0:
            os.unlink(new, dir_fd=new_folder_fd)
        raise


def free_names(name: bytes, attempts: int = 1000) -> Iterator[bytes]:
    """``name``, then ``name (2)`` before its extension, and so on; each at most 255 bytes long."""
    yield name
    stem, dot, extension = name.rpartition(b".")
    if not stem or len(extension) > 16:
        stem, dot, extension = name, b"", b""
    for number in range(2, attempts + 1):
        tail = b" (%d)" % number + dot + extension
        yield stem[: NAME_MAX - len(tail)] + tail


def rename_to_free(folder_fd: int, old: bytes, new_folder_fd: int, new: bytes) -> bytes:
    """Like rename_noreplace, with the first free one of ``free_names(new)``, which is returned."""
    for candidate in free_names(new):
        try:
            rename_noreplace(folder_fd, old, new_folder_fd, candidate)
        except FileExistsError:
            continue
        return candidate
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def sync_folder_fd(folder_fd: int) -> None:
    """Make the names in a folder durable; a driver that has no fsync for folders writes them at once."""
    try:
        os.fsync(folder_fd)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
