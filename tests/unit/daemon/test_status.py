"""What a person sees of the guard: the own places and nobody's, never another person's."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from agent.channels.base import Trouble
from agent.daemon import status
from agent.daemon.main import Agent
from agent.model import ChannelKind, Place, Strength

ALICE, BOB = 61001, 61002


def place(owner: int, root: bytes) -> Place:
    return Place(ChannelKind.CLOUD_SYNC, root, owner, "nextcloud", None, Strength.AFTER_WRITE, "watch", "")


@pytest.fixture
def agent() -> Any:
    """What ``status`` reaches of an agent that guards a folder of two persons and a stick of nobody's."""
    places = (place(ALICE, b"/home/alice/Nextcloud"), place(BOB, b"/home/bob/Dr. B\xff"), place(0, b"/mnt/stick"))
    enabled = SimpleNamespace(enabled=True)
    missing = Trouble("folder-missing", "a configured folder cannot be guarded: {path}", "", (("path", "/home/bob/x"),))
    return SimpleNamespace(
        guard=SimpleNamespace(places=lambda: places, troubles=lambda: (missing,)),
        gates=SimpleNamespace(holds=dict),
        watcher=SimpleNamespace(troubles=lambda: ((places[1], Trouble("deep", "too deep", "", ())),)),
        troubles=SimpleNamespace(standing=lambda: ()),
        config=SimpleNamespace(channels=SimpleNamespace(removable=enabled, cloud_sync=enabled, downloads=enabled)),
    )


def paths(agent: Any, uid: int) -> set[str]:
    return {entry["path"] for entry in status._channels(agent, uid) if entry["path"]}


def test_the_administrator_sees_every_place(agent: Any) -> None:
    assert paths(agent, os.getuid()) == {"/home/alice/Nextcloud", os.fsdecode(b"/home/bob/Dr. B\xff"), "/mnt/stick"}


def test_a_person_sees_the_own_places_and_those_of_nobody(agent: Any) -> None:
    assert paths(agent, ALICE) == {"/home/alice/Nextcloud", "/mnt/stick"}


def test_a_channel_without_a_place_of_theirs_is_still_named(agent: Any) -> None:
    assert {entry["channel"] for entry in status._channels(agent, ALICE)} == {"removable", "cloud_sync", "downloads"}


def test_troubles_name_no_folder_of_somebody_else(agent: Any) -> None:
    assert "bob" not in repr(status._troubles(agent, ALICE))
    assert [trouble["word"] for trouble in status._troubles(agent, ALICE)] == ["folder-missing"]
    assert [trouble["word"] for trouble in status._troubles(agent, BOB)] == ["folder-missing", "deep"]
    assert "bob" in repr(status._troubles(agent, os.getuid()))


def test_helpers_are_told_of_a_trouble_that_a_channel_or_a_folder_has(agent: Any) -> None:
    """The shield shows what ``status`` says: it asks again when this has changed."""
    agent.policy = SimpleNamespace(release=1)
    before = Agent.protection(agent)
    found, watched = agent.guard.troubles, agent.watcher.troubles
    agent.guard.troubles = lambda: ()
    assert Agent.protection(agent) != before
    agent.guard.troubles, agent.watcher.troubles = found, lambda: ()
    assert Agent.protection(agent) != before
    agent.watcher.troubles = watched
    assert Agent.protection(agent) == before
