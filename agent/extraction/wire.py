"""What parent and worker say to each other: integers and exact lengths, nothing that describes itself (pure).

The worker has read hostile bytes and is taken to be in the attacker's hands: the parent decodes with ``decode_answer``
and ``decode_ready``, which accept exactly the forms written here and raise UntrustedInputError on anything else. Words
travel as their position in the enums of ``agent.findings`` and ``agent.document``; ``SCHEMA`` is a checksum of these
enums, so that two releases never talk past each other. One message is one datagram (SOCK_SEQPACKET); the document
itself never travels, only its descriptor.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from agent.document import Area, Format, Problem, Spot
from agent.errors import N_, UntrustedInputError
from agent.findings import Finding, Findings, FindingType, Judgement, Kind, Scale, Side

VERSION = 3
MAX_EXTENSION = 16  # bytes
MAX_FINDINGS = 64
MAX_SAMPLE = 48  # bytes of UTF-8
U32 = 0xFFFFFFFF
_I32 = (-0x80000000, 0x7FFFFFFF)
U64 = 0xFFFFFFFFFFFFFFFF

EXIT_IMPORT = 3  # the worker's exit codes before it is ready: a library is missing or broken
EXIT_SANDBOX = 4  # the kernel would not confine it
EXIT_PROTOCOL = 5  # the parent speaks another language

_REQUEST = struct.Struct("!BIB16sQ")  # version, id, flags (none yet), extension padded with NUL, size
# version, id, judgement, kind, format, problem, confidence, flags, patients, sums in centi-nats (2), count
_ANSWER = struct.Struct("!BIBBBBHBIiiB")
# type, area, side (0: none), count, spot number, weight in centi-nats, sample padded with NUL
_FINDING = struct.Struct("!BBBIIi48s")
_READY = struct.Struct("!4sBIIIBBBBBQQI")
_MAGIC = b"SRMT"
_IDENTIFIED = 1
_TEST_DATA = 2
_UNREAD_PICTURES = 4
_WEIGHED = 8  # the sums are there
_FLAGS = _IDENTIFIED | _TEST_DATA | _UNREAD_PICTURES | _WEIGHED

REQUEST_BYTES = _REQUEST.size
READY_BYTES = _READY.size
MAX_ANSWER = _ANSWER.size + MAX_FINDINGS * _FINDING.size  # bytes, below 4 KiB

_JUDGEMENTS = tuple(Judgement)
_KINDS = tuple(Kind)
_FORMATS = tuple(Format)
_PROBLEMS = tuple(Problem)  # on the wire one more: 0 is « no problem »
_TYPES = tuple(FindingType)
_AREAS = tuple(Area)
_SIDES = tuple(Side)  # on the wire one more: 0 is « part of no sum »
_JUDGEMENT_CODE, _KIND_CODE, _FORMAT_CODE, _PROBLEM_CODE, _TYPE_CODE, _AREA_CODE = (
    {word: code for code, word in enumerate(words)}
    for words in (_JUDGEMENTS, _KINDS, _FORMATS, _PROBLEMS, _TYPES, _AREAS)
)
SCHEMA = zlib.crc32(
    "\n".join(
        word for words in (_JUDGEMENTS, _KINDS, _FORMATS, _PROBLEMS, _TYPES, _AREAS, _SIDES) for word in words
    ).encode()
)

_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Request:
    """Judge the descriptor that comes along. ``size`` in bytes is what the parent believes: a hint."""

    id: int  # 0 to 2**32 - 1, echoed in the answer
    extension: str = ""  # lower-case ASCII letters and digits, a hint
    size: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What confines a worker, read back from the kernel after arming; shown by ``serment doctor``."""

    uid: int
    gid: int
    seccomp: int  # 0 none, 1 strict, 2 filter
    landlock: int  # ABI whose every right is denied; 0: the kernel has none
    no_new_privs: bool
    undumpable: bool
    chrooted: bool  # into a folder that holds nothing: possible for root only
    capabilities: int  # bit mask of effective capabilities
    memory_bytes: int  # limit on the address space
    open_files: int  # limit


def clean_extension(extension: str) -> str:
    """A file's extension as a request may carry it: lower-case ASCII letters and digits, else empty."""
    extension = extension.lower()
    return extension if len(extension) <= MAX_EXTENSION and extension.isascii() and extension.isalnum() else ""


def encode_request(request: Request) -> bytes:
    """A request of exactly REQUEST_BYTES; an odd extension is left out and an odd size brought into range."""
    extension = clean_extension(request.extension).encode("ascii")
    return _REQUEST.pack(VERSION, request.id, 0, extension, min(max(request.size, 0), U64))


def decode_request(message: bytes) -> Request:
    """The worker's side. Raises UntrustedInputError for anything but what ``encode_request`` makes."""
    if len(message) != REQUEST_BYTES:
        raise _refusal("length")
    version, number, flags, padded, size = _REQUEST.unpack(message)
    if version != VERSION or flags:
        raise _refusal("version")
    extension = padded.rstrip(b"\0").decode("ascii", "replace")
    if extension != clean_extension(extension):
        raise _refusal("extension")
    return Request(number, extension, size)


def encode_answer(number: int, findings: Findings) -> bytes:
    """The answer to request ``number``: at most MAX_ANSWER bytes; the weightiest findings when there are too many."""
    items = _weightiest(findings.items)
    head = _ANSWER.pack(
        VERSION,
        number,
        _JUDGEMENT_CODE[findings.judgement],
        _KIND_CODE[findings.kind],
        _FORMAT_CODE[findings.format],
        0 if findings.problem is None else 1 + _PROBLEM_CODE[findings.problem],
        _scaled(findings.confidence, 1000, 0, 1000),
        findings.identified * _IDENTIFIED
        + findings.test_data * _TEST_DATA
        + findings.unread_pictures * _UNREAD_PICTURES
        + (findings.scale is not None) * _WEIGHED,
        _clamp(findings.patients, 0, U32),
        *_cents(findings.scale),
        len(items),
    )
    return head + b"".join(_encode_finding(item) for item in items)


