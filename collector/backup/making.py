"""A backup: everything of the collector's folder and a copy of its database as of one moment, sealed (age).

Reads the folder while others write; nothing in it is followed or changed. The plain archive lies in a file without a
name, in the folder whose keys are in it, but for the database: its copy is put in when it is sealed, so that it lies on
the disk once. The sealed one appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from agent.crypto.sealed import seal_from
from agent.errors import N_, HostError, UsageError
from agent.fsys.atomic import sync_folder
from collector.backup.archive import Spliced, pack
from collector.journal import note
from collector.store.base import Store
from collector.store.tables import acts, laptops
from collector.store.writing import writing

ARCHIVE = b"serment-collector.tar"
ACT = "backup.made"
OLD_S = 8 * 24 * 3600
"""A week and a day: whoever makes one each week is never told of an old one."""
AHEAD_S = 24 * 3600
_ROOM = N_("check the path, the rights and the free space")


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
        with tempfile.TemporaryFile(dir=data) as plain, contextlib.ExitStack() as stack:
            if sqlite:
                _copy(store, copy)
                database = stack.enter_context(copy.open("rb"))
                copy.unlink()
            spliced = Spliced(plain, database if sqlite else None)
            files = pack(spliced, data)
            fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                seal_from(spliced.read, spliced.size(), ARCHIVE, time.time_ns(), recipients, fd)
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
