"""The airlock's questions to the agent, and its answers. Owns the socket and one thread that reads it.

A question waits for its answer up to a deadline, also over a restart of the agent: the connection is made again, the
airlock says HELLO again, and what is still unanswered is asked again under the same number. Nothing here decides: no
answer in time is ``Unanswered``, which a writer sees as EIO. Sending never blocks; what the agent does not take yet
waits here.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from agent.errors import UntrustedInputError
from agent.gates.airlock.descriptor import Descriptor
from agent.gates.asking import Answer, Ask, Done, Flag, Question, Say
from agent.gates.link import receive, send

_TICK_S = 0.5
_RETRY_S = (0.05, 1.0)  # between tries to reach the agent: at first, at most
_POLL_MS = 200
_FORSAKEN_S = 30.0  # a question waits no longer when there is no agent at all: one that crashed is back in seconds
_ALONE_S = 5.0  # at our own end, for an agent that is just being started again
HELLO_NUMBER = 1


class Unanswered(OSError):
    """Nobody judged it in time."""

    def __init__(self) -> None:
        super().__init__(errno.EIO, os.strerror(errno.EIO))


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the agent said. ``sealed`` and ``name`` come with SUBSTITUTE; ``error`` with REFUSE."""

    number: int
    say: Say
    error: int = 0
    name: bytes = b""
    sealed: Descriptor | None = None


@dataclass(slots=True, eq=False)
class Pending:
    """A question on its way; ``document`` stays open until it is answered."""

    question: Question
    document: Descriptor | None
    ruling: Ruling | None = None
    sent: bool = False
    event: threading.Event = field(default_factory=threading.Event)


