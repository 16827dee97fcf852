"""What is forgotten when its time is over: first the private parts, later the records; never what a case holds.

A day's private parts are forgotten by destroying the day's keys. Records go by whole segments from the oldest on, and
leave behind what proves the later ones (``prefix``). Both are records of the log, written before anything is removed.
docs/formats/audit-log.md, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.audit import chain, checkpoint, frames, private, record, tree
from agent.audit.checkpoint import Why
from agent.audit.frames import Frame, FrameType
from agent.audit.holds import Hold, changing, read_holds
from agent.audit.log import AuditLog
from agent.audit.prefix import Prefix, read_prefix, write_prefix
from agent.audit.record import Kind
from agent.audit.segments import segment_items, segment_numbers, segment_path
from agent.errors import N_, ConfigError, UntrustedInputError
from agent.fsys.atomic import sync_folder

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that events and private parts are kept; within what data protection authorities call proportionate."""

    event_days: int = 365
    private_days: int = 182

    def __post_init__(self) -> None:
        if not (182 <= self.event_days <= 1096 and 30 <= self.private_days <= self.event_days):
            raise ConfigError(
                N_("events are kept 182 to 1096 days, private parts 30 days or more and no longer than the events")
            )


def keep_house(log: AuditLog, retention: Retention, now_us: int) -> None:
    """Forget what is due at ``now_us`` (microseconds since 1970 UTC).

    Raises AuditError (holds or files unreadable: nothing is removed then), HostError and OSError.
    """
    with changing:
        holds = read_holds(log.folder)
        erase_private(log, now_us - retention.private_days * DAY_US, holds)
        purge(log, now_us - retention.event_days * DAY_US, holds)


def erase_private(log: AuditLog, before_us: int, holds: Sequence[Hold] = ()) -> int:
    """Destroy the keys of the days that ended before ``before_us``; how many. Raises like ``keep_house``."""
    due = []
    for key in private.day_keys(log.folder):
        first = key.day * DAY_US
        if first + DAY_US <= before_us and not any(hold.covers(first, first + DAY_US - 1) for hold in holds):
            due.append(key)
    if due:
        days = sorted({key.day for key in due})
        told = {"since": days[0] * DAY_US, "until": (days[-1] + 1) * DAY_US, "days": len(days), "count": len(due)}
        log.append(Kind.ERASURE, told, durable=True)
        private.erase(log.folder, due)
    return len(due)


@dataclass(slots=True)
class _Walk:
    """What is known at the end of the segments that may go."""

    size: int
    head: bytes
    frontier: tree.Frontier
    key: bytes
    openings: list[str]
    last_us: int = 0
    first_us: int = 0

    def take(self, folder: Path, number: int) -> bool:
        """Go through one more segment; False when it holds anything that verification would not pass."""
        leaves: list[bytes] = []
        self.first_us = 0
        for item in segment_items(folder, number):
            if not isinstance(item, Frame):
                return False
            try:
                if item.kind == FrameType.LEAF:
                    leaves.append(self._leaf(item))
                elif item.kind == FrameType.CHECKPOINT:
                    self._seal(item)
            except UntrustedInputError:
                return False
        tree.extend(self.frontier, leaves)
        return True

    def _leaf(self, frame: Frame) -> bytes:
        public, hidden = frames.unpack_leaf(frame.body)
        fields = record.decode(public)
        if fields["i"] != self.size or fields["p"] != chain.link(self.head):
            raise UntrustedInputError(N_("an audit record is not of its form"))
        leaf = chain.leaf(public, chain.private_hash(hidden))
        self.head = chain.head_after(self.head, public, leaf)
        self.size += 1
        self.first_us, self.last_us = min(self.first_us or fields["t"], fields["t"]), max(self.last_us, fields["t"])
        return leaf

    def _seal(self, frame: Frame) -> None:
        seal = checkpoint.unpack(frame.body)
        self.key = seal.next_key
        if seal.why is Why.OPEN:
            self.openings.append(frame.body.hex())


def purge(log: AuditLog, before_us: int, holds: Sequence[Hold] = ()) -> int:
    """Remove the oldest segments all of whose records are from before ``before_us``; how many records.

    The segment in which the last session opened and everything behind stays, so that its opening, signed by the key
    that a purged one announced, vouches for what is kept. Raises like ``keep_house``.
    """
    folder = log.folder
    log.flush()
    numbers = segment_numbers(folder)
    old = read_prefix(folder)
    begin = _Walk(0, chain.EMPTY_HEAD, [], b"", [])
    if old is not None:
        numbers = [number for number in numbers if number >= old.segment]
        begin = _Walk(old.size, old.head_bytes, old.subtrees(), bytes.fromhex(old.key), list(old.openings))
        _remove(log, old)  # what a kill left of the last time
    last_opening = _last_opening(folder, numbers)
    kept: Prefix | None = None
    last_us = 0
    for number in numbers:
        if number >= last_opening or not begin.take(folder, number):
            break
        if begin.last_us >= before_us or any(hold.covers(begin.first_us, begin.last_us) for hold in holds):
            break
        last_us = begin.last_us
        kept = Prefix(
            begin.size, begin.head.hex(), number + 1, begin.key.hex(),
            tuple(each.hex() for each in tree.packed(begin.frontier)), tuple(begin.openings),
        )  # fmt: skip
    before = old.size if old is not None else 0
    if kept is None or kept.size == before:
        return 0
    root = tree.root(kept.subtrees())
    told = {"since": before, "until": kept.size, "root": root.hex(), "last": last_us}
    log.append(Kind.PURGE, told, durable=True)
    write_prefix(folder, kept)
    _remove(log, kept)
    return kept.size - before


def _remove(log: AuditLog, kept: Prefix) -> None:
    """Remove the segments that ``kept`` stands for."""
    gone = [number for number in segment_numbers(log.folder) if number < kept.segment]
    for number in gone:
        segment_path(log.folder, number).unlink()
    if gone:
        sync_folder(log.folder)
        log.purged()


def _last_opening(folder: Path, numbers: Sequence[int]) -> int:
    """The last segment that holds an opening; 0 when there is none."""
    for number in reversed(numbers):
        for item in segment_items(folder, number):
            if isinstance(item, Frame) and item.kind == FrameType.CHECKPOINT and item.body[:1] == bytes((Why.OPEN,)):
                return number
    return 0
