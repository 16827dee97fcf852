"""Reading: what the pages and scripts show. Never writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, literal_column, select, tuple_

from agent.audit import record
from agent.audit.record import Kind
from agent.errors import UntrustedInputError
from collector import fleet
from collector.store.base import SLOT_S
from collector.store.tables import alerts, events, laptops, tallies

MAX_PAGE = 500
_CURSOR = re.compile(r"(\d{1,16})\.(\d{1,16})\.(\d{1,16})")
_LAPTOP_CURSOR = re.compile(r"(\d{1,16})\.(\d{1,16})")
IS_RARE: ColumnElement[bool] = literal_column("kind").not_in(
    (literal_column("'transfer'"), literal_column("'outcome'"))
)
"""As the index says that holds the records which are neither: an engine uses it when it reads the same words."""
_MANY = (Kind.TRANSFER, Kind.OUTCOME)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All that is set must hold. ``since`` and ``until`` are microseconds since 1970 UTC (until: not included).

    ``kind`` "" means every kind but outcomes, which are shown with their transfers; "all" means every kind. ``before``
    is the cursor of the last event of the page before.
    """

    laptop: str = ""
    channel: str = ""
    decision: str = ""
    kind: str = ""
    since: int | None = None
    until: int | None = None
    before: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One record as it is shown; ``fields`` is the whole of it."""

    laptop: str
    laptop_id: int
    index: int
    result: str
    fields: dict[str, Any]

    @property
    def cursor(self) -> str:
        return f"{self.fields['t']}.{self.laptop_id}.{self.index}"


@dataclass(frozen=True, slots=True)
class Laptop:
    """One laptop. Times are seconds since 1970 UTC."""

    device: str
    size: int
    first_seen: int
    last_seen: int
    skew_ms: int
    summary: fleet.Summary
    alerts: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    laptop: str
    kind: str
    index: int
    first_at: int
    last_at: int
    times: int


@dataclass(frozen=True, slots=True)
class Today:
    """Counts since a moment: documents recognised as medical, and how many of them were held back or sealed."""

    documents: int = 0
    medical: int = 0
    held: int = 0


def list_laptops(engine: Engine, limit: int | None = None, before: str = "") -> list[Laptop]:
    """The laptops, the last seen first; at most ``limit``, behind the cursor ``before``."""
    counted = select(func.count()).where(alerts.c.device == laptops.c.id).correlate(laptops).scalar_subquery()
    query = select(
        laptops.c.id, laptops.c.device, laptops.c.size, laptops.c.first_seen, laptops.c.last_seen, laptops.c.skew_ms,
        laptops.c.summary, counted.label("alerts"),
    ).order_by(laptops.c.last_seen.desc(), laptops.c.id.desc()).limit(limit)  # fmt: skip
    if found := _LAPTOP_CURSOR.fullmatch(before):
        place = tuple(int(part) for part in found.groups())
        query = query.where(tuple_(laptops.c.last_seen, laptops.c.id) < tuple_(*place))
    with engine.connect() as connection:
        return [
            Laptop(
                row.device, row.size, row.first_seen, row.last_seen, row.skew_ms, fleet.from_json(row.summary),
                row.alerts, f"{row.last_seen}.{row.id}",
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def list_alerts(engine: Engine, limit: int = 100) -> list[Alert]:
    """The alerts, the latest first."""
    query = (
        select(alerts, laptops.c.device.label("laptop"))
        .join(laptops, laptops.c.id == alerts.c.device)
        .order_by(alerts.c.last_at.desc(), alerts.c.id.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        return [
            Alert(row.laptop, row.kind, row.idx, row.first_at, row.last_at, row.times)
            for row in connection.execute(query)
        ]


def list_events(engine: Engine, wanted: EventFilter, limit: int) -> list[Event]:
    """At most ``limit`` events, the latest first."""
    query = _filtered(wanted).limit(min(max(limit, 1), MAX_PAGE))
    with engine.connect() as connection:
        return _with_results(connection, connection.execute(query).all())


def one_event(engine: Engine, laptop: str, index: int) -> Event | None:
    """One record of one laptop."""
    query = _base().where(laptops.c.device == laptop, events.c.idx == index)
    with engine.connect() as connection:
        return next(iter(_with_results(connection, connection.execute(query).all())), None)


def outcome_of(engine: Engine, transfer: Event) -> Event | None:
    """The record that closes a transfer."""
    query = _base().where(
        events.c.device == transfer.laptop_id, events.c.of == transfer.index, events.c.kind == Kind.OUTCOME
    )
    with engine.connect() as connection:
        row = connection.execute(query.order_by(events.c.idx).limit(1)).first()
    return None if row is None else _event(row, "")


def _with_results(connection: Connection, rows: Sequence[Any]) -> list[Event]:
    """The events of ``rows``, transfers with the word of their outcome."""
    wanted: dict[int, list[int]] = {}
    for row in rows:
        if row.kind == Kind.TRANSFER:
            wanted.setdefault(row.device, []).append(row.idx)
    results: dict[tuple[int, int], str] = {}
    for device, indices in wanted.items():
        query = select(events.c.of, events.c.public).where(
            events.c.device == device, events.c.of.in_(indices), events.c.kind == Kind.OUTCOME
        )
        for found in connection.execute(query):
            with suppress(UntrustedInputError):
                results[device, found.of] = fleet.word(record.decode(found.public), "result")
    return [_event(row, results.get((row.device, row.idx), "")) for row in rows]


def count_records(engine: Engine) -> int:
    """How many records the laptops' logs have, as far as they were brought."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(laptops.c.size), 0))).scalar_one())


