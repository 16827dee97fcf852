"""The airlock when things go wrong: killed, unanswered, full, pulled, many at once. Nothing leaks, nothing hangs."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.gates.asking import Answer, Ask, Flag, Question, Say
from tests.airlock_bed import SECRET, Bed, bed, count, marked, user, volume, wait_until
from tests.running import wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
INTERLEAVINGS = int(os.environ.get("SERMENT_AIRLOCK_INTERLEAVINGS", "60"))


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as made:
        yield made


def _error(call: object) -> int:
    try:
        call()  # type: ignore[operator]
    except OSError as error:
        return error.errno or -1
    return 0


def test_killed_in_the_middle_of_a_refused_copy(stick: Bed, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(marked())
    stick.agent.delay_s = 60
    copy = subprocess.Popen(["cp", source, stick.mount / "refused.bin"], stderr=subprocess.DEVNULL)
    wait_until(lambda: stick.agent.asked())
    stick.kill()
    assert copy.wait(20) != 0
    assert _error(lambda: (stick.mount / "x").touch()) == errno.EROFS  # what is left below is read-only
    assert stick.records() == 0
    assert stick.listed() == {"lost+found"}


def test_killed_in_the_middle_of_a_commit(tmp_path: Path) -> None:
    """A commit that takes a while (encrypted staging on the disk): the old version is there, no half of the new one."""
    with bed(tmp_path, size_mb=300, extra=("--memory-mb", "1", "--limit-mb", "200")) as stick:
        path = stick.mount / "kept"
        path.write_bytes(b"old")
        user("sync", "-f", stick.raw, check=True)
        source = tmp_path / "source"
        source.write_bytes(os.urandom(1 << 20) * 60)
        copy = subprocess.Popen(["cp", source, path], stderr=subprocess.DEVNULL)
        wait_until(lambda: any(name.startswith(".serment-") for name in stick.listed()))
        stick.kill()
        assert copy.wait(20) != 0
        assert (stick.raw / "kept").read_bytes() in {b"old", source.read_bytes()}
        left = [name for name in stick.listed() if name.startswith(".serment-")]
        assert left
        stick.start()
        assert stick.listed() == {"lost+found", "kept"}  # cleaned at the next start
        path.write_bytes(b"again")
        assert (stick.raw / "kept").read_bytes() == b"again"


def test_another_airlock_takes_the_volume_over(stick: Bed) -> None:
    (stick.mount / "before").write_bytes(b"before")
    stick.kill()
    stick.start()
    assert (stick.mount / "before").read_bytes() == b"before"
    assert _error(lambda: (stick.mount / "refused").write_bytes(SECRET)) == errno.EPERM
    assert stick.records() == 0


def test_what_was_synced_survives_a_pulled_stick(stick: Bed) -> None:
    """The device's own image at the moment fsync returned, looked at apart: no unmount, no sync."""
    with (stick.mount / "synced").open("wb") as file:
        file.write(b"durable" * 1000)
        file.flush()
        os.fsync(file.fileno())
        assert stick.image
        image = stick.image.with_name("pulled")
        user("cp", "--sparse=always", stick.image, image, check=True)
    assert (stick.raw / "synced").exists()
    look = stick.base / "look"
    look.mkdir()
    user("mount", "-o", "loop", image, look, check=True)
    try:
        assert (look / "synced").read_bytes() == b"durable" * 1000
    finally:
        subprocess.run(["umount", look], check=True)


@pytest.mark.parametrize("bed_options", [("--deadline-s", "2")])
def test_a_silent_agent_holds_nobody_beyond_the_deadline(tmp_path: Path, bed_options: tuple[str, ...]) -> None:
    with bed(tmp_path, extra=bed_options) as stick:
        (stick.mount / "old").write_bytes(b"old")
        stick.agent.mute = True
        started = time.monotonic()
        fd = os.open(stick.mount / "new", os.O_WRONLY | os.O_CREAT)
        os.write(fd, b"text")
        assert _error(lambda: os.close(fd)) == errno.EIO
        assert _error(lambda: os.mkdir(stick.mount / "folder")) == errno.EIO
        assert 3.5 < time.monotonic() - started < 15
        assert (stick.mount / "old").read_bytes() == b"old"  # reading goes on all the while
        wait_until(lambda: set(os.listdir(stick.mount)) == {"lost+found", "old"})
        assert stick.listed() == {"lost+found", "old"}
        stick.agent.mute = False
        (stick.mount / "new").write_bytes(b"text")
        assert (stick.raw / "new").read_bytes() == b"text"


