"""Refused bytes never reach the medium: real programs over a real airlock, then a search of the raw device."""

from __future__ import annotations

import itertools
import mmap
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.gates.airlock.volume import GHOST_S
from tests.airlock_bed import SEAL, SECRET, Bed, bed, count, marked, user, volume, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

KINDS = [
    pytest.param("ext4"),
    pytest.param("exfat", marks=pytest.mark.skipif(not shutil.which("mount.exfat-fuse"), reason="needs exfat-fuse")),
    pytest.param("ntfs", marks=pytest.mark.skipif(not shutil.which("ntfs-3g"), reason="needs ntfs-3g")),
]
OLD = b"an old and harmless version\n"


@pytest.fixture(params=KINDS)
def stick(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as made:
        yield made


def _cp(stick: Bed, source: Path) -> int:
    return user("cp", source, stick.mount / "refused.bin").returncode


def _mv(stick: Bed, source: Path) -> int:
    copy = source.with_name("moved")
    shutil.copy(source, copy)
    code = user("mv", copy, stick.mount / "refused.bin").returncode
    assert copy.read_bytes() == source.read_bytes()  # the document survives
    return code


def _rsync(stick: Bed, source: Path) -> int:
    return user("rsync", source, f"{stick.mount}/refused.bin").returncode


def _cat(stick: Bed, source: Path) -> int:
    return user("sh", "-c", f"cat {source} > {stick.mount}/refused.bin").returncode


def _dd(stick: Bed, source: Path) -> int:
    return user("dd", f"if={source}", f"of={stick.mount}/refused.bin", "bs=64k", "conv=fsync").returncode


def _save_as_editors_do(stick: Bed, source: Path) -> int:
    """Written under another name, synced, renamed."""
    code = (
        "import os,sys\n"
        "f=open(sys.argv[2]+'.tmp','wb'); f.write(open(sys.argv[1],'rb').read()); f.flush()\n"
        "os.fsync(f.fileno()); f.close(); os.rename(sys.argv[2]+'.tmp',sys.argv[2])"
    )
    return user("python3", "-c", code, source, stick.mount / "refused.bin").returncode


@pytest.mark.parametrize("how", [_cp, _mv, _rsync, _cat, _dd, _save_as_editors_do])
def test_no_byte_and_no_name_of_a_refused_file_reaches_the_medium(
    ext4: Bed, tmp_path: Path, how: Callable[[Bed, Path], int]
) -> None:
    source = tmp_path / "source"
    source.write_bytes(marked())
    before = ext4.listed()
    assert how(ext4, source) != 0
    wait_until(lambda: set(os.listdir(ext4.mount)) == before)
    assert ext4.listed() == before
    assert ext4.records() == 0
    assert ext4.image is not None
    assert count(ext4.image, b"refused.bin") == 0


def test_every_file_system(stick: Bed, tmp_path: Path) -> None:
    """Refused on all of them by every way, beside harmless files that arrive whole; nothing is left in between."""
    source, harmless = tmp_path / "source", tmp_path / "harmless"
    source.write_bytes(marked())
    harmless.write_bytes(os.urandom(3_000_000))
    assert user("cp", harmless, stick.mount / "kept.bin").returncode == 0
    assert all(how(stick, source) for how in (_cp, _mv, _rsync, _cat, _dd))
    (stick.mount / "old").write_bytes(OLD)
    assert user("sh", "-c", f"cat {source} >> {stick.mount}/old").returncode != 0
    assert user("dd", f"if={source}", f"of={stick.mount}/old", "conv=notrunc,fsync").returncode != 0
    wait_until(lambda: (stick.mount / "old").read_bytes() == OLD)
    assert (stick.mount / "kept.bin").read_bytes() == harmless.read_bytes()
    assert {name for name in stick.listed() if name.startswith((".", "refused"))} == set()
    assert stick.unmount() == 0
    assert stick.records() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_of_the_raw_device_finds_what_is_there(kind: str, tmp_path: Path) -> None:
    """Positive control: without an airlock all records are found."""
    source = tmp_path / "source"
    source.write_bytes(marked())
    with volume(tmp_path, kind) as (image, raw):
        assert user("cp", source, raw / "plain.bin").returncode == 0
        user("sync", "-f", raw, check=True)
        assert image is not None
        wait_until(lambda: count(image, SECRET) == 2048)


def test_appending_a_refused_part_leaves_the_version_before(ext4: Bed) -> None:
    path = ext4.mount / "notes.txt"
    path.write_bytes(OLD)
    result = user("sh", "-c", f"cat >> {path}", input=marked(4))
    assert result.returncode != 0
    assert b"Operation not permitted" in result.stderr
    wait_until(lambda: path.read_bytes() == OLD)
    assert (ext4.raw / "notes.txt").read_bytes() == OLD
    assert ext4.records() == 0


def test_editing_in_place_leaves_the_version_before_listed_and_readable(ext4: Bed) -> None:
    path = ext4.mount / "notes.txt"
    path.write_bytes(OLD * 1000)
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, SECRET, 5000)
    with pytest.raises(PermissionError):
        os.fsync(fd)
    assert SECRET in os.pread(fd, 40, 4990)  # its own writer goes on seeing what it wrote
    with pytest.raises(PermissionError):
        os.close(fd)
    assert (ext4.raw / "notes.txt").read_bytes() == OLD * 1000
    wait_until(lambda: path.read_bytes() == OLD * 1000)
    assert path.stat().st_size == len(OLD) * 1000
    assert ext4.records() == 0


