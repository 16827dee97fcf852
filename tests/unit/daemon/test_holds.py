"""The agent's end of the gates' socket, asked by gates that are written here: real sockets, real descriptors."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.daemon.hold_times import HoldTimes
from agent.daemon.holds import GateServer, ReadDesk, Session, refusal
from agent.daemon.operations import Operations
from agent.errors import HostError
from agent.gates.asking import Answer, Ask, Done, Question, Say
from agent.gates.link import receive, send
from agent.model import Stamp
from tests.running import wait_for

STATE = Stamp(1, 2, 3, 4, 5)


class Desk:
    """Answers by what the test hands in; remembers who came and went."""

    def __init__(self, answer: Callable[[Session, Question, int], None]) -> None:
        self._answer = answer
        self.times = HoldTimes()
        self.sessions: list[Session] = []
        self.gone = threading.Event()

    def arrived(self, session: Session) -> bool:
        self.sessions.append(session)
        return True

    def answer(self, session: Session, question: Question, fd: int) -> None:
        self._answer(session, question, fd)

    def left(self, session: Session) -> None:
        self.gone.set()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GateServer]:
    made = GateServer(tmp_path / "gates.sock", Operations())
    made.start()
    yield made
    made.close()


@contextlib.contextmanager
def gate(tmp_path: Path, token: bytes = b"t1") -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(10)
        sock.connect(str(tmp_path / "gates.sock"))
        send(sock, Question(1, Ask.HELLO, name=token))
        yield sock


def answered(sock: socket.socket) -> Answer:
    packet = receive(sock)
    assert packet is not None
    assert isinstance(packet[0], Answer)
    return packet[0]


def release(session: Session, question: Question, _fd: int) -> None:
    session.say(Answer(question.number, Say.RELEASE))


def test_the_socket_is_roots_alone(server: GateServer, tmp_path: Path) -> None:
    assert (tmp_path / "gates.sock").stat().st_mode & 0o777 == 0o600


def test_a_second_agent_does_not_take_it(server: GateServer, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="another agent"):
        GateServer(tmp_path / "gates.sock", Operations())


def test_one_left_by_a_dead_agent_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
        left.bind(str(tmp_path / "gates.sock"))
    GateServer(tmp_path / "gates.sock", Operations()).close()


def test_hello_of_a_gate_that_is_expected_ended_unknown(server: GateServer, tmp_path: Path) -> None:
    server.expect(b"t1", Desk(release))
    with gate(tmp_path) as sock:
        assert answered(sock).say is Say.RELEASE
    server.forget(b"t1")
    with gate(tmp_path) as sock:
        assert answered(sock).say is Say.REFUSE
    with gate(tmp_path, b"of an agent before us") as sock:  # hung up on, so that it comes again: not told to end
        assert receive(sock) is None


def test_who_asks_before_hello_is_hung_up_on(server: GateServer, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(str(tmp_path / "gates.sock"))
        sock.settimeout(10)
        send(sock, Question(1, Ask.NAME, name=b"x"))
        assert receive(sock) is None


def test_garbage_ends_the_session_and_harms_nobody_else(server: GateServer, tmp_path: Path) -> None:
    desk = Desk(release)
    server.expect(b"t1", desk)
    with gate(tmp_path) as sock:
        answered(sock)
        sock.send(b"\x02garbage")
        assert receive(sock) is None
    assert desk.gone.wait(5)
    with gate(tmp_path) as sock:
        assert answered(sock).say is Say.RELEASE


def test_the_document_arrives_and_its_descriptor_is_closed(server: GateServer, tmp_path: Path) -> None:
    read: list[bytes] = []

    def answer(session: Session, question: Question, fd: int) -> None:
        read.append(os.pread(fd, 10, 0))
        session.say(refusal(question))

    server.expect(b"t1", Desk(answer))
    document = os.memfd_create("document")
    os.write(document, b"un courrier")
    with gate(tmp_path) as sock:
        answered(sock)
        before = len(os.listdir("/proc/self/fd"))
        send(sock, Question(7, Ask.FILE, name=b"a"), document)
        given = answered(sock)
        assert (given.number, given.say, given.error) == (7, Say.REFUSE, errno.EPERM)
        assert read == [b"un courrie"]
        wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)
    os.close(document)


def test_a_slow_document_holds_up_neither_a_name_nor_another_gate(server: GateServer, tmp_path: Path) -> None:
    go = threading.Event()

    def answer(session: Session, question: Question, _fd: int) -> None:
        if question.kind is Ask.FILE:
            go.wait(20)
        session.say(Answer(question.number, Say.RELEASE))

    server.expect(b"t1", Desk(answer))
    server.expect(b"t2", Desk(release))
    with gate(tmp_path) as slow, gate(tmp_path, b"t2") as other:
        answered(slow), answered(other)
        for number in range(2, 40):
            send(slow, Question(number, Ask.FILE, name=b"a"))
        send(slow, Question(99, Ask.NAME, name=b"b"))
        send(other, Question(5, Ask.FILE, name=b"c"))
        assert answered(slow).number == 99
        assert answered(other).number == 5
        go.set()
        assert {answered(slow).number for _ in range(2, 40)} == set(range(2, 40))


def test_an_error_of_ours_refuses(server: GateServer, tmp_path: Path) -> None:
    def answer(_session: Session, _question: Question, _fd: int) -> None:
        raise KeyError

    server.expect(b"t1", Desk(answer))
    with gate(tmp_path) as sock:
        answered(sock)
        send(sock, Question(2, Ask.FILE, name=b"a"))
        given = answered(sock)
        assert (given.say, given.error) == (Say.REFUSE, errno.EIO)


def test_waiting_for_a_commit(server: GateServer, tmp_path: Path) -> None:
    results: list[Done | None] = []
    told = threading.Event()

    def answer(session: Session, question: Question, _fd: int) -> None:
        results.append(session.say_and_wait(Answer(question.number, Say.RELEASE), -1, 20))
        told.set()

    server.expect(b"t1", Desk(answer))
    with gate(tmp_path) as sock:
        answered(sock)
        for done in (Done(2, 0, STATE), Done(3, errno.ENOSPC)):
            send(sock, Question(done.number, Ask.FILE, name=b"a"))
            answered(sock)
            send(sock, done)
            assert told.wait(10)
            told.clear()
        send(sock, Question(4, Ask.FILE, name=b"a"))
        answered(sock)
    assert told.wait(10)  # the gate is gone: nobody will tell
    assert results == [Done(2, 0, STATE), Done(3, errno.ENOSPC), None]


def test_read_is_answered_by_a_function(server: GateServer, tmp_path: Path) -> None:
    desk = ReadDesk(lambda question, fd: Answer(question.number, Say.REFUSE if fd >= 0 else Say.RELEASE, errno.EPERM))
    server.expect(b"t1", desk)
    with gate(tmp_path) as sock, open("/dev/null", "rb") as file:
        answered(sock)
        send(sock, Question(2, Ask.READ, detail=b"prog"), file.fileno())
        assert answered(sock).say is Say.REFUSE
        send(sock, Question(3, Ask.FILE, name=b"a"))
        assert answered(sock).error == errno.EINVAL
    assert desk.times.summary()["refused"] == 2


def test_times_are_the_middle_the_end_and_the_longest() -> None:
    times = HoldTimes()
    for number in range(1, 101):
        times.note(float(number), refused=number == 100)
    assert times.summary() == {
        "asked": 100, "refused": 1, "sealed": 0, "p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 100.0
    }  # fmt: skip
    assert HoldTimes().summary()["p99_ms"] == 0.0
    few = HoldTimes()
    for milliseconds in (3.0, 5311.9):  # one slow start of a reader is not what half of them waited
        few.note(milliseconds)
    assert (few.summary()["p50_ms"], few.summary()["p99_ms"]) == (3.0, 5311.9)