def test_others_go_on_while_one_file_is_judged(stick: Bed, tmp_path: Path) -> None:
    release = threading.Event()

    def decide(question: Question, content: bytes) -> Answer | None:
        if b"slow" in question.name:
            release.wait(20)
        return None

    stick.agent.decide = decide
    with ThreadPoolExecutor(20) as pool:
        slow = [pool.submit((stick.mount / f"slow{number}").write_bytes, b"text") for number in range(12)]
        wait_until(lambda: len(stick.agent.asked()) == 12)
        (stick.mount / "quick").write_bytes(b"text")
        assert (stick.mount / "quick").read_bytes() == b"text"
        assert (stick.mount / "slow3").read_bytes() == b"text"  # its bytes may be read meanwhile
        late = pool.submit(os.open, stick.mount / "slow3", os.O_WRONLY)
        late.result(10)
        assert not any(each.done() for each in slow)
        release.set()
        assert all(each.result(20) == 4 for each in slow)
        os.close(late.result())
    assert len(stick.listed()) == 14


def test_writes_to_a_file_under_judgement_wait(stick: Bed) -> None:
    release = threading.Event()
    seen: list[bytes] = []

    def decide(question: Question, content: bytes) -> Answer | None:
        seen.append(content)
        release.wait(20)
        return None

    stick.agent.decide = decide
    first = os.open(stick.mount / "file", os.O_WRONLY | os.O_CREAT)
    os.write(first, b"judged")
    second = os.open(stick.mount / "file", os.O_WRONLY)
    with ThreadPoolExecutor(2) as pool:
        closing = pool.submit(os.close, first)
        wait_until(lambda: seen)
        writing = pool.submit(os.pwrite, second, SECRET, 0)
        time.sleep(0.3)
        assert not writing.done()
        release.set()
        closing.result(10)
        writing.result(10)
    assert (stick.raw / "file").read_bytes() == b"judged"
    assert _error(lambda: os.close(second)) == errno.EPERM
    assert (stick.raw / "file").read_bytes() == b"judged"
    assert stick.records() == 0


def test_a_killed_program_does_not_wait_for_its_verdict(stick: Bed) -> None:
    stick.agent.delay_s = 8
    script = "import os,sys; fd=os.open(sys.argv[1],os.O_WRONLY|os.O_CREAT); os.write(fd,b'x'); os.fsync(fd)"
    child = subprocess.Popen([sys.executable, "-c", script, stick.mount / "file"])
    wait_until(lambda: stick.agent.asked())
    child.send_signal(signal.SIGUSR2)  # fatal as well: it has no handler
    started = time.monotonic()
    assert child.wait(20) < 0
    assert time.monotonic() - started < 7
    maker = subprocess.Popen(["mkdir", stick.mount / "folder"])
    wait_until(lambda: stick.agent.asked(Ask.NAME))
    maker.kill()
    assert maker.wait(7) < 0
    time.sleep(9 - (time.monotonic() - started) if time.monotonic() - started < 9 else 0)
    assert "folder" not in stick.listed()


def test_a_signal_that_is_handled_does_not_spoil_a_close(stick: Bed) -> None:
    stick.agent.delay_s = 1
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        assert (stick.mount / "file").write_bytes(b"text") == 4
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert (stick.raw / "file").read_bytes() == b"text"
    assert len(stick.agent.asked()) == 1


def test_the_agent_is_started_again(stick: Bed) -> None:
    """What waits is asked again; what comes meanwhile waits."""
    stick.agent.delay_s = 1
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit((stick.mount / "one").write_bytes, b"text")
        wait_until(lambda: stick.agent.asked())
        stick.agent.stop()
        coming = pool.submit((stick.mount / "two").write_bytes, b"text")
        refused = _later(pool, lambda: (stick.mount / "three").write_bytes(SECRET))
        time.sleep(0.5)
        stick.agent.start()
        assert waiting.result(20) == 4
        assert coming.result(20) == 4
        assert refused() == errno.EPERM
    assert stick.agent.hellos == 2
    numbers = [question.number for question in stick.agent.questions if question.name == b"one"]
    assert len(numbers) == 2
    assert len(set(numbers)) == 1
    assert stick.listed() == {"lost+found", "one", "two"}


