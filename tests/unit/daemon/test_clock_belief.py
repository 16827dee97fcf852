"""A clock that leaps ahead has nothing destroyed at once; one that goes back, or a file that is lost, stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.daemon.clock_belief import MOST_US, believed

NOW = 1_795_000_000_000_000
DAY = 86_400_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "destroyed-until"


def test_the_clock_as_it_is_from_day_to_day(file: Path) -> None:
    for day in range(20):
        assert believed(file, NOW + day * DAY) == NOW + day * DAY


def test_a_leap_is_taken_in_steps(file: Path) -> None:
    believed(file, NOW)
    assert [believed(file, NOW + 3650 * DAY) for _ in range(3)] == [NOW + step * MOST_US for step in (1, 2, 3)]


def test_after_a_quarter_off_it_catches_up(file: Path) -> None:
    believed(file, NOW)
    back = NOW + 92 * DAY
    assert [believed(file, back) == back for _ in range(12)] == [False] * 11 + [True]


def test_a_clock_that_was_ahead_and_is_right_again(file: Path) -> None:
    believed(file, NOW)
    believed(file, NOW + 3650 * DAY)
    assert believed(file, NOW + DAY) == NOW + DAY
    assert believed(file, NOW + 3650 * DAY) == NOW + DAY + MOST_US


@pytest.mark.parametrize("said", [b"", b"soon\n", b"-5\n", b"\xff" * 100, b"9" * 400])
def test_a_file_that_says_nothing(file: Path, said: bytes) -> None:
    file.write_bytes(said)
    assert believed(file, NOW) == NOW
    assert believed(file, NOW + 100 * DAY) == NOW + MOST_US


def test_where_it_cannot_be_remembered_the_step_stays_one(file: Path) -> None:
    believed(file, NOW)
    os.rename(file.parent, file.parent.with_name("gone"))
    assert believed(file, NOW) == NOW  # no folder: as without a file
    os.rename(file.parent.with_name("gone"), file.parent)
    assert believed(file, NOW + 100 * DAY) == NOW + MOST_US
