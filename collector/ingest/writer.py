"""The one thread that writes. Changes that wait together are committed together: one wait for the disk for all of them.

Who asks gets a future that is done after the commit. When the queue is full the caller is told so at once; when the
database cannot be written (full disk), everybody who waits is told, nothing is half stored, and the next may try.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from agent.errors import N_, HostError
from collector.store.base import Change, Laptop, Store

MAX_WAITING = 256
MAX_GROUP = 32


class Busy(Exception):
    """More requests wait than the queue holds."""


@dataclass(slots=True)
class _Job:
    change: Change
    answer: Future[bool] = field(default_factory=Future)


class Writer:
    """Owns the writing thread; ``close`` lets it finish what waits. ``failing`` is what /health says."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.Queue[_Job | None] = queue.Queue(MAX_WAITING)
        self.failing = ""  # why the last write failed, "" when it did not
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many changes wait, about."""
        return self._jobs.qsize()

    def submit(self, change: Change) -> Future[bool]:
        """Store a change; the future tells as ``Store.commit`` does, or raises HostError. Raises Busy."""
        job = _Job(change)
        job.answer.set_running_or_notify_cancel()  # who gives up waiting takes nothing back: it will be stored
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Busy from None
        return job.answer

    def enter(self, device: str, now: int) -> Laptop | None:
        """The laptop with this pseudonym, entered when it is new, in the caller's thread. Raises HostError."""
        try:
            return self._store.laptop(device, now)
        except (SQLAlchemyError, OSError) as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            stopping = False
            while len(group) < MAX_GROUP and not stopping:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stopping = True
                else:
                    group.append(more)
            self._commit(group)
            if stopping:
                return

    def _commit(self, group: list[_Job]) -> None:
        try:
            stored = self._store.commit([job.change for job in group])
        except (SQLAlchemyError, OSError) as error:
            for job in group:
                job.answer.set_exception(self._failed(error))
            return
        except BaseException as error:
            for job in group:
                job.answer.set_exception(error)
            return
        self.failing = ""
        for job, good in zip(group, stored, strict=True):
            job.answer.set_result(good)

    def _failed(self, error: Exception) -> HostError:
        self.failing = type(error).__name__
        return HostError(N_("the collector's database cannot be written"))
