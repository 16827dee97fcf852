"""2. The parent's side of extraction and detection: a small pool of confined workers behind one blocking call.

Imported by the resident agent: light, and no worker runs until a document comes. ``judge`` takes an open descriptor
and gives findings, whatever the document does to the worker. One keeper thread starts, ends and reaps all workers and
lives only while there are any: the kernel sends a worker's death signal when the *thread* that started it ends, so the
threads that ask must not be the ones that start. A waiting thread is served in order of arrival.

Must not: read a document, know a format, raise for what a document does.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

from agent.document import Problem
from agent.errors import N_, HostError
from agent.extraction import wire
from agent.extraction.child import Child, ChildDiedError, ChildStuckError, Options
from agent.extraction.line import Line
from agent.extraction.pool_statistics import PoolStatistics
from agent.findings import Findings, undecidable

_NOBODY = (65534, 65534)
_RETRY_START_S = 5.0  # after a failed start, while another worker still serves
_REAP_S = 0.02
_IMAGE_WORKER = "agent.extraction.image_worker"


class WorkerPool:
    """At most ``size`` workers, started on demand, ended after ``idle_s`` without work.

    One that is worn out serves on until its successor is ready: for that moment there is one more.
    """

    def __init__(
        self,
        size: int = 2,
        *,
        hard_cpu_s: float = 2.0,
        hard_wall_s: float = 20.0,
        idle_s: float = 60.0,
        memory_bytes: int = 1 << 30,
        run_as: tuple[int, int] | None = None,
        module: str = "agent.extraction.worker",
        wait_s: float = 300.0,
    ) -> None:
        """``hard_cpu_s`` and ``hard_wall_s`` bound one document, ``wait_s`` the wait for a free worker.

        ``run_as`` is the uid and gid of the workers when we are root (nobody, when not given).
        """
        run_as = (run_as or _NOBODY) if os.geteuid() == 0 else None
        self._options = Options(module, memory_bytes, 1800, run_as, hard_cpu_s, hard_wall_s)
        self._size, self._idle_s, self._wait_s = size, idle_s, wait_s
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._present: set[Child] = set()  # idle or asked
        self._idle: list[Child] = []
        self._leaving: list[Child] = []  # killed, not reaped
        self._successors = 0  # started for tired ones that have not left yet
        self._waiting = Line(self._lock)
        self._keeper: threading.Thread | None = None
        self._closed = False
        self._not_before = 0.0  # monotonic: no further start until then
        self._started = self._killed = self._died = self._retried = self._served = 0
        self._report: wire.Report | None = None

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        """The findings on the document behind ``fd``, which stays the caller's, its offset untouched.

        ``extension`` and ``size`` (bytes) are hints. Blocks; any thread may call. Undecidable TIMED_OUT when the
        document used up its time (or no worker came free), CRASHED when two workers died of it, UNREADABLE when the
        descriptor cannot be passed. Raises HostError when no worker can be started, or the pool is closed.
        """
        for fresh in (False, True):
            child = self._lease(fresh)
            if child is None:
                return undecidable(Problem.TIMED_OUT)
            try:
                findings = child.ask(fd, extension, size)
            except ChildStuckError:
                self._discard(child, killed=1)
                return undecidable(Problem.TIMED_OUT)
            except ChildDiedError:
                self._discard(child, died=1, retried=int(not fresh))
            except OSError:
                self._give_back(child)
                return undecidable(Problem.UNREADABLE)
            except BaseException:
                self._discard(child)
                raise
            else:
                self._give_back(child, served=1)
                return findings
        return undecidable(Problem.CRASHED)

    def prewarm(self, *, wait: bool = True) -> None:
        """Have one worker ready. With ``wait`` until it is; raises HostError when none can be started."""
        if not wait:
            threading.Thread(target=self._prewarm_quietly, name="serment-prewarm", daemon=True).start()
            return
        child = self._lease(fresh=False)
        if child is not None:
            self._give_back(child)

    def lend(self, files: tuple[Path, ...]) -> None:
        """Let every worker read these files of ours before it is confined: key and list of the practice's patients.

        Workers that were started before are replaced: those at work when they have answered, so that no document is
        dropped, and no document that is asked from now on is judged without the files.
        """
        with self._lock:
            self._options = replace(self._options, lent=files)
            for child in self._idle:
                self._retire(child)
            self._idle.clear()

    def statistics(self) -> PoolStatistics:
        """What happened so far."""
        with self._lock:
            return PoolStatistics(
                started=self._started,
                killed=self._killed,
                died=self._died,
                retried=self._retried,
                served=self._served,
                pids=tuple(sorted(child.pid for child in self._present)),
                report=self._report,
            )

    def starting(self) -> bool:
        """Whether documents wait though no worker is there to take them: one is being started."""
        with self._lock:
            return bool(self._waiting) and not self._present and not self._closed

    def close(self) -> None:
        """End every worker; whoever still waits gets HostError. Returns when they are gone, after 5 s at most."""
        with self._lock:
            self._closed = True
            self._waiting.refuse_all(_closed())
            for child in self._idle:
                self._retire(child)
            self._idle.clear()
            for child in self._present:
                child.kill()  # the thread that asks it notices, and discards it
            keeper = self._keeper
            self._wake.notify_all()
        if keeper is not None:
            keeper.join(5)

    def _prewarm_quietly(self) -> None:
        try:
            self.prewarm()
        except HostError:
            pass  # the first document meets it again, and says so

    def _lease(self, fresh: bool) -> Child | None:
        """A worker for this thread alone; None when none came free in time."""
        with self._lock:
            if self._closed:
                raise _closed()
            child = None if fresh else self._take_idle()
            if child is not None:
                return child
            waiter = self._waiting.join(fresh)
            self._call_keeper()
        return self._waiting.wait(waiter, self._wait_s, self._give_back)

    def _take_idle(self) -> Child | None:
        while self._idle:
            child = self._idle.pop()
            if child.quiet():
                return child
            self._died += 1  # it ended, or speaks unasked
            self._retire(child)
        return None

    def _give_back(self, child: Child, served: int = 0) -> None:
        with self._lock:
            self._served += served
            if not child.tired and child.worn_out():
                child.tired = True  # it serves on until its successor is ready: nobody waits for a start
                self._call_keeper()
            outdated = child.options is not self._options
            if self._closed or outdated or (child.tired and self._successors):
                self._retire(child)
            else:
                self._hand_on(child)

    def _discard(self, child: Child, *, killed: int = 0, died: int = 0, retried: int = 0) -> None:
        with self._lock:
            self._retire(child)
            if self._closed:
                raise _closed()
            self._killed += killed
            self._died += died
            self._retried += retried

    # The lock is held in what follows, but for _keep and _start_one.
    def _hand_on(self, child: Child) -> None:
        if self._waiting.offer(child):
            return
        child.idle_since = time.monotonic()
        self._idle.append(child)
        if self._waiting:  # for a fresh one: this one may have to make room
            self._call_keeper()

    def _retire(self, child: Child) -> None:
        if child.tired and self._successors:
            self._successors -= 1
        self._present.discard(child)
        self._leaving.append(child)
        child.end()
        self._call_keeper()

    def _call_keeper(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="serment-workers", daemon=True)
            self._keeper.start()
        self._wake.notify_all()

    def _keep(self) -> None:
        while True:
            with self._lock:
                self._leaving = [child for child in self._leaving if not child.gone()]
                self._end_idle()
                if not self._must_start():
                    if not (self._present or self._leaving or self._waiting):
                        self._keeper = None
                        return
                    self._wake.wait(self._pause())
                    continue
            self._start_one()

    def _must_start(self) -> bool:
        if self._closed:
            return False
        if self._wants_successor():
            return time.monotonic() >= self._not_before
        if not self._waiting:
            return False
        if len(self._present) >= self._size and self._idle:
            self._retire(self._idle.pop(0))  # somebody waits beside an idle worker: for a fresh one
        crowded = len(self._leaving) >= 4 * self._size  # they hang in the kernel, on a dead device
        return (
            len(self._present) < self._size
            and not crowded
            and (not self._present or time.monotonic() >= self._not_before)
        )

    def _wants_successor(self) -> bool:
        return sum(child.tired for child in self._present) > self._successors

    def _start_one(self) -> None:
        try:
            child = Child.start(self._options)
        except HostError as error:
            with self._lock:
                self._start_failed(error)
            return
        with self._lock:
            if self._wants_successor():
                self._successors += 1
            self._present.add(child)
            self._started += 1
            self._report = child.report
            self._let_tired_go()
            if self._closed or child.options is not self._options:
                self._retire(child)
            else:
                self._hand_on(child)

    def _let_tired_go(self) -> None:
        for tired in [child for child in self._idle if child.tired][: self._successors]:
            self._idle.remove(tired)
            self._retire(tired)

    def _start_failed(self, error: HostError) -> None:
        self._not_before = time.monotonic() + _RETRY_START_S
        if self._present:  # the others serve on, also those who would have liked a fresh one
            self._waiting.accept_any()
            while self._idle and self._waiting:
                self._hand_on(self._idle.pop())
            return
        self._waiting.refuse_all(error)

    def _end_idle(self) -> None:
        limit = time.monotonic() - self._idle_s
        for child in [child for child in self._idle if child.idle_since <= limit]:
            self._idle.remove(child)
            self._retire(child)

    def _pause(self) -> float:
        """Seconds until there is something to do; while all are asked, none can be idle long enough before that."""
        now = time.monotonic()
        pause = min((child.idle_since + self._idle_s - now for child in self._idle), default=self._idle_s)
        if self._leaving:
            pause = min(pause, _REAP_S if len(self._leaving) < self._size * 2 else 1.0)
        if self._waiting or self._wants_successor():
            pause = min(pause, max(self._not_before - now, _REAP_S))
        return max(pause, 0.001)


def image_pool(*, size: int = 1, run_as: tuple[int, int] | None = None, wait_s: float = 3600.0) -> WorkerPool:
    """A pool whose workers read what pictures show: seconds a page, at the lowest priority, so off everybody's way.

    Only where ``pixels.available()``: elsewhere its first document raises HostError.
    """
    return WorkerPool(
        size, hard_cpu_s=60.0, hard_wall_s=600.0, idle_s=30.0, run_as=run_as, module=_IMAGE_WORKER, wait_s=wait_s
    )


def _closed() -> HostError:
    return HostError(N_("the readers of documents are stopped"), hint=N_("start the agent again"))
