"""Actions on real file systems, and what can be wrong with a volume: full, read-only, pulled out."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agent.actions.placeholder import NAME
from agent.actions.quarantine import QuarantineStore
from agent.actions.recovery import recover
from agent.model import Decision, Outcome, Result
from tests.acting import DOCUMENT, Desk, digest
from tests.conftest import HOSTILE_NAMES

pytestmark = pytest.mark.system
ACTING = (Decision.BLOCK, Decision.JUSTIFY, Decision.ENCRYPT)
_EXT4_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32): everything fails from now on, as when the device is pulled out


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot be had here: {command[0]}: {done.stderr.strip()[:100]}")


@contextmanager
def volume(base: Path, kind: str, size: int = 48 << 20) -> Iterator[Path]:
    """A mounted volume of this kind; unmounted and let go whatever happens."""
    point = base / f"{kind}-volume"
    point.mkdir()
    with ExitStack() as undo:
        if kind == "tmpfs":
            run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", point)
        else:
            image = base / f"{kind}.img"
            with image.open("wb") as file:
                file.truncate(size)
            make = {
                "ext4": ("mkfs.ext4", "-q"),
                "exfat": ("mkfs.exfat",),
                "vfat": ("mkfs.vfat",),
                "ntfs": ("mkntfs", "-FqQ"),
            }
            if shutil.which(make[kind][0]) is None:
                pytest.skip(f"{make[kind][0]} is not installed")
            run(*make[kind], image)
            loop = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True, check=True)
            device = loop.stdout.strip()
            undo.callback(subprocess.run, ["losetup", "-d", device], capture_output=True)
            drivers = {"exfat": "mount.exfat-fuse", "ntfs": "ntfs-3g"}
            if kind in drivers:
                run(drivers[kind], "-o", "allow_other", device, point)
            else:
                run("mount", "-t", kind, device, point)
        undo.callback(subprocess.run, ["umount", "-l", point], capture_output=True)
        yield point


@pytest.fixture(params=["ext4", "tmpfs", "exfat", "ntfs", "vfat"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with volume(tmp_path, request.param) as point:
        yield Desk(point, tmp_path / "data")


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Desk]:
    with volume(tmp_path, "ext4", 8 << 20) as point:
        yield Desk(point, tmp_path / "data")


@pytest.mark.parametrize("decision", ACTING)
def test_every_name_the_volume_takes(desk: Desk, decision: Decision) -> None:
    tried = 0
    for number, name in enumerate(HOSTILE_NAMES):
        content = DOCUMENT + b"%d" % number
        try:
            desk.put(b"sub/" + name, content)
        except OSError:
            continue  # not a name on this file system
        tried += 1
        assert desk.act(b"sub/" + name, decision).result is Result.DONE
        where = desk.contents()[digest(content)]
        assert where == (["sealed"] if decision is Decision.ENCRYPT else ["quarantine"])
    assert tried >= 4
    left = desk.names(b"sub") - {NAME}
    assert len(left) == (tried if decision is Decision.ENCRYPT else 0)
    assert all(name.startswith(b"document-") for name in left)


def test_restore_and_release(desk: Desk, tmp_path: Path) -> None:
    desk.put(b"sub/letter.txt")
    held = desk.act(b"sub/letter.txt", Decision.BLOCK).held
    given = desk.store.restore(held, 0, os.fsencode(desk.place), as_root=True)
    assert (desk.place / os.fsdecode(given.name)).read_bytes() == DOCUMENT
    desk.store.release(held, 0, "not about a patient")
    assert (desk.place / "sub" / "letter.txt").read_bytes() == DOCUMENT
    with desk.open(b"sub/letter.txt", Decision.BLOCK) as transfer:
        assert desk.store.released(transfer) == held
    desk.put(b"sub/letter.txt", DOCUMENT + b"more")
    with desk.open(b"sub/letter.txt", Decision.BLOCK) as transfer:
        assert desk.store.released(transfer) is None


def test_killed_between_aside_and_end(desk: Desk) -> None:
    path = desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
        entry = desk.store.take(transfer)
        os.rename(path, os.path.dirname(path) + f"/.serment-{entry.id}-old.tmp".encode())
        next_agents = QuarantineStore(desk.store.folder)  # nobody has anything in hand there
        assert recover(next_agents)[0].resolution in {"finished", "undone"}
    assert digest(DOCUMENT) in desk.contents()
    assert desk.names() - {NAME, b"letter.txt", b"lost+found"} == set()


def unchanged(desk: Desk, outcome: Outcome, problem: str, folder: bytes = b"") -> None:
    assert (outcome.result, outcome.problem) == (Result.FAILED, problem)
    assert desk.names(folder) - {b"lost+found", b"filler"} == {b"letter.txt"}
    assert not list(desk.store.folder.glob("*.partial"))
    assert not list((desk.store.folder / "journal").iterdir())


def fill(folder: Path) -> None:
    with pytest.raises(OSError, match="No space"), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


def test_full_stick(stick: Desk) -> None:
    stick.put(b"letter.txt")
    fill(stick.place)
    unchanged(stick, stick.act(b"letter.txt", Decision.ENCRYPT), "disk-full")
    assert stick.act(b"letter.txt", Decision.BLOCK).result is Result.DONE  # the note may be missing, the document not
    assert stick.contents()[digest(DOCUMENT)] == ["quarantine"]


def test_full_laptop(tmp_path: Path) -> None:
    with volume(tmp_path, "ext4", 8 << 20) as point:
        place = tmp_path / "sync"
        place.mkdir()
        desk = Desk(place, point / "data")
        desk.keys.prepare()
        desk.put(b"letter.txt")
        fill(point)
        for decision in (Decision.BLOCK, Decision.JUSTIFY):
            unchanged(desk, desk.act(b"letter.txt", decision), "disk-full")
        assert desk.store.list() == ()
        (point / "filler").unlink()
        assert desk.act(b"letter.txt", Decision.BLOCK).result is Result.DONE


@pytest.mark.parametrize("decision", ACTING)
def test_full_to_the_last_block(tmp_path: Path, decision: Decision) -> None:
    """The own disk fills up while we work: at whatever write it happens, the document is whole somewhere."""
    with volume(tmp_path, "tmpfs", 1 << 20) as point:
        done = failed = 0
        for room in range(0, 300 << 10, 12 << 10):
            place = tmp_path / f"sync{room}"
            place.mkdir()
            desk = Desk(place, point / "data")
            desk.keys.recipients(0)
            desk.put(b"letter.txt")
            free = os.statvfs(point).f_bavail * os.statvfs(point).f_frsize
            (point / "filler").write_bytes(bytes(max(0, free - room)))
            outcome = desk.act(b"letter.txt", decision)
            (point / "filler").unlink()
            done, failed = done + (outcome.result is Result.DONE), failed + (outcome.result is Result.FAILED)
            assert desk.contents().get(digest(DOCUMENT)), room
            assert (b"letter.txt" in desk.names()) == (outcome.result is Result.FAILED)
            shutil.rmtree(point / "data")
        assert done
        assert failed


@pytest.mark.parametrize("decision", ACTING)
def test_read_only_stick(stick: Desk, decision: Decision) -> None:
    stick.put(b"letter.txt")
    subprocess.run(["mount", "-o", "remount,ro", stick.place], check=True)
    unchanged(stick, stick.act(b"letter.txt", decision), "read-only")
    assert stick.store.list() == ()


@pytest.mark.parametrize("decision", ACTING)
def test_document_that_may_not_be_removed(stick: Desk, decision: Decision) -> None:
    stick.put(b"sub/letter.txt")
    run("chattr", "+i", stick.place / "sub" / "letter.txt")
    unchanged(stick, stick.act(b"sub/letter.txt", decision), "permission", b"sub")
    assert stick.store.list() == ()


def shut_down(desk: Desk) -> None:
    fd = os.open(desk.place, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, _EXT4_SHUTDOWN, ctypes.c_uint32(2))
    finally:
        os.close(fd)


def remounted(desk: Desk, device: str) -> None:
    subprocess.run(["umount", "-l", desk.place], check=True)
    subprocess.run(["mount", device, desk.place], check=True)


@pytest.mark.parametrize("decision", [Decision.BLOCK, Decision.ENCRYPT])
@pytest.mark.parametrize("step", ["open", "copied", "aside"])
def test_pulled_out(stick: Desk, decision: Decision, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulled out before the action, after the copy, and between the document's name and its end; then put in again."""
    from agent.actions import removal

    stick.put(b"letter.txt")
    os.sync()
    device = subprocess.run(
        ["findmnt", "-no", "SOURCE", stick.place], capture_output=True, text=True, check=True
    ).stdout.strip()
    watched: dict[str, tuple[str, Callable[..., object]]] = {
        "copied": ("_refuse_early", removal._refuse_early),
        "aside": ("_remove_aside", removal._remove_aside),
    }
    if step in watched:
        name, real = watched[step]

        def unplug_first(*arguments: object) -> object:
            os.sync()
            shut_down(stick)
            return real(*arguments)

        monkeypatch.setattr(removal, name, unplug_first)
    with stick.open(b"letter.txt", decision) as transfer:
        if step == "open":
            shut_down(stick)
        outcome = stick.actions[decision].apply(transfer)
    assert outcome.result in {Result.FAILED, Result.CHANGED, Result.GONE}
    monkeypatch.undo()
    remounted(stick, device)
    again = Desk(stick.place, stick.data)
    recover(again.store)
    assert digest(DOCUMENT) in again.contents()
    assert not [name for name in again.names() if name.startswith(b".serment")]
    assert not again.store.unfinished()
    if b"letter.txt" in again.names():
        assert again.act(b"letter.txt", decision).result is Result.DONE


