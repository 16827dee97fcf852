"""A backup: everything of the collector's folder and a copy of its database as of one moment, sealed (age).

Reads the folder while others write; nothing in it is followed or changed. The plain archive lies in a file without a
name, in the folder whose keys are in it; the sealed one appears whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sqlite3
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

from sqlalchemy import func, select

from agent.crypto.sealed import seal
from agent.errors import N_, HostError, UsageError
from agent.fsys.atomic import sync_folder
from collector.journal import note
from collector.store.base import Store
from collector.store.engine import FILE_NAME
from collector.store.tables import acts, laptops
from collector.store.writing import writing

FORMAT = 1
ARCHIVE = b"serment-collector.tar"
MANIFEST = "manifest.json"
ACT = "backup.made"
OLD_S = 8 * 24 * 3600
"""A week and a day: whoever makes one each week is never told of an old one."""
AHEAD_S = 24 * 3600
MAX_FILE_BYTES = 64 << 20  # of what is not the database
_CHUNK = 1 << 20
_ROOM = N_("check the path, the rights and the free space")
_LEFT_OUT = frozenset({FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", "lock"})


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds; ``records`` False: they are PostgreSQL's, and not in it."""

    files: int
    bytes: int
    records: bool


def back_up(store: Store, target: Path) -> None:
    """A plain copy of an SQLite database as of one moment, while it is used; ``target`` must not be there yet.

    PostgreSQL has its own (pg_dump, WAL archives). Raises UsageError and HostError.
    """
    if store.engine.dialect.name != "sqlite":
        raise UsageError(N_("PostgreSQL is backed up by its own means"), hint=N_("see pg_dump(1)"))
    temporary = _temporary(target)
    try:
        _copy(store, temporary)
        _appear(temporary, target)
    except OSError as error:
        raise HostError(
            N_("cannot be written: {why}"), where=str(target), why=error.strerror or "", hint=_ROOM
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def back_up_whole(store: Store, data: Path, target: Path, recipients: Sequence[str], by: str) -> Made:
    """Everything in ``data``, sealed for ``recipients`` (age1…), in ``target``, which must not be there yet.

    ``by`` did it, says the collector's own log. Raises UsageError, SealError (recipients) and HostError.
    """
    temporary, copy = _temporary(target), data / f".backup-{os.getpid()}.db"
    sqlite = store.engine.dialect.name == "sqlite"
    _tidy(data)
    try:
        with tempfile.TemporaryFile(dir=data) as plain:
            if sqlite:
                _copy(store, copy)
            files = _pack(plain, data, copy if sqlite else None)
            size = plain.seek(0, os.SEEK_END)
            fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                seal(plain.fileno(), size, ARCHIVE, time.time_ns(), recipients, fd)
                os.fsync(fd)
                sealed = os.fstat(fd).st_size
            finally:
                os.close(fd)
        _appear(temporary, target)
    except OSError as error:
        raise HostError(
            N_("cannot be written: {why}"), where=str(target), why=error.strerror or "", hint=_ROOM
        ) from error
    finally:
        for left in (temporary, copy):
            left.unlink(missing_ok=True)
    with writing(store.engine) as connection:
        note(connection, by, ACT, {"files": files, "bytes": sealed, "records": sqlite})
    return Made(files, sealed, sqlite)


def _tidy(data: Path) -> None:
    """Remove the copies of the database that a backup left which was killed."""
    for left in data.glob(".backup-*.db"):
        number = left.stem.rpartition("-")[2]
        if not (number.isdecimal() and Path("/proc", number).exists()):
            left.unlink(missing_ok=True)


def last_made(store: Store) -> int | None:
    """When the last one was made (seconds since 1970 UTC); 0: never; None: never, and there is little to lose yet."""
    with store.engine.connect() as connection:
        ahead = acts.c.at > time.time() + AHEAD_S  # by a clock that was wrong: it would be fresh for years
        when = connection.execute(select(func.max(acts.c.at)).where(acts.c.what == ACT, ~ahead)).scalar_one()
        if when is not None:
            return int(when)
        first = connection.execute(select(func.min(laptops.c.first_seen))).scalar_one()
    return 0 if first is not None and first < time.time() - OLD_S else None


def is_old(made: int | None) -> bool:
    """Whether somebody should be told of what ``last_made`` said."""
    return made is not None and made < time.time() - OLD_S


def _temporary(target: Path) -> Path:
    if target.exists():
        raise UsageError(N_("there is something already"), where=str(target))
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _appear(temporary: Path, target: Path) -> None:
    os.replace(temporary, target)
    sync_folder(target.parent)


def _copy(store: Store, target: Path) -> None:
    """Raises OSError. The file is made first: nobody else reads it, not for a moment, and no link is followed."""
    fd = os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.connection.driver_connection.execute("VACUUM INTO ?", (str(target),))  # type: ignore[union-attr]
        os.fsync(fd)
    except sqlite3.Error as error:
        code = errno.ENOSPC if error.sqlite_errorcode == sqlite3.SQLITE_FULL else errno.EIO
        raise OSError(code, os.strerror(code)) from error
    finally:
        os.close(fd)


def _pack(plain: IO[bytes], data: Path, copy: Path | None) -> int:
    """The archive: every file with its digest in a manifest, which comes last; how many files."""
    digests: dict[str, tuple[int, str]] = {}
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        if copy is not None:
            digests[FILE_NAME] = _put(archive, copy, FILE_NAME, 1 << 62)
        for path in _files(data):
            name = str(path.relative_to(data))
            with suppress(FileNotFoundError):  # gone meanwhile
                digests[name] = _put(archive, path, name, MAX_FILE_BYTES)
        said = {"format": FORMAT, "made": int(time.time()), "version": version("serment"), "files": digests}
        text = json.dumps(said, sort_keys=True).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(text), 0o600
        archive.addfile(member, io.BytesIO(text))
    plain.flush()
    return len(digests)


def _files(data: Path) -> Iterator[Path]:
    """Regular files, but for the database, locks, what is hidden (also what is on its way to another name), and a
    manifest, which lies there where a backup was unpacked by hand.
    """
    for folder, folders, names in os.walk(data):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if name in _LEFT_OUT or name.startswith(".") or path == data / MANIFEST:
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _put(archive: tarfile.TarFile, path: Path, name: str, most: int) -> tuple[int, str]:
    """A file as it is now: one that grows meanwhile is taken as far as it was."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if found.st_size > most:
            raise HostError(N_("larger than {limit} bytes: it does not belong here"), where=name, limit=most)
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = found.st_size, found.st_mode & 0o777, int(found.st_mtime)
        archive.addfile(member, file)
        file.seek(0)
        digest, left = hashlib.sha256(), found.st_size
        while left and (piece := file.read(min(left, _CHUNK))):
            digest.update(piece)
            left -= len(piece)
    return found.st_size, digest.hexdigest()
