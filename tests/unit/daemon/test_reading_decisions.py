"""What the gate decides at a reading while the audit log cannot be written: no emergency, no release."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

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
