"""The agent is stopped for good by a service manager: its volumes can be read, and ejected with one click; nothing hangs."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tests.running import wait_for
from tests.stick_bed import Stick, airlocks, bed, run

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")]
WRITER = "exec 3>{point}/long; while printf '%4096s' x >&3; do sleep 0.01; done"


@pytest.mark.parametrize("options", ["ro", "rw"])
def test_a_stop_leaves_the_volume_read_only_and_one_unmount_ejects(tmp_path: Path, options: str) -> None:
    sticks = [Stick(tmp_path, options=options)]
    with bed(tmp_path, sticks=sticks, environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")}) as made:
        assert made.copy("bonjour.txt").returncode == 0
        writer = subprocess.Popen(["sh", "-c", WRITER.format(point=made.stick.point)], stderr=subprocess.DEVNULL)
        inside = subprocess.Popen(["sleep", "100"], cwd=made.stick.point)
        try:
            wait_for((made.stick.point / "long").exists)
            made.agent.stop()
            writer.wait(30)  # its first write that fails ends it
        finally:
            for each in (writer, inside):
                each.kill()
                each.wait()
        assert (made.stick.mounts(), airlocks(tmp_path)) == (["ext4"], [])
        assert "bonjour.txt" in made.listed()
        with pytest.raises(OSError) as caught:
            (made.stick.point / "x").write_bytes(b"x")
        assert caught.value.errno == errno.EROFS
        made.agent.start()
        made.wait_held()
        assert made.copy("bonjour.txt", "again").returncode == 0
        made.agent.stop()
        assert run(f"umount {made.stick.point}").returncode == 0
        assert made.stick.mounts() == []
        assert run(f"losetup -d {made.stick.device}").returncode == 0
        assert run(f"losetup {made.stick.device}").returncode != 0  # nobody has it open any more
        made.stick.device = ""


def test_an_eject_under_way_is_finished(tmp_path: Path) -> None:
    with bed(tmp_path, environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")}) as made:
        assert made.copy("bonjour.txt").returncode == 0
        wait_for(lambda: run(f"umount {made.stick.point}").returncode == 0)  # our own look at it may be under way
        made.agent.stop()
        assert (made.stick.mounts(), airlocks(tmp_path)) == ([], [])
