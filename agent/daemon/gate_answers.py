"""The answer to one reader who waits at the gate: who it is, and what the policy's side says.

``answer_read`` is called from many threads. It knows programs (``agent.gates.gate.programs``) and trials of our own;
what becomes of a document is ``Decide``'s. Which answers may be kept by the gate is said with them.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.daemon.canary import Canary
from agent.daemon.holds import ReadDesk, Session
from agent.errors import HostError
from agent.gates.asking import ONCE, Answer, Question, Say
from agent.gates.gate.programs import Program, Programs

LOOK_AGAIN_S = 60.0  # where programs are, when an unknown one was seen


@dataclass(frozen=True, slots=True)
class Reading:
    """One waiting reader. ``kind`` of the program: how it carries documents away, or "" when nobody knows it."""

    fd: int
    name: bytes  # below ``root``
    root: bytes
    sync: bool
    program: Program
    thread: int


class NotYetError(Exception):
    """It cannot be said yet: whoever reads is refused this once, and may come again."""


Decide = Callable[[Reading], bool]
"""Whether it is refused. May raise NotYetError, or HostError: then ``cannot`` is told."""


class Answers:
    """``lock`` guards ``programs``; ``learnt`` is called under it when the table of programs has grown."""

    def __init__(
        self,
        decide: Decide,
        programs: Programs,
        canary: Canary,
        cannot: Callable[[HostError], None],
        learnt: Callable[[], None],
        lock: threading.RLock,
    ) -> None:
        self._decide = decide
        self._programs = programs
        self._canary = canary
        self._cannot = cannot
        self._learnt = learnt
        self._lock = lock
        self._look_due = 0.0

    def answer_read(self, question: Question, fd: int) -> Answer:
        """The answer to one READ. ``fd`` is what is being opened, and stays the caller's."""
        if (refused := self._canary.expects(fd)) is not None:
            return Answer(question.number, Say.REFUSE if refused else Say.RELEASE, errno.EPERM * refused, ONCE)
        way, _, rest = question.detail.partition(b"\0")
        root = rest.partition(b"\0")[2]
        with self._lock:
            program = self._who(question.pid)
        reading = Reading(fd, question.name, root, way.startswith(b"s"), program, question.pid)
        if not reading.sync and not program.kind:  # unknown programs outside sync folders are free
            return Answer(question.number, Say.RELEASE, name=ONCE)
        try:
            refused = program.kind != "local" and self._decide(reading)
        except NotYetError:
            return Answer(question.number, Say.REFUSE, errno.EPERM, ONCE)
        except HostError as error:
            self._cannot(error)
            return Answer(question.number, Say.REFUSE, errno.EIO, ONCE)
        # a verdict on a script's name, or on a program that the gate does not know yet, is not the next one's
        known = way[1:] == program.word.encode() or not program.kind
        name = b"" if known else ONCE
        return Answer(question.number, Say.REFUSE, errno.EPERM, name) if refused else Answer(
            question.number, Say.RELEASE, name=name
        )  # fmt: skip

    def _who(self, thread: int) -> Program:
        known = len(self._programs.table)
        program, _identity = self._programs.identify(thread)
        if len(self._programs.table) != known:
            now = time.monotonic()
            if now >= self._look_due:
                self._look_due = now + LOOK_AGAIN_S
                if self._programs.refresh():  # a package was upgraded
                    program, _identity = self._programs.identify(thread)
            self._learnt()
        return program


class GateDesk(ReadDesk):
    """Answers the gate that is ours (by the number of its process), and tells others to end."""

    def __init__(self, answers: Answers, is_ours: Callable[[int], bool]) -> None:
        super().__init__(answers.answer_read)
        self._is_ours = is_ours

    def arrived(self, session: Session) -> bool:
        return self._is_ours(session.pid) and super().arrived(session)
