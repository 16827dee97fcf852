"""What holding costs: copies and reads through the airlock, and work under the gate, each beside the bare volume.

Everything is a ratio of medians within one run, bare and guarded taken in turns. The airlock's part is ``airlock.py``.
The gate's volume is ext4 in memory, with a real gate process; what the workloads read
(sources, headers) lies on it, so that every open of theirs is asked about. « Beside »: a sync folder is guarded, and
the work is elsewhere in the same home, as Serment comes. « In »: the home is guarded too (``[gates] documents``). The
first time is on files that nobody has opened since the gate was armed; the other figures are of what was opened before.
Root only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.airlock import airlock
from bench.measure import Figure, in_turns, memory_kb
from tests.gate_bed import USER, GateBed

_OPENS = 2000
_GREP = "grep -r never-there {home}/repository {home}/include || true"
_GREP_REMEMBERED = "grep -r never-there {home}/../remembered || true"  # folders of root: the kernel need not ask


def main(parts: Sequence[str] = ("airlock", "gate")) -> list[Figure]:
    figures = []
    with (
        tempfile.TemporaryDirectory(prefix="serment-bench-") as name,
        tempfile.TemporaryDirectory(prefix="serment-bench-", dir="/dev/shm") as memory,
    ):
        for part in parts:
            base = Path(name, part)
            base.mkdir()
            figures += airlock(base, Path(memory)) if part == "airlock" else gate(base)
    return figures


def gate(base: Path) -> list[Figure]:
    """Three pieces of work on two volumes alike, one of them guarded: arming cannot be had in turns."""
    base.parent.chmod(0o755)
    base.chmod(0o755)
    return [*_gate(base / "beside", home=False), *_gate(base / "in", home=True)]


def _gate(base: Path, *, home: bool) -> list[Figure]:
    base.mkdir(mode=0o755)
    (base / "bare").mkdir()
    (base / "held").mkdir()
    where = "in a guarded home" if home else "beside a sync folder"
    bare, held = GateBed(base / "bare", size_mb=256), None
    try:
        held = GateBed(base / "held", size_mb=256)
        for made in (bare, held):
            _furnish(made.home)
        held.arm(home=home)
        _one_way(held)
        figures = [
            _work(f"gate, {where}: grep -r, the first time", bare, held, _GREP, 1, learnt=False, budget=None),
            _work(f"gate, {where}: grep -r", bare, held, _GREP, 9),
            _work(f"gate, {where}: grep -r in remembered folders", bare, held, _GREP_REMEMBERED, 9),
            _work(f"gate, {where}: git status", bare, held, "git -C {home}/repository status --porcelain", 15),
            _work(f"gate, {where}: make of 40 C files", bare, held, "make -s -C {home}/build clean all", 3),
            *_opens(bare, held, home=home),
        ]
        return [*figures, *(_gate_itself(base, held) if home else ())]
    finally:
        if held is not None:
            held.close()
        bare.close()


def _one_way(held: GateBed) -> None:
    """Until it is known whether this kernel keeps folders outside (decision 23): then all of them are remembered."""
    moves, until = held.gating._moves, time.monotonic() + 30  # type: ignore[attr-defined]
    while not moves.why_not and held.gating.status()["outside"] != "remembered":  # type: ignore[attr-defined]
        if time.monotonic() > until:
            return
        time.sleep(0.05)


def _gate_itself(base: Path, held: GateBed) -> list[Figure]:
    status = held.gating.status()  # type: ignore[attr-defined]
    pids = _gate_processes(base)
    return [
        Figure("gate: hold of who is asked about, median", status["p50_ms"], "ms"),
        Figure("gate: hold of who is asked about, 99 of 100", status["p99_ms"], "ms"),
        Figure(f"gate: memory (PSS, {len(pids)} processes)", sum(memory_kb(pid, "Pss") for pid in pids) / 1024,
               "MB", 15),
        Figure(f"gate: memory (RSS, {len(pids)} processes)", sum(memory_kb(pid, "Rss") for pid in pids) / 1024,
               "MB"),
    ]  # fmt: skip


def _furnish(home: Path) -> None:
    """A repository of 1,500 small files, a tree of headers, and a program of 40 files that includes some of them."""
    repository, build, include = home / "repository", home / "build", home / "include"
    for number in range(1500):
        folder = repository / f"d{number % 40}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}.txt").write_text(f"{number} pain, lait\n" * 60)
    shutil.copytree(repository, home.parent / "remembered")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(repository), *words], check=True, env=environment)
    shutil.copytree(
        "/usr/include", include, symlinks=True, ignore=shutil.ignore_patterns("c++", "python*", "linux", "boost")
    )
    build.mkdir()
    for number in range(40):
        (build / f"u{number}.c").write_text(
            "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
            f'int u{number}(const char *x) {{ return printf("%s {number}", x) + atoi(x); }}\n'
        )
    machine = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    (build / "Makefile").write_text(
        f"CFLAGS=-nostdinc -isystem $(shell gcc -print-file-name=include) -isystem {include} "
        f"-isystem {include}/{machine}\n"
        "OBJECTS=$(patsubst %.c,%.o,$(wildcard *.c))\nall: lib.a\nlib.a: $(OBJECTS)\n\tar rcs $@ $^\n"
        "clean:\n\trm -f *.o lib.a\n"
    )
    subprocess.run(["chown", "-R", f"{USER}:{USER}", str(home)], check=True)


def _work(
    name: str, bare: GateBed, held: GateBed, line: str, repeat: int, *, learnt: bool = True, budget: float | None = 1.1
) -> Figure:
    def run(bed: GateBed) -> None:
        subprocess.run(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "sh", "-c", line.format(home=bed.home)],
            check=True, timeout=120, stdout=subprocess.DEVNULL, env=os.environ | {"HOME": str(bed.home)},
        )  # fmt: skip

    for _ in range(2 if learnt else 0):  # verdicts and folders are learnt
        run(held)
        run(bare)
    mine, theirs = in_turns(lambda: run(held), lambda: run(bare), repeat)
    return Figure(name, mine / theirs, "× time", budget, bare=f"bare {theirs * 1e3:.0f} ms", ratio=mine / theirs)


_OPEN = """
import os, sys, time
times = []
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter_ns()
    os.close(os.open(sys.argv[1], os.O_RDONLY))
    times.append(time.perf_counter_ns() - begun)
