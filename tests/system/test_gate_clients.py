"""A sync client behind the gate of the real agent, under the enforce profile: what it uploads, and what it never reads.

Also the agent and its gate stopped and killed while others work, and the trial files that show an open door.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate_bed import reads, run, withheld
from tests.invented import LETTER
from tests.running import RunningAgent, loop_volume, wait_for
from tests.system.policies import one_rule

_LETTER = LETTER.encode()
_LIST = b"Liste de courses : pain, lait, beurre.\n" * 5
_SEALED = (
    "  - id: sealed\n    title: {fr: Essai, en: Trial}\n    when: {action: sync, document: sealed}\n    then: encrypt\n"
    "    message: {fr: Ce document est retenu., en: This document is held.}\n    mode: enforce\n"
    "tests:\n  - {given: {action: sync, problem: encrypted, document: sealed}, expect: encrypt, rule: sealed}\n"
)
BOUND_S = 10.0  # 5 s are stated; the rest is a slow machine's
pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
_OPENS = """
import os, sys, time
longest = 0.0
while os.path.exists(sys.argv[1]):
    for number in range(20):
        began = time.monotonic()
        os.close(os.open(sys.argv[2] + "/" + str(number), os.O_RDONLY))
        longest = max(longest, time.monotonic() - began)
