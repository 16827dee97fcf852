"""Who may see and do what: an agent of an unprivileged person, strangers at the socket, release and restore."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.invented import LETTER
from tests.running import RunningAgent, wait_for
from tests.system.policies import one_rule

pytestmark = pytest.mark.system
CLARA, STRANGER = 61001, 61002


def may_import(python: Path) -> bool:
    try:
        return run_as(CLARA, python, "-I", "-c", "import agent.daemon.main, agent.ui.cli.main").returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="module")
def python(checkout: Path) -> Iterator[Path]:
    """An interpreter with the package that another user may run: this one, or the system's with this one's libraries."""
    if may_import(Path(sys.executable)):
        yield Path(sys.executable)
        return
    folder = Path(tempfile.mkdtemp(prefix="serment-python-"))
    try:
        folder.chmod(0o755)
        libraries = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        libraries.mkdir(parents=True)
        (libraries / "all.pth").write_text(f"{checkout}\n{sysconfig.get_path('purelib')}\n", "utf-8")
        (folder / "pyvenv.cfg").write_text("home = /usr/bin\n", "ascii")
        (folder / "bin").mkdir()
        (folder / "bin" / "python").symlink_to("/usr/bin/python3")
        if not may_import(folder / "bin" / "python"):
            pytest.skip("neither this interpreter nor the system's can run the package as another user of this machine")
        yield folder / "bin" / "python"
    finally:
        shutil.rmtree(folder)


def run_as(uid: int, *command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], user=uid, group=uid, extra_groups=[], capture_output=True, text=True,
        check=False, timeout=60, env=os.environ | {"HOME": "/nonexistent"}, **more,
    )  # fmt: skip


@dataclass
class AgentOf(RunningAgent):
    """An agent that ``uid`` runs."""

    uid: int = 0
    python: Path = Path(sys.executable)

    def start(self, timeout_s: float = 60.0) -> AgentOf:
        self.write_config()
        with (self.base / "agent.err").open("ab") as errors:
            self.process = subprocess.Popen(
                [str(self.python), "-m", "agent.ui.cli.main", "run", "--foreground", "--config", str(self.config)], user=self.uid, group=self.uid,
                extra_groups=[], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                env=os.environ | {"HOME": str(self.base)},
            )  # fmt: skip
        wait_for(self._is_ready, timeout_s)
        return self

    def ask(self, uid: int, *words: str) -> subprocess.CompletedProcess[str]:
        """``serment WORDS`` as ``uid``, over the real socket."""
        return run_as(uid, self.python, "-m", "agent.ui.cli.main", *words, "--config", self.config)

    def held(self, uid: int) -> list[dict[str, Any]]:
        """What ``uid`` sees in quarantine."""
        done = self.ask(uid, "quarantine", "list", "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def calls(self, uid: int, name: str, **arguments: str) -> str:
        """A request that the command line does not make: the answer, or the refusal, as text."""
        script = (
            "import json, sys; from pathlib import Path; from agent.daemon.control import ControlClient\n"
            "from agent.errors import SermentError\n"
            "try: print(ControlClient(Path(sys.argv[1])).call(sys.argv[2], **json.loads(sys.argv[3])))\n"
            "except SermentError as error: print('refused:', error)"
        )
        socket = self.base / "run" / "agent.sock"
        return run_as(uid, self.python, "-c", script, socket, name, json.dumps(arguments)).stdout


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that Clara owns and everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="serment-clara-"))
    folder.chmod(0o755)
    os.chown(folder, CLARA, CLARA)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def folder_of_clara(path: Path) -> Path:
    path.mkdir()
    os.chown(path, CLARA, CLARA)
    return path


def drop(folder: Path, name: str = "letter.txt") -> Path:
    """Clara puts a letter about a patient there."""
    done = run_as(CLARA, "sh", "-c", 'exec cat > "$1"', "sh", folder / name, input=LETTER)
    assert done.returncode == 0, done.stderr
    return folder / name


@pytest.fixture(params=[CLARA, 0], ids=["run-by-clara", "run-by-root"])
def guarded(request: pytest.FixtureRequest, base: Path, python: Path) -> Iterator[AgentOf]:
    """An agent that holds documents about patients until a reason is given, on Clara's sync folder."""
    cloud, policy = folder_of_clara(base / "Nextcloud"), base / "policy.yaml"
    policy.write_text(one_rule("justify"), "utf-8")
    agent = AgentOf(base, cloud=[cloud], policy=policy, collector="off", uid=request.param, python=python)
    try:
        yield agent.start()
    finally:
        agent.kill()


