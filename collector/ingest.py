"""Whether what a laptop sends continues what the collector holds of it. Pure: values in, a decision out.

The collector is the witness of each laptop's log: it keeps the size and the chain's head, and whatever does not
continue them is refused and becomes an alert that stays. It never « repairs » a laptop's history.
docs/formats/audit-log.md, sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from agent.audit import chain, record
from agent.audit.record import Kind
from agent.errors import N_, UntrustedInputError
from agent.transport.wire import Leaf, Letterhead


class Alarm(StrEnum):
    """Why a laptop's log is not as it was. Append only: alerts in the database use these words."""

    REWRITTEN = "rewritten"  # a record that we hold comes again with another content
    FORK = "fork"  # the next record continues another past than the one we hold
    TRUNCATED = "truncated"  # the laptop's log is shorter than what we hold of it
    MISSING = "missing"  # the laptop itself says that it no longer has some records


class Row(NamedTuple):
    """A record that is new here."""

    number: int
    fields: dict[str, Any]
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Known:
    """What is held of one laptop. ``head`` is None behind a hole, until a record states the full head again."""

    size: int = 0
    head: bytes | None = chain.EMPTY_HEAD


@dataclass(frozen=True, slots=True)
class Accepted:
    """To be stored: the rows, and what is known with them. ``missing`` is the first of the lost records, or None."""

    rows: Sequence[Row]
    known: Known
    missing: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not to be stored. ``alarm`` is None for a plain gap, which the laptop fills by going back to ``have``."""

    have: int
    alarm: Alarm | None
    index: int


Stored = Callable[[int, int], Mapping[int, tuple[bytes, bytes]]]
"""By index: public part and private hash of the records that are held from one index up to, not including, another."""


def check(letterhead: Letterhead, leaves: Sequence[Leaf], known: Known, stored: Stored) -> Accepted | Refused:
    """Compare a request with what is known. Raises UntrustedInputError when a record breaks the format."""
    rows = _rows(letterhead.first, leaves)
    have = known.size
    if letterhead.size < max(have, letterhead.first + len(rows)):
        return Refused(have, Alarm.TRUNCATED, letterhead.size)
    old = [row for row in rows if row.number < have]
    rows = rows[len(old) :]
    if old:
        held = stored(old[0].number, old[-1].number + 1)
        for row in old:
            same = (row.leaf.public, row.leaf.private_hash)
            if held.get(row.number, same) != same:  # what was told lost and comes after all is left aside
                return Refused(have, Alarm.REWRITTEN, row.number)
    if not rows:
        return Accepted((), known)
    hole = rows[0].number > have
    if hole and letterhead.missing != have:
        return Refused(have, None, have)
    return _continued(rows, Known(have, None if hole else known.head), have if hole else None)


def _rows(first: int, leaves: Sequence[Leaf]) -> list[Row]:
    rows = []
    for index, leaf in enumerate(leaves, first):
        fields = record.decode(leaf.public)
        if fields["i"] != index:
            raise UntrustedInputError(N_("the records of a request are not numbered one after another"))
        rows.append(Row(index, fields, leaf))
    return rows


def _continued(rows: Sequence[Row], known: Known, missing: int | None) -> Accepted | Refused:
    head = known.head
    for row in rows:
        if head is None:
            head = _stated_head(row.fields)
        if head is not None:
            if row.fields["p"] != chain.link(head):
                return Refused(known.size, Alarm.FORK, row.number)
            head = chain.head_after(head, row.leaf.public, chain.leaf(row.leaf.public, row.leaf.private_hash))
    return Accepted(rows, Known(rows[-1].number + 1, head), missing)


def _stated_head(fields: dict[str, Any]) -> bytes | None:
    """The full head that start and trouble records carry."""
    stated = fields.get("head")
    if fields["k"] not in {Kind.START, Kind.TROUBLE} or not isinstance(stated, str) or len(stated) != 64:
        return None
    try:
        return bytes.fromhex(stated)
    except ValueError:
        return None