def _later(pool: ThreadPoolExecutor, call: object) -> object:
    future = pool.submit(_error, call)
    return lambda: future.result(20)


def test_an_agent_that_does_not_know_it_ends_it(tmp_path: Path) -> None:
    with bed(tmp_path) as stick:
        stick.kill()
        stick.agent.dismiss = True
        stick.start()
        assert stick.process
        stick.agent_fd_closed()
        assert stick.process.wait(20) == 0


def test_a_full_medium_is_said_early_and_loses_nothing(tmp_path: Path) -> None:
    with bed(tmp_path, size_mb=16) as stick:
        (stick.mount / "old").write_bytes(b"old" * 100)
        with (stick.mount / "big").open("wb", buffering=0) as file:
            with pytest.raises(OSError) as caught:
                for _ in range(40):
                    file.write(bytes(range(256)) * 4096)
            assert caught.value.errno == errno.ENOSPC
            file.truncate(0)
        assert (stick.mount / "old").read_bytes() == b"old" * 100
        (stick.mount / "small").write_bytes(b"small")
        assert (stick.raw / "small").read_bytes() == b"small"
        assert not [name for name in stick.listed() if name.startswith(".serment")]


def test_a_hole_made_in_a_hole_takes_no_room_in_staging(tmp_path: Path) -> None:
    """As ``fallocate --dig-holes`` does to the image of a machine: others go on writing meanwhile."""
    with bed(tmp_path, extra=("--limit-mb", "8", "--memory-mb", "2")) as stick:
        path = stick.mount / "sparse"
        with path.open("wb") as file:
            file.truncate(40 << 20)
            os.pwrite(file.fileno(), b"begin" * 999_999, 20 << 20)
            subprocess.run(["fallocate", "-p", "-o", "5", "-l", str(39 << 20), path], check=True, timeout=60)
            os.pwrite(file.fileno(), b"end", (40 << 20) - 3)
        assert path.read_bytes().strip(b"\0") == b"end"


def test_full_staging_is_said_as_no_space(tmp_path: Path) -> None:
    with bed(tmp_path, extra=("--limit-mb", "8", "--memory-mb", "2")) as stick:
        (stick.mount / "old").write_bytes(os.urandom(6 << 20))
        old = (stick.raw / "old").read_bytes()
        with (stick.mount / "big").open("wb", buffering=0) as file:
            with pytest.raises(OSError) as caught:
                for _ in range(20):
                    file.write(os.urandom(1 << 20))
            assert caught.value.errno == errno.ENOSPC
            fd = os.open(stick.mount / "old", os.O_RDWR)  # no room for its old version beside the big one
            assert _error(lambda: os.pwrite(fd, b"x", 0)) == errno.ENOSPC
            assert os.pread(fd, len(old), 0) == old
            os.close(fd)
        (stick.mount / "big").unlink()
        with (stick.mount / "old").open("r+b") as file:  # the room is there again
            file.write(b"x")
        assert (stick.raw / "old").read_bytes() == b"x" + old[1:]


@pytest.mark.parametrize("encrypted", [True, False])
def test_files_too_large_for_memory_are_staged_on_the_disk(tmp_path: Path, encrypted: bool) -> None:
    """Encrypted there unless the disk is; the judge reads the clear bytes either way."""
    extra = ("--memory-mb", "1", "--limit-mb", "64", *(() if encrypted else ("--disk-encrypted",)))
    with bed(tmp_path, extra=extra) as stick:
        content = os.urandom(9_000_001)
        heard: list[str] = []
        stick.agent.decide = lambda _, text: heard.append(hashlib.sha256(text).hexdigest())  # type: ignore[func-returns-value]
        fd = os.open(stick.mount / "big", os.O_RDWR | os.O_CREAT)
        for offset in sorted(range(0, len(content), 100_003), key=lambda offset: offset * 7919 % 104729):
            os.pwrite(fd, content[offset : offset + 100_003], offset)
        assert os.pread(fd, len(content), 0) == content
        os.close(fd)
        assert heard == [hashlib.sha256(content).hexdigest()]
        assert (stick.raw / "big").read_bytes() == content
        with (stick.mount / "big").open("r+b") as file:
            file.truncate(5_000_001)
            file.truncate(5_000_100)
        assert (stick.raw / "big").read_bytes() == content[:5_000_001] + bytes(99)
        assert _error(lambda: (stick.mount / "refused").write_bytes(marked(4096))) == errno.EPERM
        assert stick.records() == 0


