"""What the gate decides at a reading while the audit log cannot be written: no emergency, no release."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import agent.daemon.reading
from agent.daemon.gate_answers import Reading
from agent.daemon.reading import ReadingDecisions
from agent.errors import HostError
from agent.gates.gate.programs import Program
from agent.model import ChannelKind, Place, Strength
from tests.unit.daemon.test_pipeline import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    (made.folder / "letter.txt").write_bytes(b"abc")
    return made


def asking(bench: Bench, *, sync: bool) -> Callable[[], bool]:
    """Ask as a program that reads the letter, again and again."""
    root = os.fsencode(bench.folder)
    place = Place(ChannelKind.CLOUD_SYNC, root, 1000, "nextcloud", None, Strength.HOLD, "gate")
    decisions = ReadingDecisions(bench.pipeline, bench.script, lambda: (place,) if sync else (), lambda _root: 1000)

    def ask() -> bool:
        fd = os.open(bench.folder / "letter.txt", os.O_RDONLY)
        try:
            return decisions.refused(Reading(fd, b"letter.txt", root, sync, Program("exit", "client"), 1))
        finally:
            os.close(fd)

    return ask


@pytest.mark.parametrize("sync", [False, True])
def test_what_an_emergency_lets_go_is_written_down_before_it_goes(bench: Bench, sync: bool) -> None:
    ask = asking(bench, sync=sync)
    bench.released, bench.script.log_error = "E-AAAAAAA", True
    for _ in range(3):
        with pytest.raises(HostError):
            ask()
    bench.script.log_error = False
    assert [ask(), ask()] == [False, False]
    assert [kind for kind, *_ in bench.script.records] == ["transfer"]  # once, however often it is read


def test_a_refusal_that_could_not_be_written_down_is_written_down_later(bench: Bench) -> None:
    ask = asking(bench, sync=False)
    bench.script.log_error = True
    with pytest.raises(HostError):
        ask()
    bench.script.log_error = False
    assert ask()
    assert "transfer" in [kind for kind, *_ in bench.script.records]
    assert len(bench.notices.of(None)) == 1


def test_old_files_of_a_folder_that_was_just_moved_in_do_not_count_as_existing(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They keep their times; where the kernel lets the folder in, a client may ask before the watcher has come."""
    folders = [bench.folder / "there", tmp_path / "elsewhere"]
    for folder in folders:
        (folder / "below").mkdir(parents=True)
        (folder / "below" / "letter.txt").write_bytes(b"abc")
    time.sleep(0.1)  # clocks of file systems are coarse
    bench.armed_ns = time.time_ns()
    time.sleep(0.1)
    folders[1].rename(bench.folder / "moved")
    root = os.fsencode(bench.folder)
    place = Place(ChannelKind.CLOUD_SYNC, root, 1000, "nextcloud", None, Strength.HOLD, "gate")
    decisions = ReadingDecisions(bench.pipeline, bench.script, lambda: (place,), lambda _root: 1000)

    def arrival(name: bytes) -> str:
        fd = os.open(root + b"/" + name, os.O_RDONLY)
        decisions.refused(Reading(fd, name, root, True, Program("exit", "client"), 1))
        os.close(fd)
        return bench.script.facts[-1].arrival

    assert arrival(b"there/below/letter.txt") == "existing"
    assert arrival(b"moved/below/letter.txt") == "new"
    (bench.folder / "there" / "other.txt").write_bytes(b"x")
    assert arrival(b"there/below/letter.txt") == "existing"  # what is made beside a document says nothing of it
    monkeypatch.setattr(agent.daemon.reading, "_MOVED_NS", 0)
    assert arrival(b"moved/below/letter.txt") == "existing"  # the watcher has been there
