"""What a review found against a running agent, and what must stay mended: nothing lost, nothing passed, still alive."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.policy.profiles import profile_bytes
from tests.invented import LETTER, MENU, documents
from tests.running import RunningAgent, loop_volume, wait_for

pytestmark = pytest.mark.system
LOCK = """
import fcntl, os, sys
for name in sys.argv[1:]:
    try:
        fcntl.lockf(os.open(name, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)
        print("locked")
    except PermissionError:
        print("refused")
"""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    tmp_path.chmod(0o755)
    (tmp_path / "Nextcloud").mkdir()
    agent = RunningAgent(tmp_path, cloud=[tmp_path / "Nextcloud"], collector="off")
    try:
        yield agent
    finally:
        agent.kill()


def held(agent: RunningAgent) -> set[str]:
    """SHA-256 of what is in quarantine."""
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in (agent.data / "quarantine").glob("*/content")}


def test_rescans_while_documents_are_being_held_lose_none(agent: RunningAgent) -> None:
    agent.start()
    folder, sent = agent.cloud[0], set()
    for number in range(60):
        content = f"{LETTER}\n{number}\n".encode()
        (folder / f"letter{number}.txt").write_bytes(content)
        sent.add(hashlib.sha256(content).hexdigest())
        agent.client.call("rescan")
    wait_for(lambda: agent.client.call("rescan") is None and not list(folder.glob("letter*")), 60)
    wait_for(agent.idle)
    assert held(agent) == sent


def test_an_unprivileged_user_cannot_hold_the_ledger(agent: RunningAgent) -> None:
    agent.start()
    names = sorted(str(path) for path in agent.data.glob("ledger.db*"))
    assert len(names) == 3
    tried = subprocess.run(
        ["/usr/bin/python3", "-c", LOCK, *names], user=65534, group=65534, extra_groups=[], cwd="/",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert tried.stdout.split() == ["refused"] * 3


def test_damaged_caches_and_quarantine_records_do_not_stop_the_start(agent: RunningAgent) -> None:
    agent.start()
    for name, content in documents().items():
        (agent.cloud[0] / name).write_bytes(content)
    agent.settle(len(documents()))
    agent.stop()
    known, ledger = {record["file"] for record in agent.records("transfer")}, agent.data / "ledger.db"
    ledger.write_bytes(ledger.read_bytes()[:4096] + b"\xa5" * 8192)
    first = next(iter((agent.data / "quarantine").glob("*/meta.json")))
    first.write_bytes(b"{")
    (agent.data / "quarantine" / "AAAAAAAA.partial").write_bytes(b"")
    (agent.data / "log" / "serment.log").unlink()
    (agent.data / "log" / "serment.log").mkdir()
    agent.start()
    wait_for(agent.idle)
    assert [trouble["word"] for trouble in agent.status()["troubles"]] == ["quarantine-damaged"]
    assert (first.parent / "content").exists()
    (agent.cloud[0] / "last.txt").write_text(LETTER)
    wait_for(lambda: not (agent.cloud[0] / "last.txt").exists())
    wait_for(agent.idle)
    files = [record["file"] for record in agent.records("transfer")]
    assert all(files.count(file) == 1 for file in known)


def test_a_full_disk_at_a_policy_edit_does_not_end_the_guard(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    policy, folder = tmp_path / "policy.yaml", tmp_path / "Nextcloud"
    policy.write_bytes(profile_bytes("enforce"))
    folder.mkdir()
    with loop_volume(tmp_path, size_mib=16) as disk:
        agent = RunningAgent(disk, cloud=[folder], collector="off", policy=policy)
        try:
            agent.start()
            before = agent.status()["policy"]["release"]
            with (disk / "filler").open("wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(bytes(4096))
                except OSError:
                    pass
            policy.write_bytes(profile_bytes("monitor"))
            wait_for(lambda: agent.status()["policy"]["release"] != before)
            policy.write_bytes(profile_bytes("enforce"))
            wait_for(lambda: agent.status()["policy"]["release"] == before)
            (disk / "filler").unlink()
            (folder / "letter.txt").write_text(LETTER)
            (folder / "menu.txt").write_text(MENU)
            wait_for(lambda: not (folder / "letter.txt").exists(), 60)
            assert (folder / "menu.txt").exists()
            assert agent.process is not None
            assert agent.process.poll() is None
        finally:
            agent.kill()
