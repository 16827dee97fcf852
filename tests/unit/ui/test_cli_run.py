"""``serment run`` and the commands that speak to it, as a person types them: what is said, exit codes, hostile names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ui.printable import printable
from tests.invented import LETTER, MENU
from tests.running import COMMAND, RunningAgent, wait_for

CHANNEL_KEYS = {"channel", "path", "strength", "mechanism", "reason"}
HOSTILE = b"odd\x1b[31m\n\xff\xe2\x80\xae.txt"
ESCAPED = "odd\\x1b[31m\\x0a\\xff\\u202e.txt"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent that acts, on one sync folder; not started."""
    tmp_path.chmod(0o755)
    cloud = tmp_path / "Nextcloud"
    cloud.mkdir()
    agent = RunningAgent(tmp_path, cloud=[cloud], collector="off")
    try:
        yield agent
    finally:
        agent.kill()


def said(agent: RunningAgent) -> str:
    return (agent.base / "agent.err").read_text("utf-8")


def test_it_says_what_it_guards_and_stops_at_ctrl_c(agent: RunningAgent) -> None:
    agent.start()
    wait_for(lambda: "Ctrl+C" in said(agent))
    lines = said(agent).splitlines()
    assert lines[0] == "Serment guards this laptop under the policy « serment/enforce » (profile:enforce)."
    assert f"  cloud-sync folder: {printable(str(agent.cloud[0]), 60)} — acted on after the write" in lines
    assert len(lines) == 5
    process = agent.process
    assert process is not None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert "Traceback" not in said(agent)
    assert not (agent.base / "run" / "agent.sock").exists()
    assert agent.command("audit", "verify").returncode == 0
    assert agent.command("audit", "list", "--last", "1").stdout.endswith("the agent stops\n")


def test_it_speaks_french(agent: RunningAgent) -> None:
    agent.environment = {"LANGUAGE": "fr"}
    agent.start()
    wait_for(lambda: "Ctrl+C" in said(agent))
    assert "guards" not in said(agent)
    assert "dossier synchronisé\u00a0: " in said(agent)


def test_a_second_agent_is_refused(agent: RunningAgent) -> None:
    agent.start()
    second = subprocess.run(
        [*COMMAND, "run", "--config", agent.config], capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 69
    assert f"another agent is using {agent.data}" in second.stderr
    assert "\nhint: " in second.stderr
    assert agent.status()["ready"]


def test_the_state_as_a_script_reads_it(agent: RunningAgent) -> None:
    agent.start()
    status = json.loads(agent.command("status", "--json").stdout)
    assert status["ready"] is True
    assert all(set(entry) >= CHANNEL_KEYS for entry in status["channels"])
    assert {entry["channel"] for entry in status["channels"]} == {"removable", "cloud_sync", "downloads"}
    assert {entry["strength"] for entry in status["channels"]} <= {"hold", "after-write", "off"}
    french = json.loads(agent.command("status", "--json", "--lang", "fr").stdout)
    reasons = [entry["reason"] for entry in french["channels"] if entry["reason"]]
    assert reasons
    assert not any("was found" in reason for reason in reasons)


def test_what_is_held_is_listed_with_its_name_made_harmless_and_taken_back(agent: RunningAgent) -> None:
    agent.start()
    letter = os.fsencode(agent.cloud[0]) + b"/" + HOSTILE
    Path(os.fsdecode(letter)).write_text(LETTER, "utf-8")
    (agent.cloud[0] / "menu.txt").write_text(MENU, "utf-8")
    agent.settle(2)
    wait_for(lambda: not os.path.exists(letter) and agent.status()["held"] == 1)
    shown = agent.command("quarantine", "list").stdout
    (line,) = shown.splitlines()
    assert line.isprintable()
    assert f"{ESCAPED}  (held, sync-patient)" in line
    entry = json.loads(agent.command("quarantine", "list", "--json").stdout)
    assert os.fsencode(entry["path"]) == letter
    assert ESCAPED in agent.command("status").stdout
    assert "refused and kept in quarantine" in agent.command("status").stdout
    home = agent.base / "home"
    home.mkdir()
    back = agent.command("quarantine", "restore", entry["id"], "--to", str(home))
    assert back.returncode == 0, back.stderr
    assert back.stdout == f"restored: {home}/{ESCAPED}\n"
    assert Path(os.fsdecode(os.fsencode(home) + b"/" + HOSTILE)).read_text("utf-8") == LETTER
    assert agent.status()["held"] == 0
    assert "(given back, sync-patient)" in agent.command("quarantine", "list").stdout
    assert "odd" not in agent.command("audit", "list").stdout
    assert "odd" not in (agent.data / "log" / "serment.log").read_text("utf-8")


def test_nothing_held_and_a_number_that_is_not_there(agent: RunningAgent) -> None:
    agent.start()
    assert agent.command("quarantine", "list").stdout == "Nothing is held.\n"
    assert agent.command("quarantine", "list", "--json").stdout == ""
    assert agent.command("quarantine", "list", "--lang", "fr").stdout.startswith("Rien ")
    for words in (("quarantine", "restore", "ABCDEFGH"), ("release", "../../etc", "--reason", "x")):
        done = agent.command(*words)
        assert done.returncode == 64
        assert "there is no document " in done.stderr


def test_the_doctor_finds_a_healthy_agent(agent: RunningAgent) -> None:
    agent.start()
    done = agent.command("doctor")
    assert "✓ the agent runs (process " in done.stdout
    assert "✓ the audit log is intact" in done.stdout
    assert done.returncode == ("\n! " in done.stdout), (
        done.stdout
    )  # the machine itself may have weaknesses, nothing is broken
    assert "✗" not in done.stdout


def test_a_channel_that_is_off_is_called_by_its_name(agent: RunningAgent) -> None:
    agent.write_config()
    text = agent.config.read_text("utf-8").replace("[channels.downloads]\n", "[channels.downloads]\nenabled = false\n")
    agent.write_config = lambda: agent.config.write_text(text, "utf-8")  # type: ignore[method-assign,assignment,return-value]
    agent.start()
    assert "! downloads is not guarded" in agent.command("doctor").stdout
    assert "téléchargements" in agent.command("doctor", "--lang", "fr").stdout.lower()
    assert "cloud_sync" not in agent.command("status").stdout
    assert "downloads: switched off in agent.toml" in agent.command("status").stdout


def test_an_agent_that_cannot_start_says_why_in_one_line(agent: RunningAgent) -> None:
    agent.write_config()
    agent.data.write_text("a file where the folder should be", "utf-8")
    done = subprocess.run(
        [*COMMAND, "run", "--config", agent.config], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode in {69, 70, 78}
    assert done.stderr.startswith("serment: ")
    assert "Traceback" not in done.stderr
