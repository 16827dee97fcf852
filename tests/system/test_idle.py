"""A laptop at rest with a stick and a sync folder: hardly anybody wakes up, and what gates have in common is there once."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.holder import CALM_TICK_S
from tests.running import loop_volume, wait_for
from tests.stick_bed import Bed, airlocks, bed
from tests.system.test_holds import policy

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.getuid() != 0, reason="mounts need root"),
]
WATCHED_S = 10.0
_VOLUNTARY = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Bed]:
    (tmp_path / "disk").mkdir()
    with loop_volume(tmp_path / "disk") as volume:
        cloud = volume / "Nextcloud"
        cloud.mkdir()
        with bed(tmp_path, policy=policy(tmp_path, "block"), cloud=[cloud], gate=True) as made:
            try:
                made.wait_held()
                wait_for(made.agent.gates)
                wait_for(made.agent.idle)
                yield made
            finally:
                made.agent.close()


def _asleep(pids: list[int]) -> dict[str, int]:
    """How often each thread of theirs has gone to sleep of itself, so far."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/status")]
    return {task.parent.name: int(found[1]) for task in tasks if (found := _VOLUNTARY.search(task.read_text()))}


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _in_common(pid: int) -> int:
    """Kilobytes of written memory that it shares with another process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own, written = (int(rollup.split(f"{word}:")[1].split()[0]) for word in ("Private_Dirty", "Anonymous"))
    return written - own


def test_nobody_wakes_up_to_look_at_what_is_quiet(both: Bed) -> None:
    """One look of the holder at the airlock within its few seconds; it was seven a second of all."""
    pids = [*both.agent.gates(), *both.agent.holders(), *airlocks(both.base)]
    assert len(pids) == 5  # keeper, answerer, understudy; holder; airlock

    def woken() -> int:
        before = _asleep(pids)
        time.sleep(WATCHED_S)
        return sum(count - before.get(task, 0) for task, count in _asleep(pids).items())

    most = 3 + 2 * WATCHED_S / CALM_TICK_S
    wait_for(lambda: woken() <= most, 120)  # readers of the start end meanwhile, and the trials are made


def test_gate_and_airlock_are_copies_of_the_holder(both: Bed) -> None:
    (holder,) = both.agent.holders()
    agent = both.agent.process.pid if both.agent.process else 0
    (airlock,) = airlocks(both.base)
    (keeper,) = [pid for pid in both.agent.gates() if os.getsid(pid) == pid]
    for pid in (keeper, airlock):
        assert _parent(pid) == agent  # who hears of its end
        assert os.getsid(pid) == pid
        assert _in_common(pid) > 1000
        assert sorted(map(int, os.listdir(f"/proc/{pid}/fd")))[:3] == [0, 1, 2]
    assert not {os.readlink(f"/proc/{airlock}/fd/{fd}") for fd in os.listdir(f"/proc/{airlock}/fd")} & {
        os.readlink(f"/proc/{holder}/fd/{fd}") for fd in os.listdir(f"/proc/{holder}/fd") if int(fd) > 2
    }  # nothing of the holder's came with it
    assert both.copy("bonjour.txt").returncode == 0
    assert both.copy("lettre.txt").returncode != 0


def test_without_a_holder_that_answers_an_airlock_is_started_as_a_program(both: Bed) -> None:
    (holder,), (airlock,) = both.agent.holders(), airlocks(both.base)
    os.kill(holder, signal.SIGSTOP)
    os.kill(airlock, signal.SIGKILL)
    wait_for(lambda: airlocks(both.base) not in ([], [airlock]), 60)
    both.wait_held()
    assert holder not in both.agent.holders()  # it would have made one too, when somebody had continued it
    assert both.copy("bonjour.txt").returncode == 0
    assert both.copy("lettre.txt").returncode != 0
    assert len(airlocks(both.base)) == 1
