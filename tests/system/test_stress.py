"""The real agent under stress: the raw medium after every way to refuse, and nobody hangs longer than was promised.

Bounded by default; ``SERMENT_LONG=1`` asks for the numbers of the release: 50 copies, 20,000 opens, more seeds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.takeover import mounting
from tests import airlock_bed
from tests.gate_bed import PATIENCE_S as GATE_PATIENCE_S
from tests.gate_bed import GateBed
from tests.gate_bed import run as run_words
from tests.running import wait_for
from tests.stick_bed import MARK, Bed, Stick, airlocks, bed, letter, run
from tests.system.test_holds import policy

LONG = os.environ.get("SERMENT_LONG") == "1"
RECORDS = 2048
COPIES = 50
NAME = "lettre-refusee"
_MKFS = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "root_owner=0:0"],
    "exfat": ["mkfs.exfat"],
    "ntfs": ["mkfs.ntfs", "-Q", "-q", "-F"],
}
_DRIVER = {"exfat": "mount.exfat-fuse", "ntfs": "ntfs-3g"}
_libc = ctypes.CDLL(None, use_errno=True)
pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
long = pytest.mark.skipif(
    not LONG, reason="stress of many minutes: SERMENT_LONG=1 (what it found: docs/bypass-matrix.md)"
)


class Formatted(Stick):
    """A stick with another file system, by its driver of the user space where the kernel may have none."""

    kind = "ext4"

    def plug(self) -> None:
        if not self.image.exists():
            with self.image.open("wb") as file:
                file.truncate(self.size_mib << 20)
            subprocess.run([*_MKFS[self.kind], str(self.image)], check=True, capture_output=True)
        super().plug()

    def mount(self) -> None:
        if self.kind in _DRIVER:
            options = [] if self.options == "rw" else ["-o", self.options]
            subprocess.run(
                [_DRIVER[self.kind], self.device, str(self.point), *options], check=True, capture_output=True
            )
        else:
            super().mount()


def formatted(base: Path, kind: str, **more: object) -> Formatted:
    if kind in _DRIVER and not shutil.which(_DRIVER[kind]):
        pytest.skip(f"needs {_DRIVER[kind]}")
    stick = Formatted(base, options="rw", **more)  # type: ignore[arg-type]
    stick.kind = kind
    return stick


def marks(stick: Stick, *, below: int = -1) -> list[int]:
    """Records and names on the raw device, after everything was flushed to it."""
    if below >= 0:
        _libc.syncfs(below)
    return stick.raw(MARK.encode(), NAME.encode(), NAME.encode("utf-16-le"))


@contextlib.contextmanager
def below(stick: Stick) -> Iterator[int]:
    """A descriptor of the volume from before it was taken over, to flush it."""
    fd = os.open(stick.point, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


# ---- the raw medium

_WAYS = (
    "cp {letter} {stick}/{name}", "cp --sparse=always {letter} {stick}/{name}", "cp {letter} {own}/moved && mv {own}/moved {stick}/{name}",
    "rsync {letter} {stick}/{name}", "rsync --inplace {letter} {stick}/{name}", "cat {letter} > {stick}/{name}",
    "cat {letter} >> {stick}/old", "tee {stick}/{name} < {letter} > /dev/null", "install {letter} {stick}/{name}",
    "dd if={letter} of={stick}/{name} bs=4k conv=fsync status=none", "dd if={letter} of={stick}/{name} bs=4k oflag=sync status=none",
    "dd if={letter} of={stick}/old conv=notrunc,fsync status=none", "tar -C {own} -cf - letter | tar -C {stick} -xf -",
    "cp {letter} {stick}/.{name}.swp && mv {stick}/.{name}.swp {stick}/{name}", "{python} {own}/save.py {letter} {stick}/{name}",
    "{python} {own}/map.py {letter} {stick}/{name}", "{python} {own}/map.py {letter} {stick}/old",
    "vim -es -u NONE -c 'r {letter}' -c 'w! {stick}/{name}' -c 'qa!'",
)  # fmt: skip
_SAVE = (
    "import os,sys\nf=open(sys.argv[2]+'~','wb'); f.write(open(sys.argv[1],'rb').read()); f.flush()\n"
    "os.fsync(f.fileno()); f.close(); os.rename(sys.argv[2]+'~',sys.argv[2])\n"
)
_MAP = (
    "import mmap,os,sys\nd=open(sys.argv[1],'rb').read(); f=os.open(sys.argv[2],os.O_RDWR|os.O_CREAT); os.ftruncate(f,len(d))\n"
    "m=mmap.mmap(f,len(d)); m[:]=d; m.flush(); os.fsync(f)\n"
)
OLD = "Liste de courses : du pain.\n"


def _furnish(made: Bed) -> dict[str, object]:
    made.put("letter", letter(RECORDS))
    made.put("save.py", _SAVE.encode())
    made.put("map.py", _MAP.encode())
    return {
        "letter": made.base / "letter",
        "stick": made.stick.point,
        "own": made.base,
        "python": sys.executable,
        "name": NAME,
    }


@long
@pytest.mark.parametrize("kind", _MKFS)
def test_the_raw_medium_after_every_refused_way(tmp_path: Path, kind: str) -> None:
    stick = formatted(tmp_path, kind, size_mib=64)
    with bed(tmp_path, sticks=[stick], start=False, policy=policy(tmp_path, "block")) as made, below(stick) as under:
        words = _furnish(made)
        (stick.point / "old").write_text(OLD)
        made.agent.start()
        assert made.channel()["mechanism"] == "airlock", made.channel()
        for way in _WAYS:
            if not shutil.which(way.split()[0].format(**words)):
                continue
            done = run(way.format(**words))
            assert done.returncode != 0, way
            wait_for(lambda: (stick.point / "old").read_text() == OLD)  # the version before is there and readable
            assert marks(stick, below=under) == [0, 0, 0], way
        assert (made.base / "moved").exists()  # mv keeps its source
        assert made.copy("bonjour.txt").returncode == 0
        wait_for(lambda: set(made.listed()) == {"old", "bonjour.txt"})
        made.agent.stop()
        assert marks(stick, below=under) == [0, 0, 0]


@long
@pytest.mark.parametrize("kind", _MKFS)
def test_without_the_agent_everything_is_found(tmp_path: Path, kind: str) -> None:
    """Positive control, by the same search."""
    stick = formatted(tmp_path, kind, size_mib=64)
    try:
        stick.plug()
        (tmp_path / "letter").write_bytes(letter(RECORDS))
        with below(stick) as under:
            assert run(f"cp {tmp_path}/letter {stick.point}/{NAME}").returncode == 0
            wait_for(lambda: marks(stick, below=under)[0] == RECORDS)
            assert sum(marks(stick)[1:]) >= 1
    finally:
        stick.gone()


@pytest.mark.parametrize("seed", range(20) if LONG else [1])
def test_killed_and_pulled_in_the_middle(tmp_path: Path, seed: int) -> None:
    """Copies, saves and maps of a refused document while the airlock, the agent or both are killed, or the stick is pulled."""
    chance = random.Random(seed)
    stick = formatted(tmp_path, "ext4", size_mib=64)
    with bed(tmp_path, sticks=[stick], start=False, policy=policy(tmp_path, "block")) as made, below(stick) as under:
        words = _furnish(made)
        made.agent.start()
        ways = [way for way in _WAYS if "old" not in way and "tar" not in way and "moved" not in way]
        # each its own names: a file that one writer empties under another's hands holds lines without a patient, which
        # are not refused
        writers = [
            subprocess.Popen(
                ["sh", "-c", f"for n in $(seq 60); do {way.format(**words | {'name': f'{NAME}-{who}-$n'})}; done"],
                stderr=subprocess.DEVNULL, start_new_session=True,
            )
            for who, way in enumerate(chance.sample(ways, 4))
        ]  # fmt: skip
        try:
            for _ in range(4):
                time.sleep(chance.uniform(0.05, 0.8))
                what = chance.choice(("airlock", "agent", "both"))
                if what != "agent":
                    for pid in airlocks(tmp_path):
                        os.kill(pid, signal.SIGKILL)
                if what != "airlock":
                    made.agent.kill()
                    time.sleep(chance.uniform(0, 0.5))
                    made.agent.start()
                made.wait_held()
            if chance.random() < 0.5:
                subprocess.run(["umount", "-l", str(stick.point)], check=False, capture_output=True)
        finally:
            _end(writers)
        told = [(each["state"], each.get("strength"), each.get("mechanism")) for each in made.agent.records("place")]
        assert marks(stick, below=under) == [0, 0, 0], told


def _end(writers: list[subprocess.Popen[bytes]]) -> None:
    for each in writers:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each.pid, signal.SIGKILL)
        each.wait(60)


# ---- nobody hangs


def _copies(made: Bed, number: int) -> list[tuple[subprocess.Popen[bytes], float]]:
    begun = []
    for each in range(number):
        source = "lettre.txt" if each % 3 == 0 else "bonjour.txt"
        target = f"{NAME}-{each}" if each % 3 == 0 else f"courses-{each}"
        begun.append((subprocess.Popen(["cp", str(made.base / source), str(made.stick.point / target)],
                                       stderr=subprocess.DEVNULL), time.monotonic()))  # fmt: skip
    return begun


def _longest(begun: list[tuple[subprocess.Popen[bytes], float]], within_s: float) -> float:
    """How long the slowest took, in seconds. Raises TimeoutExpired: one hung."""
    longest, until = 0.0, time.monotonic() + within_s
    try:
        for process, since in begun:
            process.wait(max(0.1, until - time.monotonic()))
            longest = max(longest, time.monotonic() - since)
    finally:
        for process, _ in begun:
            process.kill()
            process.wait(30)
    return longest


DEADLINE_S = 12
"""Seconds, of these tests; 120 otherwise. Nobody waits longer for a verdict, nor for an airlock that is stopped."""


@long
@pytest.mark.parametrize("who", ["agent", "airlock", "readers", "all"])
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP])
def test_fifty_copies_while_ours_are_killed_or_stopped(tmp_path: Path, who: str, signum: signal.Signals) -> None:
    stick = formatted(tmp_path, "ext4", size_mib=64)
    with (
        bed(tmp_path, sticks=[stick], start=False, policy=policy(tmp_path, "block"), deadline_s=DEADLINE_S) as made,
        below(stick) as under,
    ):
        made.agent.start()
        copies = _copies(made, COPIES)
        time.sleep(0.2)
        hit = _victims(made, who)
        assert hit
        for pid in hit:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        if signum == signal.SIGKILL and made.agent.process and made.agent.process.pid in hit:
            made.agent.kill()
            time.sleep(1)
            made.agent.start()
        try:
            longest = _longest(copies, 4 * DEADLINE_S)
        finally:
            for pid in hit:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        print(f"{who} {signum.name}: the longest of {COPIES} copies took {longest:.1f} s")
        assert longest < 2 * DEADLINE_S  # a second state of a file may be asked about
        made.wait_held()
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: made.copy("bonjour.txt", "after").returncode == 0)
        assert (stick.point / "after").exists(), made.channel()  # and it goes on
        assert marks(stick, below=under) == [0, 0, 0]


def _victims(made: Bed, who: str) -> list[int]:
    agent = made.agent.process.pid if made.agent.process else 0
    readers = [pid for pid in _children(agent) if b"agent.extraction" in _words(pid)]
    return {"agent": [agent], "airlock": airlocks(made.base), "readers": readers,
            "all": [agent, *airlocks(made.base), *readers]}[who]  # fmt: skip


def _children(pid: int) -> list[int]:
    return [
        int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@long
def test_full_staging_is_told_and_nothing_goes(tmp_path: Path) -> None:
    """The folder of staging lies on a disk of 8 MB; what does not fit is ENOSPC or goes through memory, never a hang."""
    staging = tmp_path / "data"
    staging.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", staging], check=True)
    try:
        with bed(tmp_path, policy=policy(tmp_path, "block")) as made:
            (staging / "filler").write_bytes(bytes(1 << 20) * max(0, _free(staging) // (1 << 20) - 1))
            made.put("big", os.urandom(1 << 20) * 20)
            begun = time.monotonic()
            done = made.copy("big", timeout_s=60)
            assert time.monotonic() - begun < 60
            assert done.returncode == 0 or "space" in done.stderr or "rror" in done.stderr
            run(f"cp {made.base}/lettre.txt {made.stick.point}/{NAME}")
            made.agent.stop()
            assert marks(made.stick)[:2] == [0, 0]
    finally:
        subprocess.run(["umount", "-l", staging], check=False)


def _free(folder: Path) -> int:
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize


_SLOW = Path("/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device")


@long
@pytest.mark.skipif(not _SLOW.exists(), reason="the kernel cannot slow a device down here (blkio of cgroup v1)")
def test_a_slow_stick_holds_up_nobody_else(tmp_path: Path) -> None:
    """Ten operations a second: copies wait for the stick, listing and another stick do not."""
    sticks = [formatted(tmp_path, "ext4", size_mib=32), Stick(tmp_path, "DEUX")]
    with bed(tmp_path, sticks=list(sticks), policy=policy(tmp_path, "block")) as made:
        device = os.stat(sticks[0].device).st_rdev
        number = f"{os.major(device)}:{os.minor(device)}"
        _SLOW.write_text(f"{number} 10")
        try:
            slow = [
                subprocess.Popen(
                    ["sh", "-c", f"cp {tmp_path}/bonjour.txt {sticks[0].point}/c{n} && sync {sticks[0].point}/c{n}"]
                )
                for n in range(4)
            ]
            begun = time.monotonic()
            assert run(f"cp {tmp_path}/bonjour.txt {sticks[1].point}/").returncode == 0
            assert run(f"ls -l {sticks[0].point}").returncode == 0
            assert made.agent.status()["ready"]
            others = time.monotonic() - begun
            assert [each.wait(60) for each in slow] == [0] * 4
        finally:
            _SLOW.write_text(f"{number} 0")
        print(f"others waited {others:.1f} s, the slow ones {time.monotonic() - begun:.1f} s")
        assert others < 10


_BURST = """
import os, sys, time
longest, refused = 0.0, 0
for turn in range(int(sys.argv[1])):
    began = time.monotonic()
    try: os.close(os.open(sys.argv[2 + turn % (len(sys.argv) - 2)], os.O_RDONLY))
    except PermissionError: refused += 1
    longest = max(longest, time.monotonic() - began)