def hold_one(agent: AgentOf) -> tuple[Path, str]:
    """A letter of Clara's that the agent holds: where it was, its number."""
    letter = drop(agent.cloud[0])
    wait_for(lambda: not letter.exists() and agent.held(CLARA), 30, 0.2)
    (entry,) = agent.held(CLARA)
    assert entry["path"] == str(letter)
    return letter, entry["id"]


def test_status_says_how_strong_it_is_and_who_runs_it(guarded: AgentOf) -> None:
    for uid in (CLARA, STRANGER, 0):
        status = json.loads(guarded.ask(uid, "status", "--json").stdout)
        assert status["ready"] is True
        assert status["root"] is (guarded.uid == 0)
        (cloud,) = (entry for entry in status["channels"] if entry["channel"] == "cloud_sync")
        assert cloud["strength"] == "after-write"
    shown = guarded.ask(CLARA, "status").stdout
    assert "acted on after the write" in shown
    assert ("the agent does not run as root: it guards your own folders only" in shown) is (guarded.uid != 0)
    doctor = guarded.ask(CLARA, "doctor").stdout
    assert ("the agent does not run as root" in doctor) is (guarded.uid != 0)


def test_a_stranger_sees_nothing_of_clara(guarded: AgentOf) -> None:
    letter, number = hold_one(guarded)
    assert guarded.held(STRANGER) == []
    assert guarded.ask(STRANGER, "quarantine", "list").stdout == "Nothing is held.\n"
    assert json.loads(guarded.ask(STRANGER, "status", "--json").stdout)["held"] == 0
    assert json.loads(guarded.ask(CLARA, "status", "--json").stdout)["held"] == 1
    assert guarded.calls(STRANGER, "notices") == "[]\n"
    assert letter.name not in guarded.ask(STRANGER, "status").stdout
    assert letter.name in guarded.ask(CLARA, "status").stdout
    for words in (["quarantine", "restore", number, "--to", "/tmp"], ["release", number, "--reason", "for me"]):
        done = guarded.ask(STRANGER, *words)
        assert done.returncode == 64
        assert f"there is no document {number} in quarantine" in done.stderr
    for command, secret in (
        ("ls", "quarantine"),
        ("ls", "audit"),
        ("cat", "keys/practice.sealed"),
        ("cat", "device.json"),
    ):
        assert "Permission denied" in run_as(STRANGER, command, guarded.data / secret).stderr, secret
    assert [entry["state"] for entry in guarded.held(CLARA)] == ["held"]


def test_a_stranger_may_not_reload_or_rescan(guarded: AgentOf) -> None:
    for name in ("policy.reload", "rescan"):
        assert guarded.calls(STRANGER, name).startswith("refused: only the administrator")
        assert not guarded.calls(0, name).startswith("refused")
    assert guarded.calls(CLARA, "rescan").startswith("refused") is (guarded.uid == 0)


