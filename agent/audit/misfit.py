"""What fits a record that does not continue what was read before it: which record is the first bad one, and what kind
of change that is. Pure; ``verify`` asks when it has found that something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from agent.audit import chain, frames, record
from agent.audit.checkpoint import Cosigned
from agent.audit.frames import Frame, FrameType, Item
from agent.audit.glance import glance
from agent.audit.head import Head
from agent.audit.record import Kind
from agent.audit.tampering import Tampering, tampered
from agent.errors import TamperError, UntrustedInputError

_LEAF = int(FrameType.LEAF)
_LOOK_AHEAD = 100_000
"""How many records behind a gap are searched for the missing one, to tell « moved » from « removed »."""


@dataclass(slots=True)
class Summary:
    """An intact log. ``first_us`` and ``last_us`` are the wall clock of its ends (microseconds since 1970 UTC).

    ``purged`` records from the beginning on are gone by their time; ``records`` counts them in. ``sealed`` records are
    under a seal (0: a log of version 1), the others could be changed unseen. ``identity`` is the public key that names
    the log; ``cosigned`` what a collector said last.
    """

    records: int = 0
    head: bytes = chain.EMPTY_HEAD
    before: bytes = chain.EMPTY_HEAD
    first_us: int = 0
    last_us: int = 0
    starts: int = 0
    unclean_starts: int = 0
    torn_bytes: int = 0  # at the end: a write that is going on, or that a crash cut short
    purged: int = 0
    sealed: int = 0
    seals: int = 0
    sessions: int = 0
    unclean_sessions: int = 0  # that no seal of a stop ended, the last one apart
    identity: bytes = b""
    last_seal_us: int = 0
    cosigned: Cosigned | None = None


class Read(msgspec.Struct, frozen=True, gc=False):
    """What a frame's record says, as far as checking needs it."""

    number: int
    link: bytes
    time_us: int
    kind: str
    public: bytes
    leaf: bytes


def read_leaf(item: Item, index: int) -> Read:
    """The record in a frame that should be number ``index``. Raises TamperError: it is none."""
    if type(item) is not Frame or item.kind != _LEAF:
        raise tampered(Tampering.EDITED, index)
    try:
        public, private = frames.unpack_leaf(item.body)
        leaf = chain.leaf(public, chain.private_hash(private)) if private else chain.leaf(public)
        if public[:1] == b"{":  # chain.is_old
            fields = record.decode(public)
            return Read(fields["i"], bytes.fromhex(fields["p"]), fields["t"], fields["k"], public, leaf)
        number, time_us, kind, _, _, _, link = glance(public)
        return Read(number, link, time_us, kind, public, leaf)
    except (UntrustedInputError, ValueError) as error:
        raise tampered(Tampering.EDITED, index) from error


def _is_cut(public: bytes) -> bool:
    """The record by which a start told that the log before it was cut off."""
    fields = record.decode(public)
    return fields["k"] == Kind.TROUBLE and fields.get("what") == "truncated"


def _public(item: Item) -> bytes:
    """The public part in a frame. Raises UntrustedInputError: it is no leaf."""
    if not isinstance(item, Frame) or item.kind != FrameType.LEAF:
        raise UntrustedInputError("")
    return frames.unpack_leaf(item.body)[0]


def cut_is_told(rest: Iterator[tuple[int, Item]]) -> bool:
    """Whether the next record is the one by which a start told that the log before it was cut off."""
    for _, item in rest:
        if isinstance(item, Frame) and item.kind in {FrameType.CHECKPOINT, FrameType.COSIGNED}:
            continue
        try:
            return _is_cut(_public(item))
        except UntrustedInputError:
            return False
    return False


def misfit(found: Read, summary: Summary, rest: Iterator[tuple[int, Item]]) -> TamperError:
    """What fits a record that does not continue what was read."""
    index, wanted = found.number, summary.records
    if index == wanted:
        return _mislinked(found, summary, rest)
    if index < wanted:  # seen before: a copy, or the true one behind a forged one that took its number
        forged = index == wanted - 1 and found.link == summary.before[: chain.LINK_BYTES]
        return tampered(Tampering.INSERTED, index if forged else wanted)
    if _is_cut(found.public):
        return tampered(Tampering.TRUNCATED, wanted)
    return tampered(Tampering.REORDERED if _comes_later(wanted, rest) else Tampering.DELETED, wanted)


def _mislinked(found: Read, summary: Summary, rest: Iterator[tuple[int, Item]]) -> TamperError:
    """The right number, but another past than the one we read."""
    for _, item in rest:
        try:
            after = record.decode(_public(item))
        except UntrustedInputError:
            continue
        if after["i"] == found.number and after["p"] == chain.link(summary.head):
            return tampered(Tampering.INSERTED, found.number)  # the true one follows; this one was pushed in before it
        break
    return tampered(Tampering.EDITED, max(found.number - 1, 0))


def _comes_later(index: int, rest: Iterator[tuple[int, Item]]) -> bool:
    for count, (_, item) in enumerate(rest):
        if count >= _LOOK_AHEAD:
            return False
        try:
            if record.decode(_public(item))["i"] == index:
                return True
        except UntrustedInputError:
            continue
    return False


def check_head(expected: Head, summary: Summary) -> None:
    if summary.head == expected.head_bytes:
        return
    same_past = summary.before.hex() == expected.before
    raise tampered(Tampering.EDITED if same_past else Tampering.HEAD_REPLACED, summary.records - 1)
