"""Everything of ours stopped or killed, one by one and together: nobody waits for ever, and nothing goes that way."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates import holder as holding
from agent.gates.takeover import cover
from agent.gates.takeover.connections import abort
from tests.gate_bed import reads, withheld
from tests.invented import LETTER
from tests.running import RunningAgent, loop_volume, wait_for
from tests.stick_bed import Bed, Stick, airlocks, bed
from tests.system.test_holds import policy

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.getuid() != 0, reason="mounts need root"),
]
DEADLINE_S = 12  # of a verdict, in these tests
WITHIN_S = 4 * holding.STUCK_S  # what stands still is found after STUCK_S, and a verdict has its deadline after that
NOTE = b"Liste de courses : pain, lait, beurre.\n" * 5


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path, policy=policy(tmp_path, "block"), deadline_s=DEADLINE_S) as made:
        made.wait_held()
        yield made


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[tuple[RunningAgent, Path]]:
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=64) as volume:
        folder = volume / "Nextcloud"
        folder.mkdir()
        agent = RunningAgent(tmp_path, [], [folder], [], collector="off", gate=True)
        try:
            agent.start()
            (folder / "note.txt").write_bytes(NOTE)
            wait_for(lambda: reads(folder / "note.txt") is not None)
            yield agent, folder
        finally:
            agent.close()


@contextlib.contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for pid in pids:  # one that is told so in the middle of a read may take the next event with it
            # D: waits in the volume for one that was stopped before it could answer, and takes nothing
            wait_for(lambda pid=pid: "T" in (states := _states(pid)) and states <= {"T", "D"})
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _states(pid: int) -> set[str]:
    """Of its threads."""
    return {
        stat.read_bytes().rpartition(b")")[2].split()[0].decode() for stat in Path(f"/proc/{pid}/task").glob("*/stat")
    }


def agent_of(agent: RunningAgent) -> int:
    assert agent.process is not None
    return agent.process.pid


def fails_within(waiting: subprocess.Popen[bytes], seconds: float) -> float:
    """How long it still took to fail."""
    began = time.monotonic()
    try:
        assert waiting.wait(seconds) != 0
    finally:
        waiting.kill()
    return time.monotonic() - began


def copying(made: Bed) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cp", made.base / "lettre.txt", made.stick.point], stderr=subprocess.DEVNULL)


# ---- the airlock


def test_the_agent_and_the_airlock_stopped_hold_nobody_for_ever(stick: Bed) -> None:
    hit = [agent_of(stick.agent), *airlocks(stick.base)]
    with stopped(hit):
        took = fails_within(copying(stick), WITHIN_S)
        print(f"freed after {took:.1f} s")
        assert stick.stick.mounts()[-1] == "fuse.serment"  # no door has opened
        assert subprocess.run(["cp", stick.base / "lettre.txt", stick.stick.point], capture_output=True).returncode
    stick.wait_held()
    wait_for(lambda: stick.copy("bonjour.txt").returncode == 0)
    assert stick.stick.raw(b"SERMENT-ESSAI") == [0]


def test_a_killed_agent_leaves_nobody_to_a_stopped_airlock(stick: Bed) -> None:
    with stopped(airlocks(stick.base)):
        waiting = copying(stick)
        stick.agent.kill()
        fails_within(waiting, WITHIN_S)
    wait_for(lambda: not airlocks(stick.base))
    wait_for(lambda: not stick.agent.holders())  # nothing to hold, and nobody who could bring something


def test_without_an_agent_one_unmount_ejects(stick: Bed) -> None:
    assert stick.copy("bonjour.txt").returncode == 0
    stick.agent.kill()
    assert subprocess.run(["umount", stick.stick.point], timeout=30).returncode == 0
    wait_for(lambda: stick.stick.mounts() == [])
    wait_for(lambda: not stick.agent.holders())
    stick.stick.options = "ro"
    stick.stick.mount()
    assert "bonjour.txt" in os.listdir(stick.stick.point)


def test_the_holder_stopped_or_killed_changes_nothing(stick: Bed) -> None:
    (holder,) = stick.agent.holders()
    with stopped([holder]):
        assert stick.copy("bonjour.txt").returncode == 0
        assert stick.copy("lettre.txt").returncode != 0
    os.kill(holder, signal.SIGKILL)
    assert stick.copy("bonjour.txt", "again").returncode == 0
    other = Stick(stick.base, "DEUX")  # a mount is news: everything is looked at
    try:
        other.plug()
        wait_for(lambda: stick.agent.holders() not in ([], [holder]))
    finally:
        other.gone()


def test_one_holder_for_one_agent_after_each_crash(stick: Bed) -> None:
    for _ in range(3):
        stick.agent.kill()
        stick.agent.start()
        stick.wait_held()
    wait_for(lambda: len(stick.agent.holders()) == 1)
    stick.agent.stop()
    wait_for(lambda: not stick.agent.holders())


def test_a_connection_can_be_ended_though_somebody_holds_it(tmp_path: Path) -> None:
    stick = Stick(tmp_path)
    device = -1
    try:
        stick.plug()
        device = cover.connect()
        point = os.open(stick.point, os.O_PATH)
        cover.cover(point, device, b"serment:test")
        os.close(point)
        number = os.minor(next(_device(stick)))
        waiting = subprocess.Popen(["ls", stick.point], stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        assert waiting.poll() is None
        abort(number)
        fails_within(waiting, 10)
        abort(number + 100_000)  # gone: nothing
    finally:
        if device >= 0:
            os.close(device)
        stick.gone()


def _device(stick: Stick) -> Iterator[int]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split()
        if words[4] == str(stick.point) and "fuse.serment" in words:
            major, _, minor = words[2].partition(":")
            yield os.makedev(int(major), int(minor))


# ---- the gate


def test_everything_but_the_holder_stopped_holds_nobody_for_ever(cloud: tuple[RunningAgent, Path]) -> None:
    agent, folder = cloud
    outside = folder.parent / "elsewhere.txt"
    outside.write_bytes(b"x")
    secret = folder / "letter.txt"
    hit = [agent_of(agent), *agent.gates()]
    with stopped(hit):
        began = time.monotonic()
        waiting = [
            subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", f"open({str(path)!r}, 'wb').write({LETTER.encode()!r})"]
            )
            for path in (outside, secret)
        ]
        codes = [each.wait(WITHIN_S) for each in waiting]
        print(f"freed after {time.monotonic() - began:.1f} s: {codes}")
        assert codes[0] == 0  # no business of ours
        assert reads(secret) is None  # nobody can judge it: the fallback of the policy
    wait_for(lambda: agent.status()["ready"])
    wait_for(lambda: reads(folder / "note.txt") is not None)
    assert withheld(secret)


def test_killed_to_the_last_but_the_holder_nobody_is_let_in(cloud: tuple[RunningAgent, Path]) -> None:
    agent, folder = cloud
    secret = folder / "letter.txt"
    with stopped([agent_of(agent)]):  # it would replace the gate itself
        secret.write_bytes(LETTER.encode())
        for pid in [agent_of(agent), *agent.gates()]:
            os.kill(pid, signal.SIGKILL)
    agent.kill()
    assert reads(secret) is None
    agent.start()
    wait_for(lambda: reads(folder / "note.txt") is not None)
    assert withheld(secret)
    wait_for(lambda: len([pid for pid in agent.holders() if os.getsid(pid) == pid]) == 1)


def test_what_it_is_told_wrongly_does_not_end_it() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    held = holding.Holder(theirs)
    read_end, write_end = os.pipe()
    for message in (b"x", b"a", b"g/path", struct.pack("=cI", b"a", 1), b"r", b"b" * 300, b"f--token", b"s"):
        socket.send_fds(ours, [message], [read_end])
        held._hear()
    held._look()
    os.close(read_end)
    ours.close()
    held._hear()
    assert held._link is None
    with pytest.raises(BrokenPipeError):  # none of the descriptors was kept
        os.write(write_end, b"x")
    os.close(write_end)
