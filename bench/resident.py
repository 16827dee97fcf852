"""The agent as it lies on a laptop: time until it watches, memory, processor time and wake-ups when nothing happens.

Twice: with one folder guarded, and (as root) with a stick behind an airlock and a sync folder behind the gate too. A
wake-up is a thread that had gone to sleep of itself; being interrupted by others, on a busy machine, is none.

The first start makes keys, folders and Python's bytecode (an installed package brings that along); the figures are of
the starts after it. « watching » is read from the kernel (the inotify watches in /proc), « ready » is its own READY.
Proportional memory depends on what else runs: a library that others use too counts for less; the private pages do not.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bench.measure import Figure
from tests.running import COMMAND, RunningAgent

STARTS = 7
IDLE_S = 60.0
SETTLED_S = 3.0  # after READY: the operational log is opened, keys are made
READERS_S = 30.0  # ... after the last reader has ended
AT_REST_S = 45.0  # then what is not needed has been given back (agent.daemon.at_rest)
PATIENCE_S = 60.0
_SWITCHES = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the exec."""

    watching: float
    ready: float


def main(idle_s: float = IDLE_S) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as name:
        base = Path(name)
        agent = _agent(base)
        with started(agent, base):
            time.sleep(SETTLED_S)
        starts, bare = [], []
        for _ in range(STARTS):
            bare.append(_bare_start(agent.environment))
            with started(agent, base) as start:
                starts.append(start)
        with started(agent, base):
            time.sleep(AT_REST_S)
            idle = _idle(agent.process.pid if agent.process else 0, idle_s)
    floor = statistics.median(bare)
    watching = statistics.median(start.watching for start in starts)
    ready = statistics.median(start.ready for start in starts)
    return [
        Figure("agent: exec to watching", watching * 1e3, "ms", 150, False, "python3 -c pass", watching / floor),
        Figure("agent: exec to watching, best", min(start.watching for start in starts) * 1e3, "ms", None, False,
               "python3 -c pass", min(start.watching for start in starts) / min(bare)),
        Figure("agent: exec to READY", ready * 1e3, "ms", None, False, "python3 -c pass", ready / floor),
        *idle,
        *guarded(idle_s),
    ]  # fmt: skip


def guarded(idle_s: float) -> list[Figure]:
    """All processes with a stick and a sync folder that are held; nothing without root."""
    if os.geteuid() != 0:
        return []
    from tests.running import loop_volume
    from tests.stick_bed import Stick, airlocks, bed

    with tempfile.TemporaryDirectory(prefix="serment-bench-") as name, contextlib.ExitStack() as stack:
        base = Path(name)
        disk = base / "disk"
        disk.mkdir()
        folder = stack.enter_context(loop_volume(disk)) / "Nextcloud"
        folder.mkdir()
        made = stack.enter_context(bed(base, sticks=[Stick(base)], cloud=[folder], gate=True))
        stack.callback(made.agent.close)
        made.wait_held()
        time.sleep(AT_REST_S + READERS_S)
        agent = made.agent
        pids = [agent.process.pid if agent.process else 0, *agent.gates(), *agent.holders(), *airlocks(base)]
        found = _idle_of([psutil.Process(pid) for pid in pids], idle_s)
    return [replace(figure, name=figure.name.replace("agent:", "stick and sync folder:")) for figure in found]


def _agent(base: Path) -> RunningAgent:
    folder = base / "Downloads"
    folder.mkdir()
    environment = {
        "PYTHONPYCACHEPREFIX": str(base / "bytecode"), "PYTHONDONTWRITEBYTECODE": "",
        "NOTIFY_SOCKET": str(base / "notify"),
    }  # fmt: skip
    return RunningAgent(base, downloads=[folder], collector="off", environment=environment)


@contextlib.contextmanager
def started(agent: RunningAgent, base: Path) -> Iterator[Start]:
    """A start, timed by looking every millisecond; the agent is stopped afterwards."""
    agent.write_config()
    address = base / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, (base / "agent.err").open("ab") as errors:
        manager.bind(str(address))
        try:
            begun = time.perf_counter()
            agent.process = subprocess.Popen(
                [*COMMAND, "run", "--foreground", "--config", str(agent.config)],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=os.environ | agent.environment,
            )  # fmt: skip
            yield _timed(agent.process.pid, manager, begun)
        finally:
            agent.stop()
            address.unlink()


def _timed(pid: int, manager: socket.socket, begun: float) -> Start:
    watching = ready = 0.0
    while not (watching and ready):
        if not watching and _watches(pid):
            watching = time.perf_counter() - begun
        if select.select([manager], [], [], 0.001)[0] and manager.recv(4096).startswith(b"READY=1"):
            ready = time.perf_counter() - begun
        if time.perf_counter() - begun > PATIENCE_S:
            raise TimeoutError("the agent is not ready")
    return Start(watching, ready)


def _watches(pid: int) -> bool:
    """Whether the process has an inotify watch on anything."""
    folder = f"/proc/{pid}/fdinfo"
    for name in os.listdir(folder):
        with contextlib.suppress(OSError), open(f"{folder}/{name}", encoding="ascii") as info:
            if "inotify wd:" in info.read():
                return True
    return False


def _idle(pid: int, seconds: float) -> list[Figure]:
    return _idle_of([psutil.Process(pid), *psutil.Process(pid).children(recursive=True)], seconds)


def _idle_of(family: list[psutil.Process], seconds: float) -> list[Figure]:
    pss = sum(process.memory_full_info().pss for process in family) / 1e6
    private = sum(_rollup(process.pid, "Anonymous") for process in family)
    used, woken = _used(family), _switches(family)
    time.sleep(seconds)
    share, wakes = (_used(family) - used) / seconds * 100, (_switches(family) - woken) / seconds
    bare_pss, bare_private = _bare_memory()
    return [
        Figure("agent: idle memory (PSS, all processes)", pss, "MB", 30, False, "bare python3", pss / bare_pss),
        Figure("agent: idle memory, private pages alone", private, "MB", None, False, "bare python3",
               private / bare_private),
        Figure("agent: idle processor time", share, "%", 0.1),
        Figure("agent: idle wake-ups", wakes, "a second", 1),
        Figure("agent: idle processes", len(family), "processes"),
        Figure("agent: idle threads", sum(process.num_threads() for process in family), "threads"),
    ]  # fmt: skip


def _used(family: list[psutil.Process]) -> float:
    """Seconds of processor time, from the scheduler's own nanoseconds: a clock tick is too coarse for idling."""
    nanoseconds = 0
    for process in family:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def _switches(family: list[psutil.Process]) -> int:
    status = (task / "status" for process in family for task in Path(f"/proc/{process.pid}/task").iterdir())
    return sum(int(count) for path in status for count in _SWITCHES.findall(path.read_text()))


def _rollup(pid: int, word: str) -> float:
    """Megabytes, as the kernel sums up the mappings of a process under ``word``."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(text.split(f"{word}:")[1].split()[0]) * 1024 / 1e6


def _bare_start(environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True, env=os.environ | environment)
    return time.perf_counter() - begun


def _bare_memory() -> tuple[float, float]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        time.sleep(0.5)
        found = _rollup(process.pid, "Pss"), _rollup(process.pid, "Anonymous")
        process.communicate(b"\n")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=IDLE_S, help="how long each looks idle (%(default)s)")
    for figure in main(parser.parse_args().seconds):
        print(figure.line())
