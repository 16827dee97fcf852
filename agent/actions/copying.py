"""Copying a judged document into a file of ours, and proving that the copy is it. Descriptors only."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator

from agent.errors import N_, ChangedError
from agent.fsys.atomic import stamp, write_all
from agent.model import Stamp

CHUNK = 1 << 20  # bytes
RESERVE = 64 << 20  # bytes that quarantine leaves free for the audit log


def copy_judged(source_fd: int, judged: Stamp, target_fd: int) -> str:
    """Copy the document, fsync, read the copy back from the medium, and return its SHA-256 (hexadecimal).

    Raises ChangedError when the document is no longer in the judged state before or after, OSError (ENOSPC, EIO, ...).
    """
    require_unchanged(source_fd, judged)
    require_room(target_fd, judged.size, reserve=True)
    digest = hashlib.sha256()
    for piece in pieces(source_fd, judged.size):
        digest.update(piece)
        write_all(target_fd, piece)
    require_unchanged(source_fd, judged)
    os.fsync(target_fd)
    if digest_of(target_fd) != digest.hexdigest():
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    return digest.hexdigest()


def require_unchanged(fd: int, judged: Stamp) -> None:
    """Raises ChangedError unless the file is in the judged state, ctime included."""
    if stamp(fd) != judged:
        raise ChangedError(N_("the document is no longer the one that was judged"))


def pieces(fd: int, size: int) -> Iterator[bytes]:
    """The first ``size`` bytes, read by position. Raises ChangedError when there are fewer."""
    offset = 0
    while offset < size:
        piece = os.pread(fd, min(CHUNK, size - offset), offset)
        if not piece:
            raise ChangedError(N_("the document is no longer the one that was judged"))
        yield piece
        offset += len(piece)


def require_room(fd: int, size: int, *, reserve: bool = False) -> None:
    """Find a full volume before ``size`` bytes are written to it. Raises OSError ENOSPC; writing may still.

    With ``reserve`` room is left for the audit log, without which nothing may be done: a twentieth, 64 MiB at most.
    """
    volume = os.fstatvfs(fd)
    kept = min(RESERVE, volume.f_blocks * volume.f_frsize // 20) if reserve else 0
    if volume.f_blocks and volume.f_bavail * volume.f_frsize < size + kept:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def require_writable(fd: int) -> None:
    """Find a read-only volume before anything is copied. Raises OSError EROFS."""
    if os.fstatvfs(fd).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def digest_of(fd: int) -> str:
    """SHA-256 (hexadecimal) of the whole file as it is on the medium: what the cache holds clean is let go first."""
    size = os.fstat(fd).st_size
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        pass  # an advice; a driver without it reads from where it likes
    digest = hashlib.sha256()
    for piece in pieces(fd, size):
        digest.update(piece)
    return digest.hexdigest()
