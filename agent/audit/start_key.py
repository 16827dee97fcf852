"""The key that will sign the next opening of the log: the one secret of the log that lies on the disk.

Owns ``start.key``. A session's opening is signed by the key that the opening before it announced, and announces the
next; the used one is overwritten and removed. So whoever takes the laptop over later can open a next session, which is
seen, and cannot make one of the past again. docs/formats/audit-log.md, section 5.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from agent.crypto.signing import SEED_BYTES, FileKey
from agent.fsys.atomic import replace_file, sync_folder, write_all

FILE_NAME = "start.key"


def load(folder: Path, announced: bytes | None) -> FileKey | None:
    """The key in ``folder`` whose public half was ``announced`` (any that is there when None); None: there is none.

    Two keys lie there when a session was killed while it opened. Raises OSError.
    """
    try:
        fd = os.open(folder / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        data = os.read(fd, 2 * SEED_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) not in {SEED_BYTES, 2 * SEED_BYTES}:
        return None
    keys = [FileKey(data[at : at + SEED_BYTES]) for at in range(0, len(data), SEED_BYTES)]
    return next((key for key in keys if announced in {None, key.public}), None)


def store(folder: Path, *keys: FileKey) -> None:
    """Put ``keys`` durably in the place of what was there, which is overwritten. Raises OSError."""
    for left in folder.glob(f".{FILE_NAME}.*.tmp"):  # of a store that was killed: it holds a key that has signed since
        _destroy(left)
    old: int | None = None
    with contextlib.suppress(FileNotFoundError):
        old = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        replace_file(folder / FILE_NAME, b"".join(key.seed for key in keys))
        if old is not None:  # after the new one is there: a kill in between loses no key
            write_all(old, bytes(os.fstat(old).st_size))
            os.fsync(old)
    finally:
        if old is not None:
            os.close(old)
    sync_folder(folder)


def _destroy(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        write_all(fd, bytes(os.fstat(fd).st_size))
        os.fsync(fd)
    finally:
        os.close(fd)
    path.unlink()
