"""The bell as a whole: an idle laptop is called by its collector, real processes, real connections, no visit forced."""

import os
import signal
import time
from pathlib import Path

import pytest

from agent.fleet import token
from agent.transport import bell
from tests.running import RunningAgent, wait_for
from tests.signed_fleet import policy
from tests.system.test_policy_push import Officer, pushed
from tests.unit.fleet.conftest import Running

pytestmark = pytest.mark.system
PROMISED_S = 60


@pytest.fixture
def collector(tmp_path):
    running = Running(tmp_path / "collector")
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture
def laptop(collector, tmp_path, capsys):
    (tmp_path / "downloads").mkdir()
    agent = RunningAgent(tmp_path, downloads=[tmp_path / "downloads"], collector="off")
    try:
        agent.start()
        agent.stop()
        assert agent.command("enrol", token.write(collector.token(capsys))).returncode == 0
        agent.start()
        yield agent
    finally:
        agent.close()


def can_be_called(agent):
    return agent.status()["collector"]["bell"]


def test_what_is_urgent_is_enforced_within_a_minute_of_the_officers_command(collector, laptop, tmp_path):
    (tmp_path / "officer").mkdir()
    officer = Officer(tmp_path / "officer", collector)
    officer.root()
    wait_for(lambda: can_be_called(laptop), 60)
    assert "within a minute" in laptop.command("status").stdout

    officer.release(policy("block"), "--urgent")
    wait_for(lambda: pushed(laptop)["number"] == 1, PROMISED_S)
    wait_for(lambda: can_be_called(laptop), 60)  # it has been called, and can be again

    officer.goes_out(["build", "--loosen", "usb-01", "--hours", "1", "--by", "Dr A", "--why", "panne"], "urgent")
    wait_for(lambda: pushed(laptop)["loosened"], PROMISED_S)


def test_a_bell_costs_one_descriptor_and_is_lost_with_its_collector(collector, laptop):
    wait_for(lambda: can_be_called(laptop), 60)
    place = laptop.base / "run" / bell.SOCKET
    assert not place.exists()  # it has one and wants no other
    assert sum(is_bell(laptop, fd) for fd in os.listdir(f"/proc/{laptop.process.pid}/fd")) == 1
    before = processor_s(laptop.process.pid)
    time.sleep(3)
    assert processor_s(laptop.process.pid) - before < 1.5  # a descriptor that is always ready would take all of it
    collector.process.send_signal(signal.SIGKILL)
    collector.process.wait()
    collector.process.stderr.close()
    wait_for(lambda: not can_be_called(laptop), 60)
    assert place.stat().st_mode & 0o777 == 0o600  # only who syncs may hand over the next


def is_bell(agent, fd):
    try:
        inode = os.readlink(f"/proc/{agent.process.pid}/fd/{fd}").removeprefix("socket:[").rstrip("]")
    except OSError:
        return False
    return any(line.split()[9] == inode for line in Path("/proc/net/tcp").read_text().splitlines()[1:])


def processor_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
