"""The audit log of this laptop: one writer, append only, durable when asked, sealed. It knows bytes, not their meaning.

Owns the folder (segments, head.json, the lock) and the order of records. ``record`` makes the bytes, ``chain`` and
``tree`` the hashes, ``sealer`` the seals, ``tail`` writes; ``recovery`` says where to go on. Any thread may append. No
record is ever rewritten.

No audit log, no enforcement: when a record cannot be written, ``append`` raises HostError, leaves the file as it was,
and the caller stops acting and tries again later.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.audit.checkpoint import Why
from agent.audit.clock import Clock, SystemClock
from agent.audit.coalesce import Coalesced, may_be_counted
from agent.audit.disk import take_lock, translated
from agent.audit.flusher import Flusher
from agent.audit.head import write_head
from agent.audit.limits import Limits
from agent.audit.private import Vault
from agent.audit.record import Kind
from agent.audit.recovery import State, recover
from agent.audit.scope import Scope
from agent.audit.sealer import snapshot
from agent.audit.segments import SEGMENT_BYTES, Entry, read
from agent.audit.writer import Writer
from agent.errors import HostError
from agent.fsys.atomic import private_folder

FLUSH_AFTER_S = 1.0
_FOLDER_MODE = 0o750


class AuditLog(Writer):
    """Use ``AuditLog.open``; then ``start``, ``append`` and ``scope``, and ``close`` at the end."""

    def __init__(
        self, folder: Path, clock: Clock, lock_fd: int, state: State, limits: Limits, vault: Vault | None
    ) -> None:
        super().__init__(folder, clock, lock_fd, state, limits, vault)
        self._coalesced = Coalesced()
        self._told_full = False
        self._crowded_bytes = limits.crowded_bytes
        self._flusher = Flusher(self._flush_or_beat, limits)

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: Clock | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        flush_after_s: float = FLUSH_AFTER_S,
        *,
        limits: Limits | None = None,
        vault: Vault | None = None,
    ) -> AuditLog:
        """The log in ``folder``, made when it is not there, repaired when the last run was cut short.

        Records that nobody asked to be durable are so after ``flush_after_s`` seconds. ``limits`` takes the place of
        ``segment_bytes`` and ``flush_after_s``; ``vault`` keeps private parts (without one they are left out). Raises
        HostError (another agent holds it; no space, no right) and AuditError (its files cannot be read).
        """
        wanted = limits or Limits(segment_bytes=segment_bytes, flush_after_s=flush_after_s)

        def start() -> AuditLog:
            private_folder(folder, _FOLDER_MODE)
            lock_fd = take_lock(folder)
            log: AuditLog | None = None
            try:
                log = cls(folder, clock or SystemClock(), lock_fd, recover(folder), wanted, vault)
                log._begin()
            except BaseException:
                if log is not None:
                    log._let_go()
                else:
                    os.close(lock_fd)
                raise
            return log

        return translated(folder, start)

    def _begin(self) -> None:
        """Open the session, and tell what was found."""
        self.flush()
        troubles, self._state.troubles = self._state.troubles, []
        if self._sealer.lost_key:
            troubles.append({"what": "start-key-missing"})
        for trouble in troubles:
            self.append(Kind.TROUBLE, trouble, durable=True)

    def start(self, **fields: Any) -> int:
        """Record that the agent starts: how the last run ended and what was cut off. Returns the record's index."""
        state = self._state
        found = {"clean": state.clean and not state.dropped, "dropped": state.dropped, "open": len(state.open)}
        return self.append(Kind.START, {**fields, **found}, durable=True)

    def append(
        self,
        kind: str,
        fields: Mapping[str, Any],
        durable: bool = False,
        private: Mapping[str, Any] | bytes = b"",
        owner: int = -1,
    ) -> int:
        """Add a record and return its index. With ``durable`` it is sealed and on the disk before this returns.

        ``private``: what only ``owner`` (a uid) and two reviewers may read, encrypted by the vault; bytes are taken as
        encrypted already. When the log is nearly full, observations are counted and told together; the index is
        then that of the record that will tell them, or a lower one. Raises HostError (the record is then not in the
        log, unless another thread's already stands behind it) and UntrustedInputError (``fields`` break a limit).
        """
        with self._write_lock:
            if self._is_crowded(kind, fields) and not durable:
                return self._count(fields)
            before = self._state.copy() if durable else self._state
            index = self._add(kind, fields, private, owner)
            if len(self._state.pending) >= self._limits.seal_records:
                with contextlib.suppress(HostError):  # the record stands; whoever needs it durable is told
                    self._seal()
        if not durable:
            self._flusher.wake()
            return index
        try:
            self._make_durable(index + 1)
        except HostError:
            if not self._take_back(index, before):
                raise
        return index

    # ---- when there is little room left

    def _is_crowded(self, kind: str, fields: Mapping[str, Any]) -> bool:
        if self._bytes < self._crowded_bytes:
            self._told_full = False
            return False
        if not self._told_full:
            with contextlib.suppress(HostError):  # told with the next record, then
                self._add(Kind.TROUBLE, {"what": "nearly-full", "size": self._bytes}, b"", -1)
                self._told_full = True
        return may_be_counted(kind, fields, full=self._bytes >= self._limits.max_bytes)

    def _count(self, fields: Mapping[str, Any]) -> int:
        wall, _ = self._clock.now()
        self._coalesced.add(fields, wall)
        self._flusher.wake()
        index = self._state.size
        if self._coalesced.is_due(wall):
            with contextlib.suppress(HostError):  # this one is counted, and the next one tries again
                self._tell_coalesced()
        return index

    def _tell_coalesced(self) -> None:
        """Raises HostError: they are counted on, and told when there is room."""
        if len(self._coalesced):
            self._add(Kind.COALESCED, self._coalesced.fields(), b"", -1)
            self._coalesced.clear()

    def _tell_old_counts(self) -> None:
        with self._write_lock:
            if self._coalesced.is_due(self._clock.now()[0]):
                self._tell_coalesced()
            elif len(self._coalesced):
                self._flusher.wake()

    def _flush_or_beat(self, news: bool) -> None:
        """What the flusher does: after news what waits is made durable, without for long the log says that it lives."""
        if news:
            self._tell_old_counts()
            self.flush()
        else:
            self.beat()

    # ---- acts

    @contextmanager
    def scope(self, fields: Mapping[str, Any], kind: str = Kind.TRANSFER) -> Iterator[Scope]:
        """Announce an act durably, then act within the ``with``; end it by ``scope.done(...)``.

        Leaving without it records the outcome « failed ». Raises HostError before anything was done.
        """
        scope = Scope(self.append, self.append(kind, {**fields, "act": True}, durable=True))
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
        self._flusher.end()
        try:
            with self._write_lock:
                with contextlib.suppress(HostError):  # the stop is told all the same, if there is room for that
                    self._tell_coalesced()
                self._why = Why.STOP
            self.append(Kind.STOP, fields, durable=True)
            translated(
                self._folder, lambda: write_head(self._folder, snapshot(self._state, self._sealer), durable=True)
            )
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._flusher.end()
        super()._let_go()
