"""Outlook's winmail.dat (MS-OXTNEF): subject, sender, body in whichever form, and the attachments as children.

The stream is a row of attributes with a level, a number, a length and a checksum; most of a modern message stands in
one attribute as MAPI properties. What is shorter than it says is corrupt.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import BODY, Job
from agent.extraction.formats.msg import unpack_rtf
from agent.extraction.limits import Stop

MARK = b"\x78\x9f\x3e\x22"
_HEAD = struct.Struct("<BHHL")  # level, number, type, length
_FROM, _SUBJECT, _BODY, _CONTENT, _TITLE, _RENDERING = 0x8000, 0x8004, 0x800C, 0x800F, 0x8010, 0x9002
_PROPERTIES, _RECIPIENTS, _ATTACHED = 0x9003, 0x9004, 0x9005
_FIXED = {
    0x02: 4,
    0x03: 4,
    0x04: 4,
    0x05: 8,
    0x06: 8,
    0x07: 8,
    0x0A: 4,
    0x0B: 4,
    0x14: 8,
    0x40: 8,
    0x48: 16,
    0x00: 0,
    0x01: 0,
}
_VARIABLE = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_MANY = 0x1000
_MOST = 20_000  # properties of one set
_OBJECT = 16  # bytes of the interface's name before an attached object

_Property = tuple[int, int, bytes]


def read(job: Job) -> None:
    """A TNEF stream."""
    data = job.whole()
    attachments: list[dict[str, bytes]] = []
    try:
        for level, number, value in _attributes(job, data):
            if level == 1:
                _message(job, number, value)
            else:
                _attachment(number, value, attachments)
    except (struct.error, IndexError):
        job.fail(Problem.CORRUPT)
    for place, attachment in enumerate(attachments, 1):
        if content := attachment.get("content", b""):
            job.child(content, spot=Spot(Area.ATTACHMENT, place), name=_text(attachment.get("name", b"")))


def _attributes(job: Job, data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 6
    while at + _HEAD.size <= len(data):
        level, number, _kind, length = _HEAD.unpack_from(data, at)
        start = at + _HEAD.size
        at = start + length + 2
        if level not in {1, 2} or at > len(data):
            job.fail(Problem.CORRUPT)
            return
        job.budget.part()
        yield level, number, data[start : start + length]


def _message(job: Job, number: int, value: bytes) -> None:
    if number == _SUBJECT:
        job.field("subject", _text(value))
        job.text(_text(value), Spot(Area.SUBJECT))
    elif number == _FROM:
        job.text(_text(value[8:]), Spot(Area.HEADER))
    elif number == _BODY:
        job.text(_text(value), BODY)
    elif number == _PROPERTIES:
        _body(job, value)
    elif number == _RECIPIENTS:
        _recipients(job, value)


def _body(job: Job, value: bytes) -> None:
    for kind, tag, data in _properties(value):
        if tag == 0x0037:
            job.field("subject", _said(kind, data))
            job.text(_said(kind, data), Spot(Area.SUBJECT))
        elif tag in {0x0C1A, 0x0C1F, 0x0E04, 0x0E03, 0x007D}:
            job.text(_said(kind, data), Spot(Area.HEADER))
        elif tag == 0x1000:
            job.text(_said(kind, data), BODY)
        elif tag == 0x1013:
            job.child(data, "html", Spot(Area.BODY))
        elif tag == 0x1009:
            job.child(unpack_rtf(data, job.budget.limits.member_bytes), "rtf", Spot(Area.BODY))


def _recipients(job: Job, value: bytes) -> None:
    """A count, then a set of properties a person."""
    count, at = struct.unpack_from("<L", value)[0], 4
    for _ in range(min(count, 500)):
        consumed, said = at, []
        for kind, tag, data, after in _walk(value, at):
            consumed = after
            if tag in {0x3001, 0x3003, 0x39FE}:
                said.append(_said(kind, data))
        job.text(" ".join(said), Spot(Area.HEADER))
        if consumed == at:
            return
        at = consumed


def _attachment(number: int, value: bytes, attachments: list[dict[str, bytes]]) -> None:
    if number == _RENDERING or not attachments:
        attachments.append({})
    now = attachments[-1]
    if number == _CONTENT:
        now["content"] = value
    elif number == _TITLE:
        now.setdefault("name", value)
    elif number == _ATTACHED:
        for kind, tag, data in _properties(value):
            if tag in {0x3707, 0x3704} and (tag == 0x3707 or "name" not in now):
                now["name"] = _said(kind, data).encode("utf-8")
            elif tag == 0x3701 and data:
                now["content"] = data[_OBJECT:] if kind == 0x0D else data


def _properties(value: bytes) -> Iterator[_Property]:
    for kind, tag, data, _after in _walk(value, 0):
        yield kind, tag, data


def _walk(value: bytes, at: int) -> Iterator[tuple[int, int, bytes, int]]:
    """(type, tag, value, place behind it) of each property of a set (MS-OXTNEF 2.1.3.4). Raises struct.error."""
    count = struct.unpack_from("<L", value, at)[0]
    at += 4
    for _ in range(min(count, _MOST)):
        kind, tag = struct.unpack_from("<HH", value, at)
        at += 4
        if tag & 0x8000:
            at = _after_name(value, at)
        base = kind & ~_MANY
        values = 1
        if kind & _MANY or base in _VARIABLE:
            values = struct.unpack_from("<L", value, at)[0]
            at += 4
        first = b""
        for index in range(min(values, _MOST)):
            if base in _VARIABLE:
                size = struct.unpack_from("<L", value, at)[0]
                at += 4
            elif base in _FIXED:
                size = _FIXED[base]
            else:
                raise Stop(Problem.CORRUPT)
            if at + size > len(value):
                raise Stop(Problem.CORRUPT)
            first = first if index else value[at : at + size]
            at += -(-size // 4) * 4
        yield base, tag, first, at


def _after_name(value: bytes, at: int) -> int:
    """A named property: an identifier of 16 bytes, then a number, or a name in UTF-16."""
    by_name = struct.unpack_from("<L", value, at + 16)[0]
    at += 20
    if not by_name:
        return at + 4
    length = struct.unpack_from("<L", value, at)[0]
    return int(at + 4 + -(-length // 4) * 4)


def _said(kind: int, data: bytes) -> str:
    return data.decode("utf-16-le", "replace").rstrip("\0") if kind == 0x1F else _text(data)


def _text(data: bytes) -> str:
    data = data.rstrip(b"\0")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
