"""The client of the agent's socket, against a scripted agent."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.airlock.judge import Judge, Unanswered
from agent.gates.asking import Answer, Ask, Done, Flag, Question, Say
from agent.gates.link import receive, send


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as made:
        made.bind(str(tmp_path / "gates.sock"))
        made.listen()
        made.settimeout(10)
        yield made


@pytest.fixture
def judge(listener: socket.socket, tmp_path: Path) -> Iterator[Judge]:
    made = Judge(bytes(tmp_path / "gates.sock"), b"token", b"/media/stick", 3.0)
    made.start()
    yield made
    made.close()


def _accept(listener: socket.socket) -> socket.socket:
    connection, _ = listener.accept()
    connection.settimeout(10)
    hello = _hear(connection)
    assert (hello.kind, hello.name, hello.detail) == (Ask.HELLO, b"token", b"/media/stick")
    send(connection, Answer(hello.number, Say.RELEASE))
    return connection


def _hear(connection: socket.socket) -> Question:
    heard = receive(connection)
    assert heard is not None
    if heard[1] >= 0:
        os.close(heard[1])
    assert isinstance(heard[0], Question)
    return heard[0]


def test_answers_come_in_any_order(judge: Judge, listener: socket.socket) -> None:
    connection = _accept(listener)
    pending = [judge.begin(Ask.NAME, Flag.NEW, b"%d" % number) for number in range(5)]
    asked = [_hear(connection) for _ in pending]
    for question in reversed(asked):
        say = Say.REFUSE if question.name == b"2" else Say.RELEASE
        send(connection, Answer(question.number, say, errno.EACCES if say is Say.REFUSE else 0))
    rulings = [judge.wait(each) for each in pending]
    assert [ruling.say for ruling in rulings].count(Say.REFUSE) == 1
    assert rulings[2].error == errno.EACCES


def test_what_is_unanswered_is_asked_again_after_a_restart(judge: Judge, listener: socket.socket) -> None:
    first = _accept(listener)
    pending = judge.begin(Ask.NAME, Flag.NONE, b"name")
    number = _hear(first).number
    first.close()
    second = _accept(listener)
    again = _hear(second)
    assert (again.number, again.name) == (number, b"name")
    send(second, Answer(number, Say.RELEASE))
    assert judge.wait(pending).say is Say.RELEASE


@pytest.mark.parametrize("junk", [b"", b"x", b"\x81\x01", b"\x81\x09" + bytes(40), bytes(1000)])
def test_a_damaged_answer_ends_the_connection_not_the_airlock(
    judge: Judge, listener: socket.socket, junk: bytes
) -> None:
    first = _accept(listener)
    first.send(junk) if junk else first.shutdown(socket.SHUT_RDWR)
    second = _accept(listener)
    pending = judge.begin(Ask.NAME, Flag.NONE, b"name")
    send(second, Answer(_hear(second).number, Say.RELEASE))
    assert judge.wait(pending).say is Say.RELEASE


def test_nobody_answers(judge: Judge, listener: socket.socket) -> None:
    connection = _accept(listener)
    started = time.monotonic()
    pending = judge.begin(Ask.NAME, Flag.NONE, b"name")
    number = _hear(connection).number
    with pytest.raises(Unanswered):
        judge.wait(pending)
    assert time.monotonic() - started >= 3
    send(connection, Answer(number, Say.RELEASE))  # too late: the agent learns that nothing was committed
    heard = receive(connection)
    assert heard is not None
    assert heard[0] == Done(number, errno.ETIMEDOUT)


def test_an_answer_in_the_moment_of_giving_up_is_answered_too(judge: Judge, listener: socket.socket) -> None:
    """Else the agent would wait for a commit that nobody makes."""
    connection = _accept(listener)
    pending = judge.begin(Ask.NAME, Flag.NONE, b"name")
    number = _hear(connection).number

    def tick() -> None:
        send(connection, Answer(number, Say.RELEASE))
        assert pending.event.wait(10)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        judge.wait(pending, tick)
    heard = receive(connection)
    assert heard is not None
    assert heard[0] == Done(number, errno.ETIMEDOUT)


def test_an_agent_that_hangs_up_without_a_welcome_is_called_again_after_a_pause(
    judge: Judge, listener: socket.socket
) -> None:
    calls, end = 0, time.monotonic() + 1.5
    while time.monotonic() < end:
        connection, _ = listener.accept()
        assert _hear(connection).kind is Ask.HELLO
        connection.close()
        calls += 1
    assert calls < 10
    assert not judge.connected


def test_an_agent_that_does_not_read_blocks_nobody(judge: Judge, listener: socket.socket) -> None:
    connection = _accept(listener)
    started = time.monotonic()
    pending = [judge.begin(Ask.NAME, Flag.NONE, b"x" * 4000) for _ in range(500)]
    for _ in range(2000):
        judge.tell(b"news" * 100)
    assert time.monotonic() - started < 3
    answered = threading.Event()

    def catch_up() -> None:
        for _ in range(500):
            question = _hear(connection)
            while question.kind is Ask.TELL:
                question = _hear(connection)
            send(connection, Answer(question.number, Say.RELEASE))
        answered.set()

    threading.Thread(target=catch_up, daemon=True).start()
    assert {judge.wait(each).say for each in pending} == {Say.RELEASE}


def test_a_seal_without_its_file_is_a_refusal(judge: Judge, listener: socket.socket) -> None:
    connection = _accept(listener)
    pending = judge.begin(Ask.FILE, Flag.NONE, b"name")
    send(connection, Answer(_hear(connection).number, Say.SUBSTITUTE, 0, b"name.age"))
    ruling = judge.wait(pending)
    assert (ruling.say, ruling.error) == (Say.REFUSE, errno.EIO)


def test_dismissed(judge: Judge, listener: socket.socket) -> None:
    connection, _ = listener.accept()
    send(connection, Answer(_hear(connection).number, Say.REFUSE))
    assert judge.dismissed.wait(5)
    with pytest.raises(Unanswered):
        judge.wait(judge.begin(Ask.NAME, Flag.NONE, b"name"))


def test_a_path_longer_than_a_question_is_refused(judge: Judge) -> None:
    with pytest.raises(OSError) as caught:
        judge.begin(Ask.NAME, Flag.NONE, b"x" * 4097)
    assert caught.value.errno == errno.ENAMETOOLONG