def test_encrypted_staging_is_given_back_after_each_document(tmp_path: Path) -> None:
    """Three times more than the laptop's disk has room for, one after the other."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "bed").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", str(disk)], check=True)
    try:
        with bed(tmp_path / "bed", size_mb=256, extra=("--memory-mb", "1"), staging_at=disk) as stick:
            content = os.urandom(15 << 20)
            for number in range(8):
                (stick.mount / f"film{number}").write_bytes(content)
                wait_until(lambda number=number: (stick.raw / f"film{number}").exists())
                wait_until(lambda: os.statvfs(disk).f_bfree == os.statvfs(disk).f_blocks)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_encrypted_staging_leaves_noise_on_the_disk(tmp_path: Path) -> None:
    """A file system of its own for staging, searched while the clear bytes are there to be read."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "bed").mkdir()
    options = ("--memory-mb", "1", "--limit-mb", "40")
    with (
        volume(tmp_path / "disk", size_mb=64) as (image, disk),
        bed(tmp_path / "bed", extra=options, staging_at=disk) as stick,
    ):
        with (stick.mount / "big").open("wb") as file:
            file.write(marked(8192))
            file.flush()
            user("sync", "-f", disk, check=True)
            assert image
            assert int(os.statvfs(disk).f_bfree) < int(os.statvfs(disk).f_blocks) - 7000
            assert count(image, SECRET) == 0
            file.truncate(0)
        assert stick.records() == 0


def test_the_medium_is_pulled_while_a_file_is_written(stick: Bed) -> None:
    """The device shrinks to nothing from one moment to the next: errors, no hang."""
    (stick.mount / "old").write_bytes(b"old")
    user("sync", "-f", stick.raw, check=True)
    fd = os.open(stick.mount / "new", os.O_WRONLY | os.O_CREAT)
    os.write(fd, os.urandom(3_000_000))
    assert stick.image
    os.truncate(stick.image, 0)
    device = user("losetup", "-n", "-O", "NAME", "-j", stick.image, check=True).stdout.strip()
    user("losetup", "-c", device, check=True)
    result = user(sys.executable, "-c", f"import os; os.fsync({fd})", pass_fds=[fd], timeout_s=30)
    assert result.returncode != 0
    assert b"OSError" in result.stderr, result
    assert stick.process
    assert stick.process.poll() is None
    stick.abort()
    _error(lambda: os.close(fd))
    stick.agent_fd_closed()
    assert stick.process.wait(30) in {0, 1}


def test_unmounted_lazily_with_a_file_open(stick: Bed) -> None:
    fd = os.open(stick.mount / "late", os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"text")
    subprocess.run(["umount", "-l", stick.mount], check=True)
    os.write(fd, b" and more")
    os.close(fd)
    stick.agent_fd_closed()
    assert stick.process
    assert stick.process.wait(30) == 0
    assert (stick.raw / "late").read_bytes() == b"text and more"


def test_fifty_copies_at_once(stick: Bed, tmp_path: Path) -> None:
    sources = []
    for number in range(50):
        source = tmp_path / f"source{number}"
        source.write_bytes(marked(40) if number % 5 == 0 else os.urandom(200_000 + number))
        sources.append(source)
    copies = [subprocess.Popen(["cp", source, stick.mount], stderr=subprocess.DEVNULL) for source in sources]
    codes = [copy.wait(60) for copy in copies]
    assert codes == [1 if number % 5 == 0 else 0 for number in range(50)]
    for number, source in enumerate(sources):
        if number % 5:
            assert (stick.raw / source.name).read_bytes() == source.read_bytes()
    assert len(stick.listed()) == 41
    assert stick.records() == 0


