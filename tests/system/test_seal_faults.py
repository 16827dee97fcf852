"""Kills and full disks while headers are replaced and edits go back: the old file or the new one, whole, and no more."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.crypto import header
from agent.crypto.keys import KeyStore
from agent.crypto.parcel import Member
from agent.crypto.recipients import KeyKind, new_identity, recipient_of, unwrap
from agent.crypto.rehead import new_header, replace_header
from agent.crypto.reseal import reseal
from agent.crypto.sealed import open_sealed, read_header, seal, unseal
from agent.errors import SealError
from agent.fsys.draft import Draft

pytestmark = pytest.mark.system
KILLS = int(os.environ.get("SERMENT_SEAL_KILLS", "200"))
MARK = b"Compte rendu de Mme Jeanne EXEMPLE\n"
FIRST, SECOND = MARK * 3000, MARK * 2000 + b"edited\n" * 9000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def sealed(tmp_path: Path, content: bytes, *identities: str) -> Path:
    plain = os.memfd_create("plain")
    os.write(plain, content)
    with (tmp_path / "a.age").open("wb") as target:
        seal(plain, len(content), b"a.txt", 0, [recipient_of(each) for each in identities], target.fileno())
    os.close(plain)
    return tmp_path / "a.age"


def opened(path: Path, *identities: str) -> bytes:
    out = os.memfd_create("out")
    try:
        with path.open("rb") as file:
            unseal(file.fileno(), identities, out)
        return os.pread(out, 1 << 24, 0)
    finally:
        os.close(out)


def killed_at_random(work: Callable[[], None], after: Callable[[], None]) -> None:
    """Run ``work`` over and over in a child and kill it, ``KILLS`` times, at moments drawn at random."""
    drawn = random.Random(20261122)
    for _ in range(KILLS):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    work()
            finally:
                os._exit(1)
        time.sleep(drawn.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        after()


def no_plain_file(tmp_path: Path, keep: set[str]) -> None:
    for path in tmp_path.iterdir():
        if path.name not in keep:
            assert path.name.startswith(".serment-"), path.name
            assert MARK not in path.read_bytes()
            path.unlink()


def test_killed_while_headers_are_replaced(tmp_path: Path, folder: int) -> None:
    keys = [new_identity(KeyKind.X25519), new_identity(KeyKind.HYBRID)]
    path = sealed(tmp_path, FIRST, keys[0])
    done = 0

    def rotate() -> None:
        for to in (keys[1], keys[0]):
            with path.open("rb") as file:
                read = read_header(file.fileno())
            replace_header(folder, b"a.age", new_header(read, unwrap(read, keys), [recipient_of(to)], None), read)

    def whole() -> None:
        nonlocal done
        assert opened(path, *keys) == FIRST
        no_plain_file(tmp_path, {"a.age"})
        with path.open("rb") as file:
            done += read_header(file.fileno()).stanzas[0].kind == b"mlkem768x25519"

    killed_at_random(rotate, whole)
    assert 0 < done < KILLS  # some were killed on the one side, some on the other


def test_killed_while_edits_go_back(tmp_path: Path, folder: int) -> None:
    key = new_identity(KeyKind.X25519)
    path = sealed(tmp_path, FIRST, key)
    contents = (FIRST, SECOND)
    plain = [os.memfd_create("plain") for _ in contents]
    for fd, content in zip(plain, contents, strict=True):
        os.write(fd, content)
    seen = set()

    def edit() -> None:
        for fd, content in zip(reversed(plain), reversed(contents), strict=True):
            with path.open("rb") as old, Draft(folder) as draft:
                file_key = unwrap(read_header(old.fileno()), [key])
                reseal(old.fileno(), file_key, fd, Member(b"a.txt", len(content), 0), draft.fd)
                os.fsync(draft.fd)
                draft.replace(b"a.age")

    def whole() -> None:
        content = opened(path, key)
        assert content in contents
        seen.add(content)
        no_plain_file(tmp_path, {"a.age"})

    killed_at_random(edit, whole)
    assert len(seen) == 2


def test_killed_while_keys_are_made_renewed_and_put_under_a_phrase(tmp_path: Path) -> None:
    """Whatever was sealed to a recipient that anybody was told of still opens."""
    told = tmp_path / "told"
    told.write_text("")

    def work() -> None:
        keys = KeyStore(tmp_path / "keys", wanted="host")
        for step in (lambda: keys.recipients(1000)[0], lambda: keys.renew("clinicians/1000")):
            recipient = step()
            with told.open("a") as file:
                file.write(recipient + "\n")

    for _ in range(KILLS // 10):
        killed_soon(work)
        keys = KeyStore(tmp_path / "keys", wanted="host")
        keys.recipients(1000)
        have = {recipient_of(each) for each in keys.identities(1000)}
        assert set(told.read_text().split()) <= have | {""}
        if len(have) > 8:
            break
    before = set(keys.identities(1000))
    for _ in range(5):
        killed_soon(lambda: keys.protect_with_phrase(1000, "a phrase of five words", "a phrase of five words"))
        fresh = KeyStore(tmp_path / "keys", wanted="host")
        found = set(fresh.unlocked_with(1000, "a phrase of five words")) if fresh.has_phrase(1000) else set()
        found |= set(fresh.opening(1000))
        assert before <= found


def killed_soon(work: Callable[[], None]) -> None:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(random.Random(child).uniform(0, 0.1))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_leaves_the_file_as_it_was(small: Path, tmp_path: Path) -> None:
    key = new_identity(KeyKind.X25519)
    path = sealed(small, os.urandom(900_000), key)
    before = path.read_bytes()
    read = header.parse(before)
    folder_fd = os.open(small, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as caught:
            replace_header(folder_fd, b"a.age", new_header(read, unwrap(read, [key]), [recipient_of(key)], None), read)
        assert caught.value.errno == errno.ENOSPC
        with path.open("rb") as file, pytest.raises(OSError) as caught:
            open_sealed(file.fileno(), [key], folder_fd)
        assert caught.value.errno == errno.ENOSPC
        with path.open("rb") as file, Draft(folder_fd) as draft, pytest.raises(OSError) as caught:
            reseal(file.fileno(), unwrap(read, [key]), file.fileno(), Member(b"x", 900_000, 0), draft.fd)
        assert caught.value.errno == errno.ENOSPC
    finally:
        os.close(folder_fd)
    assert path.read_bytes() == before
    assert os.listdir(small) == ["a.age"]


@pytest.mark.parametrize("kind", KeyKind)
def test_cut_anywhere_nothing_appears(tmp_path: Path, folder: int, kind: KeyKind) -> None:
    key = new_identity(kind)
    whole = sealed(tmp_path, MARK * 5000, key).read_bytes()
    (tmp_path / "out").mkdir()
    out = os.open(tmp_path / "out", os.O_RDONLY)
    drawn = random.Random(7)
    try:
        for length in sorted(
            {0, 1, len(whole) - 1, len(whole) - 16, *(drawn.randrange(len(whole)) for _ in range(60))}
        ):
            (tmp_path / "cut.age").write_bytes(whole[:length])
            with (tmp_path / "cut.age").open("rb") as file, pytest.raises(SealError):
                open_sealed(file.fileno(), [key], out)
        for place in [drawn.randrange(len(whole)) for _ in range(120)]:
            changed = bytearray(whole)
            changed[place] ^= 1 << drawn.randrange(8)
            (tmp_path / "changed.age").write_bytes(changed)
            with (tmp_path / "changed.age").open("rb") as file, pytest.raises(SealError):
                open_sealed(file.fileno(), [key], out)
        assert os.listdir(tmp_path / "out") == []
    finally:
        os.close(out)
