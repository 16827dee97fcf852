"""Writing: one laptop's request becomes rows, once, whatever is sent twice or cut short.

Owns every write to the database. A request is checked (``ingest``) and stored within one transaction, so what is
acknowledged is there after a kill or a power cut, and what is not acknowledged is there whole or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from agent.audit import chain
from agent.audit.record import Kind
from agent.transport.wire import Leaf, Letterhead, Reply
from collector import fleet
from collector.ingest import Accepted, Alarm, Known, Refused, Row, check
from collector.schema import events, laptops
from collector.witness import Witness, grow

NEXT_S = 300
_INSERT = (
    "INSERT INTO events (device, idx, t, kind, channel, decision, result, public, private_hash)"
    " VALUES (?, ?, ?, ?, ?, ?, '', ?, ?)"
)
_RESULT = "UPDATE events SET result = ? WHERE device = ? AND idx = ? AND kind = 'transfer'"


@dataclass(slots=True)
class _Laptop:
    id: int
    known: Known
    summary: fleet.Summary


def take(
    connection: Connection, letterhead: Letterhead, leaves: Sequence[Leaf], witness: Witness | None = None
) -> Reply:
    """Check and store one request within the caller's transaction; the reply is true once that is committed.

    With a ``witness`` it states what is held then, for laptops that name their log.

    Raises UntrustedInputError when a record breaks the format; nothing is stored then.
    """
    now = int(time.time())
    laptop = _laptop(connection, letterhead.device, now)

    def stored(first: int, end: int) -> Mapping[int, tuple[bytes, bytes]]:
        return _stored(connection, laptop.id, first, end)

    decision = check(letterhead, leaves, laptop.known, stored)
    if isinstance(decision, Refused):
        if decision.alarm is not None:
            _alert(connection, laptop.id, decision.alarm, decision.index, now)
        _seen(connection, laptop, letterhead, laptop.known, now)
        return Reply(decision.have, why=decision.alarm or "gap")
    _keep(connection, laptop, decision, now)
    _seen(connection, laptop, letterhead, decision.known, now)
    return Reply(decision.known.size, NEXT_S, cosigned=_cosigned(connection, laptop.id, letterhead, decision, witness))


def _cosigned(
    connection: Connection, laptop: int, letterhead: Letterhead, decision: Accepted, witness: Witness | None
) -> bytes:
    if witness is None or not (letterhead.log or decision.rows):
        return b""
    size = decision.known.size
    leaves = (chain.leaf(row.leaf.public, row.leaf.private_hash) for row in decision.rows)
    root = grow(connection, laptop, size, leaves, letterhead.log)
    return b"" if root is None or not letterhead.log else witness.cosign(letterhead.log, size, root)


def _laptop(connection: Connection, device: str, now: int) -> _Laptop:
    row = connection.execute(select(laptops).where(laptops.c.device == device)).first()
    if row is not None:
        return _Laptop(row.id, Known(row.size, row.head), fleet.from_json(row.summary))
    values = {
        "device": device, "first_seen": now, "last_seen": now, "size": 0, "head": chain.EMPTY_HEAD, "skew_ms": 0,
        "summary": fleet.to_json(fleet.Summary()),
    }  # fmt: skip
    made = connection.execute(insert(laptops).values(values))
    return _Laptop(int(made.lastrowid), Known(), fleet.Summary())


def _stored(connection: Connection, laptop: int, first: int, end: int) -> Mapping[int, tuple[bytes, bytes]]:
    rows = connection.execute(
        select(events.c.idx, events.c.public, events.c.private_hash).where(
            events.c.device == laptop, events.c.idx >= first, events.c.idx < end
        )
    )
    return {row.idx: (row.public, row.private_hash or chain.NO_PRIVATE) for row in rows}


def _keep(connection: Connection, laptop: _Laptop, decision: Accepted, now: int) -> None:
    if decision.missing is not None:
        _alert(connection, laptop.id, Alarm.MISSING, decision.missing, now)
    if not decision.rows:
        return
    connection.exec_driver_sql(_INSERT, [_values(laptop.id, row) for row in decision.rows])
    results = []
    for row in decision.rows:
        kind = row.fields["k"]
        if kind == Kind.OUTCOME:
            of = row.fields.get("of")
            if type(of) is int and 0 <= of < row.number:
                results.append((fleet.word(row.fields, "result"), laptop.id, of))
        elif kind != Kind.TRANSFER:
            laptop.summary.take(row.fields)
    if results:
        connection.exec_driver_sql(_RESULT, results)


def _values(laptop: int, row: Row) -> tuple[Any, ...]:
    fields, leaf = row.fields, row.leaf
    hashed = None if leaf.private_hash == chain.NO_PRIVATE else leaf.private_hash
    return (
        laptop, row.number, fields["t"], fields["k"][: fleet.MAX_WORD], fleet.word(fields, "channel"),
        fleet.word(fields, "decision"), leaf.public, hashed,
    )  # fmt: skip


def _seen(connection: Connection, laptop: _Laptop, letterhead: Letterhead, known: Known, now: int) -> None:
    values: dict[str, Any] = {
        "last_seen": now, "size": known.size, "head": known.head, "summary": fleet.to_json(laptop.summary),
    }  # fmt: skip
    if letterhead.sent_us:
        values["skew_ms"] = time.time_ns() // 1_000_000 - letterhead.sent_us // 1000
    connection.execute(update(laptops).where(laptops.c.id == laptop.id).values(values))


def _alert(connection: Connection, laptop: int, kind: Alarm, index: int, now: int) -> None:
    connection.exec_driver_sql(
        "INSERT INTO alerts (device, kind, idx, first_at, last_at, times) VALUES (?, ?, ?, ?, ?, 1)"
        " ON CONFLICT (device, kind, idx) DO UPDATE SET last_at = excluded.last_at, times = times + 1",
        (laptop, str(kind), index, now, now),
    )
