"""An unprivileged user with a stick, a script and patience against a real airlock: what each attack comes to.

The attacker's programs run as another account than the airlock, inside the volume. The raw medium is looked at from
below, where the attacker cannot look.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.asking import Answer, Question
from agent.gates.takeover import cover, mounting
from tests.airlock_bed import SEAL, SECRET, SECRET_NAME, Bed, bed, user

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]
ATTACKER = 4711
_PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
_BEGIN = """
import ctypes, errno, mmap, os, random, stat, sys, threading, time
SECRET = b"SERMENT-SECRET"
def put(name, data, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    fd = os.open(name, flags, 0o644)
    try: os.write(fd, data)
    finally: os.close(fd)
def error(what, *args, **more):
    try: what(*args, **more)
    except OSError as problem: return errno.errorcode[problem.errno]
    return ""
"""


def start(stick: Bed, script: str, *words: object) -> subprocess.Popen[bytes]:
    """A program of the attacker's in the root of the volume."""
    return subprocess.Popen(
        [_PYTHON, "-I", "-c", _BEGIN + script, *map(str, words)], cwd=stick.mount, user=ATTACKER, group=ATTACKER,
        extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def attack(stick: Bed, script: str, *words: object, timeout_s: float = 40.0) -> str:
    """What it prints; it must end by itself, without an error."""
    process = start(stick, script, *words)
    try:
        out, said = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said.decode()[-2000:]
    return out.decode().strip()


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as made:
        os.chown(made.raw, ATTACKER, ATTACKER)
        yield made


def alive(stick: Bed) -> bool:
    assert stick.process
    return stick.process.poll() is None and user("stat", stick.mount, timeout_s=10).returncode == 0


# ---- a name or bytes that were not judged


@pytest.mark.parametrize("below", ["", "folder/"])
def test_a_telling_name_given_while_the_content_is_judged(stick: Bed, below: str) -> None:
    stick.agent.delay_s = 1.0
    said = attack(
        stick,
        """
below = sys.argv[1]
if below: os.mkdir(below)
def close():
    put("harmless", b"nothing to see\\n")
thread = threading.Thread(target=close)
thread.start()
time.sleep(0.5)  # it is being judged, under its harmless name
print(error(os.rename, "harmless", below + "secretname.txt"))
thread.join()
""",
        below,
    )
    assert said == "EPERM"
    assert not any(SECRET_NAME in os.fsencode(name) for name in stick.listed(below))
    assert (stick.raw / "harmless").read_bytes() == b"nothing to see\n"


def test_other_bytes_while_the_first_are_judged(stick: Bed) -> None:
    """Every way of changing a file, each tried while its harmless state is with the judge."""
    seen: list[bytes] = []

    def slowly(question: Question, content: bytes) -> Answer | None:
        seen.append(content)
        time.sleep(0.4)
        return None

    stick.agent.decide = slowly
    attack(
        stick,
        """
page = SECRET.ljust(4096, b"!")
def pwrite(name):
    fd = os.open(name, os.O_RDWR); os.pwrite(fd, page, 0); return fd
def appending(name):
    fd = os.open(name, os.O_WRONLY | os.O_APPEND); os.write(fd, page); return fd
def mapped(name):
    fd = os.open(name, os.O_RDWR); area = mmap.mmap(fd, 4096); area[:] = page; area.flush(); return fd
def mapped_and_closed(name):
    fd = os.open(name, os.O_RDWR); area = mmap.mmap(fd, 4096); os.close(fd); area[:] = page; area.close()
def emptied(name):
    fd = os.open(name, os.O_RDWR | os.O_TRUNC); os.write(fd, page); return fd
def cut(name):
    os.truncate(name, 10); fd = os.open(name, os.O_RDWR); os.pwrite(fd, page, 0); return fd
def copied(name):
    source = os.memfd_create("s"); os.write(source, page); os.lseek(source, 0, 0)
    fd = os.open(name, os.O_RDWR); os.sendfile(fd, source, 0, 4096); return fd
def within(name):
    other = os.open("own", os.O_RDWR | os.O_CREAT); os.write(other, page)
    fd = os.open(name, os.O_RDWR)
    error(os.copy_file_range, other, fd, 4096, 0, 0); return fd
def holes(name):
    fd = os.open(name, os.O_RDWR); os.posix_fallocate(fd, 0, 1 << 20); os.pwrite(fd, page, 1 << 19); return fd
def over(name):
    fd = os.open(name + ".new", os.O_RDWR | os.O_CREAT); os.write(fd, page); os.rename(name + ".new", name); return fd
ways = [pwrite, appending, mapped, mapped_and_closed, emptied, cut, copied, within, holes, over]
def one(number, way):
    name = "file%d" % number
    first = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    os.write(first, b"harmless".ljust(4096, b"."))
    closing = threading.Thread(target=os.close, args=(first,))
    closing.start()
    time.sleep(0.2)
    fd = error(lambda: keep.append(way(name)))
    closing.join()
keep = []
threads = [threading.Thread(target=one, args=each) for each in enumerate(ways)]
for each in threads: each.start()
for each in threads: each.join()
for fd in keep:
    if fd is not None: error(os.fsync, fd), error(os.close, fd)
""",
    )
    assert sum(SECRET in content for content in seen) >= 8  # the attack came as far as the judge
    assert stick.records() == 0
    assert all((stick.raw / f"file{number}").read_bytes()[:8] in {b"harmless", b""} for number in range(9))
    assert alive(stick)


def test_a_storm_of_programs_on_the_same_few_names(stick: Bed) -> None:
    script = """
random.seed(int(sys.argv[1]))
names = [b"a", b"b", b"folder/a", b"folder/b", b"secretname"]
error(os.mkdir, b"folder")
end = time.monotonic() + 6
while time.monotonic() < end:
    name, other = random.choice(names), random.choice(names)
    data = random.choice([b"harmless", SECRET, b"SERMENT-SEAL-ME"]) * random.choice([1, 300])
    step = random.randrange(9)
    if step < 3: error(put, name, data)
    elif step == 3: error(put, name, data, os.O_WRONLY | os.O_APPEND)
    elif step == 4: error(os.rename, name, other)
    elif step == 5: error(os.unlink, name)
    elif step == 6: error(os.truncate, name, random.choice([0, 7, 5000]))
    elif step == 7: error(os.rename, b"folder", b"moved"), error(os.rename, b"moved", b"folder")
    else:
        pid = os.fork()
        if pid == 0:
            error(put, name, data); os._exit(0)
        time.sleep(random.random() / 200); os.kill(pid, 9); os.waitpid(pid, 0)
"""
    many = [start(stick, script, seed) for seed in range(4)]
    try:
        for each in many:
            _, said = each.communicate(timeout=60)
            assert each.returncode == 0, said.decode()[-1000:]
    finally:
        for each in many:
            each.kill()
            each.wait()
    assert alive(stick)
    assert stick.unmount() == 0
    found = [name for _, folders, files in os.walk(os.fsencode(stick.raw)) for name in (*folders, *files)]
    assert not any(SECRET_NAME in name or name.startswith(b".serment-") for name in found)
    assert stick.records() == 0
    assert not any(SEAL in path.read_bytes() for path in stick.raw.rglob("*") if path.is_file())


def test_programs_killed_in_the_middle_of_every_call(stick: Bed) -> None:
    """SIGKILL and handled signals while something waits for its verdict: no half state is committed, nothing hangs."""
    stick.agent.delay_s = 0.3
    attack(
        stick,
        """
import signal
for round in range(12):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        name = "killed%d" % round
        fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
        os.write(fd, b"harmless ")
        error(os.fsync, fd)
        os.write(fd, SECRET)
        error(os.fsync, fd)
        error(os.rename, name, "secretname%d" % round)
        error(os.mkdir, "secretname-folder")
        os._exit(0)
    time.sleep(0.1 * (round % 6))
    if round % 2: os.kill(pid, 9)
    os.waitpid(pid, 0)
""",
    )
    stick.agent.delay_s = 0.0
    assert alive(stick)
    assert stick.unmount() == 0
    assert stick.records() == 0
    assert {path.read_bytes() for path in stick.raw.glob("killed*")} <= {b"harmless "}
    assert not any("secretname" in name for name in stick.listed())


# ---- other people's files, and the medium of a stranger


def test_other_peoples_files_stay_theirs(tmp_path: Path) -> None:
    with bed(tmp_path) as stick:
        os.chmod(stick.raw, 0o1777)
        private = stick.raw / "private"
        private.mkdir(0o700)
        (private / "letter").write_bytes(b"of somebody else")
        (stick.raw / "theirs").write_bytes(b"of somebody else")
        os.chmod(stick.raw / "theirs", 0o600)
        (stick.raw / "set").write_bytes(b"x")
        os.chmod(stick.raw / "set", 0o4755)
        said = attack(
            stick,
            """
put("mine", b"mine")
print(*[
    error(os.open, "theirs", os.O_RDONLY), error(os.open, "theirs", os.O_WRONLY | os.O_TRUNC),
    error(os.listdir, "private"), error(os.stat, "private/letter"), error(os.open, "private/letter", os.O_RDONLY),
    error(os.chmod, "theirs", 0o666), error(os.chown, "mine", 0, 0), error(os.truncate, "theirs", 0),
    error(os.unlink, "theirs"), error(os.rename, "mine", "theirs"), error(os.rename, "theirs", "taken"),
    error(os.link, "theirs", "second"), error(os.mknod, "disk", stat.S_IFBLK | 0o666, os.makedev(7, 0)),
    error(os.setxattr, "mine", "user.note", b"x").replace("EOPNOTSUPP", "ENOTSUP"),
])
os.chmod("mine", 0o6777)
os.symlink("/etc/shadow", "link")
print(error(os.open, "link", os.O_RDONLY))
""",
        )
        first, link = said.splitlines()
        assert first.split() == [*["EACCES"] * 5, "EPERM", "EPERM", "EACCES", *["EPERM"] * 5, "ENOTSUP"]
        assert link == "EACCES"
        assert os.statvfs(stick.mount).f_flag & (os.ST_NOSUID | os.ST_NODEV) == os.ST_NOSUID | os.ST_NODEV
        assert (stick.raw / "theirs").read_bytes() == b"of somebody else"
        assert (stick.raw / "mine").stat().st_uid == ATTACKER


def test_a_name_of_ours_that_nobody_can_remove_keeps_no_airlock_from_its_stick(tmp_path: Path) -> None:
    name = ".serment-0123456789abcdefx.tmp"

    def prepare(raw: Path) -> None:
        (raw / name).touch()
        subprocess.run(["chattr", "+i", raw / name], check=True)

    with bed(tmp_path, prepare=prepare, patience_s=20) as stick:
        try:
            (stick.mount / "plain").write_bytes(b"harmless")
            assert set(os.listdir(stick.mount)) == {"lost+found", "plain"}
        finally:
            subprocess.run(["chattr", "-i", stick.raw / name], check=True)


def test_a_medium_that_a_stranger_prepared(tmp_path: Path) -> None:
    """Devices, fifos, links out of the volume, names that are none, holes, endless folders: read, or refused; no hang."""
    with bed(tmp_path) as stick:
        raw = stick.raw
        os.chown(raw, ATTACKER, ATTACKER)
        os.mknod(raw / "disk", stat.S_IFBLK | 0o666, os.stat("/dev/zero").st_rdev)
        os.mknod(raw / "zero", stat.S_IFCHR | 0o666, os.stat("/dev/zero").st_rdev)
        os.mkfifo(raw / "fifo", 0o666)
        os.chmod(raw / "fifo", 0o666)
        (raw / "out").symlink_to("/")
        (raw / "round").symlink_to("round")
        (raw / ".serment-0123456789abcdefx.tmp").mkdir()
        os.link(raw / "zero", raw / "second")
        with (raw / "sparse").open("wb") as file:
            file.truncate(1 << 40)
        os.chown(raw / "sparse", ATTACKER, ATTACKER)
        for name in (b"\xff\xfe", b"new\nline", b"x" * 255, b"-rf", b"\x1b[2J"):
            Path(os.fsdecode(os.path.join(os.fsencode(raw), name))).write_bytes(b"x")
        said = attack(
            stick,
            """
print(len(os.listdir(b".")))
print(error(os.open, "disk", os.O_RDWR), error(os.open, "zero", os.O_RDWR), error(os.open, "second", os.O_RDONLY),
      error(os.open, "round", os.O_RDONLY))
fd = os.open("fifo", os.O_RDWR | os.O_NONBLOCK); os.close(fd)
error(os.chmod, "fifo", 0o600); error(os.rename, "fifo", "fifo2"); error(os.unlink, "fifo2")
error(os.unlink, "disk")
fd = os.open("sparse", os.O_RDONLY)
print(os.pread(fd, 8, 1 << 39) == bytes(8), error(os.truncate, "sparse", (1 << 40) - 1))
print(error(os.mkdir, ".serment-0123456789abcdefx.tmp"), error(os.rmdir, ".serment-0123456789abcdefx.tmp"))
print(error(os.rename, "out", "in"), error(os.open, "in/etc/hostname", os.O_WRONLY))
""",
        )
        lines = said.splitlines()
        assert lines[0] == "13"
        assert lines[1] == "EACCES EACCES EACCES ELOOP"
        assert lines[2].startswith("True E")
        assert lines[3] == "EPERM ENOENT"
        assert lines[4] == " EACCES"
        assert not (raw / "disk").exists()
        assert alive(stick)


# ---- the machine


def test_many_programs_list_one_folder_at_once(stick: Bed) -> None:
    """Each sees every name: a copy of the folder made meanwhile would lack the others."""
    for number in range(3000):
        (stick.raw / f"{number:05}.txt").touch()
    said = attack(
        stick,
        """
wanted, wrong = 3001 - 1, []
def look():
    for _ in range(6):
        found = len([name for name in os.listdir(".") if name.endswith(".txt")])
        if found != wanted: wrong.append(found)
pids = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        look(); os._exit(1 if wrong else 0)
    pids.append(pid)
print(sum(os.waitpid(pid, 0)[1] != 0 for pid in pids))
""",
    )
    assert said == "0"


def test_a_thousand_open_folders_do_not_fill_the_memory(stick: Bed) -> None:
    for number in range(15_000):
        (stick.raw / f"{number:05}-a-name-of-some-length.txt").touch()
    attack(
        stick,
        """
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(4096)
fds = [os.open(".", os.O_RDONLY | os.O_DIRECTORY) for _ in range(90)]
for fd in fds:
    assert libc.syscall(217, fd, buffer, 4096) > 0
names = set(os.listdir(fds[0]))  # begun long ago, and forgotten meanwhile: it goes on where it was
assert 14_900 < len(names) < 15_000, len(names)
""",
        timeout_s=80,
    )
    assert stick.process
    status = Path(f"/proc/{stick.process.pid}/status").read_text(encoding="ascii")
    peak_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
    assert peak_kb < 200 * 1024


def test_numbers_out_of_all_bounds(stick: Bed, capfd: pytest.CaptureFixture[str]) -> None:
    said = attack(
        stick,
        """
put("file", b"harmless")
fd = os.open("file", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
for offset in (-1, -(1 << 63), (1 << 63) - 1):
    for whence in (os.SEEK_DATA, os.SEEK_HOLE):
        libc.lseek(fd, ctypes.c_int64(offset), whence)
        print(errno.errorcode[ctypes.get_errno()], end=" ")
for size in ((1 << 62), (1 << 40)):
    print(error(os.truncate, "file", size), error(os.pwrite, fd, b"x", size), end=" ")
    print(error(os.posix_fallocate, fd, size, 5), end=" ")
os.utime("file", ns=((1 << 62), -(1 << 62)))
folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
os.lseek(folder, (1 << 62), 0)
print(len(os.listdir(folder)) < 9)
""",
    )
    assert "EIO" not in said
    assert set(said.split()) <= {"EINVAL", "ENXIO", "EFBIG", "True"}
    assert "Error" not in capfd.readouterr().err  # nothing of it is worth a line in the log
    assert alive(stick)


def test_three_hundred_closers_and_a_judge_that_is_silent(tmp_path: Path) -> None:
    """They wait until their deadline; nobody's file is let go, and the volume is itself again afterwards."""
    with bed(tmp_path, extra=("--deadline-s", "3")) as stick:
        os.chown(stick.raw, ATTACKER, ATTACKER)
        stick.agent.mute = True
        script = """
for number in range(300):
    pid = os.fork()
    if pid == 0:
        print(error(put, "file%d" % number, b"harmless"), flush=True); os._exit(0)
while True:
    try: os.wait()
    except ChildProcessError: break
"""
        said = attack(stick, script, timeout_s=60)
        assert set(said.split()) == {"EIO"} and len(said.split()) == 300
        assert stick.listed() == {"lost+found"}
        stick.agent.mute = False
        assert attack(stick, 'put("after", b"harmless"); print("written")') == "written"
        assert (stick.raw / "after").read_bytes() == b"harmless"


def test_a_full_medium_in_the_middle_of_commits_leaves_no_leftovers(tmp_path: Path) -> None:
    with bed(tmp_path, size_mb=16) as stick:
        os.chown(stick.raw, ATTACKER, ATTACKER)
        attack(
            stick,
            """
for number in range(12):
    error(put, "big%d" % (number % 3), os.urandom(3 << 20))
    error(put, "secret%d" % number, SECRET * 1000)
""",
        )
        assert not any(name.startswith(".serment-") for name in stick.listed())
        assert stick.records() == 0
        assert alive(stick)
        assert {path.stat().st_size for path in stick.raw.glob("big*")} <= {3 << 20}


# ---- the airlock's own doors


def test_its_process_socket_and_descriptors_are_out_of_reach(stick: Bed) -> None:
    assert stick.process
    os.chmod(stick.agent.path, 0o600)
    said = attack(
        stick,
        """
import socket, signal
pid = int(sys.argv[1])
print(error(os.listdir, "/proc/%d/fd" % pid), error(os.kill, pid, signal.SIGSTOP),
      error(os.open, "/proc/%d/mem" % pid, os.O_RDWR), error(os.readlink, "/proc/%d/root" % pid))
own = os.pidfd_open(pid)
libc = ctypes.CDLL(None, use_errno=True)
print([libc.syscall(438, own, number, 0) for number in range(3, 9)] == [-1] * 6)
""",
        stick.process.pid,
    )
    assert said.splitlines() == ["EACCES EPERM EACCES EACCES", "True"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        os.seteuid(ATTACKER)
        try:
            assert door.connect_ex(bytes(stick.agent.path)) != 0
        finally:
            os.seteuid(0)


def test_the_sealed_name_is_not_a_way_over_somebody_elses_file(stick: Bed) -> None:
    """A document is sealed, its sealed file moved away, and another file put there: the next sealing goes beside it."""
    attack(
        stick,
        """
put("dossier.pdf", b"SERMENT-SEAL-ME one")
os.rename("dossier.pdf.age", "kept.age")
put("dossier.pdf.age", b"somebody's own file")
put("dossier.pdf", b"SERMENT-SEAL-ME two")
""",
    )
    assert (stick.raw / "dossier.pdf.age").read_bytes() == b"somebody's own file"
    assert len([name for name in stick.listed() if name.startswith("dossier")]) == 2
    assert (stick.raw / "kept.age").read_bytes().startswith(b"age-encryption.org")


def test_a_folder_swapped_for_a_link_does_not_unmount_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume below a folder of the user's own: he swaps that folder between our look and our unmounting."""
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        (folder / "stick").mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", folder / "stick"], check=True)
    real = mounting.unmount

    def swapping(path: bytes, *, lazy: bool = False, abort: bool = False) -> None:
        own.rename(tmp_path / "away")
        own.symlink_to(other)
        real(path, lazy=lazy, abort=abort)

    monkeypatch.setattr(mounting, "unmount", swapping)
    try:
        point = os.fsencode(own / "stick")
        assert cover.take_away(point, cover.uppermost(point))
        assert os.path.ismount(other / "stick")
        assert not os.path.ismount(tmp_path / "away/stick")
    finally:
        for left in (other, tmp_path / "away"):
            subprocess.run(["umount", "-l", left / "stick"], check=False, stderr=subprocess.DEVNULL)


def test_names_whose_files_found_no_descriptor_can_be_used_afterwards(stick: Bed) -> None:
    """Somebody holds more files open than the airlock may have: others are told, and nothing stays behind."""
    assert stick.process
    resource.prlimit(stick.process.pid, resource.RLIMIT_NOFILE, (200, 200))
    said = attack(
        stick,
        """
held, failed = [], []
for number in range(300):
    try: held.append(os.open(f"file-{number}", os.O_RDWR | os.O_CREAT, 0o644))
    except OSError as problem: failed.append((number, errno.errorcode[problem.errno]))
again = error(os.open, f"file-{failed[0][0]}", os.O_RDONLY)
for fd in held: os.close(fd)
put(f"file-{failed[0][0]}", b"at last")
print({code for _, code in failed} == {"EMFILE"}, 50 < len(failed) < 250, again)
""",
    )
    assert said == "True True ENOENT"
    assert b"at last" in [(stick.raw / name).read_bytes() for name in stick.listed() if name.startswith("file-")]
    assert alive(stick)
