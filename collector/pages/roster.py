"""The fleet as the officers' pages show it: who is protected, since when silent, which policy. Never writes.

Counted and paged by the database, from columns and an index that hold what is needed: a page costs the same for a
hundred laptops and for a hundred thousand, but for the counts, which read one narrow index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, func, or_, select, tuple_

from collector import fleet
from collector.store.tables import alerts, laptops

SILENT_S = 24 * 3600
PAGE = 100
MAX_GROUPS = 500
ONLY = ("silent", "weak", "denied")
_STRONG = ("hold", "after-write")
_CURSOR = re.compile(r"([01])\.(\d{1,16})\.(\d{1,16})")
_l = laptops.c
_ALERTS = select(func.count()).where(alerts.c.device == _l.id).correlate(laptops).scalar_subquery()
_SHOWN = (
    _l.id, _l.device, _l.group_name, _l.last_seen, _l.size, _l.summary, _l.skew_ms, _l.enrolled_at, _l.certified_until,
    _l.denied_at, _ALERTS.label("alerts"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """One laptop. Times are seconds since 1970 UTC. ``guard``: see ``fleet.Summary.guard``."""

    number: int
    device: str
    group: str
    last_seen: int
    records: int
    summary: fleet.Summary
    skew_ms: int
    enrolled: bool
    certified_until: int | None
    denied: bool
    silent: bool
    alerts: int

    @property
    def guard(self) -> str:
        return self.summary.guard

    @property
    def protected(self) -> bool:
        """It spoke within a day, runs, and holds documents or acts on them in every place that it told of."""
        return not self.silent and not self.denied and self.summary.running is True and self.guard in _STRONG

    @property
    def cursor(self) -> str:
        return f"{int(self.denied)}.{self.last_seen}.{self.number}"


@dataclass(frozen=True, slots=True)
class Counts:
    """Laptops: all that are not denied, how many of those are protected and silent; and the denied ones."""

    welcome: int
    protected: int
    silent: int
    denied: int

    @property
    def all(self) -> int:
        return self.welcome + self.denied


def counts(engine: Engine, now: int) -> Counts:
    """Of the whole fleet."""
    welcome, since = _l.denied_at.is_(None), now - SILENT_S
    query = select(
        _sum(welcome), _sum(_protected(since)), _sum(and_(welcome, _l.last_seen < since)), _sum(~welcome)
    )  # fmt: skip
    with engine.connect() as connection:
        return Counts(*(int(number) for number in connection.execute(query).one()))


def page(
    engine: Engine, now: int, *, group: str = "", only: str = "", after: str = "", limit: int = PAGE
) -> tuple[list[Member], int, bool]:
    """The laptops of ``group`` (""; all) and of one of ``ONLY`` behind a cursor: the longest silent first, denied ones
    last. And how many there are on all pages, and whether more follow.
    """
    wanted = _wanted(now - SILENT_S, group.replace("\0", ""), only)  # PostgreSQL's text has no zero byte
    with engine.connect() as connection:
        total = int(connection.execute(select(func.count()).select_from(laptops).where(*wanted)).scalar_one())
        rows: list[Any] = []
        for denied in (False, True):
            if len(rows) <= limit:
                rows += _part(connection, wanted, denied, after, limit + 1 - len(rows))
    return [_member(row, now) for row in rows[:limit]], total, len(rows) > limit


def _part(connection: Connection, wanted: Sequence[Any], denied: bool, after: str, limit: int) -> Sequence[Any]:
    """Those that are denied, or those that are not."""
    query = select(*_SHOWN).where(*wanted, _l.denied_at.is_not(None) if denied else _l.denied_at.is_(None))
    if found := _CURSOR.fullmatch(after):
        of, seen, number = (int(part) for part in found.groups())
        if of > denied:
            return ()
        if of == denied:
            query = query.where(tuple_(_l.last_seen, _l.id) > tuple_(seen, number))
    return connection.execute(query.order_by(_l.last_seen, _l.id).limit(limit)).all()


def _wanted(since: int, group: str, only: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_l.group_name == group] if group else []
    welcome = _l.denied_at.is_(None)
    if only == "silent":
        found += [welcome, _l.last_seen < since]
    elif only == "weak":
        found += [
            welcome,
            or_(_l.last_seen < since, func.coalesce(_l.running, 0) != 1, _l.guard.not_in(_STRONG)),
        ]  # fmt: skip
    elif only == "denied":
        found += [_l.denied_at.is_not(None)]
    return found


def _protected(since: int) -> ColumnElement[bool]:
    return and_(_l.denied_at.is_(None), _l.last_seen >= since, _l.running == 1, _l.guard.in_(_STRONG))


def _sum(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def groups(engine: Engine) -> list[str]:
    """Their names, at most ``MAX_GROUPS``."""
    query = select(_l.group_name).where(_l.group_name != "").distinct().order_by(_l.group_name).limit(MAX_GROUPS)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def names(engine: Engine, most: int) -> list[str]:
    """The laptops' names, sorted; [] when there are more than ``most``: then nobody chooses from a list."""
    with engine.connect() as connection:
        found = list(connection.execute(select(_l.device).order_by(_l.device).limit(most + 1)).scalars())
    return found if len(found) <= most else []


def in_force(engine: Engine) -> list[tuple[str, str, str, int]]:
    """Which policy is on how many laptops, as their logs say: name, release, mode, laptops; the most frequent first."""
    which = (_l.policy_name, _l.policy_release, _l.policy_mode)
    query = select(*which, func.count().label("n")).where(_l.denied_at.is_(None)).group_by(*which)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(func.count().desc(), *which).limit(PAGE)).all()
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _member(row: Any, now: int) -> Member:
    return Member(
        row.id, row.device, row.group_name, row.last_seen, row.size, fleet.from_json(row.summary), row.skew_ms,
        row.enrolled_at is not None, row.certified_until, row.denied_at is not None,
        row.last_seen < now - SILENT_S, row.alerts,
    )  # fmt: skip
