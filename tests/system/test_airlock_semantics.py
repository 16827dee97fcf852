"""What programs expect of a file system, through the airlock: as on the bare volume, but for what is refused on purpose."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gates.asking import Flag
from tests.airlock_bed import SEAL, SECRET, Bed, bed, user, wait_until
from tests.conftest import HOSTILE_NAMES

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as made:
        yield made


@pytest.fixture(params=["passthrough", "no-passthrough"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bed]:
    """With and without the kernel reading large files itself: Linux 6.1 cannot."""
    with bed(tmp_path, extra=(f"--{request.param}",)) as made:
        yield made


def test_a_tree_copied_in_and_back_is_the_same(stick: Bed, tmp_path: Path) -> None:
    source = tmp_path / "tree"
    for number in range(40):
        folder = source / f"d{number % 5}" / f"e{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}").write_bytes(os.urandom(number * 997))
        (folder / f"f{number}").chmod(0o600 + number % 8 * 8)
    (source / "link").symlink_to("d0/e0")
    (source / "sparse").write_bytes(b"")
    os.truncate(source / "sparse", 3 << 20)
    user("cp", "-a", source, stick.mount / "tree", check=True)
    back = tmp_path / "back"
    user("cp", "-a", stick.mount / "tree", back, check=True)
    listing = "find . -printf '%P %y %s %m %U %T@ %l\\n' | sort"
    for at in (stick.mount / "tree", stick.raw / "tree", back):
        want, got = (user("sh", "-c", listing, cwd=where, check=True).stdout for where in (source, at))
        kept = [line for line in want.splitlines() if b" d " not in line]
        assert [line for line in got.splitlines() if b" d " not in line] == kept
        user("diff", "-r", "--no-dereference", source, at, check=True)
    assert (stick.raw / "tree" / "sparse").stat().st_blocks < 64


def test_reads_and_writes_of_one_file_agree(either: Bed) -> None:
    """Large enough for the kernel to read it itself."""
    path = either.mount / "file"
    content = bytearray(os.urandom(2_500_000))
    path.write_bytes(content)
    reader = os.open(path, os.O_RDONLY)
    assert os.pread(reader, len(content), 0) == content
    fd = os.open(path, os.O_RDWR)
    for offset in (0, 4095, 1_000_000, 2_499_999, 2_600_000):
        os.pwrite(fd, b"<change>", offset)
        content[len(content) : offset] = bytes(max(0, offset - len(content)))
        content[offset : offset + 8] = b"<change>"
        assert os.pread(fd, len(content) + 100, 0) == content
    os.ftruncate(fd, 2_000_000)
    os.close(fd)
    assert path.read_bytes() == content[:2_000_000] == (either.raw / "file").read_bytes()
    os.close(reader)
    os.truncate(path, 100)
    assert (either.raw / "file").read_bytes() == content[:100]
    with path.open("ab") as file:
        file.write(b"end")
    assert path.read_bytes() == content[:100] + b"end"


def test_a_writer_comes_while_somebody_reads(either: Bed) -> None:
    path = either.mount / "file"
    path.write_bytes(b"a" * 1_000_000)
    with path.open("rb", buffering=0) as reader:
        assert reader.read(10) == b"a" * 10
        path.write_bytes(b"b" * 1_000_000)
        assert path.read_bytes() == b"b" * 1_000_000
        assert os.fstat(reader.fileno()).st_size == 1_000_000
        assert set(os.pread(reader.fileno(), 500_000, 0)) in ({ord("a")}, {ord("b")})


def test_large_files_are_read_by_the_kernel_itself_where_it_can(tmp_path: Path) -> None:
    """Otherwise the test above would be about nothing."""
    with bed(tmp_path) as stick:
        (stick.mount / "file").write_bytes(bytes(1 << 20))
        assert stick.process
        with (stick.mount / "file").open("rb") as reader:
            status = Path(f"/proc/{stick.process.pid}/io")
            before = status.read_text()
            os.posix_fadvise(reader.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            reader.read()
            if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 9):
                pytest.skip("this kernel has no FUSE passthrough")
            written = [int(text.split("wchar: ")[1].split()[0]) for text in (before, status.read_text())]
            assert written[1] - written[0] < 1 << 16


def test_rename_over_and_unlink_while_open(stick: Bed) -> None:
    path, other = stick.mount / "path", stick.mount / "other"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    with path.open("rb") as reader:
        os.replace(other, path)
        assert path.read_bytes() == b"two"
        assert reader.read() == b"one"
        assert os.fstat(reader.fileno()).st_nlink == 0
    with path.open("rb") as reader:
        path.unlink()
        assert reader.read() == b"two"
    with (stick.mount / "scratch").open("w+b") as file:
        os.unlink(file.name)
        file.write(SECRET)
        file.seek(0)
        assert file.read() == SECRET
    assert stick.listed() == {"lost+found"}
    assert not [name for name, _ in stick.agent.asked() if name == b"scratch"]  # nothing of it was to be committed
    assert stick.records() == 0


def test_who_reads_a_file_that_is_gone_before_it_reached_the_medium_reads_on(stick: Bed) -> None:
    """Refused, sealed or unlinked: as on any file system, what is open stays readable."""
    path = stick.mount / "letter"
    for content in (SECRET, SEAL, b"harmless"):
        with path.open("wb") as writer:
            writer.write(content * 5000)
            writer.flush()
            reader = os.open(path, os.O_RDONLY)
            try:
                if content == b"harmless":
                    path.unlink()
                elif content == SECRET:
                    assert _error(writer.close) == errno.EPERM
                else:
                    writer.close()
                if not writer.closed:
                    writer.close()
                wait_until(lambda: not path.exists())
                assert os.pread(reader, 1 << 20, 0) == content * 5000
                assert os.fstat(reader).st_size == len(content) * 5000
            finally:
                os.close(reader)
    assert stick.records() == 0


def test_what_is_kept_for_readers_counts_and_is_given_back(tmp_path: Path) -> None:
    with bed(tmp_path, extra=("--limit-mb", "8")) as stick:
        content, readers = SECRET.ljust(1 << 20), []
        for number in range(7):
            writer = os.open(stick.mount / f"n{number}", os.O_WRONLY | os.O_CREAT)
            os.write(writer, content)
            readers.append(os.open(stick.mount / f"n{number}", os.O_RDONLY))
            assert _error(lambda fd=writer: os.close(fd)) == errno.EPERM
        assert _error(lambda: (stick.mount / "more").write_bytes(bytes(3 << 20))) == errno.ENOSPC
        for reader in readers:
            os.close(reader)
        wait_until(lambda: not _error(lambda: (stick.mount / "more").write_bytes(bytes(3 << 20))))


def test_a_file_renamed_while_it_is_written_is_judged_under_its_last_name(stick: Bed) -> None:
    (stick.mount / "folder").mkdir()
    with (stick.mount / "draft").open("wb") as file:
        file.write(b"text")
        os.rename(stick.mount / "draft", stick.mount / "folder" / "final")
        os.rename(stick.mount / "folder", stick.mount / "renamed")
    assert (stick.raw / "renamed" / "final").read_bytes() == b"text"
    assert [name for name, _ in stick.agent.asked()] == [b"renamed/final"]
    fd = os.open(stick.mount / "innocent", os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"text")
    os.rename(stick.mount / "innocent", stick.mount / "secretname")
    with pytest.raises(PermissionError):
        os.close(fd)
    wait_until(lambda: not (stick.mount / "secretname").exists())
    assert stick.listed() == {"lost+found", "renamed"}


def test_a_new_file_renamed_over_an_old_one_and_refused_leaves_the_old_one(stick: Bed) -> None:
    (stick.mount / "old").write_bytes(b"old")
    fd = os.open(stick.mount / "new", os.O_WRONLY | os.O_CREAT)
    os.write(fd, SECRET)
    os.rename(stick.mount / "new", stick.mount / "old")
    with pytest.raises(PermissionError):
        os.close(fd)
    wait_until(lambda: os.path.exists(stick.mount / "old") and (stick.mount / "old").read_bytes() == b"old")
    assert stick.listed() == {"lost+found", "old"}


def test_truncating_a_document_and_being_refused_leaves_the_old_one(stick: Bed) -> None:
    """dd and the shell close a copy of the descriptor before they have written: an empty state says nothing yet."""
    path = stick.mount / "old"
    path.write_bytes(b"old")
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.close(os.dup(fd))
    assert (stick.raw / "old").read_bytes() == b"old"
    os.write(fd, SECRET)
    with pytest.raises(PermissionError):
        os.close(fd)
    wait_until(lambda: path.read_bytes() == b"old")
    user("sh", "-c", f": > {path}", check=True)
    wait_until(lambda: (stick.raw / "old").read_bytes() == b"")


@pytest.mark.parametrize("how", [">", ">>"])
def test_what_is_appended_after_a_refusal_stands_behind_the_old_version(stick: Bed, how: str) -> None:
    """The kernel appends where it believes the end to be: it is told of the refused state's size, and then of ours."""
    old = b"old line\n" * 200
    paths = [stick.mount / f"list{number}.txt" for number in range(10)]
    for path in paths:
        path.write_bytes(old)
        refused, more = f"printf '%s' '{SECRET.decode()}' {how} {path}", f"printf 'harmless\\n' >> {path}"
        user("bash", "-c", f"ls -l {path} >/dev/null; {refused}; {more}")
    assert stick.unmount() == 0
    found = {(stick.raw / path.name).read_bytes() for path in paths}
    assert old + b"harmless\n" in found
    assert found <= {old, old + b"harmless\n"}  # where it came too soon, it was refused with the first


