"""How records get into the log and are sealed and durable there: the machinery below ``AuditLog``, which is its face.

Owns the locks, the state and the order of records. Whatever fails leaves the file as it was: half a frame is cut off,
a record that could not be made durable is taken back together with its seal, and the session is then opened anew.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.audit import chain, checkpoint, frames, record
from agent.audit.checkpoint import Cosigned, Why
from agent.audit.clock import Clock
from agent.audit.disk import translated, unwritable
from agent.audit.frames import FrameType
from agent.audit.head import write_head
from agent.audit.limits import Limits
from agent.audit.private import Vault
from agent.audit.record import Kind
from agent.audit.recovery import State
from agent.audit.sealer import Sealer, snapshot
from agent.audit.segments import bytes_in
from agent.audit.tail import Tail
from agent.errors import HostError

_WITH_HEAD = frozenset((Kind.START.value, Kind.TROUBLE.value))  # records from which one can go on behind a hole


class Writer:
    """Begins where ``state`` says; holds the lock ``lock_fd`` until ``_let_go``."""

    def __init__(
        self, folder: Path, clock: Clock, lock_fd: int, state: State, limits: Limits, vault: Vault | None
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._lock_fd = lock_fd
        self._state = state
        self._limits = limits
        self._vault = vault
        self._write_lock = threading.RLock()  # the state and the order of records
        self._sync_lock = threading.Lock()  # one fdatasync at a time; the others find their record done
        self._durable = -1
        self._sealed = 0  # records under a seal
        self._cosigned = 0  # records of which a collector said that it has them, as far as this process knows
        self._why = Why.FLUSH
        self._opening = (0, 0)  # segment and offset of the last opening
        self._bytes = bytes_in(folder)
        self._sealer = Sealer(folder, state.identity, state.announced)
        self._tail = Tail(folder, state, limits.segment_bytes)

    @property
    def size(self) -> int:
        """The number of the next record."""
        return self._state.size

    @property
    def head(self) -> bytes:
        return self._state.head

    @property
    def durable(self) -> int:
        """How many records are on the disk for certain: those that may be sent."""
        return max(self._durable, 0)

    @property
    def fingerprint(self) -> str:
        """What names this log, for people: thirty-two hexadecimal digits."""
        return checkpoint.fingerprint(self._sealer.identity)

    @property
    def folder(self) -> Path:
        return self._folder

    def _add(self, kind: str, fields: Mapping[str, Any], private: Mapping[str, Any] | bytes, owner: int) -> int:
        state = self._state
        index = state.size
        if kind in _WITH_HEAD:
            fields = {**fields, "head": state.head.hex()}
        wall, monotonic = self._clock.now()
        if not isinstance(private, bytes):
            private = self._vault.seal(private, owner, index, wall) if self._vault is not None else b""
        nonce = os.urandom(16)
        public = record.encode(index, wall, monotonic, self._clock.boot, kind, chain.link(state.head), fields, nonce)
        frame = frames.pack_leaf(public, private)
        self._tail.make_room(len(frame), state)
        self._tail.write(frame, state)
        self._bytes += len(frame)
        state.grow(public, chain.leaf(public, chain.private_hash(private)))
        state.note(kind, index, fields)
        return index

    def _take_back(self, index: int, before: State) -> bool:
        """Remove record ``index``, which could not be made durable: its writer does not act, so it must not say so.

        Returns whether another thread made it durable meanwhile.
        """
        with self._sync_lock, self._write_lock:
            if self._durable > index or self._state.size != index + 1:
                return self._durable > index  # not durable, others behind it: a start finds it without an outcome
            if before.segment != self._state.segment:  # the record was the first of its segment
                before.segment, before.offset = self._state.segment, 0
            self._bytes -= self._state.offset - before.offset
            self._state = before
            self._sealer.taken_back(opening=self._opening >= (before.segment, before.offset))
            self._sealed = min(self._sealed, before.size)
            self._tail.cut(before)
            return False

    def flush(self) -> None:
        """Seal and put on the disk what is not there yet. Only what is on the disk is sent to the collector."""
        self._make_durable(self._state.size)

    def beat(self) -> None:
        """Seal although nothing happened: the log says that it was alive and complete at this moment."""
        with self._write_lock:
            self._seal(Why.BEAT)
        self._make_durable(self._state.size, always=True)

    def cosigned(self, statement: Cosigned) -> None:
        """Keep a collector's statement about this log. Raises HostError."""
        with self._write_lock:
            if statement.size <= self._cosigned or statement.size > self._durable:
                return
            self._cosigned = statement.size
            frame = frames.pack(FrameType.COSIGNED, checkpoint.pack_cosigned(statement))
            self._tail.write(frame, self._state)
            self._bytes += len(frame)
        self._make_durable(self._state.size, always=True)

    def purged(self) -> None:
        """Segments were removed: there is room again."""
        with self._write_lock:
            self._bytes = bytes_in(self._folder)

    def _seal(self, why: Why | None = None) -> None:
        """A seal over every record so far; the opening when the session is not open. Raises HostError."""
        state, sealer = self._state, self._sealer
        wall, _ = self._clock.now()
        root = state.fold()
        opening, place = not sealer.is_open, (state.segment, state.offset)
        try:
            if not opening:
                seal = sealer.seal(why or self._why, state.size, wall, root)
            else:
                seal = sealer.open(state.size, wall, root)
            frame = frames.pack(FrameType.CHECKPOINT, checkpoint.pack(seal))
            self._tail.write(frame, state)
        except (OSError, HostError) as error:
            sealer.taken_back(opening=opening)
            raise error if isinstance(error, HostError) else unwritable(self._folder, error) from error
        self._opening = place if opening else self._opening
        self._bytes += len(frame)
        self._sealed = state.size

    def _make_durable(self, size: int, *, always: bool = False) -> None:
        with self._sync_lock:
            if self._durable >= size and not always:
                return
            with self._write_lock:
                fd = translated(self._folder, lambda: os.dup(self._tail.fd))  # a rotation may close ours meanwhile
                try:
                    if self._sealed < self._state.size or not self._sealer.is_open:
                        self._seal()
                    head = snapshot(self._state, self._sealer)
                except BaseException:
                    os.close(fd)
                    raise

            def sync() -> None:
                os.fdatasync(fd)
                write_head(self._folder, head, durable=False)
                self._sealer.opened()  # last: where anything before fails, the record may be taken back with its seals

            try:
                translated(self._folder, sync)
            finally:
                os.close(fd)
            self._durable = head.size

    def _let_go(self) -> None:
        self._tail.close()
        os.close(self._lock_fd)
        self._lock_fd = -1
