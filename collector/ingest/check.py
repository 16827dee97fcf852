"""Whether what a laptop sends continues what the collector holds of it. Pure: values in, a decision out.

The collector is the witness of each laptop's log: it keeps the size, the last head, the tree and the chain of seals,
and whatever does not continue them is refused, or kept as evidence, and becomes an alert that stays. It never «
repairs » a laptop's history. docs/formats/audit-log.md, sections 4, 5, 10; fleet-protocol.md, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.audit import chain, record, tree
from agent.audit.glance import glance
from agent.audit.record import Kind
from agent.errors import N_, UntrustedInputError
from agent.transport.wire import Body, Leaf, Letterhead, SentSeal
from collector import fleet
from collector.ingest.seals import Chain
from collector.ingest.tally import tally
from collector.store.base import Known, Row, Tally

_TRANSFER, _OUTCOME = Kind.TRANSFER.value, Kind.OUTCOME.value
_OF_DOCUMENTS = frozenset((_TRANSFER, _OUTCOME))  # the others say something of the laptop itself
_NO_PRIVATE, _MAX_WORD = chain.NO_PRIVATE, fleet.MAX_WORD
_MAX_ALERTS = 8  # of one request
_STATES_HEAD = frozenset((Kind.START.value, Kind.TROUBLE.value))


class Alarm(StrEnum):
    """Why a laptop's log is not as it was. Append only: alerts in the database use these words."""

    REWRITTEN = "rewritten"  # a record that we hold comes again with another content
    FORK = "fork"  # the next record continues another past than the one we hold, or the log has another name
    TRUNCATED = "truncated"  # the laptop's log is shorter than what we hold of it
    MISSING = "missing"  # the laptop itself says that it no longer has some records


