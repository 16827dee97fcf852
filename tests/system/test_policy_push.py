"""A policy from the officer's command to a laptop that enforces it: real collector, real agent, real commands."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.fleet import token
from collector.store.engine import FILE_NAME
from tests.running import COMMAND, RunningAgent, wait_for
from tests.signed_fleet import policy
from tests.unit.fleet.conftest import Running

pytestmark = pytest.mark.system
WITHIN_S = 60


class Officer:
    """Works in a folder of her own, with the commands."""

    def __init__(self, folder: Path, collector: Running) -> None:
        self.folder, self.collector, self.changes = folder, collector, 0
        (folder / "pass").write_text("an invented passphrase\n")
        for name in ("anne", "bruno", "urgent", "stick"):
            self.serment("sign", "--make-key", "--key", f"{name}.key", "--passphrase-file", "pass")
        self.publish("--server-key", "server.pub")

    def serment(self, *words: str) -> str:
        done = subprocess.run(
            [*COMMAND, "policy", *words], cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def publish(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "collector.main", "publish", *words, "--data", str(self.collector.data)],
            cwd=self.folder, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def root(self) -> None:
        keys = ("--approver", "anne.key.pub", "--approver", "bruno.key.pub", "--server", "server.pub",
                "--emergency-key", "urgent.key.pub", "--offline-key", "stick.key.pub")  # fmt: skip
        self.goes_out(["build", "--root", *keys], "anne", "bruno", based=False)

    def goes_out(self, build: list[str], *signers: str, based: bool = True) -> None:
        self.changes += 1
        change, copy = f"change-{self.changes}", f"copy-{self.changes}"
        if based:
            self.publish("--copy", copy)
            build = [*build, "--from", copy]
        self.serment(*build, "-o", change)
        for name in signers:
            self.serment("sign", change, "--key", f"{name}.key", "--passphrase-file", "pass")
        self.publish(change)

    def release(self, data: bytes, *words: str, signers: tuple[str, ...] = ("anne", "bruno")) -> None:
        (self.folder / "policy.yaml").write_bytes(data)
        self.goes_out(["build", "policy.yaml", *words], *signers)


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("collector"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def officer(collector, tmp_path_factory):
    found = Officer(tmp_path_factory.mktemp("officer"), collector)
    found.root()
    return found


@pytest.fixture
def laptop(collector, tmp_path, capsys):
    (tmp_path / "downloads").mkdir()
    agent = RunningAgent(tmp_path, downloads=[tmp_path / "downloads"], collector="off")
    try:
        agent.start()
        agent.stop()
        assert agent.command("enrol", token.write(collector.token(capsys))).returncode == 0
        yield agent
    finally:
        agent.close()


def pushed(agent):
    return agent.status()["policy"]["pushed"]


def test_a_release_comes_into_force_is_loosened_for_a_while_and_reported(officer, collector, laptop, capsys):
    officer.release(policy("block"), "--urgent")
    laptop.start()
    wait_for(lambda: pushed(laptop)["number"] == 1, WITHIN_S)
    status = laptop.status()["policy"]
    assert (status["name"], status["source"].endswith("active.yaml")) == ("chu-exemple/base", True)
    report = laptop.base / "run" / "fleet-report.json"
    wait_for(lambda: report.stat().st_mode & 0o777 == 0o644, WITHIN_S)  # for the user that syncs
    assert (pushed(laptop)["age"], pushed(laptop)["refused"]) == ("current", None)
    assert [record["number"] for record in wait_for(lambda: states(laptop, "activated"), WITHIN_S)] == [1]

    # an emergency: while the laptop is in touch, a minute at most from the officer's command to the rule
    began = time.monotonic()
    officer.goes_out(["build", "--loosen", "usb-01", "--hours", "1", "--by", "Dr A", "--why", "panne"], "urgent")
    visit_now(laptop)
    wait_for(lambda: pushed(laptop)["loosened"], WITHIN_S)
    assert time.monotonic() - began < WITHIN_S
    assert pushed(laptop)["loosened"]["rules"] == ["usb-01"]
    assert wait_for(lambda: states(laptop, "loosened"), WITHIN_S)

    # killed and started again, the same is in force before any visit
    laptop.kill()
    laptop.start()
    assert (pushed(laptop)["number"], pushed(laptop)["loosened"]["rules"]) == (1, ["usb-01"])
    visit_now(laptop)
    wait_for(lambda: reported(collector, capsys).get("number") == 1, WITHIN_S)


def test_a_collector_that_is_rolled_back_is_refused_and_the_officer_reads_why(officer, collector, laptop):
    """Whoever has the collector puts an older state in the place of what laptops have verified, and signs nothing. Its own
    database, which would keep it from serving that, is forged too.
    """
    officer.release(policy("block"))
    metadata = collector.data / "tuf" / "metadata"
    before = (metadata / "timestamp.json").read_bytes()
    officer.release(policy("encrypt"))
    newest = (metadata / "timestamp.json").read_bytes()
    laptop.start()
    wait_for(lambda: pushed(laptop)["number"], WITHIN_S)
    in_force = laptop.status()["policy"]["release"]
    try:
        with contextlib.closing(sqlite3.connect(collector.data / FILE_NAME, timeout=30)) as database, database:
            database.execute("UPDATE published SET number = 0, digest = ''")
        (metadata / "timestamp.json").write_bytes(before)
        visit_now(laptop)
        found = wait_for(lambda: json.loads(officer.publish("--show", "--json"))["refused"], WITHIN_S, 1.0)
        assert [(each["why"], each["reason"]) for each in found] == [
            ("rollback", "an older state of the policy than before was brought")
        ]
        assert "an older state of the policy" in officer.publish("--show")
        assert laptop.status()["policy"]["release"] == in_force
    finally:
        (metadata / "timestamp.json").write_bytes(newest)
    visit_now(laptop)
    wait_for(lambda: not json.loads(officer.publish("--show", "--json"))["refused"], WITHIN_S, 1.0)


def test_a_laptop_without_network_gets_its_policy_by_a_stick(officer, collector, tmp_path):
    """No collector is ever reached: the root of trust comes by hand once, releases as files."""
    stick = officer.folder / "stick.serment-policy"
    (officer.folder / "policy.yaml").write_bytes(policy("block"))
    officer.goes_out(["build", "policy.yaml", "--offline"], "stick")
    officer.publish("--bundle", str(stick))
    (tmp_path / "downloads").mkdir()
    agent = RunningAgent(tmp_path, downloads=[tmp_path / "downloads"], collector="off")
    try:
        agent.start()
        strange = agent.command("policy", "apply", str(stick))
        assert strange.returncode != 0  # nobody has said whom to trust
        root = collector.data / "tuf" / "metadata" / "1.root.json"
        done = agent.command("policy", "apply", str(stick), "--trust", str(root), "--json")
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["changed"]
        assert agent.status()["policy"]["name"] == "chu-exemple/base"
        agent.kill()
        agent.start()  # it stays, over a power cut too
        assert agent.status()["policy"]["name"] == "chu-exemple/base"
        broken = bytearray(stick.read_bytes())
        at = broken.index(b"serment: 1")
        broken[at : at + 10] = b"serment: 2"
        (tmp_path / "tampered").write_bytes(broken)
        refused = agent.command("policy", "apply", str(tmp_path / "tampered"))
        assert refused.returncode != 0
        assert "hint" in refused.stderr
        assert agent.status()["policy"]["name"] == "chu-exemple/base"
    finally:
        agent.close()


def states(agent, state):
    """The records of one state: each is written a moment after the state shows."""
    return [record for record in agent.records("policy") if record["state"] == state]


def visit_now(agent):
    """The visit that the collector asked for, now: the laptop's own clock says that it is due."""
    state = agent.data / "fleet" / "sync.json"
    wait_for(lambda: json.loads(state.read_bytes()).get("next_at"), 60)
    found = json.loads(state.read_bytes())
    state.write_text(json.dumps(found | {"next_at": 1}))


def reported(collector, capsys):
    from collector.store.engine import open_store

    store = open_store(collector.data, "")
    try:
        reports = [json.loads(each.report) for each in store.reports()]
    finally:
        store.close()
    return next((each["policy"] for each in reports if each.get("tuf")), {})
