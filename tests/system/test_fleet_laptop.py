"""A laptop of a fleet as a whole: the real agent, enrolled by the command, visited collector and all."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from agent.audit.segments import verify_folder
from agent.fleet import enrolment, sync, token
from agent.fleet.access import share_log
from agent.transport import spool
from tests.running import RunningAgent, wait_for
from tests.unit.fleet.conftest import Running

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("collector"))
    yield running
    running.stop()


def test_an_enrolled_agent_brings_its_log_and_keeps_what_the_collector_signed(collector, tmp_path, capsys):
    (tmp_path / "downloads").mkdir()
    agent = RunningAgent(tmp_path, downloads=[tmp_path / "downloads"], collector="off")
    try:
        agent.start()
        agent.stop()
        made = token.write(collector.token(capsys, "--group", "cardio"))
        done = agent.command("enrol", made, "--json")
        assert (done.returncode, '"group": "cardio"' in done.stdout) == (0, True)
        again = agent.command("enrol", made)
        assert again.returncode == 75
        assert made.split("@")[0][5:] not in again.stderr
        agent.start()
        status = wait_for(lambda: (found := agent.status())["audit"]["acknowledged"] and found, 60)
        assert status["collector"]["url"].startswith("https://127.0.0.1:")
        device = done.stdout.split('"device": "')[1].split('"')[0]
        assert collector.fleet(capsys)[device]["records"] >= 1
        wait_for(lambda: verify_folder(agent.data / "audit").cosigned, 60)
        assert agent.command("status").returncode == 0
    finally:
        agent.close()
    kept = verify_folder(agent.data / "audit").cosigned
    assert kept.key.hex() == spool.load_state(agent.data / "fleet" / "sync.json").witness


def test_an_agent_without_folder_is_not_enrolled(collector, tmp_path, capsys):
    agent = RunningAgent(tmp_path)
    agent.write_config()
    done = agent.command("enrol", token.write(collector.token(capsys)))
    assert done.returncode == 69
    assert not (tmp_path / "data").exists()
    assert agent.command("enrol", "SRM1-nonsense@x:1").returncode == 64


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_the_user_that_syncs_reads_the_log_and_nothing_else(collector, capsys):
    person = pwd.getpwnam("nobody")
    base = Path(tempfile.mkdtemp(prefix="serment-fleet-"))
    try:
        base.chmod(0o711)
        before = os.umask(0o077)
        log = AuditLog.open(base / "audit")
        share_log(base / "audit", person.pw_uid)
        log.start(version="0")
        log.append("transfer", {"channel": "removable"}, durable=True)
        (base / "audit" / "private").mkdir(exist_ok=True)
        (base / "audit" / "private" / "20260101-0-x.key").write_bytes(b"secret")
        os.chmod(base / "audit" / "private" / "20260101-0-x.key", 0o600)
        owner = (person.pw_uid, person.pw_gid)
        enrolment.enrol(collector.token(capsys), base / "fleet", "dev_nobody01", "", "0.1", owner=owner)
        os.umask(before)
        as_nobody = {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
        for name in ("audit/start.key", "audit/private/20260101-0-x.key"):
            assert subprocess.run(["cat", str(base / name)], capture_output=True, **as_nobody).returncode != 0
        log.append("transfer", {"channel": "downloads"}, durable=True)  # also what is made later can be read
        log.close()
        arguments = ["--log", str(base / "audit"), "--fleet", str(base / "fleet")]
        assert as_user(person, arguments) == 0
        assert spool.load_state(base / "fleet" / "sync.json").acked == 4
        log = AuditLog.open(base / "audit")  # the agent starts again: the folder's mode is set anew
        log.start(version="1")
        log.close()
        assert as_user(person, arguments) == 0
        assert spool.load_state(base / "fleet" / "sync.json").acked == verify_folder(base / "audit").records
    finally:
        shutil.rmtree(base)


def as_user(person, arguments):
    """The sync process as another user, without its start: the interpreter may lie where only root may go."""
    import cryptography.hazmat.primitives.hpke  # noqa: F401
    import urllib3  # noqa: F401

    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(person.pw_gid)
        os.setuid(person.pw_uid)
        os._exit(sync.main(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_state_file_that_is_a_pipe_or_a_link_does_not_hold_the_agent(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert spool.load_state(tmp_path / "pipe", "dev_one").acked == 0
    (tmp_path / "real").write_text('{"device":"dev_one","acked":5}')
    os.symlink(tmp_path / "real", tmp_path / "link")
    with pytest.raises(Exception, match="cannot be read"):
        spool.load_state(tmp_path / "link", "dev_one")


def test_a_collector_that_was_killed_is_met_again(collector, tmp_path, capsys):
    from agent.fleet.identity import load_identity

    log = AuditLog.open(tmp_path / "audit")
    log.start(version="0")
    log.close()
    enrolment.enrol(collector.token(capsys), tmp_path / "fleet", "dev_killed01", "", "0.1")
    identity, state = load_identity(tmp_path / "fleet"), tmp_path / "fleet" / sync.STATE
    collector.process.send_signal(signal.SIGKILL)
    collector.process.wait()
    collector.process.stderr.close()
    assert sync.run(tmp_path / "audit", identity, state, {}) == 75
    assert spool.load_state(state).failures == 1
    port = collector.port
    collector.start(port)
    assert sync.run(tmp_path / "audit", identity, state, {}) == 0
    assert spool.load_state(state).acked == 2