@pytest.mark.parametrize("seed", range(3))
def test_random_interleavings(tmp_path: Path, seed: int) -> None:
    """Whatever several programs do at once, nothing with a mark reaches the medium, and what is there was released.

    The airlock is killed in the middle once. SERMENT_AIRLOCK_INTERLEAVINGS makes it longer.
    """
    with bed(tmp_path) as stick:
        released: set[bytes] = set()
        lock = threading.Lock()

        def decide(question: Question, content: bytes) -> Answer | None:
            if question.kind is Ask.FILE and SECRET not in content:
                with lock:
                    released.add(hashlib.sha256(content).digest())
            return None

        stick.agent.decide = decide
        for part in range(2):
            with ThreadPoolExecutor(4) as pool:
                runs = [
                    pool.submit(_interleave, stick, random.Random(seed * 100 + part * 10 + who)) for who in range(4)
                ]  # noqa: S311
                for run in runs:
                    run.result(100)
            if part == 0:
                stick.kill()
                stick.start()
        assert stick.records() == 0
        assert stick.unmount() == 0
        for folder, _, names in os.walk(stick.raw):
            for name in names:
                assert not name.startswith(".serment-")
                assert hashlib.sha256((Path(folder) / name).read_bytes()).digest() in released


def _interleave(stick: Bed, rng: random.Random) -> None:
    names = [stick.mount / f"n{number}" for number in range(4)]
    fds: list[int] = []
    for _ in range(INTERLEAVINGS):
        name, other = rng.choice(names), rng.choice(names)
        what = rng.randrange(12)
        text = (SECRET if rng.random() < 0.4 else b"harmless") * rng.randrange(1, 2000)
        try:
            if what < 3:
                fds.append(os.open(name, os.O_RDWR | os.O_CREAT | rng.choice((0, os.O_TRUNC, os.O_APPEND, os.O_EXCL))))
            elif what < 6 and fds:
                os.pwrite(rng.choice(fds), text, rng.randrange(50_000))
            elif what == 6 and fds:
                os.fsync(rng.choice(fds))
            elif what == 7 and fds:
                os.close(fds.pop(rng.randrange(len(fds))))
            elif what == 8:
                os.rename(name, other)
            elif what == 9:
                os.unlink(name)
            elif what == 10:
                os.truncate(name, rng.randrange(60_000))
            elif what == 11:
                name.read_bytes()
        except OSError as error:
            # ESTALE: refused between the kernel's look-up and its opening, twice in a row
            failed = [done for done in stick.agent.done if done.error]  # of commits: none, and it was no commit
            assert error.errno in {errno.ENOENT, errno.EPERM, errno.EEXIST, errno.ESTALE}, (what, error, failed)
    for fd in fds:
        _error(lambda fd=fd: os.close(fd))


def test_questions_say_who_and_what(stick: Bed) -> None:
    stick.mount.chmod(0o777)
    user(
        "setpriv",
        "--reuid=4321",
        "--regid=4321",
        "--clear-groups",
        "sh",
        "-c",
        "echo text > letter",
        cwd=stick.mount,
        check=True,
    )
    user("setpriv", "--reuid=4321", "--regid=4321", "--clear-groups", "mkdir", "folder", cwd=stick.mount, check=True)
    file, folder = stick.agent.questions
    assert (file.kind, file.uid, file.size, file.name, file.flags) == (Ask.FILE, 4321, 5, b"letter", Flag.NEW)
    assert file.pid > 0
    assert (folder.kind, folder.uid, folder.name, folder.flags) == (Ask.NAME, 4321, b"folder", Flag.NEW | Flag.FOLDER)
    with (stick.mount / "letter").open("ab") as again:
        again.write(b"x")
        again.flush()
        os.fsync(again.fileno())
    assert stick.agent.questions[-1].flags == Flag.SYNC
    told = [file.number, stick.agent.questions[-1].number]  # the outcome follows the caller's answer
    wait_for(lambda: [done.number for done in stick.agent.done] == told)


def test_the_number_that_a_writer_gets_is_the_agents(stick: Bed) -> None:
    stick.agent.error = errno.EACCES
    assert _error(lambda: (stick.mount / "x").write_bytes(SECRET)) == errno.EACCES
    stick.agent.decide = lambda question, _: Answer(question.number, Say.REFUSE, errno.EIO)
    assert _error(lambda: (stick.mount / "x").write_bytes(b"text")) == errno.EIO
