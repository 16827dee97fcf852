"""The audit log of this laptop: one writer, append only, durable when asked. It knows bytes, not their meaning.

Owns the folder (segments, head.json, the lock) and the order of records. ``record`` makes the bytes, ``chain`` the
hashes, ``frames`` the framing; ``recovery`` says where to go on. Any thread may append. No record is ever rewritten.

No audit log, no enforcement: when a record cannot be written, ``append`` raises HostError, leaves the file as it was,
and the caller stops acting and tries again later.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.audit import chain, frames, record
from agent.audit.clock import Clock, SystemClock
from agent.audit.disk import take_lock, translated, unwritable
from agent.audit.head import MAX_OPEN, Head, write_head
from agent.audit.record import Kind
from agent.audit.recovery import State, recover
from agent.audit.segments import SEGMENT_BYTES, Entry, read, segment_path
from agent.errors import N_, AuditError, HostError
from agent.fsys.atomic import private_folder, sync_folder, write_all

FLUSH_AFTER_S = 1.0
_FOLDER_MODE = 0o750
_FILE_MODE = 0o640


class Scope:
    """An act that was announced in the log. Leaving it without ``done`` records that it failed."""

    def __init__(self, log: AuditLog, index: int) -> None:
        self._log = log
        self.index = index
        self.closed = False

    def done(self, **fields: Any) -> int:
        """Record the outcome (result, action, problem, held); once. Returns its index. Raises HostError."""
        if self.closed:
            raise AuditError(N_("the outcome of record {index} is already in the audit log"), index=self.index)
        index = self._log.append(Kind.OUTCOME, {**fields, "of": self.index})
        self.closed = True
        return index


class AuditLog:
    """Use ``AuditLog.open``; then ``start``, ``append`` and ``scope``, and ``close`` at the end."""

    def __init__(
        self, folder: Path, clock: Clock, lock_fd: int, state: State, segment_bytes: int, flush_after_s: float
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._lock_fd = lock_fd
        self._state = state
        self._segment_bytes = segment_bytes
        self._write_lock = threading.Lock()  # the state and the order of records
        self._sync_lock = threading.Lock()  # one fdatasync at a time; the others find their record done
        self._durable = -1
        self._torn = False  # half a frame is at the end, and could not be cut off yet
        self._fd = self._open_segment(state.segment)
        self._waiting = threading.Event()  # records wait for the flusher
        self._closing = threading.Event()
        self._flusher = threading.Thread(target=self._flush_later, args=(flush_after_s,), name="audit", daemon=True)
        self._flusher.start()

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: Clock | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        flush_after_s: float = FLUSH_AFTER_S,
    ) -> AuditLog:
        """The log in ``folder``, made when it is not there, repaired when the last run was cut short.

        Records that nobody asked to be durable are so after ``flush_after_s`` seconds. Raises HostError (another agent
        holds it; no space, no right) and AuditError (its files cannot be read).
        """

        def start() -> AuditLog:
            private_folder(folder, _FOLDER_MODE)
            lock_fd = take_lock(folder)
            log: AuditLog | None = None
            try:
                log = cls(folder, clock or SystemClock(), lock_fd, recover(folder), segment_bytes, flush_after_s)
                log.flush()
                troubles, log._state.troubles = log._state.troubles, []
                for trouble in troubles:
                    log.append(Kind.TROUBLE, trouble, durable=True)
            except BaseException:
                if log is not None:
                    log._let_go()
                else:
                    os.close(lock_fd)
                raise
            return log

        return translated(folder, start)

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

    def start(self, **fields: Any) -> int:
        """Record that the agent starts: how the last run ended and what was cut off. Returns the record's index."""
        state = self._state
        found = {"clean": state.clean and not state.dropped, "dropped": state.dropped, "open": len(state.open)}
        return self.append(Kind.START, {**fields, **found}, durable=True)

    def append(self, kind: str, fields: Mapping[str, Any], durable: bool = False, private: bytes = b"") -> int:
        """Add a record and return its index. With ``durable`` it is on the disk before this returns.

        Raises HostError (the record is then not in the log, unless another thread's already stands behind it) and
        UntrustedInputError (``fields`` break a limit).
        """
        with self._write_lock:
            state = self._state
            index = state.size
            if kind in {Kind.START, Kind.TROUBLE}:
                fields = {**fields, "head": state.head.hex()}
            wall, monotonic = self._clock.now()
            public = record.encode(index, wall, monotonic, self._clock.boot, kind, chain.link(state.head), fields)
            frame = frames.pack_leaf(public, private)
            if state.offset + len(frame) > self._segment_bytes and state.offset:
                translated(self._folder, self._next_segment)
            before = replace(state, open=dict(state.open)) if durable else state
            self._write(frame)
            state.offset += len(frame)
            state.before = state.head
            state.head = chain.advance(state.head, chain.leaf(public, chain.private_hash(private)))
            state.size = index + 1
            state.note(kind, {"i": index, "act": fields.get("act"), "of": fields.get("of")})
        if not durable:
            self._waiting.set()
            return index
        try:
            self._make_durable(index + 1)
        except HostError:
            if not self._take_back(index, before):
                raise
        return index

    def _take_back(self, index: int, before: State) -> bool:
        """Remove record ``index``, which could not be made durable: its writer does not act, so it must not say so.

        Returns whether another thread made it durable meanwhile.
        """
        with self._sync_lock, self._write_lock:
            if self._durable > index or self._state.size != index + 1:
                return self._durable > index  # not durable, others behind it: a start finds it without an outcome
            self._state = before
            self._torn = True
            try:
                self._cut_torn()
            except OSError:
                pass  # tried again before the next record
            return False

    def flush(self) -> None:
        """Put on the disk what is not there yet. Only what is on the disk is sent to the collector."""
        self._make_durable(self._state.size)

    @contextmanager
    def scope(self, fields: Mapping[str, Any], kind: str = Kind.TRANSFER) -> Iterator[Scope]:
        """Announce an act durably, then act within the ``with``; end it by ``scope.done(...)``.

        Leaving without it records the outcome « failed ». Raises HostError before anything was done.
        """
        scope = Scope(self, self.append(kind, {**fields, "act": True}, durable=True))
        try:
            yield scope
        finally:
            if not scope.closed:
                scope.done(result="failed", problem="no-outcome")

    def open_intents(self) -> tuple[Entry, ...]:
        """The announced transfers without an outcome, oldest first: at a start, those that were cut short."""
        with self._write_lock:
            wanted = set(self._state.open)
        found: list[Entry] = []
        if wanted:
            for entry in read(self._folder, min(wanted)):
                if entry.number in wanted:
                    found.append(entry)
                    wanted.discard(entry.number)
                if not wanted:
                    break
            with self._write_lock:
                for lost in wanted:  # their records are no longer in the log
                    self._state.open.pop(lost, None)
        return tuple(found)

    def close(self, **fields: Any) -> None:
        """Record the stop, put everything on the disk and let the lock go. Closing twice is closing once."""
        if self._lock_fd < 0:
            return
        self._end_flusher()
        try:
            self.append(Kind.STOP, fields, durable=True)
            translated(self._folder, lambda: write_head(self._folder, self._snapshot(), durable=True))
        finally:
            self._let_go()

    def _end_flusher(self) -> None:
        self._closing.set()
        self._waiting.set()
        self._flusher.join()

    def _let_go(self) -> None:
        self._end_flusher()
        os.close(self._fd)
        os.close(self._lock_fd)
        self._fd = self._lock_fd = -1

    def _write(self, frame: bytes) -> None:
        if self._fd < 0:
            raise AuditError(N_("the audit log is closed"))
        try:
            if self._torn:
                self._cut_torn()
            self._torn = True
            write_all(self._fd, frame)
            self._torn = False
        except OSError as error:
            try:
                self._cut_torn()  # half a frame must not stand in the middle
            except OSError:
                pass  # tried again before the next record
            raise unwritable(self._folder, error) from error

    def _cut_torn(self) -> None:
        os.ftruncate(self._fd, self._state.offset)
        self._torn = False

    def _make_durable(self, size: int) -> None:
        with self._sync_lock:
            if self._durable >= size:
                return
            with self._write_lock:
                if self._fd < 0:
                    raise AuditError(N_("the audit log is closed"))
                head = self._snapshot()
                fd = os.dup(self._fd)  # a rotation may close ours meanwhile

            def sync() -> None:
                os.fdatasync(fd)
                write_head(self._folder, head, durable=False)

            try:
                translated(self._folder, sync)
            finally:
                os.close(fd)
            self._durable = head.size

    def _flush_later(self, after_s: float) -> None:
        while self._waiting.wait() and not self._closing.wait(after_s):
            self._waiting.clear()
            try:
                self.flush()
            except (AuditError, HostError):
                continue  # the next durable record fails as well, and its writer is told

    def _snapshot(self) -> Head:
        state = self._state
        unfinished = tuple(state.open) if len(state.open) <= MAX_OPEN else None
        return Head(
            state.size, state.head.hex(), state.before.hex(), state.segment, state.offset, unfinished, state.clean
        )

    def _next_segment(self) -> None:
        os.fdatasync(self._fd)
        fd = self._open_segment(self._state.segment + 1)
        os.close(self._fd)
        self._fd = fd
        self._state.segment += 1
        self._state.offset = 0

    def _open_segment(self, number: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(segment_path(self._folder, number), flags, _FILE_MODE)
        sync_folder(self._folder)
        return fd