def test_a_reader_that_was_there_sees_the_version_before_again(ext4: Bed) -> None:
    path = ext4.mount / "notes.txt"
    path.write_bytes(OLD * 1000)
    with path.open("rb", buffering=0) as reader:
        assert reader.read(len(OLD)) == OLD
        fd = os.open(path, os.O_RDWR)
        os.pwrite(fd, SECRET, 0)
        assert os.pread(reader.fileno(), len(SECRET), 0) == SECRET  # one file, as on any file system
        with pytest.raises(PermissionError):
            os.close(fd)
        wait_until(lambda: os.pread(reader.fileno(), len(OLD), 0) == OLD)


def test_a_mapped_store_is_judged_when_the_mapping_ends(ext4: Bed) -> None:
    """close(fd) comes before the store: nobody sees an error, and nothing of it is written."""
    for name, text in (("refused.map", SECRET), ("harmless.map", b"h" * len(SECRET))):
        fd = os.open(ext4.mount / name, os.O_RDWR | os.O_CREAT)
        os.ftruncate(fd, 8192)
        mapped = mmap.mmap(fd, 8192)
        os.close(fd)
        mapped[100 : 100 + len(text)] = text
        mapped.close()
    wait_until(lambda: b"h" * len(SECRET) in (ext4.raw / "harmless.map").read_bytes())
    wait_until(lambda: (ext4.mount / "refused.map").read_bytes() == bytes(8192))
    assert (ext4.raw / "refused.map").read_bytes() == bytes(8192)
    assert ext4.records() == 0


def test_a_mapped_store_before_the_close_is_refused_at_the_close(ext4: Bed) -> None:
    fd = os.open(ext4.mount / "refused.map", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 8192)
    with mmap.mmap(fd, 8192) as mapped:
        mapped[4000 : 4000 + len(SECRET)] = SECRET
        with pytest.raises(PermissionError):
            os.close(fd)
    wait_until(lambda: os.listdir(ext4.mount) == ["lost+found"])
    assert ext4.records() == 0


def test_the_same_refused_state_is_asked_once(ext4: Bed) -> None:
    fd = os.open(ext4.mount / "letter", os.O_WRONLY | os.O_CREAT)
    os.write(fd, SECRET)
    copy = os.dup(fd)
    for call in (os.fsync, os.fsync, os.close):
        with pytest.raises(PermissionError):
            call(copy)
    assert len(ext4.agent.asked()) == 1
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"harmless after all", 0)  # the next write makes a new state
    os.close(fd)
    assert len(ext4.agent.asked()) == 2
    assert (ext4.raw / "letter").read_bytes() == b"harmless after all"
    assert ext4.records() == 0


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda at: os.mkdir(at / "secretname"), "secretname"),
        (lambda at: os.symlink("target", at / "secretname"), "secretname"),
        (lambda at: os.symlink(SECRET.decode(), at / "innocent"), "innocent"),
        (lambda at: (at / "secretname.txt").touch(), "secretname.txt"),
        (lambda at: os.rename(at / "kept", at / "secretname"), "secretname"),
        (lambda at: os.rename(at / "folder", at / "secretname"), "secretname"),
        (lambda at: os.mknod(at / "secretname"), "secretname"),
    ],
)
def test_a_telling_name_does_not_reach_the_medium(ext4: Bed, make: Callable[[Path], None], name: str) -> None:
    (ext4.mount / "kept").write_bytes(OLD)
    (ext4.mount / "folder").mkdir()
    before = ext4.listed()
    try:
        make(ext4.mount)
    except PermissionError:
        pass
    else:
        assert name.endswith(".txt")  # an empty file is judged when it is closed, and nobody sees that
    wait_until(lambda: set(os.listdir(ext4.mount)) == before)
    assert ext4.listed() == before
    user("sync", "-f", ext4.raw, check=True)
    assert ext4.image is not None
    assert count(ext4.image, name.encode() if name != "innocent" else SECRET) == 0


