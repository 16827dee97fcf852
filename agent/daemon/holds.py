"""The agent's end of ``gates.sock``: gates connect, say who they are, and ask; desks answer.

Owns the socket file (0600; the peer's uid is looked at as well) and one ``Session`` a gate that is connected. Which
gates may come is known beforehand: ``expect(token, desk)``; one that is unknown is hung up on, and comes again. A gate
outlives the agent: one that connects again is told RELEASE to its HELLO and asks its waiting questions once more. One
thread reads a gate's packets and does nothing that waits; answers are found in the gate's own lanes (``lanes.py``).

A question that nobody can take (the lane is full, the desk failed) is refused with EIO: nothing goes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from agent.daemon.case import position_of
from agent.daemon.control_server import require_ours
from agent.daemon.gate_session import Session, refusal
from agent.daemon.hold_times import HoldTimes
from agent.daemon.operations import Operations
from agent.errors import N_, HostError, UntrustedInputError
from agent.gates.asking import Answer, Ask, Done, Question, Say
from agent.gates.link import receive, send

_CREDENTIALS = struct.Struct("3i")
_HELLO_S = 5.0  # a gate says who it is within that time, or goes
_SEND_S = 10.0  # a gate that does not take its answers for so long is hung up on: it connects again
_MOST_GATES = 64
_REST_S = 0.1
__all__ = ["Desk", "GateServer", "ReadAnswer", "ReadDesk", "Session", "refusal"]
ReadAnswer = Callable[[Question, int], Answer]


class Desk(Protocol):
    """What answers the questions of one gate. Called from the gate's lanes, several at a time."""

    def arrived(self, session: Session) -> bool:
        """A gate says HELLO with this desk's token; False: it is not wanted any more."""

    def answer(self, session: Session, question: Question, fd: int) -> None:
        """Answer by ``session.say``, once; ``fd`` is closed afterwards."""

    def left(self, session: Session) -> None:
        """The gate's connection is gone."""


class ReadDesk:
    """The desk of a gate that asks READ alone, answered by a function (``agent.daemon.gating``)."""

    def __init__(self, answer_read: ReadAnswer, told: Callable[[Question], None] = lambda _question: None) -> None:
        self._answer_read = answer_read
        self._told = told
        self.times = HoldTimes()
        self.session: Session | None = None  # while it is connected

    def arrived(self, session: Session) -> bool:
        self.session = session
        return True

    def answer(self, session: Session, question: Question, fd: int) -> None:
        if question.kind is Ask.READ:
            session.say(self._answer_read(question, fd))
        elif question.kind is not Ask.TELL:
            session.say(refusal(question, errno.EINVAL))
        else:
            self._told(question)

    def left(self, session: Session) -> None:
        if self.session is session:
            self.session = None


