"""One gate while it is connected: its questions under way, its answers, the commits that somebody waits for.

Made by ``holds.GateServer``, handed to the gate's desk. Any thread may answer; one at a time sends. A gate that goes,
or does not take its answers for a while, is hung up on: whoever waits for its commits learns that nobody will tell.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable

from agent.daemon.hold_times import HoldTimes
from agent.daemon.lanes import Lane
from agent.gates.asking import NEWS, Answer, Ask, Done, Question, Say
from agent.gates.link import send

_SIZES = {Ask.FILE: 6, Ask.NAME: 2, Ask.READ: 16, Ask.TELL: 1}


class Session:
    """One connected gate. ``pid`` is who connected; ``times`` (of its desk) notes how long programs were held."""

    def __init__(self, sock: socket.socket, pid: int, times: HoldTimes, on_error: Callable[[Exception], None]) -> None:
        self.pid = pid
        self.times = times
        self._sock = sock
        self._asked: dict[int, float] = {}
        self._done: dict[int, Callable[[Done | None], None]] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._open = True
        self.lanes = {kind: Lane(f"hold-{kind.name.lower()}", size, on_error) for kind, size in _SIZES.items()}

    def noted(self, question: Question) -> None:
        with self._lock:
            self._asked[question.number] = time.monotonic()

    def uncounted(self, question: Question) -> None:
        """It is a trial of our own: nobody was held."""
        with self._lock:
            self._asked.pop(question.number, None)

    def say(self, answer: Answer, fd: int = -1, then: Callable[[Done | None], None] | None = None) -> bool:
        """Answer a question; ``then`` is told how the commit went (None: the gate is gone). False: nobody is there."""
        with self._lock:
            began = self._asked.pop(answer.number, None)
            if then is not None and self._open:
                self._done[answer.number] = then
        if began is not None:
            held_ms = (time.monotonic() - began) * 1000
            self.times.note(held_ms, refused=answer.say is Say.REFUSE, sealed=answer.say is Say.SUBSTITUTE)
        try:
            with self._sending:
                send(self._sock, answer, fd)
        except (OSError, ValueError):
            self.hang_up()
        if self._open:
            return True
        if then is not None and self._taken(answer.number) is not None:
            then(None)
        return False

    def nudge(self) -> None:
        """Make the gate look round: the answer to no question. Never waits: one that has not read yet is awake."""
        with contextlib.suppress(OSError):
            self._sock.send(Answer(NEWS, Say.RELEASE).encode(), socket.MSG_DONTWAIT)

    @property
    def holds(self) -> bool:
        """Whether somebody waits for an answer of ours."""
        return bool(self._asked)

    def say_and_wait(self, answer: Answer, fd: int, wait_s: float) -> Done | None:
        """Answer and wait for the commit; None when the gate is gone, or the time is over."""
        came = threading.Event()
        result: list[Done | None] = [None]

        def then(done: Done | None) -> None:
            result[0] = done
            came.set()

        if self.say(answer, fd, then):
            came.wait(wait_s)
        return result[0]

    def finished(self, done: Done) -> None:
        """The gate says how a commit went."""
        if (then := self._taken(done.number)) is not None:
            then(done)

    def _taken(self, number: int) -> Callable[[Done | None], None] | None:
        with self._lock:
            return self._done.pop(number, None)

    def hang_up(self) -> None:
        """End the connection; whoever waits for a commit learns that nobody will tell."""
        with self._lock:
            self._open = False
            waiting, self._done = list(self._done.values()), {}
            self._asked.clear()
        for lane in self.lanes.values():
            lane.close()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        for then in waiting:
            then(None)

    def close(self) -> None:
        self.hang_up()
        self._sock.close()


def refusal(question: Question, error: int = errno.EPERM) -> Answer:
    """Nothing of it may go; the program gets ``error``."""
    return Answer(question.number, Say.REFUSE, error)