def test_what_could_carry_bytes_past_the_judge_is_refused(ext4: Bed) -> None:
    path = ext4.mount / "plain"
    path.write_bytes(OLD)
    for call in (
        lambda: os.link(path, ext4.mount / "second"),
        lambda: os.mkfifo(ext4.mount / "fifo"),
        lambda: os.mknod(ext4.mount / "device", 0o60644, os.makedev(7, 0)),
        lambda: os.setxattr(path, b"user.note", SECRET),
        lambda: os.open(ext4.mount, os.O_TMPFILE | os.O_WRONLY),
        lambda: (ext4.mount / ".serment-0123456789abcdefx.tmp").write_bytes(b"x"),
    ):
        with pytest.raises(OSError):
            call()
    assert ext4.listed() == {"lost+found", "plain"}


def test_a_sealed_file_stands_in_the_place_of_the_document(ext4: Bed) -> None:
    path = ext4.mount / "letter.txt"
    path.write_bytes(b"SERMENT-SEAL-ME dear colleague")  # the close succeeds
    assert ext4.listed() == {"lost+found", "letter.txt.age"}
    wait_until(lambda: set(os.listdir(ext4.mount)) == {"lost+found", "letter.txt.age"})
    assert (ext4.mount / "letter.txt.age").read_bytes().startswith(b"age-encryption.org/v1\n")
    assert ext4.agent.done[-1].error == 0
    assert ext4.agent.done[-1].state is not None
    assert ext4.agent.done[-1].state.inode == (ext4.raw / "letter.txt.age").stat().st_ino


def test_a_sealed_file_follows_the_final_name_that_its_writer_gives(ext4: Bed, tmp_path: Path) -> None:
    source = tmp_path / "letter.txt"
    source.write_bytes(b"SERMENT-SEAL-ME dear colleague")
    for _ in range(2):  # the second one takes the place of the first
        result = user("rsync", "--ignore-times", source, f"{ext4.mount}/letter.txt")
        assert result.returncode == 0, result.stderr
        assert ext4.listed() == {"lost+found", "letter.txt.age"}


def test_a_sealed_files_neutral_name_stays_whatever_the_document_is_renamed_to(ext4: Bed, tmp_path: Path) -> None:
    """rsync writes under a name of its own and renames: nothing of the document's name comes onto the medium, and what
    the agent is told, and records, is what the sealed file is called.
    """
    ext4.agent.neutral = itertools.count(1)
    source = tmp_path / "letter.txt"
    source.write_bytes(SEAL + b" dear colleague")
    for _ in range(2):  # the second one takes the place of the first
        assert user("rsync", "--ignore-times", source, f"{ext4.mount}/letter.txt").returncode == 0
        wait_until(lambda: ext4.agent.done)
        name = os.fsdecode(ext4.agent.done[-1].name)
        assert name.startswith("document-")
        assert ext4.listed() == {"lost+found", name}
        ext4.agent.done.clear()


def test_a_neutral_name_goes_with_its_document_into_another_folder(ext4: Bed) -> None:
    ext4.agent.neutral = itertools.count(1)
    (ext4.mount / "folder").mkdir()
    (ext4.mount / "letter.txt").write_bytes(SEAL)
    os.rename(ext4.mount / "letter.txt", ext4.mount / "folder" / "other.txt")
    assert ext4.listed() == {"lost+found", "folder"}
    assert os.listdir(ext4.raw / "folder") == ["document-00001.age"]


def test_a_second_state_is_recorded_under_the_name_that_it_has(ext4: Bed) -> None:
    ext4.agent.neutral = itertools.count(1)
    for state in (b"first", b"second"):
        (ext4.mount / "letter.txt").write_bytes(SEAL + state)
    wait_until(lambda: len(ext4.agent.done) == 2)
    assert [done.name for done in ext4.agent.done] == [b"document-00001.age"] * 2
    assert ext4.listed() == {"lost+found", "document-00001.age"}


