"""What the child that reads an export and its parent say to each other: datagrams of fixed forms. Pure.

The child has read somebody's file and is taken to be in an attacker's hands: the parent's ``decode`` accepts the forms
written here and raises UntrustedInputError on anything else. Digests and row numbers travel, never a name, a date, a
number or a heading. A wrong digest that a child in wrong hands may send makes the list wrong, and nothing else.
"""

from __future__ import annotations

import itertools
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from agent.detection.roster.index import MAX_ENTRIES, MAX_PATIENTS, Index
from agent.errors import N_, UntrustedInputError
from agent.patients.columns import MAX_COLUMNS, Field
from agent.patients.rows import Reason

CHUNK = 32_768  # bytes of one section in a datagram
MAX_MESSAGE = CHUNK + 16
MAX_ROWS = 1_000_000
MAX_BAD = 1_000  # row numbers told
_PROGRESS, _SECTION, _BAD, _COLUMN, _END, _REFUSED = b"P", b"S", b"B", b"C", b"E", b"X"
_PAIR = struct.Struct("<II")
_BAD_ROW = struct.Struct("<IB")
_COLUMN_FORM = struct.Struct("<HB")
_SUMMARY = struct.Struct("<7I")
_CODES = "QQQQIQ"  # births, surnames, families, entries, whose, patients
_ITEM = {"Q": 8, "I": 4}


class Refusal(IntEnum):
    """Why an export is refused whole; nothing is changed then."""

    NO_TABLE = 1
    NO_COLUMNS = 2
    NO_SUCH_HEADING = 3
    NO_PATIENT = 4
    TOO_LARGE = 5
    TOO_MANY = 6
    UNREADABLE = 7  # encrypted, damaged, of a format that holds no table


@dataclass(slots=True)
class Report:
    """What came of reading an export. ``bad`` are row numbers (1 is the first not blank) with the reason."""

    rows: int = 0
    used: int = 0
    doubles: int = 0  # rows about a patient who was there already
    reasons: dict[Reason, int] = field(default_factory=dict)
    bad: list[tuple[int, Reason]] = field(default_factory=list)
    columns: dict[int, Field] = field(default_factory=dict)


@dataclass(slots=True)
class Received:
    """What the parent has got so far."""

    report: Report = field(default_factory=Report)
    sections: tuple[array[int], ...] = field(default_factory=lambda: tuple(array(code) for code in _CODES), repr=False)
    done: int = 0
    total: int = 0
    finished: bool = False
    refusal: Refusal | None = None

    def take(self, untrusted_message: bytes) -> None:
        """Add one message of the child's. Raises UntrustedInputError."""
        kind, body = untrusted_message[:1], untrusted_message[1:]
        reader = _READERS.get(kind)
        if reader is None or len(untrusted_message) > MAX_MESSAGE or self.finished:
            raise _refusal("kind")
        try:
            reader(self, body)
        except (struct.error, ValueError) as error:  # a wrong length, an unknown code
            raise _refusal("form") from error

    def index(self, loaded: int) -> Index:
        """The list, its order and sizes checked. Raises UntrustedInputError."""
        births, surnames, families, entries, whose, patients = self.sections
        for values in (births, surnames, families, entries, patients):
            if any(one >= other for one, other in itertools.pairwise(values)):
                raise _refusal("order")
        if len(entries) != len(whose) or max(whose, default=-1) >= len(patients) or not patients:
            raise _refusal("sizes")
        return Index(births, surnames, families, entries, whose, patients, loaded)


def progress(done: int, total: int) -> bytes:
    """Rows read, of how many."""
    return _PROGRESS + _PAIR.pack(done, total)


def refused(why: Refusal) -> bytes:
    return _REFUSED + bytes([why])


def result(report: Report, index: Index) -> Iterator[bytes]:
    """The messages that carry a report and its list."""
    for column, what in sorted(report.columns.items()):
        yield _COLUMN + _COLUMN_FORM.pack(column, what)
    for number, reason in report.bad[:MAX_BAD]:
        yield _BAD + _BAD_ROW.pack(number, reason)
    sections = (index.births, index.surnames, index.families, index.entries, index.whose, index.patients)
    for number, values in enumerate(sections):
        data = values.tobytes()  # both are on one machine
        for start in range(0, len(data), CHUNK):
            yield _SECTION + bytes([number]) + data[start : start + CHUNK]
    counts = [report.reasons.get(reason, 0) for reason in Reason]
    yield _END + _SUMMARY.pack(report.rows, report.used, report.doubles, *counts)


def _take_progress(received: Received, body: bytes) -> None:
    done, total = _PAIR.unpack(body)
    if not done <= total <= MAX_ROWS:
        raise ValueError
    received.done, received.total = done, total


def _take_section(received: Received, body: bytes) -> None:
    number = body[0] if body else len(_CODES)
    if number >= len(_CODES):
        raise ValueError
    values = received.sections[number]
    values.frombytes(body[1:])
    if len(values) > (MAX_PATIENTS if number == len(_CODES) - 1 else MAX_ENTRIES):
        raise ValueError


def _take_bad(received: Received, body: bytes) -> None:
    number, reason = _BAD_ROW.unpack(body)
    if len(received.report.bad) >= MAX_BAD:
        raise ValueError
    received.report.bad.append((number, Reason(reason)))


def _take_column(received: Received, body: bytes) -> None:
    column, what = _COLUMN_FORM.unpack(body)
    if column >= MAX_COLUMNS:
        raise ValueError
    received.report.columns[column] = Field(what)


def _take_end(received: Received, body: bytes) -> None:
    report = received.report
    report.rows, report.used, report.doubles, *counts = _SUMMARY.unpack(body)
    report.reasons = {reason: count for reason, count in zip(Reason, counts, strict=True) if count}
    received.finished = True


def _take_refusal(received: Received, body: bytes) -> None:
    (code,) = struct.unpack("B", body)
    received.refusal = Refusal(code)
    received.finished = True


_READERS = {
    _PROGRESS: _take_progress, _SECTION: _take_section, _BAD: _take_bad, _COLUMN: _take_column, _END: _take_end,
    _REFUSED: _take_refusal,
}  # fmt: skip


def encode_request(extension: str, wanted: Sequence[tuple[Field, str]], size: int) -> bytes:
    """What the parent asks: the columns that the administrator named, the extension as a hint, the size in bytes."""
    named = "\n".join(f"{int(what)}={where}" for what, where in wanted)
    return f"{extension}\n{size}\n{named}".encode("utf-8", "replace")[:MAX_MESSAGE]


def decode_request(message: bytes) -> tuple[str, list[tuple[Field, str]], int]:
    """The child's side of ``encode_request``; its parent is trusted."""
    extension, size, *named = message.decode("utf-8", "replace").split("\n")
    wanted = [(Field(int(what)), where) for what, _, where in (line.partition("=") for line in named if line)]
    return extension, wanted, int(size)


def _refusal(what: str) -> UntrustedInputError:
    return UntrustedInputError(N_("a message of the reader process is not well formed: {what}"), what=what)
