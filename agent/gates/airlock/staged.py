"""One file being written: its bytes in staging, and what has been said about which state of them.

A *generation* is a state of the bytes; each change makes a new one. ``outcome`` belongs to the generation ``judged``:
0 on the medium, or the error number its writer got. One thread at a time holds ``gate``: it changes the bytes, or
judges and commits them, so that nothing changes under judgement. Reads pass by the gate: local programs may see all.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from agent.gates.airlock.protocol import Attributes
from agent.gates.airlock.staging import Blob, Store, next_data

if TYPE_CHECKING:
    from agent.gates.airlock.nodes import Node

CHUNK = 4 << 20  # bytes under one digest
_TICK_S = 0.5
SETTLED = frozenset({0, errno.EPERM, errno.EACCES})  # outcomes that stand for as long as the bytes do


@dataclass(slots=True)
class Meta:
    """Owner, mode (permissions only) and times in nanoseconds, as the writer set them."""

    mode: int
    uid: int
    gid: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def new(cls, mode: int, uid: int, gid: int) -> Meta:
        now = time.time_ns()
        return cls(stat.S_IMODE(mode), uid, gid, now, now, now)

    @classmethod
    def of(cls, state: os.stat_result) -> Meta:
        return cls(
            stat.S_IMODE(state.st_mode),
            state.st_uid,
            state.st_gid,
            state.st_atime_ns,
            state.st_mtime_ns,
            time.time_ns(),
        )

    def touch(self) -> None:
        self.mtime_ns = self.ctime_ns = time.time_ns()


class Staged:
    """``writer`` is (uid, pid) of who opened it for writing last."""

    def __init__(self, node: Node, store: Store, meta: Meta, writer: tuple[int, int]) -> None:
        self.node = node
        self.meta = meta
        self.writer = writer
        self.blob: Blob = store.new()
        self.ready = False
        self.dropped = False
        self.orphan = False  # its name is gone: nothing of it is to be committed
        self.generation = 1
        self.judged = 0
        self.outcome = 0
        self.durable = 0  # generation that was committed with fsync
        self.closed_at = 0  # generation at the last close of a descriptor
        self._store = store
        self._digests: dict[int, bytes] = {}
        self._gate = threading.Lock()

    @contextmanager
    def gate(self, tick: Callable[[], object] = bool) -> Iterator[None]:
        """Alone with the bytes. ``tick`` is called every half second of waiting; what it raises ends the wait."""
        while not self._gate.acquire(timeout=_TICK_S):
            tick()
        try:
            yield
        finally:
            self._gate.release()

    @property
    def known(self) -> bool:
        """Whether the present state has its outcome."""
        return self.judged == self.generation

    def attributes(self, inode: int) -> Attributes:
        meta = self.meta
        return Attributes(
            inode, stat.S_IFREG | meta.mode, 0 if self.orphan else 1, meta.uid, meta.gid, self.blob.size,
            -(-self.blob.held() // 512), meta.atime_ns, meta.mtime_ns, meta.ctime_ns,
        )  # fmt: skip

    def write(self, data: memoryview, offset: int) -> None:
        """Only inside ``gate``. Raises OSError ENOSPC when staging is full."""
        self.blob = self._store.room_for(self.blob, len(data))
        before = self.blob.size
        try:
            self.blob.write(data, offset)
        finally:
            self._changed(min(offset, before), offset + len(data))
            self._store.count(self.blob)

    def truncate(self, size: int) -> None:
        """Only inside ``gate``."""
        before = self.blob.size
        self.blob.truncate(size)
        self._changed(min(size, before), max(size, before))
        self._store.count(self.blob)

    def fill(self, read: Callable[[memoryview, int], int], size: int) -> None:
        """The version on the medium, before the first change. Only inside ``gate``; not a change. Raises OSError."""
        buffer = memoryview(bytearray(min(size, 1 << 20)))
        offset = 0
        while offset < size and (length := read(buffer, offset)) > 0:
            self.blob = self._store.room_for(self.blob, length)
            self.blob.write(buffer[:length], offset)
            self._store.count(self.blob)
            offset += length

    def digests(self) -> dict[int, bytes]:
        """SHA-256 of each chunk that is no hole (quicker than BLAKE2b where the processor knows it), by its number.

        Only inside ``gate``. Holes are passed over: a file may be one hole of terabytes. Raises OSError.
        """
        buffer: memoryview | None = None
        found = {}
        for number in self._chunks():
            if number not in self._digests:
                buffer = buffer or memoryview(bytearray(min(CHUNK, self.blob.size)))
                self._digests[number] = sha256(self.chunk(number, buffer)).digest()
            found[number] = self._digests[number]
        return found

    def _chunks(self) -> Iterator[int]:
        """The numbers of the chunks in which something was written."""
        offset = 0
        while (offset := next_data(self.blob, offset)) < self.blob.size:
            yield offset // CHUNK
            offset = (offset // CHUNK + 1) * CHUNK

    def chunk(self, number: int, buffer: memoryview) -> memoryview:
        """One chunk, read into ``buffer``. Raises OSError EIO when staging has lost bytes."""
        start = number * CHUNK
        length = min(CHUNK, self.blob.size - start)
        if self.blob.read(buffer[:length], start) != length:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return buffer[:length]

    def verified(self, digests: dict[int, bytes]) -> Iterator[tuple[int, memoryview]]:
        """(offset, bytes) of each chunk that is no hole, each as it was judged.

        Raises OSError EIO when a chunk is not what it was, is new, or is gone.
        """
        buffer = memoryview(bytearray(min(CHUNK, self.blob.size)))
        left = len(digests)
        for number in self._chunks():
            chunk = self.chunk(number, buffer)
            if sha256(chunk).digest() != digests.get(number):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            left -= 1
            yield number * CHUNK, chunk
        if left:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _changed(self, start: int, end: int) -> None:
        self.generation += 1
        self.meta.touch()
        changed = range(start // CHUNK, end // CHUNK + 1)
        for number in changed if len(changed) < len(self._digests) else [*self._digests]:
            if number in changed:
                self._digests.pop(number, None)

    def close(self, *, keep: bool = False) -> None:
        """Nobody writes any more and nothing is to be said: give the room back, now or with ``give_back``."""
        self.dropped = True
        if not keep:
            self.give_back()

    def give_back(self) -> None:
        self._store.drop(self.blob)
