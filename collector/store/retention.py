"""What is kept how long, and copies. A month of records goes as a whole, when all of it is old enough."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy import delete

from agent.errors import N_, HostError, UsageError
from collector.store.base import Store
from collector.store.sql import month_of
from collector.store.tables import arrivals
from collector.store.writing import writing

SHORTEST_DAYS = 182
LONGEST_DAYS = 1096
DEFAULT_DAYS = 365
_DAY_S = 24 * 3600


def expired(months: list[int], now: int, days: int) -> list[int]:
    """The months whose last moment lies more than ``days`` before ``now`` (seconds). Pure."""
    oldest = month_of(now - days * _DAY_S)
    return [month for month in months if month < oldest]


def forget_old(store: Store, now: int, days: int = DEFAULT_DAYS) -> list[int]:
    """Remove what is older than ``days`` (182 to 1096), and its arrivals; which months that were."""
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise UsageError(N_("records are kept from {least} to {most} days"), least=SHORTEST_DAYS, most=LONGEST_DAYS)
    with store.exclusive("retention") as mine:
        gone = expired(store.months(), now, days) if mine else []
        for month in gone:
            store.forget(month)
        if gone:
            with writing(store.engine) as connection:
                connection.execute(delete(arrivals).where(arrivals.c.at < _beginning(expired_until(gone))))
    return gone


def expired_until(gone: list[int]) -> int:
    """The month behind the last of ``gone``. Pure."""
    last = max(gone)
    return last + 1 if last % 100 < 12 else (last // 100 + 1) * 100 + 1


def _beginning(month: int) -> int:
    import calendar

    return calendar.timegm((month // 100, month % 100, 1, 0, 0, 0))


def back_up(store: Store, target: Path) -> None:
    """A copy of an SQLite database as of one moment, while it is used; ``target`` must not be there yet.

    PostgreSQL has its own (pg_dump, WAL archives). Raises UsageError and HostError.
    """
    if store.engine.dialect.name != "sqlite":
        raise UsageError(N_("PostgreSQL is backed up by its own means"), hint=N_("see pg_dump(1)"))
    if target.exists():
        raise UsageError(N_("there is something already"), where=str(target))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.connection.driver_connection.execute("VACUUM INTO ?", (str(temporary),))  # type: ignore[union-attr]
        os.chmod(temporary, 0o600)
        fd = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, target)
    except OSError as error:
        raise HostError(N_("cannot be written: {why}"), where=str(target), why=error.strerror) from error
    finally:
        temporary.unlink(missing_ok=True)


def now() -> int:
    """Seconds since 1970 UTC."""
    return int(time.time())