def test_touch_then_unmount_loses_nothing(stick: Bed) -> None:
    """The last close of an empty file is told to us after close(2) has returned."""
    for number in range(20):
        (stick.mount / f"empty{number}").touch()
    assert stick.unmount() == 0
    assert len(stick.listed()) == 21


def test_locks_and_lock_files(stick: Bed) -> None:
    path = stick.mount / ".~lock.letter.odt#"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(fd, b",user,machine")
    os.close(fd)
    with pytest.raises(FileExistsError):
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    script = "import fcntl,sys; fcntl.{}(open(sys.argv[1],'r+'), fcntl.LOCK_EX|fcntl.LOCK_NB)"
    for call in ("flock", "lockf"):
        with path.open("r+b") as file:
            getattr(fcntl, call)(file, fcntl.LOCK_EX)
            assert user(sys.executable, "-c", script.format(call), path).returncode == 1
        assert user(sys.executable, "-c", script.format(call), path).returncode == 0
    path.unlink()
    assert stick.listed() == {"lost+found"}


def test_holes_and_preallocation(stick: Bed) -> None:
    path = stick.mount / "sparse"
    with path.open("wb") as file:
        file.seek(9 << 20)
        file.write(b"end")
        file.flush()
        assert os.lseek(file.fileno(), 0, os.SEEK_DATA) == 9 << 20
        assert os.lseek(file.fileno(), 0, os.SEEK_HOLE) == 0
        os.posix_fallocate(file.fileno(), 0, 10 << 20)
        user("fallocate", "-p", "-o", 9 << 20, "-l", 1, path, check=True)
        with pytest.raises(OSError, match="not supported"):
            raise OSError(errno.EOPNOTSUPP, user("fallocate", "-c", "-l", 4096, path).stderr.decode())
    content = path.read_bytes()
    assert len(content) == 10 << 20
    assert content.strip(b"\0") == b"nd"
    assert (stick.raw / "sparse").stat().st_blocks < 5000  # to the chunk of 4 MiB
    with pytest.raises(OSError) as caught:
        os.truncate(path, 1 << 40)
    assert caught.value.errno == errno.EFBIG