times.sort()
print(times[len(times) // 2] / 1e3, times[len(times) * 99 // 100] / 1e3)
"""


def _opens(bare: GateBed, held: GateBed, *, home: bool) -> list[Figure]:
    """One open and close, in microseconds: a file whose verdict is known, and one outside the guarded folders."""
    figures = []
    for word in ("home/repository/d1/f1.txt", "theirs/outside/plain")[not home :]:
        found = {}
        for made in (bare, held):
            made.write(made.outside / "plain")
            command = [sys.executable, "-I", "-S", "-c", _OPEN, str(made.volume / word), str(_OPENS)]
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.split()
            found[made] = [float(each) for each in said]
        place = "in a folder of documents" if "home" in word else "elsewhere on the volume"
        figures += [
            Figure(f"gate: open {place}, median", found[held][0], "µs", None, False, "bare",
                   found[held][0] / found[bare][0]),
            Figure(f"gate: open {place}, 99 of 100", found[held][1], "µs", None, False, "bare",
                   found[held][1] / found[bare][1]),
        ]  # fmt: skip
    return figures


def _gate_processes(base: Path) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdecimal():
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"agent.gates.gate" in words and any(word.startswith(os.fsencode(base)) for word in words):
                    found.append(int(folder.name))
    return found


if __name__ == "__main__":
    for each in main(sys.argv[1:] or ("airlock", "gate")):
        print(each.line())
