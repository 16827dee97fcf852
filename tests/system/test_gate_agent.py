"""The real agent, policy and readers behind the gate: a patient's letter comes into a sync folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate_bed import reads, run, withheld
from tests.invented import LETTER
from tests.picture_reader import HARMLESS, MEDICAL, SLOW, picture
from tests.running import RunningAgent, loop_volume, wait_for

_LETTER = LETTER.encode()
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
_POLL = """
import sys, time
until = time.monotonic() + 20
while time.monotonic() < until:
    try:
        content = open(sys.argv[1], "rb").read()
    except PermissionError:
        print("refused", flush=True)
    except OSError:
        pass
    else:
        if content:
            print("read", content[:20], flush=True)
    time.sleep(0.002)
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[RunningAgent, Path]]:
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=64) as volume:
        cloud = volume / "Nextcloud"
        cloud.mkdir()
        agent = RunningAgent(tmp_path, [], [cloud], [], collector="off", gate=True)
        try:
            yield agent, cloud
        finally:
            agent.close()


def test_a_letter_is_not_read_from_the_moment_it_stands_there(guarded: tuple[RunningAgent, Path]) -> None:
    agent, cloud = guarded
    old = cloud / "old.txt"
    old.write_bytes(_LETTER)
    time.sleep(2.5)  # what changed just before arming counts as new
    agent.start()
    channels = agent.status()["channels"]
    assert [channel["strength"] for channel in channels if channel["channel"] == "cloud_sync"] == ["hold"]
    wait_for(lambda: reads(old) is not None)  # it was there before: recorded, never touched
    outside = cloud.parent / "letter.txt"
    outside.write_bytes(_LETTER)
    target = cloud / "letter.txt"
    poller = subprocess.Popen([sys.executable, "-I", "-S", "-c", _POLL, target], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)
        outside.rename(target)
        (cloud / "note.txt").write_bytes(b"Liste de courses : pain, lait, beurre.\n" * 5)
        wait_for(lambda: _LETTER[:30] not in run(["cat", target]).stdout, 30)  # a local program sees it go
        time.sleep(0.5)
    finally:
        poller.kill()
        said = poller.communicate()[0]
    assert "refused" in said
    assert all(_LETTER[:10] not in line.encode() for line in said.splitlines())
    wait_for(lambda: reads(cloud / "note.txt") is not None)
    assert run(["ls", cloud]).returncode == 0


def test_another_folder_takes_the_name_of_the_guarded_one(guarded: tuple[RunningAgent, Path]) -> None:
    agent, cloud = guarded
    agent.start()
    cloud.rename(cloud.with_name("Before"))
    cloud.mkdir()
    first = cloud / "first.txt"
    first.write_bytes(_LETTER)
    wait_for(
        lambda: withheld(first)
    )  # the gate is told of renames after them: milliseconds, or a busy machine's moment
    letter = cloud / "letter.txt"
    poller = subprocess.Popen([sys.executable, "-I", "-S", "-c", _POLL, letter], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)
        letter.write_bytes(_LETTER)
        wait_for(lambda: not letter.exists() or _LETTER[:30] not in run(["cat", letter]).stdout, 60)
        time.sleep(0.5)
    finally:
        poller.kill()
        said = poller.communicate()[0]
    assert "refused" in said
    assert all(_LETTER[:10] not in line.encode() for line in said.splitlines())


def test_the_gate_outlives_a_killed_agent_and_gives_way_to_the_next(guarded: tuple[RunningAgent, Path]) -> None:
    agent, cloud = guarded
    agent.start()
    note = cloud / "note.txt"
    note.write_bytes(b"Liste de courses : pain, lait, beurre.\n" * 5)
    wait_for(lambda: reads(note) is not None)
    before = agent.gates()
    assert before
    agent.kill()
    note = cloud / "another.txt"
    note.write_bytes(b"Liste de courses : pain, lait, beurre.\n" * 5)
    assert reads(note) is None  # nobody can judge: refused at the deadline, never let out
    assert set(agent.gates()) == set(before)
    agent.start()
    wait_for(lambda: not set(before) & set(agent.gates()), 20)
    wait_for(lambda: reads(note) is not None)


def test_who_comes_while_the_reader_starts_waits_for_it(guarded: tuple[RunningAgent, Path]) -> None:
    """A reader takes longer to start than a verdict may take: a harmless file is not refused for that."""
    agent, cloud = guarded
    agent.main = "tests.slow_reader"
    agent.start()
    note, letter = cloud / "note.txt", cloud / "letter.txt"
    note.write_bytes(b"Liste de courses : pain, lait, beurre.\n" * 5)
    letter.write_bytes(_LETTER)
    assert reads(note) is not None
    assert withheld(letter)


def test_a_picture_is_not_read_before_its_second_look(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=64) as volume:
        cloud = volume / "Nextcloud"
        cloud.mkdir()
        agent = RunningAgent(
            tmp_path, [], [cloud], [], collector="off", gate=True, pictures=True, main="tests.picture_reader"
        )
        try:
            agent.start()
            scan, cat, blur = cloud / "scan.png", cloud / "cat.png", cloud / "blur.png"
            for path, word in ((scan, MEDICAL), (cat, HARMLESS), (blur, b"nothing to be read")):
                path.write_bytes(picture(SLOW + word))
                assert reads(path) is None  # nobody has read it yet
            content = wait_for(lambda: reads(cat))
            assert HARMLESS in content
            wait_for(lambda: reads(blur))  # it stays undecidable: as the policy says
            wait_for(lambda: agent.status()["pictures"]["read"] == 3)
            wait_for(lambda: MEDICAL not in run(["cat", scan]).stdout)  # taken out of the folder
        finally:
            agent.close()


def test_a_folder_that_is_covered_by_a_program_is_not_said_to_be_held(guarded: tuple[RunningAgent, Path]) -> None:
    """Whoever may mount with fusermount can: what a client reads there is asked about nowhere."""
    bindfs = shutil.which("bindfs") or pytest.skip("needs bindfs")
    agent, cloud = guarded
    other = cloud.parent / "other"
    other.mkdir()
    agent.start()

    def said() -> list[str]:
        return [channel["strength"] for channel in agent.status()["channels"] if channel["channel"] == "cloud_sync"]

    assert said() == ["hold"]
    subprocess.run([bindfs, "-o", "nonempty", other, cloud], check=True, timeout=30)
    try:
        wait_for(lambda: said() == ["after-write"])
    finally:
        subprocess.run(["umount", "-l", cloud], check=True, timeout=30)
    wait_for(lambda: said() == ["hold"])