def test_lazily_unmounted(stick: Desk) -> None:
    """The place is another folder now; the open descriptor still leads to the volume: nothing outside it is touched."""
    stick.put(b"letter.txt")
    with stick.open(b"letter.txt", Decision.BLOCK) as transfer:
        subprocess.run(["umount", "-l", stick.place], check=True)
        (stick.place / "letter.txt").write_bytes(b"what lies under the mount point")
        outcome = stick.actions[Decision.BLOCK].apply(transfer)
    assert outcome.result is Result.DONE
    assert (stick.place / "letter.txt").read_bytes() == b"what lies under the mount point"
    assert stick.contents()[digest(DOCUMENT)] == ["quarantine"]


def test_driver_that_dies(tmp_path: Path) -> None:
    """A FUSE driver killed in mid-life answers ENOTCONN to everything."""
    if shutil.which("ntfs-3g") is None:
        pytest.skip("ntfs-3g is not installed")
    image, point = tmp_path / "image", tmp_path / "volume"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    run("mkntfs", "-FqQ", image)
    loop = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True, check=True).stdout.strip()
    driver = subprocess.Popen(["ntfs-3g", "-o", "no_detach", loop, point], stderr=subprocess.DEVNULL)
    try:
        deadline = 200
        while not os.path.ismount(point) and deadline and driver.poll() is None:
            deadline -= 1
            driver.poll()
            subprocess.run(["sleep", "0.05"])
        desk = Desk(point, tmp_path / "data")
        desk.put(b"letter.txt")
        with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
            driver.kill()
            driver.wait()
            outcome = desk.actions[Decision.BLOCK].apply(transfer)
        assert outcome.result is Result.FAILED
        assert outcome.problem == "io-error"
    finally:
        driver.kill()
        driver.wait()
        subprocess.run(["umount", "-l", point], capture_output=True)
        subprocess.run(["losetup", "-d", loop], capture_output=True)