class GateServer:
    """``start``, ``expect``, ``forget``, ``close``. Raises HostError when the socket cannot be made."""

    def __init__(self, path: Path, operations: Operations) -> None:
        self._path = path
        self._operations = operations
        self._desks: dict[bytes, Desk] = {}
        self._ended: set[bytes] = set()
        self._told: dict[bytes, set[int]] = {}  # who was told to end, by token
        self._sessions: set[Session] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._socket = _bind(path)
        self._thread = threading.Thread(target=self._serve, name="gates", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def expect(self, token: bytes, desk: Desk) -> None:
        """From now on a gate with this token is answered by ``desk``."""
        with self._lock:
            self._desks[token] = desk

    def forget(self, token: bytes) -> None:
        """A gate with this token is told to end when it comes."""
        with self._lock:
            self._desks.pop(token, None)
            self._ended.add(token)

    def told_to_end(self, token: bytes) -> frozenset[int]:
        """The processes that came with this token and were not wanted."""
        with self._lock:
            return frozenset(self._told.get(token, ()))

    def close(self) -> None:
        """Hang up on all; they come again when there is an agent again."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.hang_up()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError as error:
                if self._closing:
                    return
                self._operations.warn("gates.accept", errno=error.errno)
                time.sleep(_REST_S)
                continue
            try:
                threading.Thread(target=self._attend, args=(connection,), name="gate", daemon=True).start()
            except RuntimeError:  # no thread to be had: it comes again
                connection.close()

    def _attend(self, connection: socket.socket) -> None:
        """One gate, from its HELLO to its end."""
        with connection:
            try:
                found = self._greet(connection)
            except (OSError, UntrustedInputError):
                return
            if found is None:
                return
            session, desk = found
            try:
                while (packet := receive(connection)) is not None:
                    self._take(session, desk, *packet)
            except (OSError, UntrustedInputError) as error:
                self._operations.warn("gate.lost", type=type(error).__name__)
            finally:
                session.hang_up()
                with self._lock:
                    self._sessions.discard(session)
                desk.left(session)

    def _greet(self, connection: socket.socket) -> tuple[Session, Desk] | None:
        pid, uid = _peer(connection)
        with self._lock:
            crowded = len(self._sessions) >= _MOST_GATES
        if uid != os.geteuid() or crowded:
            return None
        connection.settimeout(_HELLO_S)
        packet = receive(connection)
        if packet is None:
            return None
        question, fd = packet
        if fd >= 0:
            os.close(fd)
        if not isinstance(question, Question) or question.kind is not Ask.HELLO:
            return None
        with self._lock:
            desk, ended = self._desks.get(question.name), question.name in self._ended
        if desk is None and not ended:  # of an agent before us, and not looked at yet: it comes again
            return None
        # sending has a limit, receiving has none: a gate may have nothing to ask for days
        connection.settimeout(None)
        _limit_sending(connection)
        times = getattr(desk, "times", None) or HoldTimes()
        session = Session(connection, pid, times, self._failed)
        if desk is None or not desk.arrived(session):
            send(connection, Answer(question.number, Say.REFUSE, errno.ESTALE))
            with self._lock:
                self._told.setdefault(question.name, set()).add(pid)
            return None
        with self._lock:
            self._sessions.add(session)
        send(connection, Answer(question.number, Say.RELEASE))
        return session, desk

    def _take(self, session: Session, desk: Desk, message: Question | Answer | Done, fd: int) -> None:
        """One packet; the descriptor is the lane's from here."""
        if isinstance(message, Question) and message.kind in session.lanes:
            if message.kind is not Ask.TELL:
                session.noted(message)
            work = _Work(session, desk, message, fd, self._failed)
            if not session.lanes[message.kind].put(work):
                work.refuse()
            return
        if fd >= 0:
            os.close(fd)
        if isinstance(message, Done):
            session.finished(message)

    def _failed(self, error: Exception) -> None:
        self._operations.warn("gate.error", type=type(error).__name__, at=position_of(error))


class _Work:
    """One question on its way through a lane, with its descriptor."""

    def __init__(
        self, session: Session, desk: Desk, question: Question, fd: int, failed: Callable[[Exception], None]
    ) -> None:
        self._session, self._desk, self._question, self._fd, self._failed = session, desk, question, fd, failed

    def __call__(self) -> None:
        try:
            self._desk.answer(self._session, self._question, self._fd)
        except Exception as error:
            self._failed(error)
            self.refuse()
        finally:
            self._close()

    def refuse(self) -> None:
        self._close()
        if self._question.kind is not Ask.TELL:
            self._session.say(refusal(self._question, errno.EIO))

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def __del__(self) -> None:  # dropped by a lane that was closed
        self._close()


def _peer(connection: socket.socket) -> tuple[int, int]:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return int(pid), int(uid)


def _limit_sending(connection: socket.socket) -> None:
    limit = struct.pack("ll", int(_SEND_S), 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _bind(path: Path) -> socket.socket:
    """Listen on ``path``; one left by a dead agent is replaced, a living one is an error."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        require_ours(path.parent)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise HostError(
                    N_("another agent is running on {socket}"), hint=N_("stop it, or use another runtime_dir"),
                    socket=path,
                )  # fmt: skip
        path.unlink(missing_ok=True)
        listener.bind(str(path))  # nobody else can reach it: the folder is ours, and so is the umask
        os.chmod(path, 0o600)
        listener.listen(_MOST_GATES)
    except BaseException as error:
        listener.close()
        if isinstance(error, OSError):
            raise HostError(
                N_("the local socket {socket} cannot be made: {why}"), hint=N_("check runtime_dir in agent.toml"),
                socket=path, why=error.strerror or "",
            ) from error  # fmt: skip
        raise
    return listener
