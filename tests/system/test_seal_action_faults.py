"""Sealing killed, out of room, its stick pulled out: at every moment one whole document, plain or sealed, and no plain
temporary. The laptop's own disk is an image of its own here and is searched byte by byte.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.actions.recovery import recover
from agent.model import Decision, Result
from tests.acting import Desk, digest
from tests.running import loop_volume

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.skipif(os.getuid() != 0, reason="mounts")]
KILLS = int(os.environ.get("SERMENT_SEAL_KILLS", "200"))
PULLS = int(os.environ.get("SERMENT_SEAL_PULLS", "30"))
MARK = b"Mme Jeanne EXEMPLE-ZEBRULON, nee le 1er mars 1961\n"
DOCUMENT = MARK * 20_000  # a megabyte
NAME = b"EXEMPLE-ZEBRULON Jeanne.txt"
_EXT4_SHUTDOWN = 0x8004587D


class Carried:
    """A gate's hold: what is let go is carried to ``stick``, as an airlock's commit does."""

    name = b""

    def __init__(self, stick: Path) -> None:
        self.stick = stick

    def release(self) -> None:
        raise AssertionError("a document went in clear")

    def refuse(self) -> None:
        """Nothing goes."""

    def substitute(self, sealed_fd: int, name: bytes) -> None:
        with open(os.fsencode(self.stick) + b"/" + name, "wb") as target:
            while block := os.read(sealed_fd, 1 << 20):
                target.write(block)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "medium").mkdir()
    with loop_volume(tmp_path / "medium", size_mib=64) as point:
        yield point


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The laptop's own disk: keys, journal, staging."""
    (tmp_path / "laptop").mkdir()
    with loop_volume(tmp_path / "laptop", size_mib=64) as point:
        yield point


def image_of(point: Path) -> Path:
    return point.parent / "ext4.img"


def searched(point: Path, *needles: bytes) -> list[int]:
    os.sync()
    content = image_of(point).read_bytes()
    return [content.count(each) for each in needles]


def killed_within(seconds: float, work: Callable[[], object]) -> bool:
    """Whether it was killed before its end, at that moment."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def how_long(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def test_killed_at_random_while_a_document_is_sealed_in_its_place(stick: Path, disk: Path) -> None:
    desk = Desk(stick, disk / "data")
    desk.keys.recipients(desk.owner)
    drawn, ends = random.Random(20261122), {"plain": 0, "sealed": 0}
    desk.put(NAME, DOCUMENT)
    longest = 1.3 * how_long(lambda: desk.act(NAME, Decision.ENCRYPT))
    for _ in range(KILLS):
        for name in desk.names() - {b"lost+found"}:
            os.unlink(os.fsencode(stick) + b"/" + name)
        desk.put(NAME, DOCUMENT)
        killed_within(drawn.uniform(0, longest), lambda: desk.act(NAME, Decision.ENCRYPT))
        after = Desk(stick, disk / "data")
        recover(after.store)
        (name,) = after.names() - {b"lost+found"}
        assert name == NAME or name.startswith(b"document-")
        assert list(after.contents()) == [digest(DOCUMENT)]
        assert not after.store.journal.open_intents()
        ends["plain" if name == NAME else "sealed"] += 1
    assert min(ends.values()) > 0, ends  # kills on both sides
    assert searched(disk, MARK, NAME, b"AGE-SECRET-KEY-1") == [0, 0, 0]


def test_killed_at_random_while_a_held_document_is_sealed(stick: Path, disk: Path, tmp_path: Path) -> None:
    """What is held lies in memory; on the laptop's disk there is only what is sealed already."""
    memory = Path(f"/dev/shm/serment-held-{os.getpid()}")
    memory.mkdir()
    try:
        desk = Desk(memory, disk / "data")
        desk.keys.recipients(desk.owner)
        desk.put(NAME, DOCUMENT)
        drawn, whole = random.Random(7), 0

        def held() -> None:
            with desk.open(NAME, Decision.ENCRYPT, hold=Carried(stick)) as transfer:
                assert desk.actions[Decision.ENCRYPT].apply(transfer).result is Result.DONE

        longest = 1.3 * how_long(held)
        for _ in range(KILLS):
            killed_within(drawn.uniform(0, longest), held)
            assert (memory / os.fsdecode(NAME)).read_bytes() == DOCUMENT
            left = [each for each in (disk / "data/quarantine").rglob("*") if each.is_file()]
            assert left == []  # a draft has no name: it goes with its process
            for path in stick.glob("document-*.age"):
                fd = os.open(path, os.O_RDONLY)
                try:
                    whole += _is_whole(desk, fd)
                finally:
                    os.close(fd)
                path.unlink()
        assert 0 < whole < KILLS
        assert searched(disk, MARK, NAME, b"AGE-SECRET-KEY-1") == [0, 0, 0]
        assert searched(stick, MARK, NAME) == [0, 0]
    finally:
        subprocess.run(["rm", "-rf", memory], check=True)


