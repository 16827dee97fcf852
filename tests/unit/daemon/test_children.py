"""The embedded collector: nobody can keep the agent from starting it, and a broken one does not eat the machine."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.config import AgentConfig, AgentSection
from agent.daemon.children import Child, EmbeddedCollector, SyncProcess
from agent.daemon.collecting import start_collecting
from agent.daemon.fleet_sync import FleetSync
from agent.daemon.troubles import Troubles
from agent.transport.spool import SpoolState, save_state
from tests.running import wait_for


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[EmbeddedCollector]:
    made = EmbeddedCollector(tmp_path / "collector", 0)
    yield made
    made.close()


def test_a_port_that_somebody_took_does_not_stop_the_agent(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        collector = EmbeddedCollector(tmp_path / "collector", taken)
        assert collector.port not in {0, taken}
        assert collector.url.endswith(f":{collector.port}")
        collector.close()


def test_a_free_port_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    collector = EmbeddedCollector(tmp_path / "collector", free)
    assert collector.port == free
    collector.close()


@pytest.mark.parametrize(("content", "mode"), [(b"", 0o600), (b"short", 0o600), (b"x" * 40, 0o644)])
def test_a_token_that_is_no_secret_is_replaced(tmp_path: Path, content: bytes, mode: int) -> None:
    folder = tmp_path / "collector"
    folder.mkdir()
    (folder / "token").write_bytes(content)
    (folder / "token").chmod(mode)
    EmbeddedCollector(folder, 0).close()
    assert (folder / "token").read_bytes() not in {content, b""}
    assert (folder / "token").stat().st_mode & 0o777 == 0o600


def test_a_good_token_is_kept(tmp_path: Path) -> None:
    EmbeddedCollector(tmp_path / "collector", 0).close()
    token = (tmp_path / "collector" / "token").read_bytes()
    EmbeddedCollector(tmp_path / "collector", 0).close()
    assert (tmp_path / "collector" / "token").read_bytes() == token


def test_a_collector_that_cannot_start_rests_between_two_attempts(collector: EmbeddedCollector) -> None:
    collector.child = Child(["agent.no_such_module"])
    with socket.create_connection(("127.0.0.1", collector.port)):
        starts = 0
        for _ in range(3):  # what the main loop does
            fd = collector.descriptor()
            if fd is not None and select.select([fd], [], [], 5)[0]:
                collector.wake()
                starts += 1
            wait_for(lambda: not collector.child.running())
    assert starts == 1
    assert collector.descriptor() is None


def test_a_collector_that_left_in_peace_is_started_again_at_once(collector: EmbeddedCollector) -> None:
    collector.child = Child(["agent.errors"])
    for _ in range(2):
        assert collector.descriptor() is not None
        collector.wake()
        wait_for(lambda: not collector.child.running())
    assert collector.descriptor() is not None


def test_a_machine_without_room_for_a_process_does_not_end_the_agent(
    collector: EmbeddedCollector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", full)
    collector.wake()
    assert collector.descriptor() is None  # it rests
    told: list[int | None] = []
    sync = SyncProcess(tmp_path / "audit", tmp_path / "spool.json", "https://c.example", tmp_path, "dev_x", told.append)
    assert sync.tick(1, 1) == 1.0
    assert sync.tick(1, 1) is not None
    assert told == [os.EX_OSERR]
    fleet = FleetSync(tmp_path, tmp_path, told.append)
    assert fleet.tick(1, 1) is not None
    fleet.close()
    sync.close()


@pytest.mark.parametrize("trouble", ["", "unreachable"])
@pytest.mark.parametrize(("ahead_s", "due"), [(3600, False), (24 * 3600, False), (400 * 24 * 3600, True)])
def test_what_a_clock_that_was_ahead_put_off_is_due(tmp_path: Path, trouble: str, ahead_s: int, due: bool) -> None:
    starts: list[bool] = []
    fleet = FleetSync(tmp_path, tmp_path, lambda _status: None)
    fleet.child = cast("Any", SimpleNamespace(start=lambda: starts.append(True), running=bool, stop=lambda: None))
    fleet.state_file.parent.mkdir()
    when = int(time.time()) + ahead_s
    save_state(fleet.state_file, SpoolState("dev_x", trouble=trouble, next_at=when, retry_at=when if trouble else 0))
    fleet.tick(0, 0)
    fleet.close()
    assert bool(starts) is due


@pytest.mark.timeout(20)
@pytest.mark.parametrize("spoilt", ["text", "latin", "deep", "pipe", "link", "folder"])
def test_an_enrolment_that_is_spoilt_does_not_keep_the_agent_from_guarding(tmp_path: Path, spoilt: str) -> None:
    """Its folder belongs to the user that syncs, who has fewer rights than the agent."""
    place = tmp_path / "data/fleet/collector.json"
    place.parent.mkdir(parents=True)
    if spoilt == "text":
        place.write_text("{")
    elif spoilt == "latin":
        place.write_bytes(b'{"url": "https://h\xe9")')
    elif spoilt == "deep":
        place.write_bytes(b'{"a":' * 5000)
    elif spoilt == "pipe":
        os.mkfifo(place)
    elif spoilt == "link":
        (tmp_path / "other").write_text("{}")
        place.symlink_to(tmp_path / "other")
    else:
        place.mkdir()
    troubles = Troubles(lambda _word, _state: None)
    config = AgentConfig(agent=AgentSection(data_dir=tmp_path / "data", runtime_dir=tmp_path / "run"))
    agent = cast("Any", SimpleNamespace(config=config, troubles=troubles))
    with contextlib.ExitStack() as stack:
        assert start_collecting(agent, stack) == (None, None, "")
    assert [each.word for each in troubles.standing()] == ["fleet-unusable"]
