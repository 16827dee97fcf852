"""Talk with the service manager: what is said, to whom, and never a wait for one that does not read."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

import agent
from agent.daemon import systemd
from agent.daemon.event_queue import EventQueue
from agent.model import Cause, ChannelKind, FileEvent, Place

PLACE = Place(ChannelKind.DOWNLOADS, b"/d", 1000)


def test_ready_reaches_the_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert systemd.notify("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"serment-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert systemd.notify("STOPPING=1")
        assert manager.recv(100) == b"STOPPING=1"


def test_a_manager_that_does_not_read_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bool] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        talker = threading.Thread(target=lambda: said.extend(systemd.notify("WATCHDOG=1") for _ in range(5000)))
        talker.daemon = True
        talker.start()
        talker.join(20)
        assert not talker.is_alive()
    assert True in said
    assert False in said  # its socket was full at last


def test_no_manager_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("microseconds", "pid", "interval"),
    [("60000000", "", 30.0), ("60000000", str(os.getpid()), 30.0), ("60000000", "1", None), ("", "", None),
     ("soon", "", None)],
    ids=["any", "ours", "another", "none", "nonsense"],
)  # fmt: skip
def test_the_watchdog_is_fed_at_half_its_time(
    microseconds: str, pid: str, interval: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert systemd.watchdog_interval_s() == interval


def test_stuck_means_waiting_events_and_no_movement() -> None:
    queue = EventQueue()
    assert queue.stuck_s() == 0.0
    queue.put(FileEvent(PLACE, b"a", Cause.WRITTEN))
    first = queue.take()
    time.sleep(0.05)
    assert queue.stuck_s() == 0.0  # under way, and nobody waits for it
    queue.put(FileEvent(PLACE, b"b", Cause.WRITTEN))
    waited = queue.stuck_s()
    assert waited >= 0.05
    queue.done(first)
    assert queue.stuck_s() < waited
    second = queue.take()
    queue.done(second)
    assert queue.stuck_s() == 0.0


def test_an_idle_time_before_the_first_event_is_no_standstill() -> None:
    queue = EventQueue()
    time.sleep(0.05)
    queue.put(FileEvent(PLACE, b"a", Cause.WRITTEN))
    assert queue.stuck_s() < 0.05


def test_the_version_is_that_of_the_package(checkout: Path) -> None:
    import tomllib

    assert agent.__version__ == tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_a_restart_is_told_from_a_stop() -> None:
    jobs = "1201 other.service           restart running\n1202 serment-agent.service {type} running\n"
    assert systemd.is_restart(jobs.format(type="restart"), "serment-agent.service")
    assert not systemd.is_restart(jobs.format(type="stop"), "serment-agent.service")
    assert not systemd.is_restart("No jobs running.\n", "serment-agent.service")
    assert not systemd.is_restart("", "serment-agent.service")


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/serment-agent.service\n", "serment-agent.service"),
        ("1:name=systemd:/system.slice/serment-agent.service/part\n0::/\n", "serment-agent.service"),
        ("0::/user.slice/session-2.scope\n", ""),
        ("", ""),
    ],
)
def test_the_unit_is_known_by_its_group(cgroup: str, unit: str) -> None:
    assert systemd.unit_of(cgroup) == unit


def test_without_a_service_manager_nobody_restarts_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not systemd.restarts()
