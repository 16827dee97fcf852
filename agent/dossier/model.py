"""The words of a dossier: what it is about, one document, one device, one time that was not watched. Frozen values.

Everything in them comes from audit records or was reckoned from them; times are microseconds since 1970 UTC by the
laptop's own clock, numbers of records prove the order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """Where the bytes of a document are, as far as the log knows."""

    CLEAR = "clear"  # went as it is
    SEALED = "sealed"  # nothing but the sealed file went
    SEALED_AFTER = "sealed-after"  # was there in clear until it was sealed: traces may be left on the medium
    REFUSED = "refused"  # nothing of it went
    REMOVED_AFTER = "removed-after"  # was there in clear until it was taken away
    UNKNOWN = "unknown"  # begun, and its end is not in the log


IN_CLEAR = frozenset((Fate.CLEAR, Fate.UNKNOWN))
"""What has to be counted as readable by whoever has the medium."""
TRACES = frozenset((Fate.SEALED_AFTER, Fate.REMOVED_AFTER))


@dataclass(frozen=True, slots=True)
class Scope:
    """What the dossier is about: one of ``device`` (digests of serial numbers or volumes), ``document`` (digests of
    files) and ``time`` (``since`` included, ``until`` not).
    """

    kind: str
    asked: str = ""  # as it was asked for
    digests: frozenset[str] = frozenset()
    since: int = 0
    until: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A record that the dossier rests on: what the proof needs of it."""

    number: int
    public: bytes
    private_hash: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """One document in one place, by its last transfer record; ``records`` are all that speak of it, oldest first."""

    number: int
    records: tuple[int, ...]
    time_us: int
    shift_us: int  # what the clock was set by later in the same session: add it for the likely time
    channel: str
    service: str
    place: str  # digest of the volume or folder
    judgement: str
    kind: str
    problem: str
    extension: str
    size: int  # bytes
    patients: int  # distinct persons named in it; 0: not counted
    test: bool
    arrival: str
    decision: str
    rule: str
    release: str
    fate: Fate
    held: str = ""  # neutral name of the sealed file, or number of the copy in quarantine
    sealed_to: tuple[str, ...] = ()  # fingerprints of recipients; empty: not recorded
    given_back: bool = False  # taken out of quarantine by somebody later


@dataclass(slots=True)
class Stick:
    """A removable device as the log knows it."""

    serial: str  # keyed digest; empty when it has none
    volumes: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)  # bus, vendor, product, vendor_id, product_id, filesystem
    first: int = -1  # records
    last: int = -1
    first_us: int = 0
    last_us: int = 0
    taken_out: bool = False  # the last thing known is that it was taken out
    strengths: set[str] = field(default_factory=set)
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which something held: ``what`` (a code), from record to record (-1: still so)."""

    what: str
    first: int
    last: int
    since_us: int
    until_us: int
    word: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """The clock was set: at record ``number`` it had moved by ``shift_us`` against the time since boot."""

    number: int
    time_us: int
    shift_us: int
    restart: bool  # seen across a restart of the laptop: only a clock that goes backwards shows then


@dataclass(frozen=True, slots=True)
class Start:
    """What the system said of its clock when the agent started: ``error_ms`` at most wrong; -1: not synchronised."""

    number: int
    time_us: int
    error_ms: int


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy came into force with record ``number``."""

    number: int
    time_us: int
    name: str
    release: str
    during: bool  # it was in force while something of this dossier happened


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was gathered."""

    scope: Scope
    documents: tuple[Document, ...]  # medical or undecidable
    not_medical: int
    sealed_files: int  # seen when they were encrypted already
    sealed_before: bool  # some of them were put there like that: sealed by hand, perhaps for others
    downloads: int  # documents that arrived in the time asked for; they did not leave
    counted_only: int  # told together when the log was nearly full; which device is not known
    sticks: tuple[Stick, ...]
    policies: tuple[InForce, ...]
    gaps: tuple[Span, ...]
    steps: tuple[Step, ...]
    starts: tuple[Start, ...]  # sessions that touch this time and said how right their clock was
    first: int  # the records between which all of this happened; -1: none
    last: int
    first_us: int
    last_us: int
    records: int  # that were read
    sure_us: int = 0  # of the last record read
