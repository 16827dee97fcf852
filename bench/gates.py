"""What holding costs: copies and reads through the airlock, and work under the gate, each beside the bare volume.

Everything is a ratio of medians within one run, bare and guarded taken in turns. Two sticks are made alike, on loop
devices in memory; one is behind the airlock of a real agent that judges what comes. « At 40 MB/s » is the kernel's own
throttle on the loop device (blkio of cgroup v1; where there is none, those figures are left out). A copy counts until
it is on the medium (syncfs). The gate's volume is ext4 in memory too, with a real gate process; what the workloads read
(sources, headers) lies on it, so that every open of theirs is asked about. « Beside »: a sync folder is guarded, and
the work is elsewhere in the same home, as Serment comes. « In »: the home is guarded too (``[gates] documents``). The
first time is on files that nobody has opened since the gate was armed; the other figures are of what was opened before.
Root only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.measure import Figure
from tests.gate_bed import USER, GateBed
from tests.stick_bed import Bed, Stick, bed

SLOW = 40_000_000  # bytes/s
_LARGE_MB, _SLOW_MB, _SMALL = 256, 120, 1000
_FILM = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"  # large files on sticks are films and images of disks
_SMALL_TEXT = "Liste de courses : du pain, du lait, des œufs.\n" * 430  # 20 KB
_THROTTLE = Path("/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device")
_OPENS = 2000
_GREP = "grep -r never-there {home}/repository {home}/include || true"
_libc = ctypes.CDLL(None, use_errno=True)


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


# ---- the airlock


class Pair:
    """A bare stick and a held one. ``roots`` reach both volumes from below, to wait for them and to forget pages."""

    def __init__(self, made: Bed, bare: Stick) -> None:
        self.made, self.bare, self.held = made, bare.point, made.stick.point
        self.devices = (bare.device, made.stick.device)
        self.roots: dict[Path, int] = {}

    def settle(self, where: Path) -> None:
        """Everything that was written is on the medium. Raises OSError."""
        if _libc.syncfs(self.roots[where]) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")

    def forget(self, where: Path, name: str) -> None:
        """No page of the file is in memory, neither seen from above nor from below."""
        for folder in (None, self.roots[where]):
            fd = os.open(name if folder else where / name, os.O_RDONLY, dir_fd=folder)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def airlock(base: Path, memory: Path) -> list[Figure]:
    """Raises what goes wrong: nothing here is expected to be refused."""
    bare, held = (Stick(base, name=name, size_mib=1100, options="rw") for name in ("BARE", "HELD"))
    bare.image, held.image = memory / "bare", memory / "held"
    try:
        bare.plug()
        with bed(base, sticks=[held], start=False) as made:
            pair = Pair(made, bare)
            for stick in (bare, held):
                pair.roots[stick.point] = os.open(stick.point, os.O_RDONLY | os.O_DIRECTORY)
            made.agent.start()
            made.wait_held()
            try:
                return [*_copies(pair, base), *_reads(pair), *_processes(made)]
            finally:
                for fd in pair.roots.values():
                    os.close(fd)
    finally:
        bare.gone()


def _copies(pair: Pair, base: Path) -> list[Figure]:
    large, medium, small = Path("/dev/shm") / f"{base.name}-large", base / "medium.mp4", base / "small"
    try:
        large.write_bytes(_FILM + os.urandom(1 << 20) * _LARGE_MB)
        medium.write_bytes(_FILM + os.urandom(1 << 20) * _SLOW_MB)
        small.mkdir()
        for number in range(_SMALL):
            (small / f"courses-{number}.txt").write_text(f"{number}\n{_SMALL_TEXT}")
        figures = [
            _copy(f"airlock: copy of {_LARGE_MB} MB, in memory", pair, ["cp", large], "large", 3),
            _copy(f"airlock: copy of {_SMALL} files of 20 KB, in memory", pair, ["cp", "-r", small], "small", 1),
        ]
        with throttled(pair.devices) as slow:
            if slow:
                figures += [
                    _copy(f"airlock: copy of {_SLOW_MB} MB, at 40 MB/s", pair, ["cp", medium], "medium", 3, 1.3),
                    _copy(f"airlock: copy of {_SMALL} files of 20 KB, at 40 MB/s", pair, ["cp", "-r", small],
                          "small", 1, 1.3),
                ]  # fmt: skip
        return figures
    finally:
        large.unlink(missing_ok=True)


def _copy(
    name: str, pair: Pair, command: list[object], target: str, repeat: int, budget: float | None = None
) -> Figure:
    def work(where: Path) -> None:
        subprocess.run([*map(str, command), str(where / target)], check=True, timeout=300)
        pair.settle(where)

    def clean(where: Path) -> None:
        subprocess.run(["rm", "-rf", str(where / target)], check=True, timeout=120)
        pair.settle(where)

    mine, theirs = in_turns(lambda: work(pair.held), lambda: work(pair.bare), repeat,
                            (lambda: clean(pair.held), lambda: clean(pair.bare)))  # fmt: skip
    return Figure(name, mine / theirs, "× time", budget, bare=f"bare {theirs:.2f} s", ratio=mine / theirs)


@contextlib.contextmanager
def throttled(devices: tuple[str, ...]) -> Iterator[bool]:
    """The loop devices take 40 MB/s, buffered or not: the limit is the root group's. False: not possible here."""
    if not _THROTTLE.exists():
        yield False
        return
    numbers = [os.stat(device).st_rdev for device in devices]
    try:
        for number in numbers:
            _THROTTLE.write_text(f"{os.major(number)}:{os.minor(number)} {SLOW}")
        yield True
    finally:
        for number in numbers:
            _THROTTLE.write_text(f"{os.major(number)}:{os.minor(number)} 0")