def test_released_with_a_reason_and_not_held_again(guarded: AgentOf) -> None:
    letter, number = hold_one(guarded)
    silent = guarded.ask(CLARA, "release", number, "--reason", "  ")
    assert (silent.returncode, letter.exists()) == (64, False)
    assert "a document is released for a reason" in silent.stderr
    done = guarded.ask(CLARA, "release", number, "--reason", "asked for by the patient Odette")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"released: {letter}\n"
    assert letter.read_text("utf-8") == LETTER
    assert letter.stat().st_uid == CLARA
    (record,) = guarded.records("release")
    assert (record["held"], record["by"], record["reason_length"]) == (number, "owner", 31)
    assert "Odette" not in json.dumps(guarded.records())
    wait_for(lambda: any(item.get("released") == number for item in guarded.records("transfer")), 30, 0.2)
    guarded.stop()
    guarded.start()
    drop(letter.parent)  # the same document at the same place, copied there once more
    wait_for(lambda: sum(item.get("released") == number for item in guarded.records("transfer")) >= 2, 30, 0.2)
    wait_for(guarded.idle)
    assert letter.read_text("utf-8") == LETTER
    assert json.loads(guarded.ask(CLARA, "status", "--json").stdout)["held"] == 0
    assert "(released, sync-patient)" in guarded.ask(CLARA, "quarantine", "list").stdout
    assert f"{number} released by its owner" in guarded.ask(guarded.uid, "audit", "list").stdout


def test_restored_by_its_owner_or_the_administrator(guarded: AgentOf) -> None:
    _letter, number = hold_one(guarded)
    home = folder_of_clara(guarded.base / "home")
    into_guard = guarded.ask(CLARA, "quarantine", "restore", number, "--to", str(guarded.cloud[0]))
    assert into_guard.returncode == 64
    assert "this folder is under guard" in into_guard.stderr
    closed = guarded.ask(CLARA, "quarantine", "restore", number, "--to", "/root")
    assert closed.returncode == 69
    assert "could not be given back: the system did not allow it" in closed.stderr
    for asked_by in (CLARA, 0):
        done = guarded.ask(asked_by, "quarantine", "restore", number.lower(), "--to", str(home))
        assert done.returncode == 0, done.stderr
        path = Path(done.stdout.removeprefix("restored: ").rstrip("\n"))
        assert path.read_text("utf-8") == LETTER
        assert (path.parent, path.stat().st_uid) == (home, CLARA)
    assert [record["by"] for record in guarded.records("restore")] == ["owner", "administrator"]


def test_what_is_refused_is_not_released(base: Path, python: Path) -> None:
    cloud, policy = folder_of_clara(base / "Nextcloud"), base / "policy.yaml"
    policy.write_text(one_rule("block"), "utf-8")
    agent = AgentOf(base, cloud=[cloud], policy=policy, collector="off", uid=CLARA, python=python)
    agent.start()
    try:
        letter, number = hold_one(agent)
        done = agent.ask(CLARA, "release", number, "--reason", "because")
        assert done.returncode == 64
        assert "the rule sync-patient does not let this document go with a reason" in done.stderr
        assert f"hint: take it back with: serment quarantine restore {number}" in done.stderr
        assert not letter.exists()
        assert agent.records("release") == []
    finally:
        agent.kill()


def test_the_log_is_for_its_reviewers_and_a_stranger_is_told_where_to_look(python: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="serment-log-"))
    try:
        folder.chmod(0o755)
        (folder / "data" / "audit").mkdir(parents=True)
        (folder / "data" / "audit").chmod(0o750)
        config = folder / "agent.toml"
        config.write_text(
            f'[agent]\ndata_dir = "{folder}/data"\nruntime_dir = "{folder}/run"\nlanguage = "en"\n', "utf-8"
        )
        for words in (["list"], ["show", "1"]):  # own records come from the agent, and none runs here
            told = run_as(CLARA, python, "-m", "agent.ui.cli.main", "audit", *words, "--config", config)
            assert (told.returncode, told.stdout) == (69, "")
            assert "agent" in told.stderr
        for words in (["verify"], ["export"]):
            told = run_as(CLARA, python, "-m", "agent.ui.cli.main", "audit", *words, "--config", config)
            assert (told.returncode, told.stdout) == (2, "")
            assert "reviewers only" in told.stderr
            assert "serment audit review" in told.stderr
    finally:
        shutil.rmtree(folder)
