"""What SQLite and PostgreSQL do in the same words. Each engine's own class adds how rows go in and who waits for whom.

Owns every change of laptops, events, arrivals and alerts. One thread commits at a time; reading is free.
"""

from __future__ import annotations

import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Executable, bindparam, func, insert, literal_column, select, update

from agent.audit import chain, record
from agent.errors import UntrustedInputError
from collector.store.base import SLOT_S, Arrival, Change, Facts, Known, Laptop, Refused, Reported, Row, Tally
from collector.store.repeated import of_summary
from collector.store.tables import alerts, arrivals, events, laptops
from collector.store.writing import writing

FETCH = 2000
_l = laptops.c
_e = events.c
_SUMMARY = "{}"
_ROW = [_e.device, _e.idx, _e.t, _e.kind, _e.channel, _e.decision, _e.of, _e.public, _e.private_hash]
_UPDATE = (
    update(laptops)
    .where(_l.id == bindparam("b_id"), _l.version == bindparam("b_version"))
    .values(
        {
            "version": bindparam("b_version") + 1,
            **{
                name: bindparam(f"b_{name}")
                for name in ("last_seen", "size", "head", "frontier", "log", "seals", "summary", "next_at")
            },
            "skew_ms": func.coalesce(bindparam("b_skew_ms"), _l.skew_ms),
            "report": func.coalesce(bindparam("b_report"), _l.report),
            "reported": func.coalesce(bindparam("b_reported"), _l.reported),
            "refused_why": func.coalesce(bindparam("b_refused_why"), _l.refused_why),
            "refused_number": func.coalesce(bindparam("b_refused_number"), _l.refused_number),
        }
    )
)
_SAYS = (  # what a summary says, for the indices: only when it says something new, which is seldom
    update(laptops)
    .where(_l.id == bindparam("b_id"))
    .values(
        {name: bindparam(f"b_{name}") for name in ("running", "guard", "policy_name", "policy_release", "policy_mode")}
    )
)
_RECENT = (-2 * 96, 96)  # slots before and after now: today's page looks at one day, and clocks that lie fill no table


