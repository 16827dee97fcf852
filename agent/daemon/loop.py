"""The agent's main loop: waits for descriptors, signals and ticks, and goes round what is due.

Owns nothing of the agent but the pipe by which it is woken. One bad step (a full disk) ends neither the loop nor the
guard. The service manager's watchdog is fed from here, as long as documents make progress.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from agent.daemon import systemd
from agent.daemon.at_rest import AtRest
from agent.errors import SermentError

if TYPE_CHECKING:
    from agent.daemon.main import Agent

TICK_S = 10.0
REFRESH_S = 60.0
STUCK_S = 1800.0  # longer than any document may take, a large one on a slow stick too: then a restart is better


class Loop:
    """``listen`` before anything is open, then ``run`` in the main thread; ``wake`` and ``regard`` from any thread."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = threading.Event()
        self._failing: set[str] = set()  # steps that did not go well the last time
        self._regard = False  # a gate has news: ask the channels again
        self._watched_s = systemd.watchdog_interval_s()
        self._at_rest = AtRest()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def listen(self) -> None:
        """From now on a signal to stop is a clean stop."""
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self._signalled)

    def wake(self) -> None:
        """Go round once."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b".")

    def regard(self) -> None:
        """Go round once, and ask the channels what there is to guard."""
        self._regard = True
        self.wake()

    def run(self) -> None:
        """Until asked to stop."""
        agent = self._agent
        refresh_due = time.monotonic() + REFRESH_S
        while not self._stopping.is_set():
            fired = self._wait(self._timeout())
            self._safely(agent.chores.refresh_people)
            self._handle(fired)
            refresh = bool(fired & set(agent.guard.descriptors())) or time.monotonic() >= refresh_due or self._regard
            if refresh:  # else one that was told just now would be forgotten
                self._regard = False
            for step in (agent.chores.refresh_policy, agent.chores.refresh_patients, agent.clinician.sweep):
                self._safely(step)
            if refresh:
                refresh_due = time.monotonic() + (REFRESH_S if self._safely(agent.guard.refresh) else TICK_S)
            if agent.chores.due():
                self._safely(agent.chores.keep_house)
            self._at_rest.look(busy=agent.queue.at_work())
            if self._watched_s is not None and agent.queue.stuck_s() < STUCK_S:
                systemd.notify("WATCHDOG=1")  # means progress, not life alone

    def _safely(self, step: Callable[[], None]) -> bool:
        """One step of the loop: a full disk or a bad moment must not end the guard. True when it went well."""
        try:
            step()
        except (OSError, SermentError, sqlite3.Error) as error:
            self._agent.operations.warn("loop.step", step=step.__name__, type=type(error).__name__)
            self._agent.troubles.raise_("step-failed")
            self._failing.add(step.__name__)
            return False
        self._failing.discard(step.__name__)
        if not self._failing:  # another step that goes well says nothing of those
            self._agent.troubles.clear("step-failed")
        return True

    def _timeout(self) -> float:
        agent = self._agent
        wait = agent.sync.tick(agent.log.size, agent.log.durable) if agent.sync else None
        return min(
            limit
            for limit in (TICK_S, wait, self._watched_s, agent.clinician.next_s(), agent.pushed.next_s())
            if limit is not None
        )

    def _wait(self, timeout_s: float) -> set[int]:
        agent = self._agent
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        for fd in agent.guard.descriptors():
            poll.register(fd, select.POLLIN | select.POLLPRI | select.POLLERR)
        if agent.collector is not None and (fd_or_none := agent.collector.descriptor()) is not None:
            poll.register(fd_or_none, select.POLLIN)
        for fd in agent.sync.descriptors() if agent.sync is not None else ():
            poll.register(fd, select.POLLIN)
        try:
            return {fd for fd, _events in poll.poll(timeout_s * 1000)}
        except InterruptedError:
            return set()

    def _handle(self, fired: set[int]) -> None:
        agent = self._agent
        for fd, channel in agent.guard.descriptors().items():
            if fd in fired:
                channel.drain()
        if self._wake_read in fired:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
        if agent.collector is not None and agent.collector.descriptor() in fired:
            agent.collector.wake()

    def _signalled(self, signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGHUP:
            self._stopping.set()
        self.wake()
