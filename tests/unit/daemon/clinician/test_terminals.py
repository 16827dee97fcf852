"""Which terminal a program has."""

from __future__ import annotations

import os
import pty

import pytest

from agent.daemon.clinician.terminals import name_of, terminal_of
from agent.helper.terminals import write
from tests.running import wait_for


@pytest.mark.parametrize(
    ("stat", "name"),
    [
        (b"12 (cp) S 1 12 12 34819 -1 0", "pts/3"),
        (b"12 (c) p) 1 2 (x) S 1 12 12 34816 -1", "pts/0"),
        (b"12 (cp) S 1 12 12 1026 12", "tty2"),
        (b"12 (cp) S 1 12 12 0 -1", ""),
        (b"12 (cp) S 1", ""),
        (b"nonsense", ""),
        (b"12 (cp) S 1 2 3 x 4", ""),
        (b"12 (cp) S 1 12 12 35072 -1 0", "pts/256"),
    ],
)
def test_the_name_of_a_terminal(stat: bytes, name: str) -> None:
    assert name_of(stat) == name


def test_a_real_program_on_a_real_terminal() -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.read(0, 1)
        os._exit(0)
    try:
        name = wait_for(lambda: terminal_of(pid))
        assert name.startswith("pts/")
        assert write(name, "serment: « lettre.txt »\nretenue")
        read = b""
        while b"retenue" not in read:
            read += os.read(master, 4096)
        assert [line for line in read.decode().splitlines() if line] == ["serment: « lettre.txt »", "retenue"]
    finally:
        os.write(master, b"\n")
        os.waitpid(pid, 0)
        os.close(master)
    assert terminal_of(pid) == ""


@pytest.mark.parametrize("name", ["../etc/passwd", "pts/../null", "null", "", "pts/999999", "tty"])
def test_nothing_else_is_written_to(name: str) -> None:
    assert not write(name, "x")


def test_nobody_elses_terminal_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.read(0, 1)
        os._exit(0)
    name = wait_for(lambda: terminal_of(pid))
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    written = write(name, "x")
    monkeypatch.undo()
    os.write(master, b"\n")
    os.waitpid(pid, 0)
    os.close(master)
    assert not written
