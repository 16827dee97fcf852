"""What the store gives and takes: values, and the interface that SQLite and PostgreSQL both fill.

One contract suite runs on both. Whoever consumes records (forwarding, figures, plans) reads through this and keeps a
number of ``Arrival`` as its cursor; nothing here is told twice and nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Engine

from agent.audit import chain


@dataclass(frozen=True, slots=True)
class Known:
    """What is held of one laptop's log.

    ``head`` is None behind a hole, until a record states the full head again. ``frontier`` are the subtrees of the tree
    over ``size`` records, smallest first, joined; None: some leaf is not known. ``log`` is the log's name (""; not told
    yet), ``seals`` the packed state of its seals (``ingest.seals``), ``summary`` what its records say of it (JSON).
    """

    size: int = 0
    head: bytes | None = chain.EMPTY_HEAD
    frontier: bytes | None = b""
    log: str = ""
    seals: bytes = b""
    summary: str = "{}"


@dataclass(frozen=True, slots=True)
class Laptop:
    """One laptop as it is now. ``version`` changes with everything that is written to it: what was decided from this
    value is stored only when nothing came in between. ``reported`` is when the last signed request was made (µs, the
    laptop's clock), ``key`` the public key (DER) of its certificate (b"": it is not enrolled). ``seen`` is when it was
    last heard (seconds, the collector's clock), ``sent_us`` when that was said (µs, the laptop's clock, never too
    early and at most a second too late).
    """

    id: int
    device: str
    version: int
    known: Known
    denied: bool = False
    reported: int = 0
    key: bytes = b""
    visit_s: int = 0  # an officer's own rhythm for this laptop; 0: the fleet's
    seen: int = 0
    sent_us: int = 0


class Row(NamedTuple):
    """A record as it is stored; in the order of the table's columns."""

    device: int
    idx: int
    t: int  # microseconds since 1970 UTC, the laptop's clock
    kind: str
    channel: str
    decision: str
    of: int | None  # the transfer that an outcome is about
    public: bytes
    private_hash: bytes | None  # None: there is no private part


SLOT_S = 900  # every time zone's midnight lies between two slots


class Tally(NamedTuple):
    """Documents that were judged within ``slot`` (a quarter of an hour of the laptops' clocks, since 1970), how many
    of them are about a patient, and how many were held, sealed or asked about.
    """

    slot: int
    documents: int
    medical: int
    held: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one request makes of one laptop. ``laptop`` is what it was decided from.

    ``alerts`` are (kind, index). ``now`` is the collector's clock (seconds since 1970 UTC), ``report`` the laptop's
    last report as it came (JSON; None: a signed request had none) with the time that it was made, or None, ``refusal``
    what it refuses (``report.refusal``); ``next_at`` when it was told to come back (seconds); ``tallies`` count
    ``rows``.
    """

    laptop: Laptop
    known: Known
    rows: Sequence[Row]
    alerts: Sequence[tuple[str, int]]
    now: int
    skew_ms: int | None = None
    report: tuple[bytes | None, int] | None = None
    next_at: int = 0
    tallies: Sequence[Tally] = ()
    refusal: tuple[str, int] = ("", 0)


class Arrival(NamedTuple):
    """A request that brought ``brought`` records of ``laptop``, from index ``first`` on, at ``at`` (seconds)."""

    number: int
    laptop: int
    first: int
    brought: int
    at: int


class Facts(NamedTuple):
    """One transfer as it was decided then: the record's fields, and its outcome's word ("": none came)."""

    device: str
    group: str
    number: int
    fields: dict[str, Any]
    result: str


class Reported(NamedTuple):
    """What a laptop said last. ``report`` is as it came: hostile."""

    device: str
    group: str
    last_seen: int
    report: bytes


class Refused(NamedTuple):
    """A laptop that does not take what is published: why, in its word, and which release (0: not got so far)."""

    device: str
    group: str
    why: str
    number: int


class Store(Protocol):
    """Fails with sqlalchemy.exc.SQLAlchemyError when the database cannot be used; nothing is half stored then."""

    engine: Engine

    def laptop(self, device: str, now: int, *, make: bool = True) -> Laptop | None:
        """The laptop with this pseudonym, entered when it is new and ``make``."""

    def held(self, laptop: int, first: int, end: int) -> Mapping[int, tuple[bytes, bytes]]:
        """By index: public part and private hash of the records from ``first`` up to, not including, ``end``."""

    def commit(self, changes: Sequence[Change]) -> list[bool]:
        """Store them, in one transaction; durable when this returns. False for a change whose laptop is no longer what
        it was decided from: nothing of it is stored, it is to be decided again.
        """

    def arrivals(self, after: int, limit: int) -> list[Arrival]:
        """The arrivals with a number above ``after``, rising, at most ``limit``. What comes later has higher
        numbers.
        """

    def brought(self, laptop: int, end: int) -> int:
        """How many records of a laptop, up to, not including, index ``end``, arrived and are not forgotten."""

    def records(self, laptop: int, first: int, end: int) -> Iterator[Row]:
        """The stored records of a laptop, by index."""

    def facts(self, since_us: int, until_us: int) -> Iterator[Facts]:
        """The transfers of a time (the laptops' clocks), in no order. What cannot be decoded is passed over."""

    def reports(self) -> Iterator[Reported]:
        """The last report of each laptop that made one and is not denied."""

    def refused(self, limit: int) -> list[Refused]:
        """The laptops that refuse what is published and are not denied, at most ``limit``."""

    def exclusive(self, name: str) -> AbstractContextManager[bool]:
        """Whether this process alone may do what ``name`` says, until the end of the block (several collectors)."""

    def months(self) -> list[int]:
        """The months (YYYYMM, of arrival) that records are kept of, rising."""

    def forget(self, month: int) -> None:
        """Remove the records that arrived in ``month``, whole."""

    def close(self) -> None: ...
