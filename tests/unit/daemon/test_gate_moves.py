"""What an agent before us left in the kernel is looked for at each start, and nothing is loaded where nothing is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.daemon import gate_moves
from agent.daemon.gate_moves import GateMoves
from agent.gates.gate import bpf_moves

SOCKET = Path("/run/serment/gates.sock")


def test_both_speak_of_the_same_place() -> None:
    assert gate_moves._PINS == bpf_moves.PINS
    assert bpf_moves.name_of(b"x").startswith(gate_moves._PINS + b"/" + gate_moves._OURS)


@pytest.mark.parametrize(("there", "swept"), [([b"other", b"serment-1-a"], True), ([b"other"], False), ([], False)])
def test_it_sweeps_where_there_is_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[bytes], swept: bool
) -> None:
    for name in there:
        (tmp_path / os.fsdecode(name)).mkdir()
    asked = []
    monkeypatch.setattr(gate_moves, "_PINS", bytes(tmp_path))
    monkeypatch.setattr(bpf_moves, "sweep", lambda *given: asked.append(given))
    GateMoves(SOCKET, lambda _name: True).sweep()
    assert asked == ([(bytes(SOCKET), b"")] if swept else [])


def test_a_system_without_that_place_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gate_moves, "_PINS", bytes(tmp_path / "none"))
    GateMoves(SOCKET, lambda _name: True).sweep()


def test_nothing_is_loaded_for_nothing(tmp_path: Path) -> None:
    text = f"import sys\nfrom agent.daemon import gate_moves\ngate_moves._PINS = {bytes(tmp_path)!r}\n"
    text += "gate_moves.GateMoves(__import__('pathlib').Path('/x'), print).sweep()\n"
    text += "print('agent.gates.gate.bpf_moves' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout == "False\n"
