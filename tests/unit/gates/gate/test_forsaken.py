"""A gate whose agent was ended for good does not hold programs up for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from agent.gates.gate import keeper
from agent.gates.gate.board import Board
from agent.gates.gate.settings import Settings, encode


class Clock:
    """Moved by hand: a busy machine may take longer over a step than the real wait is."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(keeper, "time", Clock())
    memory = Board.create()
    board = Board(memory)
    yield keeper.Keeper(-1, memory, board, b"/nowhere"), board
    os.close(memory)


def forsaken(made: keeper.Keeper) -> bool:
    """Asked again and again for three times as long as it takes."""
    for _ in range(60):
        keeper.time.now += keeper.FORSAKEN_S / 20
        if made._forsaken():
            return True
    return False


def test_a_living_agent_is_waited_for(kept):
    made, board = kept
    board.publish(encode(Settings(agent=os.getpid())))
    assert not forsaken(made)


def test_an_agent_that_is_gone_is_not_waited_for_for_ever(kept):
    made, board = kept
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    board.publish(encode(Settings(agent=gone.pid)))
    assert not made._forsaken()  # it may be starting again
    assert forsaken(made)


def test_before_the_first_settings_nothing_is_concluded(kept):
    made, _board = kept
    assert not forsaken(made)