def test_modes_owners_times_and_permissions(stick: Bed) -> None:
    stick.mount.chmod(0o777)
    path = stick.mount / "file"
    script = "import os; f=open('file','w'); f.write('x'); f.flush(); os.fchmod(f.fileno(),0o640); os.utime(f.fileno(),(5,1234567890.5))"
    user(
        "setpriv",
        "--reuid=4321",
        "--regid=4321",
        "--clear-groups",
        sys.executable,
        "-c",
        script,
        cwd=stick.mount,
        check=True,
    )
    for at in (path, stick.raw / "file"):
        state = at.stat()
        assert (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (4321, 4321, 0o640)
        assert state.st_mtime == 1234567890.5
    as_other = ("setpriv", "--reuid=4322", "--regid=4322", "--clear-groups")
    assert user(*as_other, "cat", "file", cwd=stick.mount).returncode != 0
    assert user(*as_other, "sh", "-c", "echo x > file", cwd=stick.mount).returncode != 0
    os.chown(path, 4322, 4322)
    assert user(*as_other, "cat", "file", cwd=stick.mount).stdout == b"x"
    with path.open("ab") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(b"y")
    assert stat.S_IMODE((stick.raw / "file").stat().st_mode) == 0o600
    assert (stick.raw / "file").stat().st_uid == 4322
    user("sh", "-c", "umask 0; mkdir open; umask 027; mkdir closed; : > closed/file", cwd=stick.mount, check=True)
    modes = [stat.S_IMODE((stick.raw / name).stat().st_mode) for name in ("open", "closed")]
    assert modes == [0o777, 0o750]
    wait_until(lambda: (stick.raw / "closed" / "file").exists())
    assert stat.S_IMODE((stick.raw / "closed" / "file").stat().st_mode) == 0o640
    (stick.mount / "group").mkdir()
    os.chown(stick.mount / "group", 0, 777)
    (stick.mount / "group").chmod(0o2775)
    (stick.mount / "group" / "in").write_bytes(b"")
    (stick.mount / "group" / "below").mkdir()
    wait_until(lambda: (stick.raw / "group" / "in").exists())
    assert (stick.raw / "group" / "in").stat().st_gid == 777
    assert (stick.raw / "group" / "below").stat().st_mode & stat.S_ISGID


def test_figures_count_what_is_staged(stick: Bed) -> None:
    before = os.statvfs(stick.mount)
    with (stick.mount / "file").open("wb", buffering=0) as file:
        file.write(bytes(range(256)) * 40_000)
        during = os.statvfs(stick.mount)
        assert (before.f_bavail - during.f_bavail) * before.f_frsize >= 10_000_000
        assert os.fstat(file.fileno()).st_blocks * 512 >= 10_000_000
    assert before.f_blocks == during.f_blocks


def test_programs_that_sync_and_rename(stick: Bed) -> None:
    user("sh", "-c", "git init -q g && cd g && git config user.email a@example && git config user.name a && seq 9999 > x "
         "&& git add x && git commit -qm m && git fsck && git gc -q && test -z \"$(git status --short)\"",
         cwd=stick.mount, check=True)  # fmt: skip
    script = (
        "import sqlite3; c=sqlite3.connect('t.db'); c.execute('create table t(a)')\n"
        "for n in range(20):\n  c.execute('insert into t values(?)',(n,)); c.commit()\n"
        "assert c.execute('pragma integrity_check').fetchone()==('ok',)"
    )
    user(sys.executable, "-c", script, cwd=stick.mount, check=True)
    assert user("python3", "-c", "import sqlite3; print(sqlite3.connect('t.db').execute('select sum(a) from t').fetchone())",
                cwd=stick.raw).stdout == b"(190,)\n"  # fmt: skip
    if shutil.which("vim.tiny"):
        (stick.mount / "note").write_bytes(b"one\n")
        user("vim.tiny", "-u", "NONE", "-es", "-c", "%s/one/two/", "-c", "wq", stick.mount / "note", check=True)
        assert (stick.raw / "note").read_bytes() == b"two\n"
    assert stick.unmount() == 0


def test_names_that_hurt(stick: Bed) -> None:
    for name in HOSTILE_NAMES:
        path = os.path.join(bytes(stick.mount), name)
        with open(path, "wb") as file:
            file.write(name)
        os.rename(path, path[:-1] + b"!")
        os.mkdir(path)
    found = set(os.listdir(bytes(stick.mount)))
    assert found == {b"lost+found", *HOSTILE_NAMES, *(name[:-1] + b"!" for name in HOSTILE_NAMES)}
    assert set(os.listdir(bytes(stick.raw))) == found
    for name, code in ((b"n" * 256, errno.ENAMETOOLONG), (b"n" * 255, 0)):
        assert _error(lambda name=name: os.mkdir(os.path.join(bytes(stick.mount), name))) == code


def test_folders_nested_deeper_than_a_path_may_be_long(stick: Bed) -> None:
    before = os.getcwd()
    try:
        os.chdir(stick.mount)
        for _ in range(30):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        Path("deep").write_bytes(b"here")
        assert Path("deep").read_bytes() == b"here"
    finally:
        os.chdir(before)
    assert len(stick.agent.asked()[-1][0]) <= 4096
    assert stick.agent.asked()[-1][0].endswith(b"d/deep")


def test_a_folder_with_a_file_being_written_is_not_empty(stick: Bed) -> None:
    (stick.mount / "folder").mkdir()
    with (stick.mount / "folder" / "file").open("wb") as file:
        file.write(b"x")
        assert _error(lambda: os.rmdir(stick.mount / "folder")) == errno.ENOTEMPTY
        (stick.mount / "other").mkdir()
        assert _error(lambda: os.rename(stick.mount / "other", stick.mount / "folder")) == errno.ENOTEMPTY
    shutil.rmtree(stick.mount / "folder")


def test_a_listing_holds_every_name_once(stick: Bed) -> None:
    for number in range(1500):
        (stick.raw / f"name-{number:04}-{'x' * 60}").touch()
    expected = sorted(os.listdir(stick.raw))
    assert sorted(os.listdir(stick.mount)) == expected
    result = user("ls", "-lU", stick.mount, check=True)
    assert len(result.stdout.splitlines()) == len(expected) + 1
    assert b"?" not in result.stdout
    inodes = {entry.name: entry.inode() for entry in os.scandir(stick.mount)}
    assert all((stick.mount / name).stat().st_ino == inode for name, inode in list(inodes.items())[:50])


def test_flush_of_each_copy_of_a_descriptor_asks_once_a_state(stick: Bed) -> None:
    user("sh", "-c", f"(cat /etc/passwd; /bin/echo end) > {stick.mount}/file", check=True)
    names = [name for name, _ in stick.agent.asked()]
    assert 1 <= len(names) <= 2  # after each child that wrote
    fd = os.open(stick.mount / "one", os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"x")
    for _ in range(5):
        os.close(os.dup(fd))
    os.close(fd)
    assert len(stick.agent.asked()) == len(names) + 1


def test_on_fat_like_systems_capitals_do_not_make_another_file(tmp_path: Path) -> None:
    if not shutil.which("mount.exfat-fuse"):
        pytest.skip("needs exfat-fuse")
    (tmp_path / "bed").mkdir()
    with bed(tmp_path / "bed", "exfat") as stick:
        (stick.raw / "Known.txt").write_bytes(b"k")
        stick.kill()
        stick.start()
        (stick.mount / "Letter.txt").write_bytes(b"one")
        (stick.mount / "LETTER.TXT").write_bytes(b"two")
        assert (stick.mount / "letter.txt").read_bytes() == b"two"
        assert len([name for name in stick.listed() if name.lower() == "letter.txt"]) == 1
        os.chmod(stick.mount / "Letter.txt", 0o600)  # accepted or not, as the driver says
        os.rename(stick.mount / "Letter.txt", stick.mount / "letter.TXT")
        assert "letter.TXT" in stick.listed()


def test_capitals_that_make_a_name_tell_are_asked_about(tmp_path: Path) -> None:
    """« irm genou martin paul » may stand there and « IRM genou MARTIN Paul » not: here « secretname » may not."""
    if not shutil.which("mount.exfat-fuse"):
        pytest.skip("needs exfat-fuse")
    (tmp_path / "bed").mkdir()
    with bed(tmp_path / "bed", "exfat") as stick:
        (stick.mount / "SECRETNAME").write_bytes(b"one")
        (stick.mount / "SECRETNAME.d").mkdir()
        (stick.mount / "other").write_bytes(b"two")
        for old, new in (("SECRETNAME", "secretname"), ("other", "secretname"), ("SECRETNAME.d", "secretname.d")):
            with pytest.raises(PermissionError):
                os.rename(stick.mount / old, stick.mount / new)
        with pytest.raises(PermissionError), (stick.mount / "secretname").open("wb") as file:
            file.write(b"three")
            os.fsync(file.fileno())
        assert (b"secretname", Flag.NEW | Flag.SYNC) in stick.agent.asked()
        assert stick.listed() - {"lost+found"} == {"SECRETNAME", "SECRETNAME.d", "other"}
        (stick.mount / "SECRETNAME").write_bytes(b"four")  # as it is spelled there, it is no new name
        assert stick.agent.asked()[-1] == (b"SECRETNAME", Flag.NONE)


def test_starting_ends_quickly_and_small(stick: Bed) -> None:
    assert stick.process
    figures = Path(f"/proc/{stick.process.pid}/smaps_rollup").read_text()
    private = sum(int(line.split()[1]) for line in figures.splitlines() if line.startswith("Private"))
    assert private < 20_000, f"{private} KiB"
    status = Path(f"/proc/{stick.process.pid}/status").read_text()
    kept = int(status.split("CapEff:")[1].split()[0], 16)
    assert kept & ~(0b11111 | 1 << 21) == 0
    assert "NoNewPrivs:\t1" in status
    modules = Path(f"/proc/{stick.process.pid}/maps").read_text()
    assert "cryptography" not in modules  # only when something spills


def test_the_medium_is_not_kept_busy(stick: Bed) -> None:
    (stick.mount / "file").write_bytes(b"x" * 100_000)
    assert (stick.mount / "file").read_bytes()
    started = time.monotonic()
    assert stick.unmount() == 0
    assert time.monotonic() - started < 20
    subprocess.run(["umount", stick.mount], check=True, timeout=20)
    subprocess.run(["umount", stick.raw], check=True, timeout=20)


def _error(call: object) -> int:
    try:
        call()  # type: ignore[operator]
    except OSError as error:
        return error.errno or -1
    return 0
