"""What waits for an officer: alerts as stories, what clinicians asked for. Never writes.

A figure that the store does not have is not made up: it is absent. Both are read a page at a time, the number of all
that wait with it; whatever is decided already comes behind what is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, exists, func, or_, select

from agent.audit import record
from agent.errors import UntrustedInputError
from collector.officers.decisions import REQUEST_KINDS
from collector.queries import IS_RARE
from collector.store.tables import alerts, answers, events, laptops, story_decisions

PAGE = 50
_l, _a, _d = laptops.c, alerts.c, story_decisions.c
_PLACE = re.compile(r"\d{1,9}")
_OPEN, _INCIDENT, _DECIDED = 0, 1, 2  # the order on the page


@dataclass(frozen=True, slots=True)
class Story:
    """The alerts of one kind of one laptop, together. ``state``: open, normal, incident or exception."""

    laptop: str
    kind: str
    count: int
    times: int
    first_at: int
    last_at: int
    first_index: int
    state: str
    until: int | None = None
    why: str = ""
    by: str = ""
    at: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for in their log; ``fields`` as the laptop sent them (hostile)."""

    laptop: str
    index: int
    fields: dict[str, Any]
    answer: str = ""
    why: str = ""
    by: str = ""
    at: int = 0


def place(untrusted: str) -> int:
    """How many are passed over, as an address says; 0 when it makes no sense."""
    return int(untrusted) if _PLACE.fullmatch(untrusted) else 0


def stories(engine: Engine, now: int, skip: int = 0, limit: int = PAGE) -> tuple[list[Story], int, int]:
    """The alerts, grouped, behind the first ``skip``: those that need a decision first, the latest on top. And how many
    stories there are, and how many of them need a decision.
    """
    grouped = (
        select(
            _a.device, _a.kind, func.count().label("count"), func.sum(_a.times).label("times"),
            func.min(_a.first_at).label("first_at"), func.max(_a.last_at).label("last_at"),
            func.min(_a.idx).label("first_index"),
        ).group_by(_a.device, _a.kind).subquery("grouped")
    )  # fmt: skip
    s = grouped.c
    last = select(_d.device, _d.kind, func.max(_d.id).label("id")).group_by(_d.device, _d.kind).subquery("last")
    rank = _rank(s.last_at, now).label("rank")
    ranked = (
        select(grouped, _d.verdict, _d.until, _d.upto, _d.why, _d.by_whom, _d.at, rank)
        .select_from(
            grouped.outerjoin(last, and_(last.c.device == s.device, last.c.kind == s.kind)).outerjoin(
                story_decisions, _d.id == last.c.id
            )
        )
        .subquery("ranked")
    )
    r = ranked.c
    waiting = func.sum(case((r.rank == _OPEN, 1), else_=0)).over().label("open")
    counted = select(ranked, func.count().over().label("total"), waiting)
    counted = counted.order_by(r.rank, r.last_at.desc(), r.device, r.kind).limit(limit).offset(skip)
    chosen = counted.subquery("chosen")
    c = chosen.c
    query = select(chosen, _l.device.label("laptop")).join(laptops, _l.id == c.device)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(c.rank, c.last_at.desc(), c.device, c.kind)).all()
    if not rows:
        return ([], 0, 0) if not skip else ([], *stories(engine, now, 0, 1)[1:])
    return [_story(row, now) for row in rows], int(rows[0].total), int(rows[0].open)


def _rank(last_at: Any, now: int) -> Any:
    """Whether the last decision still covers a story; the twin of ``_story``."""
    over = and_(_d.verdict == "exception", _d.until <= now)
    again = and_(_d.verdict != "exception", last_at > _d.upto)
    return case(
        (or_(_d.id.is_(None), over, again), _OPEN), (_d.verdict == "incident", _INCIDENT), else_=_DECIDED
    )  # fmt: skip


def _story(row: Any, now: int) -> Story:
    plain = (row.laptop, row.kind, row.count, int(row.times), row.first_at, row.last_at, row.first_index)
    if row.verdict is None:
        return Story(*plain, "open")
    said = (row.until, row.why, row.by_whom, row.at)
    if row.verdict == "exception":
        return Story(*plain, "exception" if row.until > now else "open", *said)
    again = row.last_at > row.upto
    return Story(*plain, "open" if again else row.verdict, *said, again)


def asked(engine: Engine, skip: int = 0, limit: int = PAGE) -> tuple[list[Asked], int, int]:
    """What clinicians asked for, behind the first ``skip``: what has no answer first, then the latest. And how many
    there are, and how many of them have no answer.
    """
    e, answered = events.c, exists().where(answers.c.device == events.c.device, answers.c.idx == events.c.idx)
    wanted = (IS_RARE, e.kind.in_(REQUEST_KINDS))
    with engine.connect() as connection:
        total = int(connection.execute(select(func.count()).select_from(events).where(*wanted)).scalar_one())
        done = int(connection.execute(select(func.count()).select_from(events).where(*wanted, answered)).scalar_one())
        found: list[Asked] = []
        for mine, before in ((~answered, 0), (answered, total - done)):
            query = select(e.device, e.idx, e.public, e.t).where(*wanted, mine)
            query = query.order_by(e.t.desc(), e.device, e.idx)
            if len(found) < limit:
                rows = connection.execute(query.limit(limit - len(found)).offset(max(skip - before, 0))).all()
                found += _asked(connection, rows)
    return found, total, total - done


def _asked(connection: Connection, rows: Sequence[Any]) -> Iterator[Asked]:
    if not rows:
        return
    devices = {row.device for row in rows}
    named = select(_l.id, _l.device).where(_l.id.in_(devices))
    names = {row.id: row.device for row in connection.execute(named)}
    said = select(answers).where(answers.c.device.in_(devices), answers.c.idx.in_({row.idx for row in rows}))
    last = {(row.device, row.idx): row for row in connection.execute(said.order_by(answers.c.id))}
    for row in rows:
        try:
            fields = record.decode(row.public)
        except UntrustedInputError:
            continue
        answer = last.get((row.device, row.idx))
        more = (answer.answer, answer.why, answer.by_whom, answer.at) if answer else ()
        yield Asked(names.get(row.device, "?"), row.idx, fields, *more)
