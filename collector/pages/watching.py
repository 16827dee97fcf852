"""What the officers' pages read: the fleet as it is, alerts as stories, what clinicians asked. Never writes.

A figure that the store does not have is not made up: it is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from agent.audit import record
from agent.errors import UntrustedInputError
from collector import fleet
from collector.officers.decisions import REQUEST_KINDS
from collector.store.tables import alerts, answers, events, laptops, story_decisions

SILENT_S = 24 * 3600
MAX_STORIES = 500
MAX_REQUESTS = 200
_l, _a = laptops.c, alerts.c
_SHOWN = (  # not what its log ended with: for 100,000 laptops that is most of the bytes
    _l.device, _l.group_name, _l.last_seen, _l.size, _l.summary, _l.skew_ms, _l.enrolled_at, _l.certified_until,
    _l.denied_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """One laptop. Times are seconds since 1970 UTC. ``guard``: hold, after-write, off or "" (nothing reported), the
    weakest of its places.
    """

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
        found = {guard.strength for guard in self.summary.places.values()}
        return next((strength for strength in ("off", "after-write", "hold") if strength in found), "")

    @property
    def protected(self) -> bool:
        """It spoke within a day, runs, and holds documents or acts on them in every place that it told of."""
        return not self.silent and not self.denied and self.summary.running is True and self.guard in _STRONG


_STRONG = frozenset({"hold", "after-write"})


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


def members(engine: Engine, now: int) -> list[Member]:
    """Every laptop: silent ones first, the longest silent on top; denied ones last."""
    counted = select(_a.device, func.count().label("n")).group_by(_a.device).subquery()
    query = select(*_SHOWN, func.coalesce(counted.c.n, 0).label("alerts")).join(
        counted, counted.c.device == _l.id, isouter=True
    )
    with engine.connect() as connection:
        found = [_member(row, now) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.denied, not one.silent, one.last_seen, one.device))


def _member(row: Any, now: int) -> Member:
    return Member(
        row.device, row.group_name, row.last_seen, row.size, fleet.from_json(row.summary), row.skew_ms,
        row.enrolled_at is not None, row.certified_until, row.denied_at is not None,
        row.last_seen < now - SILENT_S, row.alerts,
    )  # fmt: skip


def stories(engine: Engine, now: int) -> list[Story]:
    """The alerts, grouped; those that need a decision first, the latest on top."""
    query = (
        select(
            _l.device.label("laptop"), _a.device, _a.kind,
            func.count().label("count"), func.sum(_a.times).label("times"),
            func.min(_a.first_at).label("first_at"), func.max(_a.last_at).label("last_at"),
            func.min(_a.idx).label("first_index"),
        )
        .join(laptops, _l.id == _a.device)
        .group_by(_l.device, _a.device, _a.kind)
        .order_by(func.max(_a.last_at).desc())
        .limit(MAX_STORIES)
    )  # fmt: skip
    with engine.connect() as connection:
        decided = _decided(connection)
        found = [_story(row, decided.get((row.device, row.kind)), now) for row in connection.execute(query)]
    return sorted(found, key=lambda story: (story.state != "open", story.state != "incident"))


def _decided(connection: Connection) -> dict[tuple[int, str], Any]:
    last = select(func.max(story_decisions.c.id)).group_by(story_decisions.c.device, story_decisions.c.kind)
    query = select(story_decisions).where(story_decisions.c.id.in_(last))
    return {(row.device, row.kind): row for row in connection.execute(query)}


def _story(row: Any, decision: Any, now: int) -> Story:
    plain = (row.laptop, row.kind, row.count, int(row.times), row.first_at, row.last_at, row.first_index)
    if decision is None:
        return Story(*plain, "open")
    said = (decision.until, decision.why, decision.by_whom, decision.at)
    if decision.verdict == "exception":
        return Story(*plain, "exception" if decision.until > now else "open", *said)
    again = row.last_at > decision.upto
    return Story(*plain, "open" if again else decision.verdict, *said, again)


def asked(engine: Engine) -> list[Asked]:
    """What clinicians asked for, the latest first; without an answer first."""
    query = (
        select(events.c.device, events.c.idx, events.c.public, _l.device.label("laptop"))
        .join(laptops, _l.id == events.c.device)
        .where(events.c.kind.in_(REQUEST_KINDS))
        .order_by(events.c.t.desc(), events.c.device, events.c.idx)
        .limit(MAX_REQUESTS)
    )
    with engine.connect() as connection:
        last = select(func.max(answers.c.id)).group_by(answers.c.device, answers.c.idx)
        answered = {
            (row.device, row.idx): row for row in connection.execute(select(answers).where(answers.c.id.in_(last)))
        }
        found = list(_asked(connection.execute(query), answered))
    return sorted(found, key=lambda each: bool(each.answer))


def _asked(rows: Any, answered: dict[tuple[int, int], Any]) -> Iterator[Asked]:
    for row in rows:
        try:
            fields = record.decode(row.public)
        except UntrustedInputError:
            continue
        answer = answered.get((row.device, row.idx))
        said = (answer.answer, answer.why, answer.by_whom, answer.at) if answer else ()
        yield Asked(row.laptop, row.idx, fields, *said)


def in_force(found: list[Member]) -> list[tuple[str, str, str, int]]:
    """Which policy is on how many laptops, as their logs say: name, release, mode, laptops; the most frequent first."""
    counts = Counter(
        (one.summary.policy, one.summary.release, one.summary.mode) for one in found if not one.denied
    )  # fmt: skip
    return [(*which, number) for which, number in counts.most_common()]
