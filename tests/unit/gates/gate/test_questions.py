"""What a gate makes of an answer that was reached by rules which are no longer in force."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates import link
from agent.gates.asking import Answer, Ask, Question, Say
from agent.gates.gate.answering import Answerer, Waiting
from agent.gates.gate.board import Board
from agent.gates.gate.fanotify import State, permission_group
from agent.gates.gate.questions import Questions
from agent.gates.gate.settings import Folder, FolderKind, Settings, encode

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="fanotify permission events need root")
TURN_S = 0.05


class Bench:
    """A gate's two halves over a group that marks nothing, and the agent's end of their socket."""

    def __init__(self, folder: Path) -> None:
        self.letter = folder / "sync" / "letter.txt"
        self.letter.parent.mkdir()
        self.letter.write_bytes(b"a letter")
        time.sleep(0.1)  # its state can be told from the next one
        self.board = Board(Board.create())
        self.settings = Settings(folders=(Folder(os.fsencode(self.letter.parent), FolderKind.SYNC),), rules=1)
        self.board.publish(encode(self.settings))
        self.answerer = Answerer(permission_group(), self.board)
        self.questions = Questions(self.answerer, os.fsencode(folder / "s"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
            server.bind(os.fsencode(folder / "s"))
            server.listen()
            self.turn(2)
            self.agent, _ = server.accept()
        hello = self.asked()
        link.send(self.agent, Answer(hello.number, Say.RELEASE))
        self.turn()

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.questions.turn(TURN_S)

    def asked(self) -> Question:
        message, fd = link.receive(self.agent)
        if fd is not None and not isinstance(fd, int):
            fd.close()
        elif isinstance(fd, int) and fd >= 0:
            os.close(fd)
        assert isinstance(message, Question)
        return message

    def waits(self) -> State:
        """Somebody opens the letter."""
        state, fd = State(), os.open(self.letter, os.O_RDONLY)
        state.of(fd)
        place = self.answerer.folders.places[0]
        self.answerer.work.append(
            Waiting(
                fd, os.getpid(), -1, state.stamp, place, os.fsencode(self.letter), b"s?", (0, 0, 0), time.monotonic_ns()
            )
        )
        self.answerer.ring()
        self.turn(2)
        return state


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        made = Bench(Path(folder))
        yield made
        made.agent.close()


@pytest.mark.parametrize("changed", [False, True])
def test_what_was_released_by_other_rules_is_asked_again_and_not_kept(bench: Bench, changed: bool) -> None:
    state = bench.waits()
    question = bench.asked()
    assert question.kind is Ask.READ
    if changed:
        bench.board.publish(encode(bench.settings._replace(rules=2)))
    link.send(bench.agent, Answer(question.number, Say.RELEASE))
    bench.turn(3)
    assert bench.answerer.verdicts.refused(state.stamp, b"s?") is (None if changed else False)
    if changed:
        again = bench.asked()
        assert (again.kind, again.number > question.number) == (Ask.READ, True)
        link.send(bench.agent, Answer(again.number, Say.REFUSE))
        bench.turn(2)
        assert bench.answerer.verdicts.refused(state.stamp, b"s?") is True
