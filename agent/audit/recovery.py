"""What a start finds in the log's files, and what has to be repaired before the first new record.

Three cases. A torn end (a crash, a power cut): cut back to the last whole frame, told in the next start record.
Damage before the end, a chain that does not fit, or a log that is shorter than its head says: the files are left as
they are, frozen; the log goes on in a new segment that opens with a trouble record, and ``verify`` keeps reporting the
place. Nothing wrong: the log goes on where it stopped.

Reads the files and truncates a torn end; writes nothing else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.audit import chain, frames, record
from agent.audit.frames import Frame, FrameType, Item, Torn
from agent.audit.head import Head, read_head
from agent.audit.record import Kind
from agent.audit.segments import Position, items, segment_numbers, segment_path
from agent.errors import AuditError, UntrustedInputError


@dataclass(slots=True)
class State:
    """Where the log stands. ``troubles`` are words with their numbers, for trouble records; ``dropped`` is the bytes
    of the torn end that was cut off; ``clean``: the last record says that the agent stopped in good order.
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

    def take(self, fields: dict[str, Any], public: bytes, private: bytes) -> None:
        """Count one more record in."""
        self.before = self.head
        self.head = chain.advance(self.head, chain.leaf(public, chain.private_hash(private)))
        self.size = fields["i"] + 1
        self.note(fields["k"], fields)

    def note(self, kind: str, fields: dict[str, Any]) -> None:
        """Keep the index of unfinished transfers."""
        self.clean = kind == Kind.STOP
        if kind == Kind.TRANSFER:
            if fields.get("act") is True:
                self.open[fields["i"]] = None
        elif kind == Kind.OUTCOME:
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
    for number, item in items(folder, Position(state.segment, state.offset)):
        if isinstance(item, Torn):
            _cut(folder, number, item, state)
        else:
            _take_item(item, number, state)
    if numbers and state.segment < numbers[-1]:
        state.segment, state.offset = numbers[-1], 0
    return _freeze(state, numbers) if state.troubles else state


def _head(folder: Path) -> Head | str | None:
    try:
        return read_head(folder)
    except AuditError:
        return "unreadable"


def _begin(folder: Path, head: Head | str | None, numbers: list[int]) -> State:
    state = State()
    if not isinstance(head, Head):
        if head or numbers:
            state.trouble("head-missing")
        return state
    if head.open is None:
        return state  # too many to list: read everything
    state = State(
        head.size, head.head_bytes, bytes.fromhex(head.before), head.segment, head.offset,
        dict.fromkeys(head.open), head.clean,
    )  # fmt: skip
    present = segment_path(folder, head.segment).stat().st_size if head.segment in numbers else 0
    if present < head.offset:
        state.trouble("truncated", size=head.size)
    return state


def _take_item(item: Item, number: int, state: State) -> None:
    if not isinstance(item, Frame) or item.kind != FrameType.LEAF:
        state.trouble("damaged", segment=number, offset=item.offset)
        return
    try:
        public, private = frames.unpack_leaf(item.body)
        fields = record.decode(public)
    except UntrustedInputError:
        state.trouble("damaged", segment=number, offset=item.offset)
        return
    if fields["i"] == state.size and fields["p"] == chain.link(state.head):
        state.take(fields, public, private)
    elif _rejoins(fields, state):
        state.head = bytes.fromhex(fields["head"])
        state.take(fields, public, private)
    else:
        if not state.troubles:
            state.trouble("chain", segment=number, offset=item.offset, index=fields["i"])
        state.size = max(state.size, fields["i"] + 1)
    state.segment, state.offset = number, item.offset + frames.HEADER_BYTES + len(item.body)


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