print(longest, refused)
"""


@long
def test_a_burst_of_opens_at_the_gate(tmp_path: Path) -> None:
    """20,000 opens by eight programs, of known, unknown and secret files: every one is answered within the deadline."""
    opens = 19_200 if LONG else 5_760  # each program goes round whole
    made = GateBed(tmp_path)
    try:
        files = [made.write(made.cloud / f"plain-{n}") for n in range(40)] + [
            made.secret(made.cloud / f"secret-{n}") for n in range(10)
        ]
        files += [made.write(made.outside / f"o{n}") for n in range(10)]
        made.arm(home=False)
        programs = [
            subprocess.Popen([sys.executable, "-I", "-S", "-c", _BURST, str(opens // 8), *map(str, files)],
                             stdout=subprocess.PIPE, text=True)
            for _ in range(8)
        ]  # fmt: skip
        try:
            said = [each.communicate(timeout=GATE_PATIENCE_S * 5)[0].split() for each in programs]
        finally:
            for each in programs:
                each.kill()
        longest, refused = max(float(each[0]) for each in said), sum(int(each[1]) for each in said)
        print(f"{opens} opens: the longest {longest:.3f} s, {refused} refused")
        assert longest < 6
        assert refused == 8 * (opens // 8 // 60) * 10
        assert run_words(["ls", made.cloud]).returncode == 0
    finally:
        made.close()


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Short, and open to everybody."""
    with tempfile.TemporaryDirectory(prefix="serment-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


# ---- nobody waits for the dead


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[airlock_bed.Bed]:
    """An airlock of which somebody else still holds the connection when it is killed."""
    with airlock_bed.bed(tmp_path, patience_s=40) as made:
        yield made


def test_who_only_reads_can_end_though_the_airlock_is_dead(orphan: airlock_bed.Bed) -> None:
    """A killed agent that had a file open here waited in its own exit, with the connection in its hands: for ever."""
    for name, size in (("small", 100), ("large", 1 << 20)):
        (orphan.mount / name).write_bytes(b"x" * size)
    reader = subprocess.Popen(["sh", "-c", f"exec 3<{orphan.mount}/small 4<{orphan.mount}/large; echo open; exec sleep 60"],
                              stdout=subprocess.PIPE)  # fmt: skip
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"open\n"
    assert orphan.process is not None
    orphan.process.kill()
    orphan.process.wait(10)
    reader.kill()
    assert reader.wait(10) == -signal.SIGKILL


_NEW = tuple(int(word) for word in os.uname().release.split(".")[:2]) >= (6, 15)


@long
@pytest.mark.skipif(not _NEW, reason="the kernel ends no FUSE connection by itself before 6.15")
def test_the_kernel_frees_who_waits_when_all_of_ours_stand_still(tmp_path: Path) -> None:
    """Somebody else has the connection too, and nobody does anything any more: the kernel's own time limit is left."""
    with airlock_bed.bed(tmp_path, patience_s=150, extra=("--request-timeout-s", "15")) as made:
        assert made.process is not None
        (made.mount / "known").write_text("they have agreed on it by now")
        made.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        waiting = subprocess.Popen(["ls", "-l", str(made.mount / "nothing")], stderr=subprocess.DEVNULL)
        assert waiting.wait(100) != 0
        print(f"freed after {time.monotonic() - begun:.0f} s")


def test_taking_the_cover_away_frees_who_waits_in_it(orphan: airlock_bed.Bed) -> None:
    """Whoever else holds the connection, and also where no list of connections is mounted."""
    assert orphan.process is not None
    orphan.process.kill()
    orphan.process.wait(10)
    waiting = subprocess.Popen(["ls", "-l", str(orphan.mount / "nothing")], stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    assert waiting.poll() is None
    mounting.unmount(bytes(orphan.mount), lazy=True, abort=True)
    assert waiting.wait(10) != 0
