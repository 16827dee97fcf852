"""What is kept how long. A month of records goes as a whole, when all of it is old enough."""

from __future__ import annotations

import time

from sqlalchemy import delete

from agent.errors import N_, UsageError
from collector.store.base import SLOT_S, Store
from collector.store.sql import month_of
from collector.store.tables import arrivals, tallies
from collector.store.writing import writing

SHORTEST_DAYS = 182
LONGEST_DAYS = 1096
DEFAULT_DAYS = 365
_DAY_S = 24 * 3600
_KEEP_SLOTS = 8 * 96


def expired(months: list[int], now: int, days: int) -> list[int]:
    """The months whose last moment lies more than ``days`` before ``now`` (seconds). Pure."""
    oldest = month_of(now - days * _DAY_S)
    return [month for month in months if month < oldest]


def require_proportionate(days: int) -> None:
    """Raises UsageError: records are not kept so long, or so short."""
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise UsageError(N_("records are kept from {least} to {most} days"), least=SHORTEST_DAYS, most=LONGEST_DAYS)


def forget_old(store: Store, now: int, days: int = DEFAULT_DAYS) -> list[int]:
    """Remove what is older than ``days`` (182 to 1096), and its arrivals; which months that were."""
    require_proportionate(days)
    with writing(store.engine) as connection:
        connection.execute(delete(tallies).where(tallies.c.slot < now // SLOT_S - _KEEP_SLOTS))
    with store.exclusive("retention") as mine:
        gone = expired(store.months(), now, days) if mine else []
        if gone:  # arrivals first: records that are gone without them, after a kill in between, would count as lost
            with writing(store.engine) as connection:
                connection.execute(delete(arrivals).where(arrivals.c.at < _beginning(expired_until(gone))))
        for month in gone:
            store.forget(month)
    return gone


def expired_until(gone: list[int]) -> int:
    """The month behind the last of ``gone``. Pure."""
    last = max(gone)
    return last + 1 if last % 100 < 12 else (last // 100 + 1) * 100 + 1


def _beginning(month: int) -> int:
    import calendar

    return calendar.timegm((month // 100, month % 100, 1, 0, 0, 0))


def now() -> int:
    """Seconds since 1970 UTC."""
    return int(time.time())
