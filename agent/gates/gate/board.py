"""The memory that the gate's processes and the agent share: settings, a journal of the unanswered, counts.

One memfd. Whoever holds it and the group's descriptor can go on where another one was killed: the kernel writes events
straight into the journal, so there is no moment at which an event has been read and is written down nowhere. Nothing
here blocks, allocates or asks; every field has one writer at a time (the agent: settings; the keeper: its own numbers;
the answerer: the rest).
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from agent.errors import N_, UntrustedInputError
from agent.gates.gate.fanotify import EVENT, EVENT_VERSION

BATCH_BYTES = 170 * EVENT.size  # of one read(2)
SLOTS = 4096  # openers that wait for a verdict, at most
_NONE = -1
_BATCH, _SLOTS = 4096, 8192
_SETTINGS = _SLOTS + SLOTS * 8
SETTINGS_BYTES = 1 << 20
SIZE = _SETTINGS + SETTINGS_BYTES
_MAGIC = 0x53524D47
_U64, _I32, _SLOT, _FOUND = struct.Struct("<Q"), struct.Struct("<i"), struct.Struct("<ii"), struct.Struct("<I")
_TURN, _EPOCH, _LENGTH, _RETIRE = 8, 24, 32, 40
_KEEPER, _ANSWERER, _OWNER, _AGENT, _HOLDER = 44, 48, 52, 56, 60
_STARTING = 64
_COUNTS, _BUCKETS = 128, 512
BUCKETS = 40
COUNTS = (
    "asked", "outside", "inside", "refused", "cached", "fallback", "restarts", "ignored", "longest_ns", "foreign",
    "moves",
)  # fmt: skip
_COUNT_AT = {name: _COUNTS + index * 8 for index, name in enumerate(COUNTS)}


class Unanswered(NamedTuple):
    """An event that somebody has read: the number of its descriptor (in the table of ``owner``) and the thread."""

    number: int
    thread: int
    slot: int = -1


class Board:
    """Over a memfd that is this process's own descriptor; ``create`` makes one."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, SIZE)
        self.view = memoryview(self._map)
        self.batch = self.view[_BATCH : _BATCH + BATCH_BYTES]
        self._empty = bytes(BATCH_BYTES)
        if self._get32(0) not in {0, _MAGIC}:
            raise UntrustedInputError(N_("the gate's memory is damaged"))
        self._put32(0, _MAGIC)
        if not self._get32(4):
            self._put32(4, 1)
            for slot in range(SLOTS):
                self.free(slot)

    @staticmethod
    def create() -> int:
        """The descriptor of a new, empty one."""
        fd = os.memfd_create("serment-gate", os.MFD_CLOEXEC)
        os.ftruncate(fd, SIZE)
        return fd

    def _get32(self, at: int) -> int:
        value: int = _I32.unpack_from(self.view, at)[0]
        return value

    def _put32(self, at: int, value: int) -> None:
        _I32.pack_into(self.view, at, value)

    def _get64(self, at: int) -> int:
        value: int = _U64.unpack_from(self.view, at)[0]
        return value

    # ---- who answers

    @property
    def turn(self) -> int:
        """Even while the answerer waits for events, odd while it works; grows. What does not move is stuck."""
        return self._get64(_TURN)

    @turn.setter
    def turn(self, value: int) -> None:
        _U64.pack_into(self.view, _TURN, value)

    keeper = property(lambda self: self._get32(_KEEPER), lambda self, pid: self._put32(_KEEPER, pid))
    answerer = property(lambda self: self._get32(_ANSWERER), lambda self, pid: self._put32(_ANSWERER, pid))
    owner = property(lambda self: self._get32(_OWNER), lambda self, pid: self._put32(_OWNER, pid))
    agent = property(lambda self: self._get32(_AGENT), lambda self, pid: self._put32(_AGENT, pid))
    holder = property(lambda self: self._get32(_HOLDER), lambda self, pid: self._put32(_HOLDER, pid))
    retired = property(lambda self: bool(self._get32(_RETIRE)), lambda self, is_so: self._put32(_RETIRE, is_so))
    """``owner``: in whose table the journal's numbers are descriptors; the pid of the keeper that had it first.
    ``agent``, ``holder``: they share the memory and are no part of the gate. ``retired``: the gate has ended in order,
    and nobody is to be held any more."""

    @property
    def starting(self) -> int:
        """When the agent last said that its readers are being started (monotonic, nanoseconds)."""
        return self._get64(_STARTING)

    @starting.setter
    def starting(self, now_ns: int) -> None:
        _U64.pack_into(self.view, _STARTING, now_ns)

    # ---- the journal

    def clear_batch(self) -> None:
        self.batch[:] = self._empty

    def unanswered(self) -> Iterator[Unanswered]:
        """What was read and has no answer yet (one of them may have one: a second answer does nothing)."""
        for at in range(0, BATCH_BYTES, EVENT.size):
            length, version, _, _, _, number, thread = EVENT.unpack_from(self.batch, at)
            if length != EVENT.size or version != EVENT_VERSION:
                break
            if number >= 0:
                yield Unanswered(number, thread)
        for slot in range(SLOTS):
            number, thread = _SLOT.unpack_from(self.view, _SLOTS + slot * 8)
            if number != _NONE:
                yield Unanswered(number, thread, slot)

    def in_hand(self) -> bool:
        """Whether a batch has been read and is not finished."""
        return bool(_FOUND.unpack_from(self.batch, 0)[0])

    def done(self, at: int) -> None:
        """The event at byte ``at`` of the batch has its answer, or a slot."""
        _I32.pack_into(self.batch, at + 16, _NONE)

    def hold(self, slot: int, number: int, thread: int) -> None:
        _SLOT.pack_into(self.view, _SLOTS + slot * 8, number, thread)

    def free(self, slot: int) -> None:
        _SLOT.pack_into(self.view, _SLOTS + slot * 8, _NONE, 0)

    # ---- counts

    def count(self, what: str, more: int = 1) -> None:
        at = _COUNT_AT[what]
        _U64.pack_into(self.view, at, self._get64(at) + more)

    def note(self, what: str, value: int) -> None:
        """It is that many now."""
        _U64.pack_into(self.view, _COUNT_AT[what], value)

    def held(self, nanoseconds: int) -> None:
        """One opener was held for so long."""
        at = _BUCKETS + min(nanoseconds.bit_length(), BUCKETS - 1) * 8
        _U64.pack_into(self.view, at, self._get64(at) + 1)
        at = _COUNT_AT["longest_ns"]
        if nanoseconds > self._get64(at):
            _U64.pack_into(self.view, at, nanoseconds)

    def counts(self) -> dict[str, int]:
        return {name: self._get64(at) for name, at in _COUNT_AT.items()}

    def quantile_ns(self, share: float) -> int:
        """Upper bound (a power of two) of the hold of that share of the openers that were held; 0 without any."""
        found = [self._get64(_BUCKETS + bucket * 8) for bucket in range(BUCKETS)]
        left = sum(found) * share
        for bucket, number in enumerate(found):
            left -= number
            if number and left <= 0:
                return 1 << bucket
        return 0

    # ---- settings

    @property
    def epoch(self) -> int:
        """Grows with each change of the settings; odd while they are being written."""
        return self._get64(_EPOCH)

    def publish(self, settings: bytes) -> None:
        """Write new settings. Raises ValueError when they are too many. The agent's alone to call."""
        if len(settings) > SETTINGS_BYTES:
            raise ValueError("too many settings for a gate")
        epoch = self.epoch | 1
        _U64.pack_into(self.view, _EPOCH, epoch)
        self._put32(_LENGTH, len(settings))
        self.view[_SETTINGS : _SETTINGS + len(settings)] = settings
        _U64.pack_into(self.view, _EPOCH, epoch + 1)

    def settings(self) -> tuple[int, bytes] | None:
        """(epoch, settings), or None while they are being written."""
        before = self.epoch
        length = self._get32(_LENGTH)
        found = bytes(self.view[_SETTINGS : _SETTINGS + max(0, min(length, SETTINGS_BYTES))])
        return (before, found) if before == self.epoch and not before & 1 else None
