"""Sealed files: what goes in comes out, for whom it is meant, and anything else is refused without a trace."""

from __future__ import annotations

import io
import os
import random
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.crypto.parcel import Member, Packer, Unpacker
from agent.crypto.sealed import is_sealed, is_sealed_for, neutral_name, open_sealed, seal, unseal
from agent.errors import SealError

MINE = pyrage.x25519.Identity.generate()
PRACTICE = pyrage.x25519.Identity.generate()
STRANGER = pyrage.x25519.Identity.generate()
RECIPIENTS = (str(MINE.to_public()), str(PRACTICE.to_public()))
TIME = 1_700_000_000_000_000_000


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "out").mkdir()
        self.folder_fd = os.open(folder / "out", os.O_RDONLY)
        self.fds = [self.folder_fd]

    def file(self, content: bytes) -> int:
        fd = os.open(self.folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        self.fds.append(fd)
        os.write(fd, content)
        return fd

    def seal(self, content: bytes, name: bytes = b"letter.txt") -> int:
        target = self.file(b"")
        info = seal(self.file(content), len(content), name, TIME, RECIPIENTS, target)
        assert info.size == len(content)
        return target

    def around(self, payload: bytes) -> int:
        """An age file around any payload, as anybody can make who knows a recipient."""
        return self.file(pyrage.encrypt(payload, [MINE.to_public()]))

    def left(self) -> list[str]:
        return os.listdir(self.folder / "out")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for fd in made.fds:
        os.close(fd)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 65535, 65536, 65537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_round_trip_for_each_recipient(bench: Bench, size: int) -> None:
    content = random.Random(size).randbytes(size)
    sealed = bench.seal(content)
    assert is_sealed(sealed)
    for identity in (MINE, PRACTICE):
        name = open_sealed(sealed, [str(identity)], bench.folder_fd)
        opened = bench.folder / "out" / name.decode()
        assert opened.read_bytes() == content
        assert (opened.stat().st_mode & 0o777, opened.stat().st_mtime_ns) == (0o600, TIME)
    assert sorted(bench.left()) == ["letter (2).txt", "letter.txt"]


def test_names_come_back_as_they_were(bench: Bench, hostile_name: bytes) -> None:
    assert open_sealed(bench.seal(b"x", hostile_name), [str(MINE)], bench.folder_fd) == hostile_name
    assert os.listdir(os.fsencode(bench.folder / "out")) == [hostile_name]


@pytest.mark.parametrize(
    ("name", "there"), [(b".bash_profile", b"bash_profile"), (b"..env", b"env"), (b"...", b"document")]
)
def test_what_is_opened_is_never_hidden(bench: Bench, name: bytes, there: bytes) -> None:
    """A shell runs some hidden files of a home at the next login, and anybody may seal one."""
    assert open_sealed(bench.seal(b"x", name), [str(MINE)], bench.folder_fd) == there


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc/passwd", b"a\0b", b"a" * 256])
def test_names_that_are_no_file_name_are_refused(bench: Bench, name: bytes) -> None:
    with pytest.raises(SealError):
        bench.seal(b"x", name)


def test_never_overwrites(bench: Bench) -> None:
    (bench.folder / "out" / "letter.txt").write_bytes(b"mine")
    assert open_sealed(bench.seal(b"x"), [str(MINE)], bench.folder_fd) == b"letter (2).txt"
    assert (bench.folder / "out" / "letter.txt").read_bytes() == b"mine"


def refused(bench: Bench, sealed: int, identity: object, words: str) -> None:
    with pytest.raises(SealError) as caught:
        open_sealed(sealed, [str(identity)], bench.folder_fd)
    assert words in caught.value.message
    assert caught.value.hint
    assert bench.left() == []


def test_wrong_key(bench: Bench) -> None:
    refused(bench, bench.seal(b"x"), STRANGER, "somebody else")
    assert not is_sealed_for(bench.seal(b"x"), str(STRANGER))
    assert is_sealed_for(bench.seal(b"x"), str(PRACTICE))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"age-encryption.org/v1", b"age-encryption.org/v2\n---\n" + b"x" * 99]
)
def test_not_an_age_file(bench: Bench, content: bytes) -> None:
    assert not is_sealed(bench.file(content))
    refused(bench, bench.file(content), MINE, "not a sealed file")


def test_cut_anywhere(bench: Bench) -> None:
    raw = os.pread(bench.seal(random.Random(1).randbytes(200_000)), 1 << 20, 0)
    for length in [*range(0, 400, 7), *range(400, len(raw), 9973), len(raw) - 1]:
        with pytest.raises(SealError):
            open_sealed(bench.file(raw[:length]), [str(MINE)], bench.folder_fd)
    assert bench.left() == []


def test_every_changed_byte_is_found(bench: Bench) -> None:
    """But for the stanza that age's makers put in at random, to keep readers honest: it is authenticated as well."""
    raw = os.pread(bench.seal(b"a short letter"), 1 << 20, 0)
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(SealError):
            unseal(bench.file(bytes(changed)), [str(MINE)])


def test_tampering_late_in_a_long_file_leaves_nothing(bench: Bench) -> None:
    raw = bytearray(os.pread(bench.seal(random.Random(2).randbytes(1 << 20)), 1 << 21, 0))
    raw[-10] ^= 1
    refused(bench, bench.file(bytes(raw)), MINE, "damaged or changed")
    refused(bench, bench.file(bytes(raw[:-70_000])), MINE, "")


