"""Writing state so that a kill, a full disk or a power cut leaves the old or the new, never half."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from agent.model import Stamp


def stamp(fd: int) -> Stamp:
    """Which file in which state ``fd`` is now."""
    state = os.fstat(fd)
    return Stamp(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def private_folder(path: Path, mode: int = 0o700) -> Path:
    """Make a folder of ours (and its parents) and return it; an existing one keeps its content and gets ``mode``."""
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    os.chmod(path, mode)
    return path


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte; raises OSError (ENOSPC, EIO, ...)."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put ``data`` at ``path`` durably: temporary file in the same folder, fsync, rename, fsync of the folder.

    For our own private folders only: a folder that somebody else can write to needs descriptors.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        try:
            write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
