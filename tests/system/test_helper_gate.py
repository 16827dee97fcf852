"""Answers where nothing is held: a sync folder behind the gate. An emergency opens it, its end closes it again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate_bed import reads, withheld
from tests.helper_policies import policy
from tests.invented import LETTER
from tests.running import RunningAgent, loop_volume, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[RunningAgent, Path]]:
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=64) as volume:
        cloud = volume / "Nextcloud"
        cloud.mkdir()
        agent = RunningAgent(tmp_path, [], [cloud], [], policy=policy(tmp_path), collector="off", gate=True)
        try:
            agent.start()
            wait_for(
                lambda: (
                    [each["strength"] for each in agent.status()["channels"] if each["path"] == str(cloud)] == ["hold"]
                )
            )
            yield agent, cloud
        finally:
            agent.close()


def _arrive(cloud: Path, name: str) -> Path:
    """A whole document comes into the folder at once, as from a file manager."""
    outside = cloud.parent / name
    outside.write_bytes(LETTER.encode() + name.encode())
    os.sync()
    target = cloud / name
    outside.rename(target)
    return target


def _is_withheld(path: Path) -> None:
    """Nobody reads it, and the watcher takes it into quarantine: which comes first depends on the machine's mood."""
    assert withheld(path)
    wait_for(lambda: not path.exists())


def test_an_emergency_opens_the_folder_and_its_end_closes_it(guarded: tuple[RunningAgent, Path]) -> None:
    agent, cloud = guarded
    held = _arrive(cloud, "avant.txt")
    _is_withheld(held)
    assert agent.command("emergency", "cloud", "--why", "soins").returncode == 0
    during = _arrive(cloud, "pendant.txt")
    wait_for(lambda: reads(during) is not None)
    wait_for(lambda: any(str(each.get("released", "")).startswith("E-") for each in agent.records("transfer")))
    assert agent.command("emergency", "--stop").returncode == 0
    after = _arrive(cloud, "apres.txt")
    _is_withheld(after)


def test_a_reason_gives_the_document_back_and_the_client_reads_it(guarded: tuple[RunningAgent, Path]) -> None:
    agent, cloud = guarded
    held = _arrive(cloud, "lettre.txt")
    wait_for(lambda: not held.exists())
    (batch,) = wait_for(lambda: agent.client.call("held"))
    assert agent.command("held", batch["id"], "--why", "avis").returncode == 0
    assert wait_for(lambda: reads(held)) is not None
    assert [each["why"] for each in agent.records("release")] == ["avis"]
