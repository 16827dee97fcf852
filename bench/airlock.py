"""What the airlock costs: copies and reads beside the bare volume, and what one small file takes of the processor.

Two sticks are made alike, on loop devices in memory; one is behind the airlock of a real agent that judges what comes.
« At 40 MB/s » is the kernel's own throttle on the loop device (blkio of cgroup v1; where there is none, those figures
are left out). A copy counts until it is on the medium (syncfs). Called by ``bench.gates``.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench import small_files
from bench.measure import Figure, in_turns, memory_kb
from tests.stick_bed import Bed, Stick, bed

SLOW = 40_000_000  # bytes/s
_LARGE_MB, _SLOW_MB, _SMALL = 256, 120, 1000
_FILM = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"  # large files on sticks are films and images of disks
_THROTTLE = Path("/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device")
_libc = ctypes.CDLL(None, use_errno=True)


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
    large, medium = Path("/dev/shm") / f"{base.name}-large", base / "medium.mp4"
    try:
        large.write_bytes(_FILM + os.urandom(1 << 20) * _LARGE_MB)
        medium.write_bytes(_FILM + os.urandom(1 << 20) * _SLOW_MB)
        small_files.ordinary(base / "ordinary", _SMALL)
        small_files.clinical(base / "clinical", _SMALL)
        figures = [
            _copy(f"airlock: copy of {_LARGE_MB} MB, in memory", pair, ["cp", large], "large", 3),
            *_small(pair, base / "ordinary", "ordinary small files"),
            *_small(pair, base / "clinical", "clinical texts of 20 KB"),
            *_small(pair, base / "clinical", "the same once more"),
        ]
        with throttled(pair.devices) as slow:
            if slow:
                figures += [
                    _copy(f"airlock: copy of {_SLOW_MB} MB, at 40 MB/s", pair, ["cp", medium], "medium", 3, 1.3),
                    _copy(f"airlock: copy of {_SMALL} ordinary small files, at 40 MB/s", pair,
                          ["cp", "-r", base / "ordinary"], "small", 1, 1.3),
                ]  # fmt: skip
        return figures
    finally:
        large.unlink(missing_ok=True)


def _small(pair: Pair, folder: Path, what: str) -> list[Figure]:
    """The time beside a bare copy, and the processor time of all of ours, which other work on the machine spares."""
    before = _worked_ms(pair.made)
    copied = _copy(f"airlock: copy of {_SMALL} {what}, in memory", pair, ["cp", "-r", folder], "small", 1)
    spent = _worked_ms(pair.made) - before
    return [copied, Figure(f"airlock: processor time of one, {what}", spent / _SMALL, "ms")]


def _worked_ms(made: Bed) -> float:
    """Processor time that the agent, its readers that have ended or not, and the airlock have used so far."""
    agent = made.agent.process
    assert agent is not None
    pids = [agent.pid, made.pid(), *_children(agent.pid)]
    return sum(_processor_ms(pid) for pid in set(pids)) + _processor_ms(agent.pid, of_the_dead=True)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _processor_ms(pid: int, *, of_the_dead: bool = False) -> float:
    """``of_the_dead``: of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = fields[13:15] if of_the_dead else fields[11:13]
    return sum(map(int, ticks)) * 1000 / os.sysconf("SC_CLK_TCK")


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