def test_another_document_of_the_same_name_takes_no_sealed_ones_place(ext4: Bed, tmp_path: Path) -> None:
    """Moved one after the other; no name told whoever moved the second that there is a first, so « -n » says nothing."""
    for who in (b" of one patient", b" of another"):
        source = tmp_path / "scan.pdf"
        source.write_bytes(SEAL + who)
        assert user("mv", "-n", source, ext4.mount / "scan.pdf").returncode == 0
        assert not source.exists()
        time.sleep(GHOST_S + 0.5)
    assert ext4.listed() == {"lost+found", "scan.pdf.age", "scan.pdf (2).age"}
    assert len({path.read_bytes() for path in ext4.raw.glob("*.age")}) == 2


def test_a_save_that_renames_before_it_closes_leaves_no_clear_version(ext4: Bed) -> None:
    """As GNOME's programs save: synced, renamed over the document, closed."""
    path, fresh = ext4.mount / "letter.txt", ext4.mount / ".goutputstream-EMTLZ3"
    path.write_bytes(OLD)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(fd, SEAL + b" the new version")
    os.fsync(fd)
    os.rename(fresh, path)
    os.close(fd)
    (sealed,) = ext4.listed() - {"lost+found"}
    assert sealed.endswith(".age")
    wait_until(lambda: set(os.listdir(ext4.mount)) == {"lost+found", sealed})
    assert not ext4.agent.done[-1].error


def test_a_document_deleted_while_it_is_open_leaves_no_sealed_one(ext4: Bed) -> None:
    fd = os.open(ext4.mount / "letter.txt", os.O_WRONLY | os.O_CREAT)
    os.write(fd, SEAL)
    os.fsync(fd)
    (ext4.mount / "letter.txt").unlink()
    os.close(fd)
    assert ext4.listed() == {"lost+found"}


def test_a_sealed_documents_own_name_goes_though_somebody_looks_all_the_while(ext4: Bed) -> None:
    path = ext4.mount / "letter.txt"
    path.write_bytes(SEAL)
    wait_until(lambda: not path.exists())
    assert ext4.listed() - {"lost+found"} == {"letter.txt.age"}


def test_a_sealed_documents_own_name_can_be_written_anew_at_once(ext4: Bed) -> None:
    """Whether the writer empties what it takes to be there, or appends to it."""
    path = ext4.mount / "letter.txt"
    for again in (
        os.O_WRONLY | os.O_CREAT,
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    ):
        path.write_bytes(SEAL)
        path.exists()  # the kernel has the name
        fd = os.open(path, again)
        os.write(fd, b"harmless")
        os.close(fd)
        assert (ext4.raw / "letter.txt").read_bytes() == b"harmless"
        path.unlink()


def test_a_sealed_file_never_replaces_a_stranger(ext4: Bed) -> None:
    (ext4.mount / "letter.txt.age").write_bytes(OLD)
    (ext4.mount / "letter.txt").write_bytes(b"SERMENT-SEAL-ME dear colleague")
    assert ext4.listed() == {"lost+found", "letter.txt.age", "letter.txt (2).age"}
    assert (ext4.raw / "letter.txt.age").read_bytes() == OLD


def test_a_document_that_becomes_one_to_seal_does_not_stay_in_clear(ext4: Bed) -> None:
    path = ext4.mount / "letter.txt"
    path.write_bytes(OLD)
    with path.open("ab") as file:
        file.write(b"SERMENT-SEAL-ME")
    assert ext4.listed() == {"lost+found", "letter.txt.age"}


def test_refused_at_the_last_close_is_said_to_the_agent_as_such(ext4: Bed) -> None:
    (ext4.mount / "empty").touch()
    wait_until(lambda: ext4.agent.asked())
    assert ext4.agent.asked() == [(b"empty", 5)]  # NEW | LAST
    wait_until(lambda: "empty" in ext4.listed())


def test_nothing_appears_before_it_is_judged(ext4: Bed) -> None:
    fd = os.open(ext4.mount / "slow.txt", os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"one")
    assert "slow.txt" in os.listdir(ext4.mount)
    os.close(os.dup(fd))
    assert (ext4.raw / "slow.txt").read_bytes() == b"one"
    os.write(fd, SECRET)
    time.sleep(0.1)
    assert (ext4.raw / "slow.txt").read_bytes() == b"one"
    with pytest.raises(PermissionError):
        os.close(fd)
    assert ext4.records() == 0
