"""Bytes that are no document: programs, media, fonts, databases, signals, research data, and what nobody knows.

Signals and research data keep their header for the recognisers. Databases and unknown bytes are searched for
printable runs.
Formats that are known to hide or hold documents and cannot be opened here are named as such, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from agent.document import Area, Format, Problem, Spot
from agent.extraction.formats import appended, archive, cms, compressed, database, dbase, iwork, tnef
from agent.extraction.formats.base import Job
from agent.extraction.formats.charset import decode
from agent.extraction.formats.closed import closed, is_even_noise
from agent.extraction.formats.runs import binary_runs
from agent.extraction.limits import Stop
from agent.extraction.sniff_text import HEAD, is_text, text_format

_BY_LIBARCHIVE = (
    b"MSCF\0\0\0\0", b"070701", b"070702", b"070707", b"\xc7\x71", b"!<arch>\n", b"xar!\0", b"\xed\xab\xee\xdb",
)  # fmt: skip
_STREAMS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x02\x21\x4c\x18": "lz4",
    b"\x1f\x9d": "compress",
    b"LZIP\x01": "lzip",
}
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # the same for Zstandard (RFC 8878, 3.1.2) and LZ4
_AGE_HEAD = 64 * 1024  # bytes looked at
_AGE_LEAST = 32  # nonce and tag: no payload is shorter
_AGE_HEADER = re.compile(
    rb"age-encryption\.org/v1\n(?:-> [!-~ ]{1,4096}\n(?:[A-Za-z0-9+/]{0,64}\n){1,200}){1,64}--- [A-Za-z0-9+/]{43}\n"
)
_AGE_ARMOUR = re.compile(rb"-----BEGIN AGE ENCRYPTED FILE-----\r?\n")
_PACKED_BEHIND = frozenset({Format.EXECUTABLE, Format.UNKNOWN})  # and texts; a film is no program's beginning
_ISO_AT = 32_769
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\x0b\x0c") + b"\x7f"
_HIGH = bytes(range(128, 256))
_LEAST_TEXT = 64  # bytes
_PARTED = re.compile(rb"[ ;,|\t]")  # words or cells
_NOISE = 16 * 1024  # bytes by which noise is told
_BEGINNING = 128  # bytes of a program, a film or a font, in which it says what it is


def read_unknown(job: Job) -> None:
    """Format.UNKNOWN: hands over to the reader of what has no format of its own, names what is closed, searches the
    rest.
    """
    reader = _reader(job)
    if reader is not None:
        try:
            reader(job)
        except Stop as stop:
            job.fail(stop.problem)
        if job.document.problem not in {Problem.CORRUPT, Problem.UNSUPPORTED}:
            return
    problem = closed(job.head, job.document.extension)
    if problem is None and _is_strewn(job.head):
        _read_strewn(job)
        read_appended(job)
        return
    if problem:
        job.fail(problem)
    if problem is Problem.ENCRYPTED:
        return
    read_runs(job)
    read_appended(job)
    if job.document.problem is None and not job.document.children and is_even_noise(job.source.pread(_NOISE, 0)):
        job.fail(Problem.ENCRYPTED)  # or a piece of something packed: nobody can tell, and nobody can read it


def _is_strewn(head: bytes) -> bool:
    """A text with control characters between its letters: what is left without them is nothing but text."""
    rest = head.translate(None, _CONTROLS)
    if len(rest) < _LEAST_TEXT or 3 * len(rest) < len(head):
        return False
    return (
        is_text(rest)
        and 20 * (len(rest) - len(rest.translate(None, _HIGH))) < 3 * len(rest)
        and _PARTED.search(rest) is not None
    )


def _read_strewn(job: Job) -> None:
    """Such a text without its control characters; a message, a record or a table among them as what it is."""
    data = job.source.pread(job.budget.limits.run_bytes, 0)
    rest = data.translate(None, _CONTROLS)
    job.document.truncated |= job.source.size > len(data)
    job.doubt(data)
    if text_format(rest[:HEAD], job.document.extension) is Format.TEXT:
        job.text(decode(rest))
    else:
        job.child(rest, job.document.extension)


def _reader(job: Job) -> Callable[[Job], None] | None:
    """The reader of what these bytes are, of those that share the format « unknown »."""
    head = job.head
    if cms.is_message(head):
        return cms.read
    if head.startswith(tnef.MARK):
        return tnef.read
    if job.document.extension == "iwa":
        return iwork.read
    if head.startswith(_BY_LIBARCHIVE) or head[2:5] == b"-lh" or job.source.pread(5, _ISO_AT) == b"CD001":
        return archive.read
    if _stream(head)[0]:
        return _read_stream
    table = dbase.header(head)
    if table is not None:
        return partial(dbase.read, table=table)
    return compressed.read_zlib if compressed.is_zlib(head) else None


def _read_stream(job: Job) -> None:
    archive.read_stream(job, *_stream(job.head))


def _stream(head: bytes) -> tuple[str, int]:
    """What unpacks a stream that begins with ``head`` (empty: nothing), and where, behind frames to be skipped."""
    at = 0
    while _SKIPPABLE.match(head, at):
        at += 8 + int.from_bytes(head[at + 4 : at + 8], "little")
    return next((name for mark, name in _STREAMS.items() if head.startswith(mark, at)), ""), at


def read_database(job: Job) -> None:
    """Format.SQLITE: its tables; a damaged or too large one is searched for printable runs."""
    try:
        database.read(job)
    except Stop as stop:
        job.fail(stop.problem)
        read_runs(job)


def read_runs(job: Job) -> None:
    """Unknown bytes: printable runs of the first and last part."""
    limits = job.budget.limits
    data = job.source.pread(limits.run_bytes, 0)
    if job.source.size > limits.run_bytes:
        job.document.truncated = True
        tail = min(job.source.size - limits.run_bytes, limits.run_bytes // 4)
        data += job.source.pread(tail, job.source.size - tail)
    job.text(binary_runs(data, limits.run_chars))


def read_header(job: Job) -> None:
    """Format.SIGNAL and RESEARCH: the header as it is, and its printable runs."""
    limits = job.budget.limits
    data = job.source.pread(limits.header_bytes, 0)
    job.document.raw = data  # what follows are samples: that they are left out takes nothing away
    job.text(binary_runs(data, limits.run_chars), Spot(Area.HEADER))
    read_appended(job)


def read_media(job: Job) -> None:
    """Format.EXECUTABLE, AUDIO_VIDEO and FONT: no document is looked for in what they hold, unless all that follows the
    beginning is text. Then the beginning is a disguise, or a program's own words: what is judged is the text.
    """
    if _readable(job.source.pread(_NOISE, _BEGINNING), armoured=False) and job.source.size > _BEGINNING + _AGE_LEAST:
        read_runs(job)
    read_appended(job)


def read_appended(job: Job) -> None:
    """Formats that hold no document themselves: an archive may still be appended (self-extracting programs,
    polyglots).
    """
    if job.document.format is Format.UNKNOWN and job.source.size < 64:
        return
    try:
        appended.read_zip(job)
        if job.document.format in _PACKED_BEHIND:
            appended.read_packed(job)
    except Stop as stop:
        job.fail(stop.problem)


def read_age(job: Job) -> None:
    """Format.AGE: sealed, and meant to be; if it is what it says (C2SP age, header and payload).

    A header in front of something readable is a disguise: « corrupt », with its text, and never « sealed ».
    """
    head = job.source.pread(_AGE_HEAD, 0)
    found = _AGE_HEADER.match(head) or _AGE_ARMOUR.match(head)
    payload = head[found.end() :] if found else head
    if found is None or _readable(payload, armoured=head.startswith(b"-")):
        job.text(binary_runs(job.source.pread(_AGE_HEAD, 0), job.budget.limits.run_chars))
        raise Stop(Problem.CORRUPT)
    raise Stop(Problem.ENCRYPTED)


def _readable(payload: bytes, *, armoured: bool) -> bool:
    """Whether these bytes are text rather than cipher: in random bytes about a third are printable."""
    if armoured:
        return re.fullmatch(rb"[A-Za-z0-9+/=\r\n-]*(?:END AGE ENCRYPTED FILE-*\s*)?", payload) is None
    printable = sum(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in payload)
    return len(payload) < _AGE_LEAST or printable > 0.6 * len(payload)


def read_nothing(_job: Job) -> None:
    """Format.EMPTY."""
