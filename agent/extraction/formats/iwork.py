"""Pages, Numbers and Keynote since 2013: the ``.iwa`` parts of a package, unpacked and searched for their text.

A part is a row of blocks: a zero byte, a length of three bytes, and Snappy-compressed data without its framing. Inside
are messages of a protocol nobody published; text stands in them as UTF-8, in one piece.
"""

from __future__ import annotations

import re

from agent.document import Problem
from agent.extraction.formats.base import Job
from agent.extraction.limits import Stop

_TEXT = re.compile(rb"(?:[\x09\x0a\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|\xe2[\x80-\xbf]{2}){4,}")
_SOUND = re.compile(r"[^\W\d_]{2}|\d{2}")


def read(job: Job) -> None:
    """One ``.iwa`` part. Raises ``Stop``: corrupt, too large."""
    data = job.whole()
    out: list[bytes] = []
    at, size = 0, 0
    while at + 4 <= len(data):
        length = int.from_bytes(data[at + 1 : at + 4], "little")
        if data[at] != 0 or at + 4 + length > len(data):
            raise Stop(Problem.CORRUPT)
        block = unsnappy(data[at + 4 : at + 4 + length], job.budget.limits.member_bytes)
        job.budget.inflate(len(block))
        size += len(block)
        if size > job.budget.limits.member_bytes:
            raise Stop(Problem.TOO_LARGE)
        out.append(block)
        at += 4 + length
    lines = (match[0].decode("utf-8", "replace") for match in _TEXT.finditer(b"".join(out)))
    job.text("\n".join(line for line in lines if _SOUND.search(line)))


def unsnappy(data: bytes, limit: int) -> bytes:
    """Snappy's raw format: a length, then literals and copies of what came before. Raises ``Stop``."""
    size, at = _varint(data)
    if size > limit:
        raise Stop(Problem.TOO_LARGE)
    out = bytearray()
    while at < len(data) and len(out) <= size:
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                wide = length - 59
                length, at = int.from_bytes(data[at : at + wide], "little"), at + wide
            out += data[at : at + length + 1]
            at += length + 1
        else:
            length, offset, at = _copy(data, tag, at)
            if not 0 < offset <= len(out):
                raise Stop(Problem.CORRUPT)
            start = len(out) - offset
            piece = bytes(out[start : start + length])
            out += (piece * (length // len(piece) + 1))[:length]
    if len(out) != size:
        raise Stop(Problem.CORRUPT)
    return bytes(out)


def _varint(data: bytes) -> tuple[int, int]:
    value = 0
    for at in range(min(5, len(data))):
        value |= (data[at] & 0x7F) << (7 * at)
        if data[at] < 0x80:
            return value, at + 1
    raise Stop(Problem.CORRUPT)


def _copy(data: bytes, tag: int, at: int) -> tuple[int, int, int]:
    """(length, offset, place behind) of a copy with an offset of 11, 16 or 32 bits."""
    wide = (0, 1, 2, 4)[tag & 3]
    offset = int.from_bytes(data[at : at + wide], "little")
    if tag & 3 == 1:
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | offset, at + wide
    return (tag >> 2) + 1, offset, at + wide
