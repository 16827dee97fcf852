"""A policy file that is edited under a running agent: a good edit comes into force, a bad one changes nothing and is said."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invented import LETTER
from tests.running import RunningAgent, wait_for
from tests.system.policies import one_rule

pytestmark = pytest.mark.system
IN_FORCE_S = 15.0


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent under a policy file that only records, with one sync folder."""
    tmp_path.chmod(0o755)
    cloud, policy = tmp_path / "Nextcloud", tmp_path / "policy.yaml"
    cloud.mkdir()
    policy.write_text(one_rule("observe", "test/first"), "utf-8")
    agent = RunningAgent(tmp_path, cloud=[cloud], policy=policy, collector="off")
    try:
        yield agent.start()
    finally:
        agent.kill()


def look_now(agent: RunningAgent) -> None:
    assert agent.process is not None
    agent.process.send_signal(signal.SIGHUP)


def wrong(agent: RunningAgent) -> set[str]:
    """What ``serment doctor`` finds wrong; of the machine itself something may be."""
    lines = agent.command("doctor", "--json").stdout.splitlines()
    return {found["word"] for found in map(json.loads, lines) if found["state"] != "ok"}


def in_force(agent: RunningAgent) -> str:
    name: str = agent.status()["policy"]["name"]
    return name


def last_policy_record(agent: RunningAgent) -> tuple[str, str]:
    record = agent.records("policy")[-1]
    return record["state"], record["policy"]


def test_a_good_edit_is_in_force_soon_and_recorded(agent: RunningAgent) -> None:
    assert agent.policy is not None
    before, after = (agent.base / "Nextcloud" / name for name in ("before.txt", "after.txt"))
    before.write_text(LETTER, "utf-8")
    agent.settle(1)
    assert before.exists()
    agent.policy.write_text(one_rule("block", "test/second"), "utf-8")
    wait_for(lambda: in_force(agent) == "test/second", IN_FORCE_S)
    wait_for(lambda: last_policy_record(agent) == ("in-force", "test/second"))
    after.write_text(LETTER, "utf-8")
    wait_for(lambda: not after.exists())
    wait_for(lambda: not before.exists())  # it came while the place was under guard: judged again
    assert "policy « test/second »" in agent.command("status").stdout
    assert agent.command("audit", "verify").returncode == 0


def test_a_bad_edit_changes_nothing_and_is_said_with_its_line(agent: RunningAgent) -> None:
    assert agent.policy is not None
    agent.policy.write_text(
        one_rule("observe", "test/first").replace("judgement: medical", "judgment: medical"), "utf-8"
    )
    look_now(agent)
    wait_for(lambda: agent.status()["policy"]["refused"])
    assert in_force(agent) == "test/first"
    wait_for(lambda: last_policy_record(agent) == ("refused", "test/first"))
    refusal = json.loads(agent.command("status", "--json").stdout)["policy"]["refusal"]
    fields = refusal["fields"]
    assert (fields["file"], fields["line"], fields["rule"]) == (str(agent.policy), 8, "sync-patient")
    assert "judgment" in fields["found"]
    assert "judgement" in fields["expected"]
    for command, code in (("status", 0), ("doctor", 1)):
        said = agent.command(command)
        assert said.returncode == code, said.stdout
        assert f'{agent.policy}:8 [sync-patient]: unknown key "judgment" (expected: ' in said.stdout
        assert "did you mean judgement?" in said.stdout
        assert "the last good policy stays in force" in said.stdout
    french = agent.command("status", "--lang", "fr").stdout
    assert "attendu\u00a0: " in french
    assert "unknown key" not in french


def test_a_start_with_a_bad_file_takes_the_last_good_one(agent: RunningAgent) -> None:
    assert agent.policy is not None
    agent.policy.write_text(one_rule("block", "test/good"), "utf-8")
    look_now(agent)
    wait_for(lambda: in_force(agent) == "test/good")
    agent.stop()
    agent.policy.write_text("serment: 1\n\tfrob", "utf-8")
    agent.start()
    status = agent.status()
    assert (status["policy"]["name"], status["policy"]["source"]) == ("test/good", "last-good")
    assert status["ready"]
    assert status["policy"]["refused"]
    assert "policy" in wrong(agent)
    agent.policy.write_text(one_rule("inform", "test/mended"), "utf-8")
    look_now(agent)
    wait_for(lambda: in_force(agent) == "test/mended")
    status = agent.status()
    assert status["policy"]["refused"] is None
    assert status["troubles"] == []
    assert "policy" not in wrong(agent)


def test_a_policy_file_that_goes_away_changes_nothing(agent: RunningAgent) -> None:
    assert agent.policy is not None
    agent.policy.unlink()
    look_now(agent)
    wait_for(lambda: agent.status()["policy"]["refused"])
    assert in_force(agent) == "test/first"
    assert f"{agent.policy}: cannot be read: No such file or directory" in agent.command("doctor").stdout
    assert "aucun fichier" in agent.command("doctor", "--lang", "fr").stdout
