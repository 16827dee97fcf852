"""What the guard is told of volumes, between two looks at the mount table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest

from agent.daemon.airlocks import FOLDER_REASON, Airlocks, Settings
from agent.daemon.operations import Operations
from agent.daemon.volume_desk import VolumeDesk
from agent.gates.asking import ABANDONED, Ask, Question
from agent.model import ChannelKind, Device, Place, Strength


@pytest.fixture
def volumes(tmp_path: Path) -> Airlocks:
    settings = Settings(tmp_path / "run", tmp_path / "staging", tmp_path / "gates.sock", 120, 64)
    (tmp_path / "run").mkdir()
    nobody = cast("Any", None)
    return Airlocks(
        settings, nobody, nobody, Operations(), died=lambda: None, cannot=lambda _error: None, changed=lambda: None
    )


def _place(root: Path, bus: str) -> Place:
    return Place(ChannelKind.REMOVABLE, os.fsencode(root), 0, "disk", Device(bus=bus), Strength.AFTER_WRITE)


def test_a_volume_that_has_just_gone_is_not_armed_as_a_folder(volumes: Airlocks, tmp_path: Path) -> None:
    """The channel saw it mounted, and a moment later it is not: an unmount, and no folder that somebody has listed."""
    assert volumes.places([_place(tmp_path, "usb")]) == ()


def test_a_listed_folder_is_watched_and_says_why(volumes: Airlocks, tmp_path: Path) -> None:
    (place,) = volumes.places([_place(tmp_path, "folder")])
    assert (place.strength, place.reason) == (Strength.AFTER_WRITE, FOLDER_REASON)


def test_what_an_airlock_could_not_have_judged_before_its_end_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    nobody = cast("Any", None)
    desk = VolumeDesk(_place(tmp_path, "usb"), nobody, lambda _error: None, abandoned=told.append)
    desk.answer(nobody, Question(7, Ask.TELL, size=3, detail=ABANDONED), -1)
    desk.answer(nobody, Question(8, Ask.TELL, size=9, detail=b"other news"), -1)
    assert told == [3]