print(longest)
"""


class Laptop:
    """A sync folder with its agent, and a place that a client uploads to."""

    def __init__(self, base: Path, volume: Path) -> None:
        self.cloud, self.outside, self.remote = volume / "Nextcloud", volume / "work", base / "remote"
        for folder in (self.cloud, self.outside, self.remote):
            folder.mkdir()
        for number in range(20):
            (self.outside / str(number)).write_bytes(b"x")
        os.chown(self.outside, 61234, 61234)  # who could move it: its files are asked about each time
        self.agent = RunningAgent(base, cloud=[self.cloud], collector="off", gate=True)

    def upload(self) -> int:
        """What a client does every few seconds; how it ended."""
        words = ["copy", "--retries", "1", "--low-level-retries", "1", self.cloud, self.remote]
        environment = os.environ | {"RCLONE_CONFIG": "/dev/null"}
        return run(["rclone", *words], env=environment).returncode

    def there(self) -> list[str]:
        return sorted(os.listdir(self.remote))

    def channel(self) -> dict[str, object]:
        return next(each for each in self.agent.status()["channels"] if each["path"] == str(self.cloud))


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=64) as volume:
        made = Laptop(tmp_path, volume)
        try:
            yield made
        finally:
            made.agent.close()


@pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed")
@pytest.mark.parametrize("then", ["block", "encrypt"])
def test_a_client_uploads_what_is_harmless_and_the_sealed_letter_never_the_letter(laptop: Laptop, then: str) -> None:
    if then == "encrypt":  # the profile keeps the letter in quarantine
        laptop.agent.policy = laptop.agent.base / "policy.yaml"
        laptop.agent.policy.write_text(one_rule(then).replace("tests:\n", _SEALED))
    laptop.agent.start()
    assert (laptop.channel()["strength"], laptop.channel()["mechanism"]) == ("hold", "gate")
    (laptop.cloud / "courses.txt").write_bytes(_LIST)
    for number in range(5):
        (laptop.outside / "letter").write_bytes(_LETTER + str(number).encode())
        (laptop.outside / "letter").rename(laptop.cloud / f"lettre {number}.txt")
        laptop.upload()  # at once, before anything can be sealed
    wait_for(lambda: not [name for name in os.listdir(laptop.cloud) if name.startswith("lettre")])
    sealed = 5 if then == "encrypt" else 0
    wait_for(lambda: laptop.upload() == 0 and sum(name.endswith(".age") for name in laptop.there()) == sealed, 60, 0.5)
    assert (laptop.remote / "courses.txt").read_bytes() == _LIST
    assert len(laptop.agent.client.call("quarantine.list")) == 5 - sealed
    assert not [name for name in laptop.there() if name.startswith("lettre ") and name.endswith(".txt")]
    for path in laptop.remote.iterdir():
        assert _LETTER[:40] not in path.read_bytes()
    gate = laptop.agent.status()["gate"]
    assert gate["armed"] == 1 and gate["refused"] >= 1
    assert "openings judged" in laptop.agent.command("status").stdout
    assert laptop.agent.command("audit", "verify").returncode == 0


def _told(laptop: Laptop) -> tuple[object, object]:
    status = laptop.agent.status()
    return status["gate"]["canary"]["passed"], [trouble["word"] for trouble in status["troubles"]]


def test_the_trial_file_is_refused_costs_no_reader_and_is_not_counted(laptop: Laptop) -> None:
    laptop.agent.start()
    wait_for(lambda: _told(laptop) == (True, []))
    status = laptop.agent.status()
    assert (status["gate"]["asked"], status["gate"]["refused"]) == (0, 0)
    assert status["counts"]["judged"] == 0 and os.listdir(laptop.cloud) == []
    assert "refused their test file" in laptop.agent.command("doctor").stdout


def test_an_open_door_is_said_and_written_down(laptop: Laptop) -> None:
    laptop.agent.main = "tests.open_doors"
    laptop.agent.start()
    wait_for(lambda: _told(laptop) == (False, ["gate-canary"]))
    wait_for(lambda: laptop.channel()["strength"] == "after-write")
    assert {"word": "gate-canary", "state": "begin"}.items() <= laptop.agent.records("trouble")[-1].items()
    assert "folders that are not held: 1" in laptop.agent.command("doctor").stdout


@pytest.mark.parametrize("signum", [signal.SIGSTOP, signal.SIGKILL])
@pytest.mark.parametrize("who", ["agent", "gate"])
def test_whoever_is_stopped_others_go_on(laptop: Laptop, who: str, signum: signal.Signals) -> None:
    laptop.agent.start()
    (laptop.cloud / "courses.txt").write_bytes(_LIST)
    wait_for(lambda: reads(laptop.cloud / "courses.txt") == _LIST)
    going = laptop.agent.base / "going"
    going.touch()
    opener = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _OPENS, going, laptop.outside], stdout=subprocess.PIPE, text=True
    )
    pids = [laptop.agent.process.pid] if who == "agent" else laptop.agent.gates()
    try:
        for pid in pids:
            os.kill(pid, signum)
        time.sleep(0.5)
        (laptop.outside / "letter").write_bytes(_LETTER)
        (laptop.outside / "letter").rename(laptop.cloud / "lettre.txt")
        assert withheld(laptop.cloud / "lettre.txt")
        going.unlink()
        assert float(opener.communicate(timeout=60)[0]) < BOUND_S
    finally:
        opener.kill()
        opener.wait()
        for pid in pids:
            if signum is signal.SIGSTOP:
                _go_on(pid)
    if who == "gate" or signum is signal.SIGSTOP:
        wait_for(lambda: reads(laptop.cloud / "courses.txt") == _LIST)
        wait_for(lambda: not (laptop.cloud / "lettre.txt").exists())


def _go_on(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def test_another_policy_counts_from_the_next_opening(laptop: Laptop) -> None:
    laptop.agent.policy = laptop.agent.base / "policy.yaml"
    laptop.agent.policy.write_text(one_rule("observe"))
    laptop.agent.start()
    path = laptop.cloud / "lettre.txt"
    path.write_bytes(_LETTER)
    subprocess.run(["chattr", "+i", path], check=True)  # it can be refused, and not be taken away
    laptop.agent.settle(1)
    assert [reads(path) for _ in range(3)] == [_LETTER] * 3
    assert laptop.agent.status()["gate"]["cached"] >= 1
    laptop.agent.policy.write_text(one_rule("block", name="test/two"))
    laptop.agent.client.call("policy.reload")
    wait_for(lambda: reads(path) is None, 10)
    laptop.agent.policy.write_text(one_rule("observe", name="test/three"))
    laptop.agent.client.call("policy.reload")
    wait_for(lambda: reads(path) == _LETTER, 10)


def test_switched_off_it_says_so_and_holds_nobody(laptop: Laptop) -> None:
    laptop.agent.gate = False
    laptop.agent.start()
    assert (laptop.channel()["strength"], laptop.agent.gates()) == ("after-write", [])
    assert "switched off" in str(laptop.channel()["reason"])


@pytest.mark.parametrize(("restart", "gate"), [(True, True), (False, True), (False, False)])
def test_a_restart_or_a_kill_opens_no_door_and_what_came_meanwhile_is_acted_on(
    laptop: Laptop, restart: bool, gate: bool
) -> None:
    if restart:
        laptop.agent.main = "tests.restarted"
        laptop.agent.environment["NOTIFY_SOCKET"] = str(laptop.agent.base / "nobody")
    laptop.agent.start()
    before = laptop.agent.gates()
    laptop.agent.kill(signal.SIGTERM if restart else signal.SIGKILL)
    assert sorted(laptop.agent.gates()) == sorted(before) != []
    path = laptop.cloud / "lettre.txt"
    path.write_bytes(_LETTER)
    assert reads(path) is None
    assert reads(laptop.outside / "1") == b"x"
    laptop.agent.gate = gate
    laptop.agent.start()
    wait_for(lambda: not set(before) & set(laptop.agent.gates()))
    assert bool(laptop.agent.gates()) is gate
    wait_for(lambda: not path.exists())


def test_a_clean_stop_leaves_no_gate(laptop: Laptop) -> None:
    laptop.agent.start()
    (laptop.cloud / "courses.txt").write_bytes(_LIST)
    wait_for(lambda: reads(laptop.cloud / "courses.txt") == _LIST)
    laptop.agent.stop()
    assert laptop.agent.gates() == []
    assert reads(laptop.cloud / "courses.txt") == _LIST