class SqlStore(ABC):
    """What both engines share; see ``base.Store``. The abstract methods are where they differ."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = threading.Lock()
        self._known_months: set[int] = set(self.months())
        self._shard = secrets.randbits(31)

    def close(self) -> None:
        self.engine.dispose()

    # ---- laptops

    def laptop(self, device: str, now: int, *, make: bool = True) -> Laptop | None:
        with self.engine.connect() as connection:
            found = _laptop(connection, device)
        if found is not None or not make:
            return found
        with writing(self.engine) as connection:
            self._enter(connection, device, now)
            return _laptop(connection, device)

    @abstractmethod
    def _enter(self, connection: Connection, device: str, now: int) -> None:
        """Add a laptop; nothing when another collector was quicker."""

    # ---- records

    def held(self, laptop: int, first: int, end: int) -> Mapping[int, tuple[bytes, bytes]]:
        query = select(_e.idx, _e.public, _e.private_hash).where(_e.device == laptop, _e.idx >= first, _e.idx < end)
        with self.engine.connect() as connection:
            return {row.idx: (row.public, row.private_hash or chain.NO_PRIVATE) for row in connection.execute(query)}

    def commit(self, changes: Sequence[Change]) -> list[bool]:
        ordered = sorted(
            range(len(changes)), key=lambda at: changes[at].laptop.id
        )  # two collectors: one order of locks
        done = [False] * len(changes)
        with self._writing:
            month = month_of(max((change.now for change in changes), default=0))
            self._ensure(month)
            with writing(self.engine) as connection:
                for at in ordered:
                    done[at] = connection.execute(_UPDATE, _values(changes[at])).rowcount == 1
                accepted = [changes[at] for at in ordered if done[at]]
                self._store(connection, month, accepted)
        return done

    def _store(self, connection: Connection, month: int, accepted: Sequence[Change]) -> None:
        rows = [row for change in accepted for row in change.rows]
        if rows:
            self._insert(connection, month, rows)
            brought = [
                {"laptop": change.laptop.id, "first": change.rows[0].idx, "brought": len(change.rows), "at": change.now}
                for change in accepted
                if change.rows
            ]
            connection.execute(insert(arrivals), brought)
        says = [_says(change) for change in accepted if change.known.summary != change.laptop.known.summary]
        if says:
            connection.execute(_SAYS, says)
        if found := _tallied(accepted):
            connection.execute(self._adding(), [{**each._asdict(), "shard": self._shard} for each in found.values()])
        for change in accepted:
            for kind, index in change.alerts:
                raise_alert(connection, change.laptop.id, kind, index, change.now)

    @abstractmethod
    def _adding(self) -> Executable:
        """Add to a row of ``tallies``, made when it is not there."""

    @abstractmethod
    def _insert(self, connection: Connection, month: int, rows: Sequence[Row]) -> None:
        """Add records that arrived in ``month``."""

    def records(self, laptop: int, first: int, end: int) -> Iterator[Row]:
        query = select(*_ROW).where(_e.device == laptop, _e.idx >= first, _e.idx < end).order_by(_e.idx)
        with self.engine.connect().execution_options(yield_per=FETCH) as connection:
            for row in connection.execute(query):
                yield Row(*row)

    def facts(self, since_us: int, until_us: int) -> Iterator[Facts]:
        for query in self._transfers(since_us, until_us):
            with self.engine.connect().execution_options(yield_per=FETCH) as connection:
                for row in connection.execute(query):
                    try:
                        fields = record.decode(row.public)
                        result = str(record.decode(row.outcome).get("result", "")) if row.outcome else ""
                    except UntrustedInputError:
                        continue
                    yield Facts(row.device, row.group_name, row.idx, fields, result)

    @abstractmethod
    def _transfers(self, since_us: int, until_us: int) -> Sequence[Executable]:
        """What finds (device, group_name, idx, public, outcome) of transfers, each once, with the first outcome's
        public part (NULL: there is none yet). The work is to grow as the transfers do.
        """

    def arrivals(self, after: int, limit: int) -> list[Arrival]:
        query = select(arrivals).where(arrivals.c.number > after, *self._settled()).order_by(arrivals.c.number)
        with self.engine.connect() as connection:
            return [
                Arrival(row.number, row.laptop, row.first, row.brought, row.at)
                for row in connection.execute(query.limit(limit))
            ]

    def brought(self, laptop: int, end: int) -> int:
        query = select(func.coalesce(func.sum(arrivals.c.brought), 0))
        with self.engine.connect() as connection:
            found = connection.execute(query.where(arrivals.c.laptop == laptop, arrivals.c.first < end)).scalar_one()
            return int(found)

    def _settled(self) -> list[Any]:
        """What must hold of an arrival that nothing with a lower number can come before any more."""
        return []

    def reports(self) -> Iterator[Reported]:
        query = select(_l.device, _l.group_name, _l.last_seen, _l.report).where(
            _l.report.is_not(None), _l.denied_at.is_(None)
        )
        with self.engine.connect().execution_options(yield_per=FETCH) as connection:
            for row in connection.execute(query):
                yield Reported(*row)

    def refused(self, limit: int) -> list[Refused]:
        query = select(_l.device, _l.group_name, _l.refused_why, _l.refused_number).where(
            _l.refused_why != literal_column("''"), _l.denied_at.is_(None)
        )
        with self.engine.connect() as connection:
            return [Refused(*row) for row in connection.execute(query.order_by(_l.id).limit(limit))]

    # ---- months

    def _ensure(self, month: int) -> None:
        if month not in self._known_months:
            self._make_month(month)
            self._known_months.add(month)

    @abstractmethod
    def _make_month(self, month: int) -> None:
        """Room for the records of a month; nothing when there is."""

    @abstractmethod
    def months(self) -> list[int]:
        """See ``base.Store``."""


def month_of(seconds: int) -> int:
    """The month (YYYYMM, UTC) of a moment (seconds since 1970 UTC)."""
    when = time.gmtime(seconds)
    return when.tm_year * 100 + when.tm_mon


def raise_alert(connection: Connection, laptop: int, kind: str, index: int, now: int) -> None:
    """Enter an alert, or count it once more."""
    again = update(alerts).where(alerts.c.device == laptop, alerts.c.kind == kind, alerts.c.idx == index)
    if connection.execute(again.values(last_at=now, times=alerts.c.times + 1)).rowcount:
        return
    values = {"device": laptop, "kind": kind, "idx": index, "first_at": now, "last_at": now, "times": 1}
    connection.execute(insert(alerts), values)


def _laptop(connection: Connection, device: str) -> Laptop | None:
    row = connection.execute(select(laptops).where(_l.device == device)).first()
    if row is None:
        return None
    known = Known(row.size, row.head, row.frontier, row.log, row.seals or b"", row.summary)
    sent_us = (row.last_seen + 1) * 1_000_000 - row.skew_ms * 1000
    return Laptop(
        row.id, row.device, row.version, known, row.denied_at is not None, row.reported, row.key or b"", row.visit_s,
        row.last_seen, sent_us,
    )  # fmt: skip


def first_values(device: str, now: int) -> dict[str, Any]:
    """A laptop that was never seen before."""
    return {
        "device": device, "first_seen": now, "last_seen": now, "size": 0, "head": chain.EMPTY_HEAD, "frontier": b"",
        "seals": b"", "skew_ms": 0, "summary": _SUMMARY,
    }  # fmt: skip


def _values(change: Change) -> dict[str, Any]:
    known, report = change.known, change.report
    refusal = change.refusal if report and report[0] is not None else (None, None)
    return {
        "b_id": change.laptop.id, "b_version": change.laptop.version, "b_last_seen": change.now, "b_size": known.size,
        "b_head": known.head, "b_frontier": known.frontier, "b_log": known.log, "b_seals": known.seals,
        "b_summary": known.summary, "b_next_at": change.next_at, "b_skew_ms": change.skew_ms,
        "b_report": report[0] if report else None, "b_reported": report[1] if report else None,
        "b_refused_why": refusal[0], "b_refused_number": refusal[1],
    }  # fmt: skip


def _says(change: Change) -> dict[str, Any]:
    return {
        "b_id": change.laptop.id,
        **{f"b_{name}": value for name, value in of_summary(change.known.summary).items()},
    }


def _tallied(accepted: Sequence[Change]) -> dict[int, Tally]:
    """What these changes add, by slot."""
    found: dict[int, Tally] = {}
    for change in accepted:
        now = change.now // SLOT_S
        for each in change.tallies:
            if now + _RECENT[0] <= each.slot <= now + _RECENT[1]:
                _, *more = found.get(each.slot, (each.slot, 0, 0, 0))
                found[each.slot] = Tally(each.slot, *(one + other for one, other in zip(more, each[1:], strict=True)))
    return dict(sorted(found.items()))