def _is_whole(desk: Desk, fd: int) -> bool:
    from agent.errors import SealError

    try:
        return desk.opened(fd) == DOCUMENT
    except SealError:
        return False


def test_full_disks_leave_the_document(stick: Path, disk: Path) -> None:
    """The stick is full, then the laptop: the document stays, nothing is left over, and it is sealed once there is room."""
    desk = Desk(stick, disk / "data")
    desk.keys.recipients(desk.owner)
    desk.put(NAME, DOCUMENT)
    for point, filler in ((stick, stick / "filler"), (disk, disk / "filler")):
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue
        outcome = desk.act(NAME, Decision.ENCRYPT)
        if point == stick:
            assert (outcome.result, outcome.problem) == (Result.FAILED, "disk-full")
        assert digest(DOCUMENT) in desk.contents()
        assert not [name for name in desk.names() if name.startswith(b".serment")]
        filler.unlink()
        if NAME not in desk.names():
            break
    else:
        assert desk.act(NAME, Decision.ENCRYPT).result is Result.DONE
    assert list(desk.contents()) == [digest(DOCUMENT)]
    assert searched(disk, MARK) == [0]


def test_the_stick_is_pulled_out_at_random(stick: Path, disk: Path) -> None:
    """ext4 stops as when its device is gone: what was not on the medium never comes there. Then it is put in again."""
    drawn, ends = random.Random(3), set()
    longest = 0.0
    for turn in range(PULLS):
        desk = Desk(stick, disk / "data")
        desk.keys.recipients(desk.owner)
        for name in desk.names() - {b"lost+found"}:
            os.unlink(os.fsencode(stick) + b"/" + name)
        desk.put(NAME, DOCUMENT)
        os.sync()
        if not longest:
            longest = how_long(lambda: desk.act(NAME, Decision.ENCRYPT))  # noqa: B023 - at once
            continue
        timer = threading.Timer(drawn.uniform(0, longest), _pull, [stick])
        timer.start()
        desk.act(NAME, Decision.ENCRYPT)
        timer.join()
        subprocess.run(["umount", stick], check=True)
        subprocess.run(["mount", "-o", "loop", image_of(stick), stick], check=True)
        again = Desk(stick, disk / "data")
        recover(again.store)
        assert list(again.contents()) == [digest(DOCUMENT)], turn
        assert not [name for name in again.names() if name.startswith(b".serment")]
        assert not again.store.journal.open_intents()
        ends |= {name[:8] for name in again.names() - {b"lost+found"}}
    assert ends <= {NAME[:8], b"document"}
    assert searched(disk, MARK, NAME) == [0, 0]


def _pull(point: Path) -> None:
    fd = os.open(point, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, _EXT4_SHUTDOWN, ctypes.c_uint32(2))
    finally:
        os.close(fd)