class Judge:
    """``deadline_s`` is how long a question may wait for its answer."""

    def __init__(self, path: bytes, token: bytes, mount_point: bytes, deadline_s: float) -> None:
        self._path = path
        self._hello = Question(HELLO_NUMBER, Ask.HELLO, name=token, detail=mount_point)
        self._deadline_s = deadline_s
        self._numbers = count(HELLO_NUMBER + 1)
        self._lock = threading.Lock()
        self._pending: dict[int, Pending] = {}
        self._later: list[Done | Question] = []
        self._socket: socket.socket | None = None
        self._welcome = False
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closing = False
        self._alone_since: float | None = time.monotonic()
        self._finishing: tuple[float, float] | None = None  # when that began, when it is over
        self.abandoned = 0  # finished files that nobody judged before our end
        self.dismissed = threading.Event()  # the agent does not know us: end
        self.on_dismissal: Callable[[], object] = bool  # told of it

    def start(self) -> None:
        threading.Thread(target=self._run, name="judge", daemon=True).start()

    def close(self) -> None:
        self._closing = True
        self._wake()

    @property
    def connected(self) -> bool:
        """Whether there is an agent that knows us."""
        return self._welcome

    def finish_within(self, seconds: float) -> None:
        """Our end comes: nothing waits longer than that from now on, and not at all for an agent that stays away."""
        now = time.monotonic()
        self._finishing = (now, now + seconds)

    def _over(self) -> bool:
        if self.dismissed.is_set():
            return True
        if self._finishing is None:
            return False
        began, end = self._finishing
        now, alone = time.monotonic(), self._alone_since
        return now > end or (alone is not None and now - max(alone, began) > _ALONE_S)

    def _forsaken(self, since: float) -> bool:
        alone = self._alone_since
        return alone is not None and time.monotonic() - max(alone, since) > _FORSAKEN_S

    def begin(
        self, kind: Ask, flags: Flag, name: bytes, *, detail: bytes = b"", size: int = 0,
        writer: tuple[int, int] = (0, 0), document: Descriptor | None = None,
    ) -> Pending:  # fmt: skip
        """Ask; the answer is had with ``wait``. Raises OSError ENAMETOOLONG for a path of more than 4,096 bytes."""
        question = Question(next(self._numbers), kind, flags, writer[0], writer[1], size, name, detail)
        if len(name) > 4096 or len(detail) > 4096:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        pending = Pending(question, document)
        with self._lock:
            self._pending[question.number] = pending
            self._push(pending)
        return pending

    def wait(self, pending: Pending, tick: Callable[[], object] = bool) -> Ruling:
        """The answer. ``tick`` is called every half second; what it raises ends the wait.

        Raises Unanswered when the deadline has passed, or when there has been no agent for a while.
        """
        try:
            self._await(pending, tick)
        except BaseException:
            ruling = self._withdraw(pending)
            if ruling is not None and ruling.say is not Say.REFUSE:
                self._too_late(ruling.number)
            raise
        ruling = self._withdraw(pending)
        if ruling is None:
            raise Unanswered
        return ruling

    def _await(self, pending: Pending, tick: Callable[[], object]) -> None:
        began = time.monotonic()
        deadline = began + self._deadline_s
        while not pending.event.wait(0.0 if self._over() else _TICK_S):
            tick()
            if time.monotonic() > deadline or self._over() or self._forsaken(began):
                self.abandoned += self._finishing is not None and pending.question.kind is Ask.FILE
                raise Unanswered

    def _withdraw(self, pending: Pending) -> Ruling | None:
        """Nothing comes in for it any more; what has come by now."""
        with self._lock:
            self._pending.pop(pending.question.number, None)
            pending.document = None
            return pending.ruling

    def _too_late(self, number: int) -> None:
        """The agent, which waits to hear how the commit went, is told that there was none."""
        self._tell(Done(number, errno.ETIMEDOUT))

    def done(self, message: Done) -> None:
        """How the commit went."""
        self._tell(message)

    def tell(self, detail: bytes, size: int = 0) -> None:
        """News without an answer."""
        self._tell(Question(next(self._numbers), Ask.TELL, size=size, detail=detail))

    def _tell(self, message: Done | Question) -> None:
        with self._lock:
            if self._later or not self._send(message, None):
                self._later = [*self._later[-999:], message]
                self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            pass  # it is awake

    def _push(self, pending: Pending) -> None:
        pending.sent = self._send(pending.question, pending.document)
        if not pending.sent:
            self._wake()

    def _send(self, message: Question | Done, document: Descriptor | None) -> bool:
        if self._socket is None or not self._welcome:
            return False
        try:
            send(self._socket, message, document.fd if document else -1)
        except OSError:
            return False  # full: later; broken: the reader will see it
        return True

    def _run(self) -> None:
        pause = _RETRY_S[0]
        while not self._closing and not self.dismissed.is_set():
            if self._visit():
                pause = _RETRY_S[0]
            elif not self._closing:
                time.sleep(pause)
                pause = min(pause * 2, _RETRY_S[1])

    def _visit(self) -> bool:
        """One connection, to its end. Whether there was an agent that knew us; one just started may not yet."""
        connection = self._connect()
        if connection is None:
            return False
        with connection:
            self._converse(connection)
        return self._forget_connection()

    def _connect(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            connection.connect(self._path)
            send(connection, self._hello)
        except OSError:
            connection.close()
            return None
        connection.setblocking(False)
        with self._lock:
            self._socket, self._welcome = connection, False
        return connection

    def _forget_connection(self) -> bool:
        with self._lock:
            if known := self._welcome:
                self._alone_since = time.monotonic()
            self._socket, self._welcome = None, False
            for pending in self._pending.values():
                pending.sent = False
        return known

    def _converse(self, connection: socket.socket) -> None:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while not self._closing:
            waiting = self._welcome and self._unsent()
            poll.modify(connection, select.POLLIN | (select.POLLOUT if waiting else 0))
            ready = dict(poll.poll(_POLL_MS if waiting else None))
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            if ready.get(connection.fileno(), 0) & ~select.POLLOUT and not self._hear(connection):
                return
            if self._welcome:
                self._catch_up()

    def _unsent(self) -> bool:
        with self._lock:
            return bool(self._later) or any(not pending.sent for pending in self._pending.values())

    def _catch_up(self) -> None:
        with self._lock:
            while self._later and self._send(self._later[0], None):
                del self._later[0]
            for pending in self._pending.values():
                if not pending.sent and pending.ruling is None:
                    pending.sent = self._send(pending.question, pending.document)
                    if not pending.sent:
                        return

    def _hear(self, connection: socket.socket) -> bool:
        """One packet. False when the connection is over."""
        try:
            heard = receive(connection)
        except BlockingIOError:
            return True
        except (OSError, UntrustedInputError):
            return False
        if heard is None:
            return False
        message, fd = heard
        sealed = Descriptor(fd) if fd >= 0 else None
        if isinstance(message, Answer):
            self._answered(message, sealed)
        return True

    def _answered(self, answer: Answer, sealed: Descriptor | None) -> None:
        if answer.number == HELLO_NUMBER:
            if answer.say is Say.RELEASE:
                self._welcome, self._alone_since = True, None
            else:
                self.dismissed.set()
                self.on_dismissal()
                self._closing = True
            return
        ruling = Ruling(answer.number, answer.say, answer.error, answer.name, sealed)
        if answer.say is Say.SUBSTITUTE and sealed is None:
            ruling = Ruling(answer.number, Say.REFUSE, errno.EIO)
        with self._lock:
            pending = self._pending.get(answer.number)
            if pending is not None:
                pending.ruling = ruling
                pending.event.set()
                return
        if answer.say is not Say.REFUSE:
            self._too_late(answer.number)
