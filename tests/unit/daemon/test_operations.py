"""The operational log: a real writer in a process of its own, which is there only while there is something to write."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.daemon import operations, operations_writer
from agent.daemon.operations import Operations
from tests.running import wait_for


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operations]:
    monkeypatch.setattr(operations, "_LINGER_S", 0.2)
    made = Operations()
    yield made
    made.close()


def writers(file: Path) -> list[int]:
    """The processes that have this file as their last word."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdecimal() else []
        except OSError:
            continue
        if words[-2:-1] == [os.fsencode(file)]:
            found.append(int(folder.name))
    return found


def lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []


def test_what_was_noted_before_it_was_opened_is_written_first(log: Operations, tmp_path: Path) -> None:
    file = tmp_path / "serment.log"
    log.note("place.armed", channel="downloads", folders=2)
    log.warn("loop.step", step="refresh")  # noqa: G010 - not a logger of the library's
    log.open(file)
    log.note("place.armed", channel="removable")
    log.close()
    first, second, third = lines(file)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO    place\.armed \{'channel': 'downloads', 'folders': 2\}", first
    )
    assert " WARNING loop.step {'step': 'refresh'}" in second
    assert third.endswith("{'channel': 'removable'}")


def test_a_line_break_in_a_field_makes_no_second_line(log: Operations, tmp_path: Path) -> None:
    log.open(tmp_path / "log")
    log.note("word", field="one\n2026-01-01 ERROR forged \u202e {braces} <red>")
    log.close()
    (line,) = lines(tmp_path / "log")
    assert "\\n2026" in line
    assert "{braces} <red>" in line


def test_the_writer_ends_when_nothing_comes_and_another_one_goes_on(log: Operations, tmp_path: Path) -> None:
    file = tmp_path / "log"
    log.open(file)
    log.note("first")
    wait_for(lambda: len(lines(file)) == 1, 60)
    wait_for(lambda: not writers(file), 60)
    log.note("second")
    wait_for(lambda: len(lines(file)) == 2, 60)
    assert "second" in lines(file)[1]


def test_a_writer_that_is_killed_is_replaced(log: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_LINGER_S", 60.0)
    file = tmp_path / "log"
    log.open(file)
    log.note("first")
    wait_for(lambda: lines(file), 60)
    (pid,) = writers(file)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not writers(file), 60)  # a zombie has no command line

    def said_again() -> bool:  # what was handed to the dead one may be gone
        log.note("later")
        return len(lines(file)) > 1

    wait_for(said_again, 60)


def test_nobody_waits_when_there_is_no_writer(log: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process can be started: notes stay in memory, the newest thousand, and are written when one can be."""
    command = operations._COMMAND
    monkeypatch.setattr(operations, "_COMMAND", (str(tmp_path / "missing"),))
    file = tmp_path / "log"
    log.open(file)
    for number in range(1500):
        log.note("note", number=number)
    wait_for(lambda: log._thread is None, 60)
    assert len(log._waiting) == 1000
    monkeypatch.setattr(operations, "_COMMAND", command)
    log.note("last")
    log.close()
    written = lines(file)
    assert len(written) == 1000
    assert "'number': 501" in written[0]
    assert "last" in written[-1]


def test_the_agent_has_no_event_loop_in_memory() -> None:
    """loguru brings asyncio, ssl and multiprocessing along: the resident process must not have them."""
    code = (
        "import sys, agent.daemon.main; "
        "print(*sorted({'loguru', 'asyncio', 'ssl', 'multiprocessing', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_writer_turns_a_large_file_over(tmp_path: Path) -> None:
    file = tmp_path / "serment.log"
    file.write_bytes(b"x" * (5 << 20) + b"\n")
    operations_writer.write(file, [b'[1770000000.25, "INFO", "after", {}]'])
    assert lines(file) == ["2026-02-02T02:40:00.250Z INFO    after {}"]
    assert len(list(tmp_path.iterdir())) == 2
