"""Names that are moved, made and claimed without ever overwriting one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.fsys import draft, rename
from agent.fsys.draft import Draft
from agent.fsys.rename import free_names, rename_noreplace, rename_to_free
from agent.fsys.writers import open_for_writing


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield tmp_path, fd
    os.close(fd)


@pytest.fixture(params=["atomic", "link", "claim"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the three ways of rename_noreplace."""

    def no(*_arguments: object, **_keywords: object) -> None:
        raise OSError(errno.EINVAL, "no such operation here")

    if request.param != "atomic":
        monkeypatch.setattr(rename, "_renameat2", no)
    if request.param == "claim":
        monkeypatch.setattr(rename.os, "link", no)
    return str(request.param)


def test_rename_moves_and_never_overwrites(folder: tuple[Path, int], way: str) -> None:
    path, fd = folder
    (path / "a").write_bytes(b"a")
    (path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        rename_noreplace(fd, b"a", fd, b"b")
    assert ((path / "a").read_bytes(), (path / "b").read_bytes()) == (b"a", b"b")
    rename_noreplace(fd, b"a", fd, b"c")
    assert sorted(os.listdir(path)) == ["b", "c"]
    assert rename_to_free(fd, b"c", fd, b"b") == b"b (2)"
    with pytest.raises(FileNotFoundError):
        rename_noreplace(fd, b"gone", fd, b"d")
    assert sorted(os.listdir(path)) == ["b", "b (2)"]


def test_rename_of_a_link_moves_the_link(folder: tuple[Path, int], way: str) -> None:
    path, fd = folder
    (path / "target").write_bytes(b"a")
    (path / "link").symlink_to("target")
    rename_noreplace(fd, b"link", fd, b"moved")
    assert os.readlink(path / "moved") == "target"
    assert (path / "target").read_bytes() == b"a"


def test_free_names_keep_the_extension_and_the_limit() -> None:
    assert list(free_names(b"a.pdf", 3)) == [b"a.pdf", b"a (2).pdf", b"a (3).pdf"]
    assert list(free_names(b".bashrc", 2))[1] == b".bashrc (2)"
    assert list(free_names(b"noext", 2))[1] == b"noext (2)"
    long = b"x" * 251 + b".txt"
    assert all(len(name) <= 255 and name.endswith(b".txt") for name in free_names(long, 12))
    assert len(set(free_names(long, 12))) == 12


@pytest.fixture(params=["unnamed", "named"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "named":
        monkeypatch.setattr(draft.Draft, "_open_unnamed", lambda _self: -1)
    return str(request.param)


def test_draft_appears_whole_or_not_at_all(folder: tuple[Path, int], kind: str) -> None:
    path, fd = folder
    with pytest.raises(RuntimeError), Draft(fd) as made:
        assert os.listdir(path) == ([] if kind == "unnamed" else os.listdir(path)[:1])
        os.write(made.fd, b"half")
        raise RuntimeError
    assert os.listdir(path) == []
    with Draft(fd) as made:
        os.write(made.fd, b"whole")
        made.publish(b"a")
    assert (path / "a").read_bytes() == b"whole"
    with Draft(fd) as made:
        with pytest.raises(FileExistsError):
            made.publish(b"a")
        assert made.publish_free(b"a") == b"a (2)"
        made.withdraw(b"a")  # is another file
        made.withdraw(b"a (2)")
    assert os.listdir(path) == ["a"]
    with Draft(fd) as made:
        made.replace(b"a")
    assert (path / "a").read_bytes() == b""
    assert os.listdir(path) == ["a"]


def test_swapped_named_draft_is_found_out(folder: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft.Draft, "_open_unnamed", lambda _self: -1)
    path, fd = folder
    with pytest.raises(OSError) as caught, Draft(fd) as made:
        (name,) = os.listdir(path)
        (path / name).rename(path / "elsewhere")
        (path / name).write_bytes(b"theirs")
        made.publish(b"a")
    assert caught.value.errno == errno.ESTALE


def test_writers_are_seen(folder: tuple[Path, int]) -> None:
    path, _fd = folder
    (path / "a").write_bytes(b"a")
    reader = os.open(path / "a", os.O_RDONLY)
    try:
        assert not open_for_writing(reader)
        with (path / "a").open("r+b"):
            assert open_for_writing(reader)
        assert not open_for_writing(reader)
        os.close(os.open(path / "a", os.O_RDWR | os.O_NONBLOCK))  # no lease is left that would make this fail
    finally:
        os.close(reader)


def test_what_cannot_be_asked_is_not_known(tmp_path: Path) -> None:
    read, write = os.pipe()
    try:
        assert not open_for_writing(read)
    finally:
        os.close(read)
        os.close(write)