@dataclass(frozen=True, slots=True)
class Accepted:
    """To be stored. ``root`` is that of the tree over all records that are held then; None: some leaf is not known."""

    rows: Sequence[Row]
    known: Known
    alerts: Sequence[tuple[str, int]] = ()
    root: bytes | None = None
    tallies: Sequence[Tally] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Not to be stored. ``alarm`` is None for a plain gap, which the laptop fills by going back to ``have``."""

    have: int
    alarm: Alarm | None
    index: int


Held = Callable[[int, int], Mapping[int, tuple[bytes, bytes]]]
"""By index: public part and private hash of the records that are held from one index up to, not including, another."""


def check(letterhead: Letterhead, body: Body, laptop: int, known: Known, held: Held) -> Accepted | Refused:
    """Compare a request of ``laptop`` with what is known. Raises UntrustedInputError: a record breaks the format."""
    first, leaves, have = letterhead.first, body.leaves, known.size
    end = first + len(leaves)
    if letterhead.size < max(have, end):
        return Refused(have, Alarm.TRUNCATED, letterhead.size)
    old = max(0, min(have, end) - first)
    if old and (refused := _compared(first, leaves[:old], have, held)):
        return refused
    if letterhead.log and known.log and letterhead.log != known.log:
        return Refused(have, Alarm.FORK, have)
    hole = old < len(leaves) and first > have
    if hole and letterhead.missing != have:
        _numbered(first, leaves)
        return Refused(have, None, have)
    return _Reader(letterhead, laptop, known, hole).read(leaves[old:], first + old, body.seals, first)


def _compared(first: int, leaves: Sequence[Leaf], have: int, held: Held) -> Refused | None:
    """Records that were sent before must be what they were; one that was told lost and comes after all is left
    aside.
    """
    _numbered(first, leaves)
    stored = held(first, first + len(leaves))
    for index, leaf in enumerate(leaves, first):
        same = (leaf.public, leaf.private_hash)
        if stored.get(index, same) != same:
            return Refused(have, Alarm.REWRITTEN, index)
    return None


def _numbered(first: int, leaves: Sequence[Leaf]) -> None:
    for index, leaf in enumerate(leaves, first):
        if record.decode(leaf.public)["i"] != index:
            raise misnumbered()


def misnumbered() -> UntrustedInputError:
    return UntrustedInputError(N_("the records of a request are not numbered one after another"))


class _Forked(Exception):
    """The record with this index continues another past."""


class _Reader:
    """Reads the new records of one request, growing head, tree, seals and summary with them."""

    def __init__(self, letterhead: Letterhead, laptop: int, known: Known, hole: bool) -> None:
        self._laptop = laptop
        self._known = known
        self._head = None if hole else known.head
        self._log = known.log or letterhead.log
        self._chain = Chain(known.seals, self._log, known.size)
        self._frontier = _frontier(known)
        self._alerts: list[tuple[str, int]] = []
        self._summary: fleet.Summary | None = None
        if hole:
            self._alerts.append((Alarm.MISSING.value, known.size))
            self._chain.hole()
            if self._frontier is not None:
                tree.extend_lost(self._frontier, letterhead.first - known.size)

    def read(self, leaves: Sequence[Leaf], first: int, seals: Sequence[SentSeal], begin: int) -> Accepted | Refused:
        """``leaves`` are the new ones, from index ``first`` on; the seals are counted from ``begin`` on."""
        size = max(first, self._known.size) if leaves else self._known.size
        rows: list[Row] = []
        at = 0
        try:
            fitting = seals if leaves or begin == size else ()  # seals alone stand right behind what is held
            for seal in self._chain.news(fitting, size, begin):
                upto = max(begin + seal.before - first, at)
                rows += self._rows(leaves[at:upto], first + at)
                at = min(upto, len(leaves))
                self._seal(seal, first + at if leaves else size)
            rows += self._rows(leaves[at:], first + at)
        except _Forked as fork:
            return Refused(self._known.size, Alarm.FORK, fork.args[0])
        size += len(rows)
        self._chain.finish(size)
        frontier = self._frontier
        packed = None if frontier is None else b"".join(tree.packed(frontier))
        summary = self._known.summary if self._summary is None else fleet.to_json(self._summary)
        known = Known(size, self._head, packed, self._log, self._chain.packed, summary)
        alerts = list(dict.fromkeys([*self._alerts, *self._chain.alarms]))[:_MAX_ALERTS]
        return Accepted(rows, known, alerts, None if frontier is None else tree.root(frontier), tally(rows))

    def _seal(self, seal: SentSeal, size: int) -> None:
        root = None if self._frontier is None else tree.root(self._frontier)
        if not self._chain.take(seal.body, size, root):
            self._frontier = None

    def _rows(self, leaves: Sequence[Leaf], first: int) -> list[Row]:
        """In one loop, without a call that is not needed: a collector does this for every record of its fleet."""
        rows, hashes, head, laptop = [], [], self._head, self._laptop
        hash_of = chain.leaf
        for index, (public, private) in enumerate(leaves, first):
            old = public[:1] == b"{"
            if old:
                row, link = _old_row(laptop, public, private)
            else:
                row, link = _row(laptop, public, private)
            if row[1] != index:
                raise misnumbered()
            if row[3] not in _OF_DOCUMENTS:
                self._noted(public)
                if head is None:
                    head = _stated_head(row.kind, public)
            leaf = hash_of(public, private)
            hashes.append(leaf)
            if head is not None:
                if head[: chain.LINK_BYTES] != link:
                    raise _Forked(index)
                head = chain.advance(head, leaf) if old else leaf
            rows.append(row)
        self._head = head
        if self._frontier is not None:
            tree.extend(self._frontier, hashes)
        return rows

    def _noted(self, public: bytes) -> None:
        """What a record says of the laptop."""
        if self._summary is None:
            self._summary = fleet.from_json(self._known.summary)
        self._summary.take(record.decode(public))


def _frontier(known: Known) -> tree.Frontier | None:
    packed = known.frontier
    if packed is None:
        return None
    return tree.unpacked(known.size, [packed[at : at + 32] for at in range(0, len(packed), 32)])


def _of(fields: Mapping[str, Any], code: str, index: int) -> int | None:
    """The transfer that an outcome closes: one before it."""
    of = fields.get(code)
    return of if type(of) is int and 0 <= of < index else None


def _row(laptop: int, public: bytes, private: bytes) -> tuple[Row, bytes]:
    """A record, and its link."""
    number, time_us, kind, channel, decision, of, link = glance(public)
    closes = of if of is not None and kind == _OUTCOME and 0 <= of < number else None
    hashed = None if private == _NO_PRIVATE else private
    row = Row(laptop, number, time_us, kind, channel[:_MAX_WORD], decision[:_MAX_WORD], closes, public, hashed)
    return row, link


def _old_row(laptop: int, public: bytes, private: bytes) -> tuple[Row, bytes]:
    """A record of version 1, and its link."""
    fields = record.decode(public)
    of = _of(fields, "of", fields["i"]) if fields["k"] == _OUTCOME else None
    try:
        link = bytes.fromhex(fields["p"])
    except ValueError:
        link = b""
    row = Row(
        laptop, fields["i"], fields["t"], fields["k"][: fleet.MAX_WORD], fleet.word(fields, "channel"),
        fleet.word(fields, "decision"), of, public, None if private == chain.NO_PRIVATE else private,
    )  # fmt: skip
    return row, link


def _stated_head(kind: str, public: bytes) -> bytes | None:
    """The full head that start and trouble records carry."""
    if kind not in _STATES_HEAD:
        return None
    stated = record.decode(public).get("head")
    if not isinstance(stated, str) or len(stated) != 64:
        return None
    try:
        return bytes.fromhex(stated)
    except ValueError:
        return None
