"""Killed in one moment: the agent with a thread of its own in the volume, and the airlock that would have answered it.

Nobody may wait for the dead, the dying agent least of all: a process with a thread that waits in the kernel cannot end,
keeps its lock and its sockets, and no service manager can start another.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import wait_for
from tests.stick_bed import Bed, airlocks, bed
from tests.system.test_holds import policy

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")]
ENDS_S = 20


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path, policy=policy(tmp_path, "block"), deadline_s=12) as made:
        assert made.copy("bonjour.txt").returncode == 0
        made.wait_held()
        yield made


def _inside(pid: int) -> int:
    """How many threads of the process wait for the answer of a FUSE file system."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += "request_wait_answer" in (task / "wchan").read_text()
    return found


def _fuse(pid: int) -> int:
    """How many connections of FUSE the process has open."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(os.readlink(each) == "/dev/fuse" for each in links if each.is_symlink())


def test_nobody_but_the_airlock_has_its_connection(stick: Bed) -> None:
    """Whoever else had it would keep everybody waiting after its death, a request that it had read for ever."""
    assert stick.agent.process is not None
    assert _fuse(stick.pid())  # and one that is mounted nowhere
    assert _fuse(stick.agent.process.pid) == 0
    stick.agent.kill()
    stick.agent.start()  # adopts it
    stick.wait_held()
    assert _fuse(stick.pid())  # and one that is mounted nowhere
    assert _fuse(stick.agent.process.pid) == 0


def test_the_agent_ends_though_it_waits_in_the_volume(stick: Bed) -> None:
    assert stick.agent.process is not None
    agent, airlock = stick.agent.process, stick.pid()
    os.kill(airlock, signal.SIGSTOP)
    stick.agent.client.call("rescan")
    wait_for(lambda: _inside(agent.pid))  # the agent looks the volume through
    os.kill(airlock, signal.SIGKILL)
    agent.kill()
    agent.wait(ENDS_S)
    stick.agent.process = None
    stick.agent.start()
    stick.wait_held()
    assert stick.copy("bonjour.txt", "again").returncode == 0


def test_whoever_waits_in_the_volume_gets_an_error_when_both_are_killed(stick: Bed) -> None:
    assert stick.agent.process is not None
    airlock = stick.pid()
    os.kill(airlock, signal.SIGSTOP)
    waiting = subprocess.Popen(["cp", str(stick.base / "lettre.txt"), str(stick.stick.point)], stderr=subprocess.PIPE)
    wait_for(lambda: _inside(waiting.pid))
    os.kill(airlock, signal.SIGKILL)
    stick.agent.kill()
    assert waiting.communicate(timeout=ENDS_S)[1]
    assert waiting.returncode != 0
    assert subprocess.run(["cp", stick.base / "lettre.txt", stick.stick.point], capture_output=True).returncode != 0
    assert not airlocks(stick.base)
    assert stick.stick.raw(b"SERMENT-ESSAI") == [0]


def test_an_airlock_that_is_killed_alone_is_replaced(stick: Bed) -> None:
    before = stick.pid()
    os.kill(before, signal.SIGKILL)
    began = time.monotonic()
    wait_for(lambda: airlocks(stick.base) not in ([], [before]))
    stick.wait_held()
    assert time.monotonic() - began < ENDS_S
    assert stick.copy("bonjour.txt", "again").returncode == 0
