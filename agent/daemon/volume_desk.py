"""What answers one airlock: its questions about files and names, as transfers to the volume that it serves."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable

from agent.daemon.airlock_canary import is_canary
from agent.daemon.held import HeldTransfers
from agent.daemon.hold_times import HoldTimes
from agent.daemon.holds import Session, refusal
from agent.errors import HostError
from agent.gates.asking import ABANDONED, Answer, Ask, Question, Say
from agent.model import Place


class VolumeDesk:
    """``place`` is the volume's, as it is described now. ``connected`` is set while the airlock is."""

    def __init__(
        self, place: Place, held: HeldTransfers, cannot: Callable[[HostError], None], *, names: bool = True,
        canary: bytes = b"", abandoned: Callable[[int], None] = lambda _files: None,
    ) -> None:  # fmt: skip
        """``cannot`` is told when nothing can be judged or recorded; without ``names`` every name may appear.
        A file that holds ``canary`` is a trial of our own, and must be refused. ``abandoned`` is told how many files
        nobody judged before the airlock's end.
        """
        self.place = place
        self.times = HoldTimes()
        self.connected = threading.Event()
        self.wanted = True
        self._held = held
        self._canary = canary
        self._names = names
        self._abandoned = abandoned
        self._cannot = cannot
        self._session: Session | None = None

    def arrived(self, session: Session) -> bool:
        if not self.wanted:
            return False
        self._session = session
        self.connected.set()
        return True

    def left(self, session: Session) -> None:
        if self._session is session:
            self._session = None
            self.connected.clear()

    def answer(self, session: Session, question: Question, fd: int) -> None:
        """FILE and NAME; anything else is not an airlock's to ask."""
        try:
            if question.kind is Ask.FILE and is_canary(fd, self._canary):
                session.uncounted(question)
                session.say(refusal(question))
            elif question.kind is Ask.FILE and fd >= 0:
                self._held.file(session, question, fd, self.place, names=self._names)
            elif question.kind is Ask.NAME and not self._names:
                session.say(Answer(question.number, Say.RELEASE))
            elif question.kind is Ask.NAME:
                self._held.name(session, question, self.place)
            elif question.kind is Ask.TELL and question.detail == ABANDONED:
                self._abandoned(question.size)
            elif question.kind is not Ask.TELL:
                session.say(refusal(question, errno.EINVAL))
        except HostError as error:  # the machine does not let us judge or record: nothing goes
            self._cannot(error)
            session.say(refusal(question, errno.EIO))
