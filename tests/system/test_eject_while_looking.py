"""Whoever ejects a stick gets it, though the agent is just looking through it. A real agent, real mounts on loops."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import wait_for
from tests.stick_bed import HARMLESS, Bed, Stick, airlocks, bed, run

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")]

FILES = 2000
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN


def full(base: Path, **options: object) -> Stick:
    """A stick with files to look through, not yet plugged in."""
    stick = Stick(base, size_mib=64, **options)  # type: ignore[arg-type]
    inside = base / "inside"
    for number in range(FILES):
        path = inside / f"d{number % 20}" / f"courses-{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n{HARMLESS * 20}")
    with stick.image.open("wb") as file:
        file.truncate(stick.size_mib << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(inside), str(stick.image)], check=True)
    return stick


def judged(made: Bed) -> int:
    counts = made.agent.status()["counts"]
    assert isinstance(counts, dict)
    return int(counts["judged"])


@contextmanager
def looking(made: Bed, more: int = 20) -> Iterator[None]:
    """While it is being looked through: some files more have been judged, and there are others to come."""
    before = judged(made)
    wait_for(lambda: judged(made) >= before + more, 60, 0.01)
    yield
    assert judged(made) < FILES, "it was looked through before anything could be tried: give it more files"


def test_one_unmount_ejects_while_the_agent_looks_through_it(tmp_path: Path) -> None:
    with bed(tmp_path, sticks=[full(tmp_path)]) as made:
        for _ in range(5):
            made.wait_held()
            with looking(made):  # and it goes on with what has not been looked at yet
                done = run(f"umount {made.stick.point}")
            assert done.returncode == 0, done.stderr
            wait_for(lambda: not made.stick.mounts() and not airlocks(tmp_path), 60, 0.01)
            wait_for(lambda: not _in_use(made.stick.device), 60)  # who ends has lost its name before its descriptors
            made.stick.mount()
        made.wait_held()
        assert made.copy("bonjour.txt").returncode == 0


def test_one_that_cannot_be_written_to_likewise(tmp_path: Path) -> None:
    with bed(tmp_path, sticks=[full(tmp_path, write_protected=True)]) as made:
        for _ in range(3):
            wait_for(lambda: made.channel().get("mechanism") == "read-only", 60)
            with looking(made):
                done = run(f"umount {made.stick.point}")
            assert done.returncode == 0, done.stderr
            wait_for(lambda: not _in_use(made.stick.device), 60)  # nothing of ours keeps its file system alive
            made.stick.mount()


def test_who_else_uses_it_still_keeps_it(tmp_path: Path) -> None:
    with bed(tmp_path, sticks=[full(tmp_path)]) as made:
        made.wait_held()
        with (made.stick.point / "d1" / "courses-1.txt").open(), looking(made):
            assert run(f"umount {made.stick.point}").returncode != 0
        assert made.channel()["mechanism"] == "airlock"


def test_pulled_out_while_the_agent_looks_through_it(tmp_path: Path) -> None:
    """As a desktop does when the device has gone: unmounted by force, whoever is there."""
    with bed(tmp_path, sticks=[full(tmp_path)]) as made:
        made.wait_held()
        with looking(made):
            run(f"umount -l {made.stick.point}; umount -l {made.stick.point}")
        wait_for(lambda: not made.stick.mounts() and not airlocks(tmp_path), 60, 0.01)
        wait_for(lambda: not _in_use(made.stick.device), 60)
        made.stick.mount()
        made.wait_held()
        assert made.copy("bonjour.txt").returncode == 0
        assert made.agent.status()["counts"]["errors"] == 0


def test_a_device_that_dies_while_the_agent_looks_through_it(tmp_path: Path) -> None:
    """Every call fails from then on: everybody is told, nobody hangs, and one unmount is enough."""
    with bed(tmp_path, sticks=[full(tmp_path)], start=False) as made:
        below = os.open(made.stick.point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            made.agent.start()
            made.wait_held()
            with looking(made):
                fcntl.ioctl(below, _SHUTDOWN, (2).to_bytes(4, "little"))
        finally:
            os.close(below)
        assert made.copy("bonjour.txt", timeout_s=60).returncode != 0
        assert run(f"cat {made.stick.point}/d1/courses-1.txt").stdout == ""
        assert run(f"umount {made.stick.point}").returncode == 0
        wait_for(lambda: not made.stick.mounts() and not airlocks(tmp_path), 60, 0.01)
        wait_for(lambda: not _in_use(made.stick.device), 60)


def _in_use(device: str) -> bool:
    """Whether anybody has the block device: a file system that is alive has."""
    try:
        os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
    except OSError:
        return True
    return False