def archive(fill: Callable[[tarfile.TarFile], object], kind: int = tarfile.GNU_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=kind) as tar:
        fill(tar)
    return target.getvalue()


def member(
    name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> Callable[[tarfile.TarFile], object]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content) if kind == tarfile.REGTYPE else 0
    return lambda tar: tar.addfile(info, io.BytesIO(content))


def several(tar: tarfile.TarFile) -> None:
    member("a")(tar)
    member("b")(tar)


HOSTILE = {
    "absolute": archive(member("/etc/cron.d/x")),
    "upwards": archive(member("../x")),
    "dots": archive(member("..")),
    "folder in name": archive(member("a/b")),
    "long upwards": archive(member("../" * 60 + "x")),
    "symbolic link": archive(member("x", kind=tarfile.SYMTYPE, link="/etc/passwd")),
    "hard link": archive(member("x", kind=tarfile.LNKTYPE, link="/etc/passwd")),
    "device": archive(member("x", kind=tarfile.CHRTYPE)),
    "fifo": archive(member("x", kind=tarfile.FIFOTYPE)),
    "folder": archive(member("x", kind=tarfile.DIRTYPE)),
    "several": archive(several),
    "none": archive(lambda _tar: None),
    "pax upwards": archive(member("../é" * 80), tarfile.PAX_FORMAT),
    "no archive": b"%PDF-1.7 a document without its parcel" * 100,
    "nothing": b"",
    "cut header": archive(member("x"))[:300],
    "cut document": archive(member("x", b"y" * 5000))[:2000],
    "wrong sum": b"X" + archive(member("x"))[1:],
    "odd end": archive(member("x")) + b"\0" * 5,
    "something after": archive(member("x")) + b"y" * 512,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_parcel(bench: Bench, kind: str) -> None:
    refused(bench, bench.around(HOSTILE[kind]), MINE, "")


def test_claimed_size_beyond_the_file_is_refused_before_writing(bench: Bench) -> None:
    for size in (1 << 33, 1 << 62):
        info = tarfile.TarInfo("x")
        info.size = size
        refused(bench, bench.around(info.tobuf(tarfile.GNU_FORMAT) + b"y" * 1024), MINE, "cut short")


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_parcels_made_by_other_programs(bench: Bench, kind: int) -> None:
    name = "./Compte rendu é " + ("" if kind == tarfile.USTAR_FORMAT else "x" * 150) + ".pdf"
    sealed = bench.around(archive(member(name, b"content"), kind))
    assert open_sealed(sealed, [str(MINE)], bench.folder_fd) == name.removeprefix("./").encode()


def test_full_target_leaves_nothing_and_says_so(bench: Bench) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    bench.fds.append(full)
    with pytest.raises(OSError, match="No space"):
        unseal(bench.seal(b"x" * 100_000), [str(MINE)], full)
    with pytest.raises(OSError, match="No space"):
        seal(bench.file(b"x"), 1, b"x", TIME, RECIPIENTS, full)


def test_document_that_became_shorter(bench: Bench) -> None:
    with pytest.raises(SealError, match="shorter"):
        seal(bench.file(b"x" * 10), 11, b"x", TIME, RECIPIENTS, bench.file(b""))


@pytest.mark.parametrize("recipients", [(), ("age1nonsense",), ("",)])
def test_bad_recipients(bench: Bench, recipients: tuple[str, ...]) -> None:
    with pytest.raises(SealError):
        seal(bench.file(b"x"), 1, b"x", TIME, recipients, bench.file(b""))


def test_neutral_names_say_nothing_and_differ() -> None:
    names = {neutral_name() for _ in range(200)}
    assert len(names) > 190
    assert all(len(name) == len(b"document-7F3KQ.age") for name in names)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(
        [HOSTILE["several"], archive(member("x", b"y" * 700)), archive(member("é" * 90), tarfile.PAX_FORMAT)]
    ),
    changes=st.lists(st.tuples(st.integers(0, 2047), st.integers(0, 255)), max_size=6),
    cuts=st.lists(st.integers(1, 2048), max_size=6),
)
def test_any_bytes_end_in_a_member_or_a_seal_error(
    start: bytes, changes: list[tuple[int, int]], cuts: list[int]
) -> None:
    data = bytearray(start)
    for place, value in changes:
        data[place] = value
    seen = bytearray()
    unpacker = Unpacker(seen.extend, len(data))
    try:
        for cut in [*cuts, len(data)]:
            unpacker.write(bytes(data[:cut]))
            del data[:cut]
        found = unpacker.finish()
    except SealError:
        return
    assert len(seen) == found.size
    assert b"/" not in found.name


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=3000), reads=st.lists(st.integers(1, 900), min_size=1), chunk=st.integers(1, 700))
def test_packer_and_unpacker_agree_however_they_are_read(content: bytes, reads: list[int], chunk: int) -> None:
    packer = Packer(
        Member(b"n\xff", len(content), TIME), lambda offset, length: content[offset : offset + length], chunk
    )
    seen = bytearray()
    unpacker = Unpacker(seen.extend, len(content))
    turn = 0
    while data := packer.read(reads[turn % len(reads)]):
        unpacker.write(data)
        turn += 1
    assert unpacker.finish() == Member(b"n\xff", len(content), TIME)
    assert bytes(seen) == content
