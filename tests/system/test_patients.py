"""The practice's patient list under a running agent: loaded, used, replaced, forgotten, never shown."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import HostError
from tests.running import RunningAgent, wait_for

pytestmark = pytest.mark.system
LIST = "Nom;Prénom;Date de naissance\nVERNICOURT;Odile;12/03/1961\nALBRESPY;Jean-Luc;01/02/1950\n"
LETTER = "Chère Consœur,\nMme VERNICOURT Odile née le 12/03/1961 souhaite une consultation. Merci.\n"
STRANGER = 61007


@pytest.fixture
def agent() -> Iterator[RunningAgent]:
    base = Path(tempfile.mkdtemp(prefix="serment-patients-"))
    base.chmod(0o755)  # a stranger reads the configuration
    downloads = base / "Downloads"
    downloads.mkdir()
    agent = RunningAgent(base, downloads=[downloads], profile="monitor", collector="off")
    try:
        yield agent.start()
    finally:
        agent.kill()
        shutil.rmtree(base)


def last(agent: RunningAgent) -> tuple[str, bool]:
    record = agent.records("transfer")[-1]
    return record["judgement"], record.get("listed", False)


def test_a_list_is_used_at_once_and_files_that_are_there_are_judged_again(agent: RunningAgent) -> None:
    (agent.downloads[0] / "lettre.txt").write_text(LETTER, "utf-8")
    agent.settle(1)
    assert not last(agent)[1]
    export = agent.base / "export.csv"
    export.write_text(LIST, "cp1252")
    loaded = agent.command("patients", "load", str(export), "--json", check=True)
    told = json.loads(loaded.stdout)
    assert (told["patients"], told["in_force"]) == (2, True)
    wait_for(lambda: last(agent) == ("medical", True))
    assert agent.status()["patients"]["patients"] == 2
    export.write_text(LIST.replace("VERNICOURT", "MONTROUX"), "cp1252")
    agent.command("patients", "load", str(export), "--replace", check=True)
    wait_for(lambda: not last(agent)[1])
    agent.command("patients", "load", str(export.with_name("export.csv")), "--add", check=True)
    told = json.loads(agent.command("patients", "status", "--json", check=True).stdout)
    assert (told["loaded"], told["patients"]) == (True, 2)
    agent.command("patients", "forget", check=True)
    assert agent.status()["patients"] is None
    states = [(record["state"], record.get("patients")) for record in agent.records("patients")]
    assert states[0] == ("in-force", 2)
    assert states[-1][0] == "gone"
    secrets = (b"VERNICOURT", b"vernicourt", b"MONTROUX", b"montroux", b"Odile")
    leaks = [
        str(path)
        for path in agent.data.rglob("*")
        if path.is_file()
        if any(word in path.read_bytes() for word in secrets)
    ]
    assert leaks == []


def test_a_list_is_taken_over_at_the_next_start_and_a_damaged_one_is_told(agent: RunningAgent) -> None:
    agent.stop()
    export = agent.base / "export.csv"
    export.write_text(LIST, "utf-8")
    loaded = json.loads(agent.command("patients", "load", str(export), "--json", check=True).stdout)
    assert not loaded["in_force"]
    agent.start()
    (agent.downloads[0] / "lettre.txt").write_text(LETTER, "utf-8")
    agent.settle(1)
    assert last(agent) == ("medical", True)
    index = agent.data / "patients.idx"
    index.write_bytes(index.read_bytes()[:-1] + b"x")
    agent.client.call("patients.reload")
    assert [trouble["word"] for trouble in agent.status()["troubles"]] == ["patients-unusable"]
    wait_for(lambda: not last(agent)[1])
    agent.command("patients", "load", str(export), check=True)
    assert agent.status()["troubles"] == []
    wait_for(lambda: last(agent) == ("medical", True))


_AS_STRANGER = """
import os, shutil, sys
import tomllib, agent.patients.load, agent.ui.cli.patients, agent.daemon.control
from agent.ui.cli.main import main
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
sys.exit(main(sys.argv[1:]))
"""  # everything is imported before: a stranger may not be able to read this checkout


def as_stranger(agent: RunningAgent, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _AS_STRANGER.format(uid=STRANGER), *words, "--config", str(agent.config)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_only_the_administrator_changes_the_list(agent: RunningAgent) -> None:
    export = agent.base / "export.csv"
    export.write_text(LIST, "utf-8")
    export.chmod(0o644)
    for words in (["load", str(export)], ["forget"]):
        refused = as_stranger(agent, "patients", *words)
        assert refused.returncode == HostError.exit_code
        assert "sudo" in refused.stderr
    assert not (agent.data / "patients.idx").exists()
    agent.command("patients", "load", str(export), check=True)
    told = as_stranger(agent, "patients", "status", "--json")
    assert json.loads(told.stdout)["patients"] == 2  # how many, from the agent; the files are not theirs to read


@pytest.mark.parametrize(
    ("content", "code"), [("une lettre", 65), ("a;b\n1;2\n", 65), ("nom;prénom;ddn\nA;B;C\n", 65), (None, 64)]
)
def test_what_cannot_be_loaded_is_said_and_leaves_nothing(agent: RunningAgent, content: str | None, code: int) -> None:
    export = agent.base / "export.csv"
    if content is not None:
        export.write_text(content, "utf-8")
    refused = agent.command("patients", "load", str(export))
    assert refused.returncode == code
    assert "hint:" in refused.stderr
    assert not (agent.data / "patients.idx").exists()
    assert not (agent.data / "keys" / "patients.key").exists()
