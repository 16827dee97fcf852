"""Signed and enveloped messages (CMS, RFC 5652; S/MIME): what is only signed or compressed is read, ciphertext is told.

Lengths may be indefinite and strings in pieces, as signers of large files write them. Bounded: depth, pieces, bytes.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from agent.document import Area, Problem, Spot
from agent.extraction.formats import inflate
from agent.extraction.formats.base import Job
from agent.extraction.limits import Stop

_OID = b"\x2a\x86\x48\x86\xf7\x0d\x01"
_SIGNED, _COMPRESSED = _OID + b"\x07\x02", _OID + b"\x09\x10\x01\x09"
_CLOSED = frozenset({_OID + b"\x07\x03", _OID + b"\x07\x04", _OID + b"\x07\x06", _OID + b"\x09\x10\x01\x17"})
_KNOWN = _CLOSED | {_SIGNED, _COMPRESSED}
_PEM = re.compile(rb"\A\s*-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS)-----")
_DEPTH = 12
_PIECES = 100_000


def is_message(head: bytes) -> bool:
    """Whether these are the first bytes of a CMS message, binary or armoured."""
    if _PEM.match(head):
        return True
    return head[:1] == b"\x30" and any(oid in head[:32] for oid in _KNOWN)


def read(job: Job) -> None:
    """A CMS message; what it holds becomes a child. A signature that stands apart holds nothing."""
    data = job.whole()
    if _PEM.match(data):
        data = _unarmoured(data)
    try:
        kind, content = _content(data)
    except (IndexError, RecursionError, StopIteration):
        raise Stop(Problem.CORRUPT) from None
    if kind in _CLOSED:
        raise Stop(Problem.ENCRYPTED)
    if content is None:
        return
    job.budget.inflate(len(content))
    if kind == _COMPRESSED:
        content = _inflated(job, content)
    job.child(content, spot=Spot(Area.ATTACHMENT))


def _unarmoured(data: bytes) -> bytes:
    body = data.split(b"-----")[2] if data.count(b"-----") >= 2 else b""
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        raise Stop(Problem.CORRUPT) from None


def _content(data: bytes) -> tuple[bytes, bytes | None]:
    """The kind of message and what it carries (None: nothing)."""
    outer = list(_children(data, *_one(data, 0)[1:3]))
    kind = data[outer[0][1] : outer[0][2]]
    if kind not in {_SIGNED, _COMPRESSED}:
        if kind in _CLOSED:
            return kind, None
        raise Stop(Problem.CORRUPT)
    message = next(iter(_children(data, outer[1][1], outer[1][2])))
    for tag, start, end in _children(data, message[1], message[2]):
        if tag != 0x30:
            continue
        inner = list(_children(data, start, end))
        if inner and inner[0][0] == 0x06 and len(inner) > 1 and inner[1][0] == 0xA0:
            return kind, b"".join(_octets(data, inner[1][1], inner[1][2], 0))
        if inner and inner[0][0] == 0x06 and len(inner) == 1 and kind == _SIGNED:
            return kind, None
    return kind, None


def _octets(data: bytes, start: int, end: int, depth: int) -> Iterator[bytes]:
    """The bytes of strings, in one piece or in pieces within pieces."""
    if depth > _DEPTH:
        raise Stop(Problem.TOO_DEEP)
    for tag, at, stop in _children(data, start, end):
        if tag == 0x04:
            yield data[at:stop]
        elif tag & 0x20:
            yield from _octets(data, at, stop, depth + 1)


def _children(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(tag, start and end of the content) of each element between two places."""
    for _ in range(_PIECES):
        if start >= end:
            return
        tag, at, stop, after = _one(data, start)
        if tag == 0 and at == stop:
            return  # the end mark of an indefinite length
        if stop > end:
            raise Stop(Problem.CORRUPT)
        yield tag, at, stop
        start = after
    raise Stop(Problem.TOO_MANY_PARTS)


def _one(data: bytes, at: int, depth: int = 0) -> tuple[int, int, int, int]:
    """(tag, start of the content, its end, where the next element begins) of the element at a place."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length == 0x80:
        return tag, at, *_indefinite(data, at, depth)
    if length & 0x80:
        wide = length & 0x7F
        if wide > 8:
            raise Stop(Problem.CORRUPT)
        length, at = int.from_bytes(data[at : at + wide], "big"), at + wide
    if at + length > len(data):
        raise Stop(Problem.CORRUPT)
    return tag, at, at + length, at + length


def _indefinite(data: bytes, at: int, depth: int) -> tuple[int, int]:
    if depth > _DEPTH:
        raise Stop(Problem.TOO_DEEP)
    for _ in range(_PIECES):
        if data[at : at + 2] == b"\0\0":
            return at, at + 2
        at = _one(data, at, depth + 1)[3]
    raise Stop(Problem.TOO_MANY_PARTS)


def _inflated(job: Job, data: bytes) -> bytes:
    machine, pending, out, size = inflate.zlib_or_gzip(), data, [], 0
    while not machine.eof:
        piece, pending = machine.feed(pending)
        if not piece and not pending:
            raise Stop(Problem.CORRUPT)
        job.budget.inflate(len(piece))
        size += len(piece)
        if size > job.budget.limits.member_bytes:
            raise Stop(Problem.TOO_LARGE)
        out.append(piece)
    return b"".join(out)
