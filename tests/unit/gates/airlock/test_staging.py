"""Staged bytes: in memory, on the disk in clear and encrypted, counted; and their digests."""

from __future__ import annotations

import errno
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.gates.airlock.descriptor import Descriptor
from agent.gates.airlock.medium import Medium
from agent.gates.airlock.nodes import Node, Tree
from agent.gates.airlock.spill import SECTOR, ClearBlob, DiskSpill, SealedBlob
from agent.gates.airlock.staged import CHUNK, Meta, Staged
from agent.gates.airlock.staging import Blob, MemoryBlob, Store
from agent.gates.airlock.volume import Volume

KEY = bytes(range(64))


def _temporary(folder: Path) -> Descriptor:
    return Descriptor(os.open(folder, os.O_RDWR | os.O_TMPFILE))


@pytest.fixture(params=["memory", "clear", "sealed"])
def blob(request: pytest.FixtureRequest, tmp_path: Path) -> Blob:
    made: dict[str, Callable[[], Blob]] = {
        "memory": MemoryBlob,
        "clear": lambda: ClearBlob(_temporary(tmp_path)),
        "sealed": lambda: SealedBlob(_temporary(tmp_path), KEY, 1, None),
    }
    return made[request.param]()


def _read(blob: Blob, size: int, offset: int) -> bytes:
    buffer = memoryview(bytearray(size))
    return bytes(buffer[: blob.read(buffer, offset)])


