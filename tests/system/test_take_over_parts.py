"""The parts of a take-over one by one, on the real mount interface, and an airlock's life with a stand-in for it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.channels import mounts
from agent.daemon import airlock_arming as life
from agent.daemon.airlock import Airlock
from agent.daemon.airlock_state import End, State, Surroundings
from agent.daemon.airlocks import on_encrypted_disk
from agent.daemon.holds import GateServer
from agent.daemon.operations import Operations
from agent.daemon.volume_desk import VolumeDesk
from agent.fsys.openat import open_point
from agent.gates.takeover import cover, medium, mounting
from agent.gates.takeover.process import Trace, Traces, boot_id
from agent.model import ChannelKind, Place
from tests.running import wait_for
from tests.stick_bed import Stick, airlocks, run

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")]
NOT_AN_AIRLOCK = "import sys,time; time.sleep(float(sys.argv[1]))"


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    made = Stick(tmp_path)
    try:
        made.plug()
        yield made
    finally:
        made.gone()


@contextlib.contextmanager
def point(stick: Stick) -> Iterator[int]:
    fd = open_point(os.fsencode(stick.point))
    try:
        yield fd
    finally:
        os.close(fd)


def table() -> tuple[mounts.Mount, ...]:
    return mounts.parse(Path("/proc/self/mountinfo").read_bytes())


def volume(stick: Stick) -> mounts.Mount:
    found, _airlock = mounts.stack(table(), os.fsencode(stick.point))
    assert found is not None
    return found


def described(stick: Stick) -> medium.Volume:
    return medium.Volume(b"ext4", volume(stick).read_only, {})


def test_the_medium_is_in_no_namespace_and_outlives_the_users_mount(stick: Stick) -> None:
    before = len(table())
    with point(stick) as fd:
        behind = medium.open_medium(fd, described(stick))
    try:
        assert len(table()) == before
        assert run(f"echo x > {stick.point}/x").returncode != 0
        new = os.open("kept", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=behind.fd)
        os.write(new, b"a" * 5000)
        os.close(new)
        mounting.unmount(os.fsencode(stick.point))
        assert sorted(os.listdir(behind.fd)) == ["kept", "lost+found"]
        os.fsync(behind.fd)
    finally:
        os.close(behind.fd)
    stick.mount()
    assert (stick.point / "kept").read_bytes() == b"a" * 5000


def test_a_write_protected_medium_says_so_and_stays_as_it_was(tmp_path: Path) -> None:
    stick = Stick(tmp_path, write_protected=True)
    try:
        stick.plug()
        with point(stick) as fd, pytest.raises(medium.ReadOnlyMediumError):
            medium.open_medium(fd, described(stick))
        assert stick.mounts() == ["ext4"]
    finally:
        stick.gone()


def test_a_driver_that_is_a_program_and_read_only_is_not_fooled(stick: Stick) -> None:
    with point(stick) as fd, pytest.raises(medium.ReadOnlyMediumError, match="program"):
        medium.open_medium(fd, medium.Volume(b"fuseblk", read_only=True, options={}))


def test_the_cover_is_found_and_taken_away_by_its_number(stick: Stick) -> None:
    path = os.fsencode(stick.point)
    device = cover.connect()
    try:
        with point(stick) as fd:
            number = cover.cover(fd, device, b"serment:test", no_exec=True)
        lower, over = mounts.stack(table(), path)
        assert lower is not None and over is not None
        assert (over.id, over.source, over.is_airlock) == (number, b"serment:test", True)
        assert {b"nosuid", b"nodev", b"noexec"} <= over.options
        assert b"allow_other" in over.super_options
        assert b"default_permissions" in over.super_options
        assert lower.point in {mount.point for mount in mounts.visible(table()) if not mount.is_airlock}
        assert cover.uppermost(path) == number
        assert not cover.take_away(path, number + 1000, lazy=True)
        assert cover.take_away(path, number)
        assert stick.mounts() == ["ext4"]
    finally:
        os.close(device)


def test_a_cover_nobody_serves_any_more_hangs_nobody(stick: Stick) -> None:
    device = cover.connect()
    with point(stick) as fd:
        number = cover.cover(fd, device, b"serment:test")
    os.close(device)  # the last holder is gone: the kernel ends the connection
    assert run(f"ls {stick.point}", 10).returncode != 0
    assert cover.uppermost(os.fsencode(stick.point)) == number  # asks no file system
    assert cover.take_away(os.fsencode(stick.point), number, lazy=True)


def test_a_volume_that_was_plugged_in_since_is_not_taken_for_the_one_before(stick: Stick) -> None:
    """The mount table gives the lowest number that is free, so the next mount there has the number of the last one."""
    path = os.fsencode(stick.point)
    with point(stick) as fd:
        if not (known := mounting.unique_id(fd)):
            pytest.skip("numbers that are never used again came with Linux 6.8")
    number = cover.uppermost(path)
    assert cover.unique(path, number) == known
    assert cover.unique(path, number + 1000) == 0
    for _ in range(100):  # others mount on this machine too
        assert run(f"umount {stick.point}").returncode == 0
        stick.mount()
        if cover.uppermost(path) == number:
            break
    else:
        pytest.skip("the number went to somebody else's mount")
    assert not cover.take_away(path, number, known=known)
    assert not cover.take_away(path, number, lazy=True, known=known)
    assert stick.mounts() == ["ext4"]
    assert cover.take_away(path, number, known=cover.unique(path, number))
    assert stick.mounts() == []


class Life:
    def __init__(self, base: Path, stick: Stick, seconds: str, trace: Trace | None = None) -> None:
        self.died = 0
        self.changed = threading.Event()
        (base / "traces").mkdir()
        (base / "staging").mkdir()
        self.server = GateServer(base / "gates.sock", Operations())
        self.server.start()
        held: Any = None
        desk = VolumeDesk(Place(ChannelKind.REMOVABLE, os.fsencode(stick.point), 0), held, lambda _error: None)
        around = Surroundings(
            self.server, Traces(base / "traces"), base / "staging", b"serment:test", (), Operations(), self.count,
            self.changed.set, b"", lambda: None, (sys.executable, "-c", NOT_AN_AIRLOCK, seconds),
        )  # fmt: skip
        self.airlock = Airlock(volume(stick), desk, around, trace)
        self.airlock.start()

    def count(self) -> None:
        self.died += 1

    def close(self) -> None:
        self.airlock.end(End.HAND_BACK)
        self.airlock.join(30)
        self.server.close()


@pytest.mark.parametrize(("options", "state"), [("ro", State.READ_ONLY), ("rw", State.FAILED)])
def test_an_airlock_that_does_not_start_leaves_the_volume_as_it_was(tmp_path: Path, options: str, state: State) -> None:
    stick = Stick(tmp_path, options=options)
    try:
        stick.plug()
        living = Life(tmp_path, stick, "0")
        try:
            wait_for(lambda: living.airlock.state is state)
            assert living.airlock.reason == "the airlock does not start"
            wait_for(lambda: stick.mounts() == ["ext4"])
            assert (run(f"echo x > {stick.point}/x").returncode == 0) is (options == "rw")
        finally:
            living.close()
    finally:
        stick.gone()


def test_what_an_agent_before_us_has_closed_is_not_opened_when_nothing_starts(tmp_path: Path) -> None:
    """Its airlock died with it and no other one starts. Writers that were being held would find an open door."""
    stick = Stick(tmp_path, options="rw")
    try:
        stick.plug()
        with point(stick) as fd:
            mounting.set_attributes(fd, on=mounting.RDONLY)  # the agent before us did
        dead = Trace("0" * 16, 2**22 - 1, 1, str(stick.point), 1, 1, volume(stick).id, True, boot_id())
        living = Life(tmp_path, stick, "0", dead)
        try:
            wait_for(lambda: living.airlock.state is not State.ARMING)
            assert living.airlock.state is State.READ_ONLY
            assert run(f"echo x > {stick.point}/x").returncode != 0
        finally:
            living.close()
    finally:
        stick.gone()


def test_an_airlock_that_never_says_hello_is_ended(
    stick: Stick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "START_S", 0.5)
    living = Life(tmp_path, stick, "60")
    try:
        wait_for(lambda: living.airlock.state is State.READ_ONLY)
        wait_for(lambda: stick.mounts() == ["ext4"])
        assert airlocks(tmp_path) == []
        assert list(Traces(tmp_path / "traces").all()) == []
    finally:
        living.close()


def test_whether_the_disk_is_encrypted_is_known_without_harm() -> None:
    assert on_encrypted_disk(Path("/proc")) is False
    assert on_encrypted_disk(Path(__file__).parent) in {True, False}