def decode_answer(number: int, message: bytes) -> Findings:
    """The parent's side: the findings that answer request ``number``.

    Raises UntrustedInputError when a length, an id, a code, a flag, a number or a sample is not as it must be.
    """
    if len(message) < _ANSWER.size:
        raise _refusal("length")
    head = _ANSWER.unpack_from(message)
    version, echoed, judgement, kind, format_, problem, confidence, flags, patients, clinical, person, count = head
    if version != VERSION or echoed != number:
        raise _refusal("version or id")
    if count > MAX_FINDINGS or len(message) != _ANSWER.size + count * _FINDING.size:
        raise _refusal("length")
    if confidence > 1000 or flags > _FLAGS:
        raise _refusal("confidence or flags")
    weighed = bool(flags & _WEIGHED)
    if not weighed and (clinical or person):
        raise _refusal("sums")
    return Findings(
        judgement=_word(_JUDGEMENTS, judgement),
        kind=_word(_KINDS, kind),
        format=_word(_FORMATS, format_),
        problem=_word(_PROBLEMS, problem - 1) if problem else None,
        confidence=confidence / 1000,
        identified=bool(flags & _IDENTIFIED),
        test_data=bool(flags & _TEST_DATA),
        unread_pictures=bool(flags & _UNREAD_PICTURES),
        patients=patients,
        scale=Scale(clinical / 100, person / 100) if weighed else None,
        items=tuple(map(_decode_finding, _FINDING.iter_unpack(memoryview(message)[_ANSWER.size :]))),
    )


def encode_ready(report: Report) -> bytes:
    """The first message of a worker that is armed and warm."""
    return _READY.pack(
        _MAGIC, VERSION, SCHEMA, report.uid, report.gid, report.seccomp, report.landlock, report.no_new_privs,
        report.undumpable, report.chrooted, report.capabilities, report.memory_bytes, report.open_files,
    )  # fmt: skip


def decode_ready(message: bytes) -> Report:
    """What the worker says of its confinement. Raises UntrustedInputError, also when it is of another release."""
    if len(message) != READY_BYTES:
        raise _refusal("length")
    *head, uid, gid, seccomp, landlock, privileges, undumpable, chrooted = _READY.unpack(message)[:10]
    numbers = _READY.unpack(message)[10:]
    if tuple(head) != (_MAGIC, VERSION, SCHEMA):
        raise _refusal("version")
    if max(privileges, undumpable, chrooted) > 1 or seccomp > 2:
        raise _refusal("flags")
    return Report(uid, gid, seccomp, landlock, bool(privileges), bool(undumpable), bool(chrooted), *numbers)


def _refusal(what: str) -> UntrustedInputError:
    return UntrustedInputError(N_("a message of the reader process is not well formed: {what}"), what=what)


def _word(words: tuple[_Word, ...], code: int) -> _Word:
    if code >= len(words):
        raise _refusal("code")
    return words[code]


def _weightiest(items: tuple[Finding, ...]) -> tuple[Finding, ...]:
    if len(items) <= MAX_FINDINGS:
        return items
    order = sorted(range(len(items)), key=lambda index: -abs(_weight(items[index])))
    return tuple(items[index] for index in sorted(order[:MAX_FINDINGS]))


def _encode_finding(item: Finding) -> bytes:
    return _FINDING.pack(
        _TYPE_CODE[item.type],
        _AREA_CODE[item.spot.area],
        0 if item.side is None else 1 + _SIDES.index(item.side),
        _clamp(item.count, 0, U32),
        _clamp(item.spot.number, 0, U32),
        _weight(item),
        _sample(item.sample),
    )


def _decode_finding(fields: tuple[int, int, int, int, int, int, bytes]) -> Finding:
    kind, area, side, count, number, weight, padded = fields
    try:
        sample = padded.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        raise _refusal("sample") from None
    if not sample.isprintable():  # it is shown on a terminal: no escapes, no line breaks, no NUL inside
        raise _refusal("sample")
    return Finding(
        _word(_TYPES, kind),
        count,
        Spot(_word(_AREAS, area), number),
        weight / 100,
        sample,
        _word(_SIDES, side - 1) if side else None,
    )


def _sample(text: str) -> bytes:
    """At most MAX_SAMPLE bytes of printable UTF-8, cut between characters."""
    if text.isascii() and text.isprintable():  # nearly always
        return text[:MAX_SAMPLE].encode("ascii")
    printable = "".join(letter if letter.isprintable() else " " for letter in text[:MAX_SAMPLE])
    return printable.encode("utf-8")[:MAX_SAMPLE].decode("utf-8", "ignore").encode("utf-8")


def _cents(scale: Scale | None) -> tuple[int, int]:
    if scale is None:
        return 0, 0
    return _scaled(scale.clinical, 100, *_I32), _scaled(scale.person, 100, *_I32)


def _weight(item: Finding) -> int:
    return _scaled(item.weight, 100, *_I32)


def _scaled(value: float, factor: int, low: int, high: int) -> int:
    scaled = value * factor
    if low < scaled < high:
        return round(scaled)
    return high if scaled >= high else low if scaled <= low else max(0, low)  # the last: not a number


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(int(value), low), high)
