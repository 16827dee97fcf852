"""Volumes behind airlocks: taken over, mended, adopted, ejected. A real agent, real mounts on loop devices."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.running import RunningAgent, wait_for
from tests.stick_bed import Stick, airlocks, bed, run

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")]


def test_a_read_only_mount_becomes_writable_through_the_airlock_alone(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        assert made.channel() | {"holds": None} == made.channel() | {
            "strength": "hold", "mechanism": "airlock", "reason": "", "holds": None,
        }  # fmt: skip
        assert made.stick.mounts() == ["ext4", "fuse.serment"]
        assert made.copy("bonjour.txt").returncode == 0
        assert made.listed() == ["bonjour.txt"]
        under = run(f"grep ' {made.stick.point} ' /proc/mounts").stdout.splitlines()[0]
        assert " ro," in under  # what lies below is closed, whoever uncovers it
        made.agent.stop()
        assert made.stick.mounts() == ["ext4"]  # handed back: there was no service manager
        assert (made.listed(), airlocks(tmp_path)) == (["bonjour.txt"], [])


def test_a_writable_mount_is_closed_and_given_back_as_it_was(tmp_path: Path) -> None:
    with bed(tmp_path, sticks=[Stick(tmp_path, options="rw")]) as made:
        assert made.channel()["mechanism"] == "airlock"
        assert " ro," in run(f"grep ' {made.stick.point} ' /proc/mounts").stdout.splitlines()[0]
        made.agent.stop()
        assert made.stick.mounts() == ["ext4"]
        assert run(f"echo x > {made.stick.point}/mine").returncode == 0


def test_who_had_a_file_open_is_named_as_a_weakness(tmp_path: Path) -> None:
    stick = Stick(tmp_path, options="rw")
    with bed(tmp_path, sticks=[stick], start=False) as made, (stick.point / "open").open("w"):
        made.agent.start()
        assert made.channel()["strength"] == "hold"
        assert "open for writing" in str(made.channel()["reason"])


def test_a_write_protected_stick_needs_no_airlock(tmp_path: Path) -> None:
    with bed(tmp_path, sticks=[Stick(tmp_path, write_protected=True)]) as made:
        channel = made.channel()
        assert (channel["strength"], channel["mechanism"]) == ("hold", "read-only")
        assert (made.stick.mounts(), airlocks(tmp_path)) == (["ext4"], [])
        assert made.copy("bonjour.txt").returncode != 0


def test_a_folder_is_watched_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    agent = RunningAgent(tmp_path, volumes=[folder], collector="off", airlock=True)
    try:
        channel = next(each for each in agent.start().status()["channels"] if each["path"])
        assert (channel["strength"], channel["mechanism"]) == ("after-write", "watch")
        assert "folder" in channel["reason"]
    finally:
        agent.stop()


def test_a_dead_airlock_is_replaced_and_no_door_was_open(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        first = made.pid()
        racer = subprocess.Popen(
            [
                "sh",
                "-c",
                f"for n in $(seq 400); do cp {tmp_path}/lettre.txt {made.stick.point}/lettre$n 2>/dev/null; done",
            ]
        )
        time.sleep(0.3)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: airlocks(tmp_path) and airlocks(tmp_path) != [first])
        made.wait_held()
        racer.terminate()
        racer.wait(30)
        wait_for(lambda: len(made.agent.records("place")) >= 3, 60)
        # the watch may have looked in the moment between the two airlocks: it looks again
        wait_for(lambda: [each["word"] for each in made.agent.status()["troubles"]] == ["airlock-died"], 60)
        assert made.copy("bonjour.txt").returncode == 0
        states = [record["state"] for record in made.agent.records("place")]
        assert states == ["armed", "armed", "armed"]  # hold, read-only meanwhile, hold: never gone
        made.agent.stop()
        assert made.stick.raw(b"SERMENT-ESSAI-0", b"lettre1\0") == [0, 0]


def test_the_airlock_outlives_the_agent_and_is_adopted(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        pid = made.pid()
        made.agent.kill()
        waiting = subprocess.Popen(["cp", str(tmp_path / "bonjour.txt"), str(made.stick.point)])
        refused = subprocess.Popen(
            ["cp", str(tmp_path / "lettre.txt"), str(made.stick.point)], stderr=subprocess.DEVNULL
        )
        time.sleep(0.5)
        assert (waiting.poll(), refused.poll()) == (None, None)
        made.agent.start()
        assert (waiting.wait(30), airlocks(tmp_path)) == (0, [pid])
        refused.wait(30)
        # the sealed letter is still on its way when its writer has been told
        wait_for(lambda: [name for name in made.listed() if not name.endswith(".age")] == ["bonjour.txt"], 60)


def test_when_both_are_killed_nothing_goes_until_the_agent_is_back(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        made.agent.kill()
        os.kill(made.pid(), signal.SIGKILL)
        wait_for(lambda: not airlocks(tmp_path))
        assert run(f"echo x > {made.stick.point}/x").returncode != 0
        made.agent.start()
        assert made.stick.mounts() == ["ext4", "fuse.serment"]
        assert made.copy("bonjour.txt").returncode == 0


def test_one_unmount_ejects(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        assert run(f"cp {tmp_path}/bonjour.txt {made.stick.point}/ && umount {made.stick.point}").returncode == 0
        wait_for(lambda: not made.stick.mounts() and not airlocks(tmp_path), 10, 0.01)
        wait_for(lambda: not made.channel().get("device") or made.channel()["mechanism"] == "watch")
        made.stick.mount()
        assert made.listed() == ["bonjour.txt"]  # all of it is on the medium
        made.wait_held()
        assert made.copy("bonjour.txt", "again").returncode == 0


def test_a_volume_in_use_stays_and_is_closed(tmp_path: Path) -> None:
    """Somebody stands in the volume below from before: it cannot go until he does, and it is not opened either."""
    stick = Stick(tmp_path, options="rw")
    with bed(tmp_path, sticks=[stick], start=False) as made:
        inside = subprocess.Popen(["sleep", "60"], cwd=stick.point)
        try:
            made.agent.start()
            assert run(f"umount {stick.point}").returncode == 0
            wait_for(lambda: made.channel().get("mechanism") == "read-only", 30)
            assert stick.mounts() == ["ext4"]
            assert run(f"echo x > {stick.point}/x").returncode != 0
        finally:
            inside.kill()
            inside.wait()
        wait_for(lambda: not stick.mounts(), 60)  # who ejected it need not do so again


def test_two_sticks_do_not_hold_each_other_up(tmp_path: Path) -> None:
    sticks = [Stick(tmp_path, "UN"), Stick(tmp_path, "DEUX")]
    with bed(tmp_path, sticks=sticks) as made:
        assert [made.channel(stick)["mechanism"] for stick in sticks] == ["airlock", "airlock"]
        stopped = next(
            pid
            for pid in airlocks(tmp_path)
            if str(sticks[1].point).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(stopped, signal.SIGSTOP)
        assert made.copy("bonjour.txt", timeout_s=5).returncode == 0
        assert run(f"cp {tmp_path}/bonjour.txt {sticks[1].point}/", 40).returncode in {0, 1}  # bounded, either way
        made.wait_held(sticks[1])
        assert stopped not in airlocks(tmp_path)


def test_switched_off_the_volumes_left_by_the_agent_before_are_given_back(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        made.agent.kill()
        made.agent.airlock = False
        made.agent.start()
        wait_for(lambda: made.stick.mounts() == ["ext4"] and not airlocks(tmp_path), 30)
        assert "switched off" in str(made.channel()["reason"]) or made.channel()["device"]["read_only"]


def test_another_agent_keeps_off(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        other = RunningAgent(tmp_path / "other", volumes=[made.stick.point], collector="off", airlock=True)
        other.base.mkdir()
        try:
            channel = next(each for each in other.start().status()["channels"] if each["path"])
            assert "another agent" in channel["reason"]
        finally:
            other.stop()
        assert made.stick.mounts() == ["ext4", "fuse.serment"]
        assert made.copy("bonjour.txt").returncode == 0