def today(engine: Engine, since: int) -> Today:
    """The counts since ``since`` (microseconds since 1970 UTC), a midnight somewhere: ``ingest.tally``."""
    t = tallies.c
    query = select(*(func.coalesce(func.sum(column), 0) for column in (t.documents, t.medical, t.held)))
    with engine.connect() as connection:
        row = connection.execute(query.where(t.slot >= since // 1_000_000 // SLOT_S)).one()
    return Today(*(int(number) for number in row))


def valid_cursor(untrusted: str) -> bool:
    return _CURSOR.fullmatch(untrusted) is not None


def _base() -> Select[Any]:
    return select(events, laptops.c.device.label("laptop")).join(laptops, laptops.c.id == events.c.device)


def _filtered(wanted: EventFilter) -> Select[Any]:
    query = _base().order_by(events.c.t.desc(), events.c.device.desc(), events.c.idx.desc())
    if wanted.laptop:
        query = query.where(laptops.c.device == wanted.laptop)
    for column, value in ((events.c.channel, wanted.channel), (events.c.decision, wanted.decision)):
        if value:
            query = query.where(column == value)
    if not wanted.kind:
        query = query.where(events.c.kind != Kind.OUTCOME)
    elif wanted.kind != "all":
        query = query.where(events.c.kind == wanted.kind)
        if wanted.kind not in _MANY:
            query = query.where(IS_RARE)
    if wanted.since is not None:
        query = query.where(events.c.t >= wanted.since)
    if wanted.until is not None:
        query = query.where(events.c.t < wanted.until)
    if found := _CURSOR.fullmatch(wanted.before):
        place: Sequence[int] = tuple(int(part) for part in found.groups())
        query = query.where(tuple_(events.c.t, events.c.device, events.c.idx) < tuple_(*place))
    return query


def _event(row: Any, result: str) -> Event:
    """An event; where its record is not of its form (any more), with what was noted of it when it came."""
    try:
        fields = record.decode(row.public)
    except UntrustedInputError:
        fields = {"i": row.idx, "t": row._mapping["t"], "k": row.kind, "channel": row.channel, "decision": row.decision}
    return Event(row.laptop, row.device, row.idx, result, fields)
