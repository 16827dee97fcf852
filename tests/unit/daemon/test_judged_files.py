"""What was judged is known at the next opening, by whichever readers; and only while it is the same bytes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from agent.daemon.reading import JudgedFiles
from agent.findings import Findings, Judgement

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a lease on somebody else's file needs root")


class Reader:
    def __init__(self) -> None:
        self.asked = 0

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        self.asked += 1
        return Findings(Judgement.NOT_MEDICAL)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(b"one")
    time.sleep(0.08)  # the state can be told from the next one
    return path


def _judge(judged: JudgedFiles, path: Path) -> Findings:
    fd = os.open(path, os.O_RDONLY)
    try:
        return judged.judge(fd, "txt", 3)
    finally:
        os.close(fd)


def test_the_memory_is_shared_and_the_readers_are_not(document: Path) -> None:
    one, other = Reader(), Reader()
    watcher = JudgedFiles(one, lambda: "engine")
    gate = JudgedFiles(other, lambda: "engine", watcher)
    assert _judge(watcher, document) is _judge(gate, document)
    assert (one.asked, other.asked) == (1, 0)
    document.write_bytes(b"two")
    time.sleep(0.08)
    found = _judge(gate, document)
    assert _judge(watcher, document) is found
    assert (one.asked, other.asked) == (1, 1)


def test_another_engine_or_a_writer_makes_it_unknown(document: Path) -> None:
    engine = ["one"]
    reader = Reader()
    judged = JudgedFiles(reader, lambda: engine[0])
    _judge(judged, document)
    engine[0] = "two"
    _judge(judged, document)
    assert reader.asked == 2
    with document.open("r+b"):
        _judge(judged, document)
    assert reader.asked == 3
