"""The one thread that writes. Requests that wait together are committed together: one fsync for all of them.

Who asks gets a future that is done after the commit. When the queue is full the caller is told so at once; when the
database cannot be written (full disk), everybody who waits is told, nothing is half stored, and the next may try.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import N_, HostError, SermentError
from agent.transport import wire
from agent.transport.wire import Letterhead, Reply
from collector.store import take
from collector.witness import Witness

MAX_WAITING = 256
MAX_GROUP = 32


class Busy(Exception):
    """More requests wait than the queue holds."""


@dataclass(slots=True)
class _Job:
    letterhead: Letterhead
    body: bytes
    answer: Future[Reply] = field(default_factory=Future)


class Writer:
    """Owns the writing thread; ``close`` lets it finish what waits."""

    def __init__(self, engine: Engine, witness: Witness | None = None) -> None:
        self._engine = engine
        self._witness = witness
        self._jobs: queue.Queue[_Job | None] = queue.Queue(MAX_WAITING)
        self.failing = ""  # why the last commit failed, "" when it did not
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, letterhead: Letterhead, body: bytes) -> Future[Reply]:
        """Store a request; the future gives the reply, or UntrustedInputError or HostError. Raises Busy."""
        job = _Job(letterhead, body)
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Busy from None
        return job.answer

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
            with self._engine.begin() as connection:
                answers = [_answer(connection, job, self._witness) for job in group]
        except (SQLAlchemyError, OSError) as error:
            self.failing = type(error).__name__
            for job in group:
                job.answer.set_exception(HostError(N_("the collector's database cannot be written")))
            return
        except BaseException as error:
            for job in group:
                job.answer.set_exception(error)
            return
        self.failing = ""
        for job, answer in zip(group, answers, strict=True):
            if isinstance(answer, Reply):
                job.answer.set_result(answer)
            else:
                job.answer.set_exception(answer)


def _answer(connection: Connection, job: _Job, witness: Witness | None) -> Reply | SermentError:
    try:
        with connection.begin_nested():
            return take(connection, job.letterhead, wire.parse_body(job.body), witness)
    except SermentError as error:  # this one request is wrong; the others of the group are not
        return error
