"""What a gate makes of an answer that was reached by rules which are no longer in force, and of an opener still awake."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.gates import link
from agent.gates.asking import Answer, Ask, Question, Say
from agent.gates.gate.answering import Answerer, Waiting
from agent.gates.gate.board import Board
from agent.gates.gate.fanotify import State, permission_group
from agent.gates.gate.questions import Questions
from agent.gates.gate.settings import Folder, FolderKind, Settings, encode
from tests.running import wait_for

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="fanotify permission events need root")
TURN_S = 0.05
OPENAT = {"x86_64": 257, "aarch64": 56}.get(os.uname().machine)


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

    def waits(self, thread: int, *, known_refused: bool = False) -> State:
        """Somebody opens the letter."""
        state, fd = State(), os.open(self.letter, os.O_RDONLY)
        state.of(fd)
        place = self.answerer.folders.places[0]
        self.answerer.work.append(
            Waiting(
                fd, thread, -1, state.stamp, place, os.fsencode(self.letter), b"s?", (0, 0, 0), time.monotonic_ns(),
                known_refused=known_refused,
            )
        )  # fmt: skip
        self.answerer.ring()
        self.turn(2)
        return state


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        made = Bench(Path(folder))
        yield made
        made.agent.close()


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """A process that is awake until there is a file ``go``, then sleeps in the opening of a FIFO."""
    os.mkfifo(tmp_path / "fifo")
    made = []

    def start(mode: str) -> subprocess.Popen[bytes]:
        code = f": > awake; while [ ! -e go ]; do :; done; : {mode} fifo"
        made.append(subprocess.Popen(["sh", "-c", code], cwd=tmp_path))
        wait_for((tmp_path / "awake").exists, 20, 0.01)
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.wait(10)


def _asleep_in(process: subprocess.Popen[bytes], folder: Path) -> None:
    (folder / "go").touch()
    wait_for(lambda: Path(f"/proc/{process.pid}/syscall").read_text().startswith(f"{OPENAT} "), 20, 0.01)


@pytest.mark.parametrize(("mode", "said"), [(">", 1), ("<", 0)])
def test_an_opener_that_is_awake_is_looked_at_again(bench: Bench, opener, tmp_path: Path, mode: str, said: int) -> None:
    """By a refusal that is remembered: a reader is refused, who only writes is not, also when it falls asleep late."""
    process = opener(mode)
    bench.waits(process.pid, known_refused=True)
    assert bench.board.counts()["cached"] == 0
    _asleep_in(process, tmp_path)
    bench.turn(3)
    assert bench.board.counts()["cached"] == 1 - said
    assert not bench.questions._writing


def test_an_opener_that_never_sleeps_is_taken_for_a_reader(bench: Bench, opener, monkeypatch) -> None:
    monkeypatch.setattr("agent.gates.gate.questions._FALLS_ASLEEP_NS", 2 * 10**8)
    bench.waits(opener(">").pid, known_refused=True)
    assert bench.board.counts()["cached"] == 0
    time.sleep(0.25)
    bench.turn()
    assert bench.board.counts()["cached"] == 1


@pytest.mark.parametrize("changed", [False, True])
def test_what_was_released_by_other_rules_is_asked_again_and_not_kept(
    bench: Bench, opener, tmp_path: Path, changed: bool
) -> None:
    process = opener("<")
    _asleep_in(process, tmp_path)
    state = bench.waits(process.pid)
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
