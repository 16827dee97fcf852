"""The agent as it lies on a laptop: time until it watches, memory and processor time when nothing happens."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.measure import Figure
from tests.running import RunningAgent

IDLE_S = 20.0


def main() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as name:
        base = Path(name)
        folder = base / "Downloads"
        folder.mkdir()
        agent = RunningAgent(base, downloads=[folder], collector="off")
        bare = _bare_start()
        begun = time.perf_counter()
        agent.start()
        started = time.perf_counter() - begun
        try:
            time.sleep(3)  # what is done after arming, such as opening the operational log
            pid = agent.process.pid if agent.process else 0
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            before = _used(family)
            time.sleep(IDLE_S)
            share = (_used(family) - before) / IDLE_S * 100
            pss = sum(process.memory_full_info().pss for process in family) / 1e6
        finally:
            agent.stop()
    python = _bare_pss()
    return [
        Figure("agent: start to ready and answering", started * 1000, "ms", None, bare="python3 -c pass",
               ratio=started / bare),
        Figure("agent: idle memory (PSS, all processes)", pss, "MB", 30, bare="bare python3", ratio=pss / python),
        Figure("agent: idle processor time", share, "%", 0.1),
    ]  # fmt: skip


def _used(family: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in family)


def _bare_start() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - begun


def _bare_pss() -> float:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        time.sleep(0.5)
        pss: int = psutil.Process(process.pid).memory_full_info().pss
        process.communicate(b"\n")
    return pss / 1e6
