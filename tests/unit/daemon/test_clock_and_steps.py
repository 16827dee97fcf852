"""A clock that stood ahead when a folder came under guard, and steps of the loop that fail for long."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.daemon import guard as guarding
from agent.daemon.chores import AGAIN_S, Chores
from agent.daemon.device import DeviceIdentity
from agent.daemon.guard import Guard
from agent.daemon.ledger import Ledger
from agent.daemon.loop import Loop
from agent.daemon.operations import Operations
from agent.daemon.troubles import Troubles
from agent.model import ChannelKind, Place

YEAR_NS = 365 * 86_400 * 10**9
PLACE = Place(ChannelKind.CLOUD_SYNC, b"/home/clara/Nextcloud", 1000, "nextcloud")
WATCHER = SimpleNamespace(add=lambda _place: None, remove=lambda _place: None)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def since(ledger: Ledger, now_ns: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """When the place came under guard, as an agent says that starts at ``now_ns``."""
    monkeypatch.setattr(guarding.time, "time_ns", lambda: now_ns)
    channel: Any = SimpleNamespace(kind=ChannelKind.CLOUD_SYNC, places=lambda: (PLACE,))
    guard = Guard(
        [channel], WATCHER, ledger, DeviceIdentity("dev_1", bytes(32)), lambda _kind, _fields: None, Operations()
    )  # type: ignore[arg-type]
    guard.refresh()
    return guard.armed_ns(PLACE)


def test_a_clock_that_was_ahead_leaves_no_folder_open(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    ahead = since(ledger, now + 10 * YEAR_NS, monkeypatch)
    assert ahead > now
    right = since(ledger, now, monkeypatch)
    assert now - 10 * 10**9 < right <= now
    assert since(ledger, now + YEAR_NS, monkeypatch) == right  # noted anew, once


def test_a_clock_that_stands_in_1970_makes_nothing_new(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    before = since(ledger, time.time_ns(), monkeypatch)
    assert since(ledger, 5 * 10**9, monkeypatch) == before


def failing() -> None:
    raise OSError


def well() -> None:
    pass


def test_a_step_that_fails_is_told_until_it_goes_well() -> None:
    troubles = Troubles(lambda _word, _state: None)
    loop = Loop(SimpleNamespace(operations=Operations(), troubles=troubles))  # type: ignore[arg-type]
    steps: list[tuple[Callable[[], None], bool]] = [(failing, True), (well, True), (failing, True)]
    for step, told in steps:
        loop._safely(step)
        assert bool(troubles.standing()) is told
    mended = well
    mended.__name__ = "failing"
    assert loop._safely(mended)
    assert not troubles.standing()


def test_a_house_that_could_not_be_kept_is_kept_again_soon() -> None:
    chores = Chores(
        SimpleNamespace(keys=SimpleNamespace(prepare=failing), troubles=Troubles(lambda *_: None), people=())
    )  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        chores.keep_house()
    assert chores._due - time.monotonic() <= AGAIN_S