def _reads(pair: Pair) -> list[Figure]:
    for where in (pair.held, pair.bare):
        (where / "read").write_bytes(_FILM + os.urandom(1 << 20) * _LARGE_MB)
        pair.settle(where)

    def read(where: Path) -> None:
        subprocess.run(["dd", f"if={where}/read", "of=/dev/null", "bs=1M", "status=none"], check=True, timeout=120)

    figures = []
    forget = (lambda: pair.forget(pair.held, "read"), lambda: pair.forget(pair.bare, "read"))
    for word, before in (("warm", ()), ("cold", forget)):
        mine, theirs = in_turns(lambda: read(pair.held), lambda: read(pair.bare), 15, before=before)
        figures.append(Figure(f"airlock: reading {_LARGE_MB} MB {word}, speed", theirs / mine, "× bare", 0.9, True,
                              f"bare {theirs:.3f} s", theirs / mine))  # fmt: skip
    return figures


def _processes(made: Bed) -> list[Figure]:
    holds = made.channel()["holds"]
    assert isinstance(holds, dict)
    pid = made.pid()
    return [
        Figure("airlock: hold, median", holds["p50_ms"], "ms"),
        Figure("airlock: hold, 99 of 100", holds["p99_ms"], "ms"),
        Figure("airlock: memory after the copies (PSS)", memory_kb(pid, "Pss") / 1024, "MB", 15),
        Figure("airlock: memory after the copies (RSS)", memory_kb(pid, "Rss") / 1024, "MB"),
    ]


# ---- the gate


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
        figures = [
            _work(f"gate, {where}: grep -r, the first time", bare, held, _GREP, 1, learnt=False, budget=None),
            _work(f"gate, {where}: grep -r", bare, held, _GREP, 9),
            _work(f"gate, {where}: git status", bare, held, "git -C {home}/repository status --porcelain", 15),
            _work(f"gate, {where}: make of 40 C files", bare, held, "make -s -C {home}/build clean all", 3),
            *_opens(bare, held, home=home),
        ]
        return [*figures, *(_gate_itself(base, held) if home else ())]
    finally:
        if held is not None:
            held.close()
        bare.close()


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


# ---- both


def in_turns(
    mine: Callable[[], object], theirs: Callable[[], object], repeat: int,
    after: tuple[Callable[[], object], ...] = (), before: tuple[Callable[[], object], ...] = (),
) -> tuple[float, float]:  # fmt: skip
    """The medians of both in seconds, taken one after the other so that noise meets both."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeat):
        for which in (0, 1) if turn % 2 else (1, 0):
            if before:
                before[which]()
            begun = time.perf_counter()
            (mine, theirs)[which]()
            times[which].append(time.perf_counter() - begun)
            if after:
                after[which]()
    return statistics.median(times[0]), statistics.median(times[1])


def memory_kb(pid: int, word: str) -> int:
    """A line of smaps_rollup. Raises OSError when the process is gone."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{word}:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    for each in main(sys.argv[1:] or ("airlock", "gate")):
        print(each.line())