@pytest.mark.parametrize("seed", range(4))
def test_a_blob_is_a_file(blob: Blob, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    model = bytearray()
    for _ in range(150):
        offset, size = rng.randrange(5 * SECTOR), rng.choice((0, 1, 100, SECTOR, 2 * SECTOR + 3))
        match rng.randrange(3):
            case 0:
                data = rng.randbytes(size)
                blob.write(memoryview(data), offset)
                if data:
                    model[len(model) : offset] = bytes(max(0, offset - len(model)))
                    model[offset : offset + size] = data
            case 1:
                blob.truncate(offset)
                model[offset:] = b""
                model += bytes(offset - len(model))
            case 2:
                assert _read(blob, size, offset) == model[offset : offset + size]
        assert blob.size == len(model)
    assert _read(blob, blob.size + 10, 0) == model


def test_ciphertext_shows_nothing(tmp_path: Path) -> None:
    file = _temporary(tmp_path)
    blob = SealedBlob(file, KEY, 1, None)
    text = b"SERMENT-SECRET! " * 4096
    blob.write(memoryview(text), 100)
    stored = os.pread(file.fd, 1 << 20, 0)
    assert b"SECRET" not in stored
    assert len(set(stored[:SECTOR][at : at + 16] for at in range(112, SECTOR, 16))) > 900  # no repetition shows through
    assert _read(blob, len(text), 100) == text
    other = SealedBlob(file, KEY, 2, None)
    other.size = blob.size
    assert _read(other, len(text), 100) != text  # each file with numbers of its own


def test_an_encrypted_blob_without_a_view_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        SealedBlob(_temporary(tmp_path), KEY, 1, None).open_for_judge()


def test_a_judge_cannot_write(tmp_path: Path) -> None:
    for blob in (MemoryBlob(), ClearBlob(_temporary(tmp_path))):
        blob.write(memoryview(b"text"), 0)
        found = blob.open_for_judge()
        assert os.pread(found.fd, 9, 0) == b"text"
        with pytest.raises(OSError):
            os.write(found.fd, b"x")


class _Sink:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def blob(self) -> Blob:
        return ClearBlob(_temporary(self.folder))


def _staged(store: Store) -> Staged:
    node = Node(2, None, b"f", stat.S_IFREG, 9, on_medium=False)
    return Staged(node, store, Meta.new(0o600, 0, 0), (0, 0))


def test_what_is_too_large_for_memory_moves_to_the_disk(tmp_path: Path) -> None:
    store = Store(10 << 20, 1 << 20, _Sink(tmp_path))
    staged = _staged(store)
    staged.write(memoryview(b"a" * 900_000), 0)
    assert isinstance(staged.blob, MemoryBlob)
    staged.write(memoryview(b"b" * 900_000), 2_000_000)
    assert isinstance(staged.blob, ClearBlob)
    assert _read(staged.blob, 3_000_000, 0) == b"a" * 900_000 + bytes(1_100_000) + b"b" * 900_000
    assert 1_800_000 <= store.total < 2_000_000
    staged.close()
    assert store.total == 0


def test_the_limit_holds_and_room_comes_back() -> None:
    store = Store(1 << 20, 1 << 20, None)
    first, second = _staged(store), _staged(store)
    first.write(memoryview(bytes(b"x" * 700_000)), 0)
    with pytest.raises(OSError) as caught:
        second.write(memoryview(bytes(b"x" * 700_000)), 0)
    assert caught.value.errno == errno.ENOSPC
    assert second.blob.size == 0
    first.truncate(0)
    second.write(memoryview(bytes(b"x" * 700_000)), 0)


def test_digests_follow_every_change() -> None:
    store = Store(64 << 20, 64 << 20, None)
    staged = _staged(store)
    rng = random.Random(1)  # noqa: S311
    for _ in range(40):
        if rng.random() < 0.7:
            staged.write(memoryview(rng.randbytes(rng.randrange(1, 50_000))), rng.randrange(3 * CHUNK))
        else:
            staged.truncate(rng.randrange(3 * CHUNK))
        generation = staged.generation
        kept = staged.digests()
        fresh = _staged(store)
        fresh.blob = staged.blob
        assert kept == fresh.digests()
        assert staged.generation == generation
    content = bytearray(staged.blob.size)
    for offset, chunk in staged.verified(staged.digests()):
        content[offset : offset + len(chunk)] = chunk
    assert _read(staged.blob, len(content), 0) == content


def test_a_chunk_that_is_not_what_was_judged_is_not_given_out() -> None:
    staged = _staged(Store(64 << 20, 64 << 20, None))
    staged.write(memoryview(b"judged" * 1_000_000), 0)
    digests = staged.digests()
    staged.blob.write(memoryview(b"X"), CHUNK + 5)  # behind the back of the gate
    given: list[Any] = []
    with pytest.raises(OSError) as caught:
        for offset, _ in staged.verified(digests):
            given.append(offset)
    assert caught.value.errno == errno.EIO
    assert given == [0]


def test_spill_files_have_no_name(tmp_path: Path) -> None:
    spill = DiskSpill(os.open(tmp_path, os.O_RDONLY), None)
    spill.blob().write(memoryview(b"text"), 0)
    assert os.listdir(tmp_path) == []


def test_nobody_sees_a_staged_document_before_the_old_version_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second writer in that moment would have its bytes written over by the old ones."""
    (tmp_path / "letter").write_bytes(b"A" * 4096)
    medium = Medium(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY))
    tree = Tree(os.fstat(medium.root).st_ino, medium.fold)
    volume = Volume(medium, tree, Store(1 << 20, 1 << 20, None), SimpleNamespace())  # type: ignore[arg-type]
    volume.session = SimpleNamespace(notify=lambda *_: None, notify_attributes=lambda *_: None)  # type: ignore[assignment]
    inode = (tmp_path / "letter").stat().st_ino
    node = tree.bind(tree.root, b"letter", stat.S_IFREG, inode, on_medium=True)
    seen: list[object] = []
    node.writers, gate = 1, Staged.gate
    volume.reading(node)

    def looked_at(staged: Staged, *words: Any) -> Any:
        seen.append(node.staged)
        return gate(staged, *words)

    monkeypatch.setattr(Staged, "gate", looked_at)
    volume.changing(node, (1, 1), lambda staged: staged.write(memoryview(b"x"), 0), bool)
    assert seen[0] is None
    assert node.staged is not None
