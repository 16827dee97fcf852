"""What a start finds in the log's files, and what has to be repaired before the first new record.

Three cases. A torn end (a crash, a power cut): cut back to the last whole frame, told in the next start record.
Damage before the end, a record that does not fit, or a log that is shorter than its head says: the files are left as
they are, frozen; the log goes on in a new segment that opens with a trouble record, and ``verify`` keeps reporting the
place. Nothing wrong: the log goes on where it stopped. Whole records behind the last seal are kept; the opening of the
new session seals them. A log of version 1 is read as a whole once, for its tree.

Reads the files and truncates a torn end; writes nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.audit import chain, checkpoint, frames, record, tree
from agent.audit.checkpoint import Why
from agent.audit.frames import Frame, FrameType, Item, Torn
from agent.audit.head import Head, read_head
from agent.audit.prefix import read_prefix
from agent.audit.record import Kind
from agent.audit.segments import Position, items, segment_numbers, segment_path
from agent.errors import AuditError, UntrustedInputError

_STOP, _TRANSFER, _OUTCOME = Kind.STOP.value, Kind.TRANSFER.value, Kind.OUTCOME.value


@dataclass(slots=True)
class State:
    """Where the log stands. ``troubles`` are words with their numbers, for trouble records; ``dropped`` is the bytes
    of the torn end that was cut off; ``clean``: the last record says that the agent stopped in good order.

    ``frontier`` and ``pending`` (leaf hashes behind it) are the tree; ``identity`` names the log, and ``announced`` is
    the start key that the last opening announced (None: there was no opening yet).
    """

    size: int = 0
    head: bytes = chain.EMPTY_HEAD
    before: bytes = chain.EMPTY_HEAD
    segment: int = 0
    offset: int = 0
    open: dict[int, None] = field(default_factory=dict)
    clean: bool = True
    dropped: int = 0
    troubles: list[dict[str, Any]] = field(default_factory=list)
    frontier: tree.Frontier = field(default_factory=list)
    pending: list[bytes] = field(default_factory=list)
    identity: bytes = b""
    announced: bytes | None = None

    def take(self, fields: dict[str, Any], public: bytes, private: bytes) -> None:
        """Count one more record in."""
        leaf = chain.leaf(public, chain.private_hash(private))
        self.lose(fields["i"])
        self.grow(public, leaf)
        self.note(fields["k"], fields["i"], fields)

    def grow(self, public: bytes, leaf: bytes) -> None:
        """The record with this leaf hash is the last one now."""
        self.pending.append(leaf)
        self.before = self.head
        self.head = chain.head_after(self.head, public, leaf)
        self.size += 1

    def lose(self, size: int) -> None:
        """The records up to, not including, ``size`` are lost: their numbers are not used again."""
        if size > self.size:
            self.fold()
            tree.extend_lost(self.frontier, size - self.size)
            self.size = size

    def fold(self) -> bytes:
        """The root over every record so far."""
        tree.extend(self.frontier, self.pending)
        self.pending = []
        return tree.root(self.frontier)

    def copy(self) -> State:
        """As it is now, whatever becomes of this one."""
        return replace(
            self, open=dict(self.open), frontier=list(self.frontier), pending=list(self.pending),
            troubles=list(self.troubles),
        )  # fmt: skip

    def note(self, kind: str, index: int, fields: Mapping[str, Any]) -> None:
        """Keep the index of unfinished transfers."""
        self.clean = kind == _STOP
        if kind == _TRANSFER:
            if fields.get("act") is True:
                self.open[index] = None
        elif kind == _OUTCOME:
            self.open.pop(fields.get("of", -1), None)

    def trouble(self, what: str, **numbers: int) -> None:
        if not any(item["what"] == what for item in self.troubles):
            self.troubles.append({"what": what, **numbers})


def recover(folder: Path) -> State:
    """The state of the log in ``folder``, its torn end cut off. Raises AuditError (unreadable) and OSError."""
    numbers = segment_numbers(folder)
    head = _head(folder)
    state = _begin(folder, head, numbers)
    if state.troubles and state.troubles[0]["what"] == "truncated":
        return _freeze(state, numbers)
    torn = False
    for number, item in items(folder, Position(state.segment, state.offset)):
        if isinstance(item, Torn):
            torn = True
            _cut(folder, number, item, state)
        else:
            _take_item(item, number, state)
    if not state.size and not torn:  # killed in the first moment of its life: no record that a head could miss
        state.troubles = [item for item in state.troubles if item["what"] != "head-missing"]
    if numbers and state.segment < numbers[-1]:
        state.segment, state.offset = numbers[-1], 0
    return _freeze(state, numbers) if state.troubles else state


def _head(folder: Path) -> Head | str | None:
    try:
        return read_head(folder)
    except AuditError:
        return "unreadable"


def _begin(folder: Path, head: Head | str | None, numbers: list[int]) -> State:
    state = _after_prefix(folder)
    if not isinstance(head, Head):
        if head or numbers:
            state.trouble("head-missing")
        return state
    present = segment_path(folder, head.segment).stat().st_size if head.segment in numbers else 0
    cut = present < head.offset
    if not cut and (head.open is None or head.version == 1):
        return state  # too many to list, or no tree yet: read everything
    state = State(
        head.size, head.head_bytes, bytes.fromhex(head.before), head.segment, head.offset,
        dict.fromkeys(head.open or ()), head.clean, identity=bytes.fromhex(head.identity),
        announced=bytes.fromhex(head.start) or None,
    )  # fmt: skip
    if head.version == 2:
        state.frontier = head.subtrees()
    else:
        tree.extend_lost(state.frontier, head.size)
    if cut:
        state.trouble("truncated", size=head.size)
    return state


def _after_prefix(folder: Path) -> State:
    """An empty log; or, behind records that were purged, what prefix.json keeps of them."""
    prefix = read_prefix(folder)
    if prefix is None:
        return State()
    return State(
        prefix.size, prefix.head_bytes, segment=prefix.segment, frontier=prefix.subtrees(), identity=prefix.identity,
        announced=prefix.announced,
    )  # fmt: skip


def _take_item(item: Item, number: int, state: State) -> None:
    try:
        if not isinstance(item, Frame):
            raise UntrustedInputError("")
        if item.kind == FrameType.LEAF:
            _take_leaf(item, number, state)
        else:
            _take_seal(item, state)
        state.segment, state.offset = number, item.offset + frames.HEADER_BYTES + len(item.body)
    except UntrustedInputError:
        state.trouble("damaged", segment=number, offset=item.offset)


def _take_seal(frame: Frame, state: State) -> None:
    if frame.kind == FrameType.COSIGNED:
        checkpoint.unpack_cosigned(frame.body)
        return
    if frame.kind != FrameType.CHECKPOINT:
        raise UntrustedInputError("")
    seal = checkpoint.unpack(frame.body)
    if seal.why is Why.OPEN:
        state.identity = state.identity or seal.identity
        state.announced = seal.next_start


def _take_leaf(frame: Frame, number: int, state: State) -> None:
    public, private = frames.unpack_leaf(frame.body)
    fields = record.decode(public)
    if fields["i"] == state.size and fields["p"] == chain.link(state.head):
        state.take(fields, public, private)
    elif _rejoins(fields, state):
        state.head = bytes.fromhex(fields["head"])
        state.take(fields, public, private)
    else:
        if not state.troubles:
            state.trouble("chain", segment=number, offset=frame.offset, index=fields["i"])
        state.lose(fields["i"] + 1)


def _rejoins(fields: dict[str, Any], state: State) -> bool:
    """A trouble record of an earlier start: from it on the log is ours again, what lay before was reported then."""
    head = fields.get("head")
    if fields["k"] != Kind.TROUBLE or fields["i"] < state.size or not isinstance(head, str):
        return False
    if len(head) != 64 or head[: chain.LINK_DIGITS] != fields["p"] or set(head) - set("0123456789abcdef"):
        return False
    state.troubles = [item for item in state.troubles if item["what"] == "head-missing"]
    return True


def _cut(folder: Path, number: int, torn: Torn, state: State) -> None:
    fd = os.open(segment_path(folder, number), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.ftruncate(fd, torn.offset)
        os.fsync(fd)
    finally:
        os.close(fd)
    state.dropped += torn.length
    state.segment, state.offset = number, torn.offset


def _freeze(state: State, numbers: list[int]) -> State:
    last = max(numbers[-1] if numbers else -1, state.segment)
    state.segment, state.offset = last + 1, 0
    return state
