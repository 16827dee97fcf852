"""Replays a log and names the first record that does not fit. Pure over an iterator of frames and an expected head.

Verification raises; there is no boolean to forget. What a hash chain without a key can show: any change that does not
also rewrite every later record and the head. Whoever can rewrite all of them is caught by the collector's copy, not
here (docs/formats/audit-log.md, section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.audit import chain, frames, record
from agent.audit.frames import Damage, Frame, FrameType, Item, Torn
from agent.audit.head import Head
from agent.audit.record import Kind
from agent.errors import N_, TamperError, UntrustedInputError

_LOOK_AHEAD = 100_000
"""How many records behind a gap are searched for the missing one, to tell « moved » from « removed »."""


class Tampering(StrEnum):
    """The kind of change that fits what is found."""

    EDITED = "edited"
    INSERTED = "inserted"
    DELETED = "deleted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    HEAD_REPLACED = "head-replaced"


_TEXTS = {
    Tampering.EDITED: N_("record {index} was changed after it was written"),
    Tampering.INSERTED: N_("record {index} was inserted later"),
    Tampering.DELETED: N_("record {index} was removed"),
    Tampering.REORDERED: N_("record {index} is not at its place"),
    Tampering.TRUNCATED: N_("the log was cut off before record {index}"),
    Tampering.HEAD_REPLACED: N_("the head of the log does not belong to it: it differs at record {index}"),
}


@dataclass(slots=True)
class Summary:
    """An intact log. ``first_us`` and ``last_us`` are the wall clock of its ends (microseconds since 1970 UTC)."""

    records: int = 0
    head: bytes = chain.EMPTY_HEAD
    before: bytes = chain.EMPTY_HEAD
    first_us: int = 0
    last_us: int = 0
    starts: int = 0
    unclean_starts: int = 0
    torn_bytes: int = 0  # at the end: a write that is going on, or that a crash cut short


def verify(items: Iterable[tuple[int, Item]], expected: Head | None, *, head_needed: bool = True) -> Summary:
    """Check every record of ``items`` (segment number, frame) against the chain, and the end against ``expected``.

    Raises TamperError; its fields hold ``index`` (of the first bad record) and ``kind`` (a Tampering word).
    """
    summary = Summary()
    stream = iter(items)
    at_expected: bytes | None = chain.EMPTY_HEAD if expected and expected.size == 0 else None
    for _, item in stream:
        if isinstance(item, Torn):
            summary.torn_bytes = item.length
            continue
        if isinstance(item, Damage) and _notes_cut(next(stream, None)):
            raise _tampered(Tampering.TRUNCATED, summary.records)  # the cut went through a record
        public, private, fields = _open(item, summary.records)
        _check(fields, summary, stream)
        summary.before = summary.head
        summary.head = chain.advance(summary.head, chain.leaf(public, chain.private_hash(private)))
        summary.records += 1
        _count(fields, summary)
        if expected is not None and summary.records == expected.size:
            at_expected = summary.head
            _check_head(expected, summary, at_expected)
    if expected is None:
        if head_needed and summary.records:
            raise _tampered(Tampering.HEAD_REPLACED, summary.records)
    elif at_expected is None:
        raise _tampered(Tampering.TRUNCATED, summary.records)
    return summary


def _open(item: Item, index: int) -> tuple[bytes, bytes, dict[str, Any]]:
    if not isinstance(item, Frame) or item.kind != FrameType.LEAF:
        raise _tampered(Tampering.EDITED, index)
    try:
        public, private = frames.unpack_leaf(item.body)
        return public, private, record.decode(public)
    except UntrustedInputError as error:
        raise _tampered(Tampering.EDITED, index) from error


def _is_cut(fields: dict[str, Any]) -> bool:
    """The record by which a start told that the log before it was cut off."""
    return fields["k"] == Kind.TROUBLE and fields.get("what") == "truncated"


def _notes_cut(following: tuple[int, Item] | None) -> bool:
    if following is None or not isinstance(following[1], Frame):
        return False
    try:
        return _is_cut(record.decode(frames.unpack_leaf(following[1].body)[0]))
    except UntrustedInputError:
        return False


def _check(fields: dict[str, Any], summary: Summary, rest: Iterator[tuple[int, Item]]) -> None:
    index, wanted = fields["i"], summary.records
    if index == wanted:
        if fields["p"] != chain.link(summary.head):
            raise _mislinked(fields, summary, rest)
        return
    if index < wanted:  # seen before: a copy, or the true one behind a forged one that took its number
        forged = index == wanted - 1 and fields["p"] == chain.link(summary.before)
        raise _tampered(Tampering.INSERTED, index if forged else wanted)
    if _is_cut(fields):
        raise _tampered(Tampering.TRUNCATED, wanted)
    raise _tampered(Tampering.REORDERED if _comes_later(wanted, rest) else Tampering.DELETED, wanted)


def _mislinked(fields: dict[str, Any], summary: Summary, rest: Iterator[tuple[int, Item]]) -> TamperError:
    """The right number, but another past than the one we read."""
    index: int = fields["i"]
    following = next((item for _, item in rest if isinstance(item, Frame)), None)
    if following is not None:
        try:
            after = record.decode(frames.unpack_leaf(following.body)[0])
        except UntrustedInputError:
            after = {}
        if after.get("i") == index and after.get("p") == chain.link(summary.head):
            return _tampered(Tampering.INSERTED, index)  # the true one follows; this one was pushed in before it
    return _tampered(Tampering.EDITED, max(index - 1, 0))


def _comes_later(index: int, rest: Iterator[tuple[int, Item]]) -> bool:
    for count, (_, item) in enumerate(rest):
        if count >= _LOOK_AHEAD:
            return False
        if isinstance(item, Frame):
            try:
                if record.decode(frames.unpack_leaf(item.body)[0])["i"] == index:
                    return True
            except UntrustedInputError:
                continue
    return False


def _check_head(expected: Head, summary: Summary, head: bytes) -> None:
    if head == expected.head_bytes:
        return
    last = summary.records - 1
    same_past = summary.before.hex() == expected.before
    raise _tampered(Tampering.EDITED if same_past else Tampering.HEAD_REPLACED, last)


def _count(fields: dict[str, Any], summary: Summary) -> None:
    if summary.records == 1:
        summary.first_us = fields["t"]
    summary.last_us = fields["t"]
    if fields["k"] == Kind.START:
        summary.starts += 1
        summary.unclean_starts += fields.get("clean") is not True


def _tampered(kind: Tampering, index: int) -> TamperError:
    return TamperError(
        _TEXTS[kind],
        hint=N_("keep a copy of the folder as evidence and compare it with the collector's records"),
        index=index,
        kind=kind,
    )
