"""The lookout over a gate: asleep while nothing happens, awake while anybody waits, and never too quick to judge."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from agent.gates.gate.board import Board
from agent.gates.gate.lookout import Lookout

TICK_S = 0.02
LONG_S = 120.0


@pytest.fixture
def board() -> Iterator[Board]:
    memory = Board.create()
    yield Board(memory)
    os.close(memory)


@pytest.fixture
def group() -> Iterator[int]:
    """In the place of the kernel's: readable while an event waits."""
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    yield fd
    os.close(fd)


def _quiet(board: Board, group: int) -> Lookout:
    lookout = Lookout(board, group, TICK_S)
    for _ in range(2):
        lookout.wait()
        assert lookout.ticks() == 0
    return lookout


def test_it_looks_again_soon_while_something_moves(board: Board, group: int) -> None:
    lookout = Lookout(board, group, TICK_S)
    for turn in range(2, 12, 2):
        board.turn = turn
        assert lookout.wait(most_s=LONG_S) == set()  # or this would take two minutes, each time
        assert lookout.ticks() == 0


def test_it_sleeps_until_somebody_waits(board: Board, group: int) -> None:
    lookout = _quiet(board, group)
    sleeper = threading.Thread(target=lookout.wait, kwargs={"most_s": LONG_S})
    sleeper.start()
    sleeper.join(20 * TICK_S)
    assert sleeper.is_alive()
    os.eventfd_write(group, 1)
    sleeper.join(60)
    assert not sleeper.is_alive()


def test_it_wakes_for_what_else_is_waited_for(board: Board, group: int) -> None:
    lookout = _quiet(board, group)
    read_end, write_end = os.pipe()
    os.write(write_end, b"x")
    assert lookout.wait(read_end, most_s=LONG_S) == {read_end}
    os.close(read_end)
    os.close(write_end)


def test_a_restless_one_does_not_sleep(board: Board, group: int) -> None:
    lookout = _quiet(board, group)
    assert lookout.wait(most_s=LONG_S, restless=True) == set()


@pytest.mark.parametrize("slept", [True, False])
def test_who_waits_is_given_whole_ticks(board: Board, group: int, slept: bool) -> None:
    """Nobody is taken for stuck at the look that finds the first opener, also when it came just before that look."""
    lookout = _quiet(board, group)
    if not slept:
        lookout.wait(most_s=TICK_S)  # over in time, without news
    os.eventfd_write(group, 1)
    counted = []
    for _ in range(4):
        if slept or counted:
            assert lookout.wait(most_s=LONG_S) == set()
        counted.append(lookout.ticks())
    assert counted == [0, 1, 2, 3]


def test_an_answer_begins_the_count_anew(board: Board, group: int) -> None:
    lookout = _quiet(board, group)
    os.eventfd_write(group, 1)
    for wanted in (0, 1):
        lookout.wait()
        assert lookout.ticks() == wanted
    board.turn = 8
    lookout.wait()
    assert lookout.ticks() == 0
    lookout.wait()
    assert lookout.ticks() == 1


@pytest.mark.parametrize("turn", [7, 9])
def test_a_batch_in_work_counts_as_somebody_who_waits(board: Board, group: int, turn: int) -> None:
    board.turn = turn
    lookout = Lookout(board, group, TICK_S)
    counted = []
    for _ in range(3):
        lookout.wait()
        counted.append(lookout.ticks())
    assert counted == [0, 1, 2]


def test_woken_by_others_is_not_another_look(board: Board, group: int) -> None:
    os.eventfd_write(group, 1)
    lookout = Lookout(board, group, LONG_S)
    ready = os.eventfd(1)
    for _ in range(5):
        assert lookout.wait(ready) == {ready}
        assert lookout.ticks() == 0
    os.close(ready)
