"""What goes wrong on a laptop: full disk, read-only and vanishing sticks, hostile names and files, the collector away."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import HOSTILE_NAMES
from tests.invented import LETTER, documents, patient_list
from tests.running import RunningAgent, loop_volume, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    tmp_path.chmod(0o755)
    agent = RunningAgent(tmp_path, collector="off")
    try:
        yield agent
    finally:
        agent.kill()


def outcomes(agent: RunningAgent) -> list[dict[str, object]]:
    return agent.records("outcome")


def test_hostile_names_are_handled_as_bytes(agent: RunningAgent, tmp_path: Path) -> None:
    folder = tmp_path / "Nextcloud"
    folder.mkdir()
    agent.cloud = [folder]
    agent.start()
    for number, name in enumerate(HOSTILE_NAMES):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_text(f"{LETTER}\n{number}")
    held = wait_for(lambda: len(agent.client.call("quarantine.list")) == len(HOSTILE_NAMES), 90)
    assert held  # the one named like an office lock file is waited for half a minute
    assert agent.status()["counts"]["errors"] == 0
    listed = agent.command("quarantine", "list")
    assert listed.returncode == 0
    assert len(listed.stdout.splitlines()) == len(HOSTILE_NAMES)
    assert "\x1b" not in listed.stdout


def test_links_devices_and_fifos_are_left_alone(agent: RunningAgent, tmp_path: Path) -> None:
    folder, outside = tmp_path / "Nextcloud", tmp_path / "outside.txt"
    folder.mkdir()
    outside.write_text(LETTER)
    agent.cloud = [folder]
    agent.start()
    (folder / "link.txt").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "fifo.txt")
    os.mknod(folder / "zero.txt", 0o666 | 0o020000, os.makedev(1, 5))
    (folder / "real.txt").write_text(LETTER)
    agent.settle(1)
    time.sleep(1)
    assert len(agent.records("transfer")) <= 2  # the letter, and the note that says where it went
    assert outside.read_text() == LETTER
    assert (folder / "fifo.txt").exists()


def test_a_full_stick_loses_nothing_and_is_tried_again(agent: RunningAgent, tmp_path: Path) -> None:
    with loop_volume(tmp_path, size_mib=8) as stick:
        agent.volumes = [stick]
        agent.start()
        subprocess.run(["dd", "if=/dev/zero", f"of={stick / 'filler.bin'}", "bs=64k"], check=False, capture_output=True)
        (stick / "filler.bin").open("r+b").truncate((stick / "filler.bin").stat().st_size - len(LETTER) - 8192)
        os.sync()
        letter = stick / "letter.txt"
        letter.write_text(LETTER)
        with (stick / "rest.bin").open("wb", buffering=0) as rest:  # the last free block
            try:
                while True:
                    rest.write(bytes(4096))
            except OSError:
                pass
        failed = wait_for(lambda: [o for o in outcomes(agent) if o["result"] == "failed"] or not letter.exists(), 60)
        if failed is not True:
            assert failed[0]["problem"] == "disk-full"
            assert letter.read_text() == LETTER
            wait_for(lambda: any(t["word"] == "action-failed" for t in agent.status()["troubles"]))
        (stick / "filler.bin").unlink()
        wait_for(lambda: not letter.exists(), 120)
        assert list(stick.glob("document-*.age"))


def test_a_read_only_stick_is_read_and_not_touched(agent: RunningAgent, tmp_path: Path) -> None:
    with loop_volume(tmp_path) as stick:
        (stick / "letter.txt").write_text(LETTER)
        subprocess.run(["mount", "-o", "remount,ro", str(stick)], check=True)
        agent.volumes = [stick]
        agent.start()
        agent.settle(1)
        assert (stick / "letter.txt").read_text() == LETTER
        (place,) = [entry for entry in agent.status()["channels"] if entry["path"] == str(stick)]
        assert place["device"]["read_only"]


def test_a_stick_pulled_out_and_plugged_in_again(agent: RunningAgent, tmp_path: Path) -> None:
    with loop_volume(tmp_path) as stick:
        agent.volumes = [stick]

        def on_ext4() -> bool:
            entries = [entry for entry in agent.status()["channels"] if entry["path"] == str(stick)]
            return any(entry.get("device", {}).get("filesystem") == "ext4" for entry in entries)

        agent.start()
        for number in range(40):
            (stick / f"letter{number}.txt").write_text(f"{LETTER}\n{number}")
        subprocess.run(["umount", "-l", str(stick)], check=True)
        wait_for(lambda: not on_ext4(), 30)
        wait_for(agent.idle)
        subprocess.run(["mount", "-o", "loop", str(tmp_path / "ext4.img"), str(stick)], check=True)
        wait_for(on_ext4, 30)
        wait_for(agent.idle)
        time.sleep(2)
        wait_for(agent.idle)
        assert agent.status()["counts"]["errors"] == 0
        plain = len(list(stick.glob("letter*.txt")))
        sealed = len(list(stick.glob("document-*.age")))
        assert plain + sealed == 40
        assert agent.command("audit", "verify").returncode == 0


def test_missing_folders_are_named_and_found_when_they_come(agent: RunningAgent, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    agent.downloads = [folder]
    agent.start()
    status = agent.command("status")
    assert status.returncode == 0
    folder.mkdir()
    agent.kill()
    agent.start()
    (folder / "letter.txt").write_text(LETTER)
    agent.settle(1)
    assert (folder / "letter.txt").exists()


def test_no_space_for_the_log_stops_acting_and_resumes(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=16) as disk:
        folder = tmp_path / "Nextcloud"
        folder.mkdir()
        agent = RunningAgent(disk, cloud=[folder], collector="off")
        agent.start()
        try:
            filler = disk / "filler"
            subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False, capture_output=True)
            for number in range(200):
                (folder / f"list{number}.csv").write_bytes(patient_list() + b"\r\n%d" % number)
            time.sleep(5)
            assert agent.process is not None
            assert agent.process.poll() is None
            assert len(list(folder.glob("list*.csv"))) > 0
            filler.unlink()
            wait_for(lambda: not list(folder.glob("list*.csv")), 120)
            assert agent.command("audit", "verify").returncode == 0
            held = {hashlib.sha256(p.read_bytes()).hexdigest() for p in (disk / "data/quarantine").glob("*/content")}
            assert held == {hashlib.sha256(patient_list() + b"\r\n%d" % number).hexdigest() for number in range(200)}
        finally:
            agent.kill()


def test_records_wait_while_the_collector_is_away(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "Downloads"
    folder.mkdir()
    agent = RunningAgent(tmp_path, downloads=[folder], collector="off")
    agent.start()
    try:
        for name, content in documents().items():
            (folder / name).write_bytes(content)
        agent.settle(len(documents()))
        agent.stop()
        agent.collector = "embedded"
        agent.start()
        records = len(agent.records())
        wait_for(lambda: agent.status()["audit"]["acknowledged"] >= records, 60)
    finally:
        agent.kill()
