"""Who is new on the laptop: asked when a sign has changed, in a thread, told once; nobody is forgotten."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.channels.people import Person
from agent.daemon.newcomers import ASK_EVERY_S, Newcomers
from tests.running import wait_for

ALMA, BENO = Person(1000, 1000, "alma", b"/home/alma"), Person(1001, 1001, "beno", b"/home/beno")


class Database:
    """A password database that a test writes to."""

    def __init__(self) -> None:
        self.people = [ALMA]
        self.asked = 0
        self.fails = False
        self.woken = threading.Event()

    def __call__(self, _names: Sequence[str]) -> list[Person]:
        self.asked += 1
        if self.fails:
            raise OSError
        return list(self.people)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def newcomers(database: Database, now: list[float], tmp_path: Path) -> Newcomers:
    return Newcomers((), [ALMA], database.woken.set, ask=database, signs=[str(tmp_path)], clock=lambda: now[0])


def _changed(tmp_path: Path) -> None:
    state = os.stat(tmp_path)
    os.utime(tmp_path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000_000))


def test_nobody_is_asked_while_no_sign_changes(newcomers: Newcomers, database: Database) -> None:
    assert [newcomers.look() for _ in range(50)] == [()] * 50
    assert database.asked == 0


def test_a_changed_sign_brings_the_new_one_once(newcomers: Newcomers, database: Database, tmp_path: Path) -> None:
    database.people.append(BENO)
    _changed(tmp_path)
    assert wait_for(newcomers.look, 60) == (BENO,)
    assert newcomers.look() == ()
    assert database.asked == 1
    assert database.woken.wait(60)  # the main loop need not come round to hear of it
    database.people.remove(ALMA)
    _changed(tmp_path)
    newcomers.look()
    wait_for(lambda: database.asked == 2)
    assert newcomers.look() == ()


def test_it_asks_now_and_then_without_any_sign(newcomers: Newcomers, database: Database, now: list[float]) -> None:
    database.people.append(BENO)
    now[0] += ASK_EVERY_S
    assert wait_for(newcomers.look, 60) == (BENO,)


def test_a_directory_that_fails_is_asked_again(
    newcomers: Newcomers, database: Database, now: list[float], tmp_path: Path
) -> None:
    database.fails = True
    database.people.append(BENO)
    _changed(tmp_path)
    newcomers.look()
    wait_for(lambda: database.asked == 1)
    database.fails = False

    def found() -> tuple[Person, ...]:
        now[0] += ASK_EVERY_S
        return newcomers.look()

    assert wait_for(found, 60) == (BENO,)
