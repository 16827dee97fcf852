"""Bytes that are no document: programs, media, fonts, databases, signals, research data, and what nobody knows.

Signals and research data keep their header for the recognisers. Databases and unknown bytes are searched for
printable runs.
Formats that are known to hide or hold documents and cannot be opened here are named as such, never passed over.
"""

from __future__ import annotations

import re

from agent.document import Area, Format, Problem, Spot
from agent.extraction.formats import archive
from agent.extraction.formats.base import Job
from agent.extraction.formats.runs import binary_runs
from agent.extraction.formats.zipdir import read_directory
from agent.extraction.limits import Stop

_LOCKED = (
    (b"Salted__", ""),  # openssl enc
    (b"\x03\xd9\xa2\x9a", ""),  # KeePass
    (b"LUKS\xba\xbe", ""),
    (b"\x85\x01", "gpg pgp asc"),
    (b"\x85\x02", "gpg pgp asc"),
    (b"\x84", "gpg pgp asc"),
    (b"\xc1", "gpg pgp asc"),
    (b"\xc3", "gpg pgp asc"),
    (b"\x8c", "gpg pgp asc"),
)
_ENVELOPED = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"  # PKCS#7 envelopedData, DER
_ENCRYPTED_EXTENSIONS = frozenset({"apz", "gpg", "pgp", "p7m", "p7e", "aes", "axx", "hc", "tc", "zed", "zc", "zdm"})
_CLOSED = (
    (b"%!PS", "a printed page as a program"),
    (b"\x78\x9f\x3e\x22", "TNEF"),
    (b"!BDN", "Outlook store"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x1f\x9d", "compress"),
    (b"\xffWPC", "WordPerfect"),
)
_BY_LIBARCHIVE = (b"MSCF\0\0\0\0", b"070701", b"070707", b"!<arch>\n", b"\x28\xb5\x2f\xfd", b"\x1f\x9d", b"\x1f\xa0")
_AGE_HEAD = 64 * 1024  # bytes looked at
_AGE_LEAST = 32  # nonce and tag: no payload is shorter
_AGE_HEADER = re.compile(
    rb"age-encryption\.org/v1\n(?:-> [!-~ ]{1,4096}\n(?:[A-Za-z0-9+/]{0,64}\n){1,200}){1,64}--- [A-Za-z0-9+/]{43}\n"
)
_AGE_ARMOUR = re.compile(rb"-----BEGIN AGE ENCRYPTED FILE-----\r?\n")
_END_OF_ZIP = b"PK\x05\x06"
_ISO_AT = 32_769


def read_unknown(job: Job) -> None:
    """Format.UNKNOWN: lists what libarchive knows, names what is closed, searches the rest."""
    problem = _closed(job.head, job.document.extension)
    if problem:
        job.fail(problem)
    if problem is Problem.ENCRYPTED:
        return
    if job.head.startswith(_BY_LIBARCHIVE) or job.head[2:5] == b"-lh" or job.source.pread(5, _ISO_AT) == b"CD001":
        job.document.problem = None
        archive.read(job)
        return
    read_runs(job)
    read_appended(job)


def _closed(head: bytes, extension: str) -> Problem | None:
    for prefix, extensions in _LOCKED:
        if head.startswith(prefix) and (not extensions or extension in extensions.split()):
            return Problem.ENCRYPTED
    if _ENVELOPED in head[:64] or (extension in _ENCRYPTED_EXTENSIONS and _is_noise(head)):
        return Problem.ENCRYPTED
    if any(head.startswith(prefix) for prefix, _name in _CLOSED):
        return Problem.UNSUPPORTED
    return None


def _is_noise(head: bytes) -> bool:
    """Nearly every byte value occurs: ciphertext, or well compressed."""
    return len(set(head)) > min(200, len(head) // 3)


def read_runs(job: Job) -> None:
    """Format.SQLITE and unknown bytes: printable runs of the first and last part."""
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
    job.document.raw = data
    job.document.truncated = job.source.size > len(data)
    job.text(binary_runs(data, limits.run_chars), Spot(Area.HEADER))


def read_appended(job: Job) -> None:
    """Formats that hold no document themselves: an archive may still be appended (self-extracting programs,
    polyglots).
    """
    size = job.source.size
    if job.document.format is Format.UNKNOWN and size < 64:
        return
    tail = job.source.pread(1024, max(0, size - 1024))
    if _END_OF_ZIP not in tail:
        return
    try:
        directory = read_directory(job.source, job.budget)
    except Stop as stop:
        job.fail(stop.problem)
        return
    if not directory.broken:
        archive.read_zip(job, directory)


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
