"""Removing a name only if it is the judged file; whatever else stands there keeps its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.actions import removal
from agent.actions.removal import Removal, remove_judged
from agent.fsys.atomic import stamp
from agent.model import Stamp

TOKEN = "ABCDEFGH"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"judged")
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield tmp_path, fd
    os.close(fd)


def judged(path: Path) -> Stamp:
    fd = os.open(path, os.O_RDONLY)
    try:
        return stamp(fd)
    finally:
        os.close(fd)


def test_the_judged_file_goes(root: tuple[Path, int]) -> None:
    path, fd = root
    assert remove_judged(fd, b"sub/a", judged(path / "sub/a"), TOKEN) is Removal.REMOVED
    assert os.listdir(path / "sub") == []
    assert remove_judged(fd, b"sub/a", Stamp(0, 0, 0, 0, 0), TOKEN) is Removal.GONE
    assert remove_judged(fd, b"nothing/a", Stamp(0, 0, 0, 0, 0), TOKEN) is Removal.GONE


def other_file(path: Path) -> None:
    path.rename(path.with_name("kept"))
    path.write_bytes(b"others")


def other_size(path: Path) -> None:
    path.write_bytes(b"judged and more")


def other_time(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def link(path: Path) -> None:
    path.rename(path.with_name("kept"))
    path.symlink_to("kept")


def folder(path: Path) -> None:
    path.rename(path.with_name("kept"))
    path.mkdir()
    (path / "inside").write_bytes(b"x")


CHANGES = [other_file, other_size, other_time, link, folder]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("late", [False, True])
def test_anything_else_keeps_its_name(
    root: tuple[Path, int], change: Callable[[Path], None], late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed before we look, or between the look and the rename."""
    path, fd = root
    state = judged(path / "sub/a")
    if late:
        look = removal._refuse_early

        def look_then_change(folder_fd: int, tail: bytes, was: Stamp) -> Removal | None:
            answer = look(folder_fd, tail, was)
            change(path / "sub/a")
            return answer

        monkeypatch.setattr(removal, "_refuse_early", look_then_change)
    else:
        change(path / "sub/a")
    assert remove_judged(fd, b"sub/a", state, TOKEN) is Removal.CHANGED
    after = sorted(os.listdir(path / "sub"))
    assert after in (["a"], ["a", "kept"])
    if "kept" in after:
        assert (path / "sub/kept").read_bytes() == b"judged"
    if change is folder:
        assert (path / "sub/a/inside").exists()


def test_name_taken_again_before_it_could_be_put_back(root: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    path, fd = root
    state, real = judged(path / "sub/a"), removal._remove_aside

    def meddling(folder_fd: int, tail: bytes, was: Stamp, token: str) -> Removal:
        os.utime(path / "sub" / f".serment-{token}-old.tmp")
        (path / "sub/a").write_bytes(b"newer")
        return real(folder_fd, tail, was, token)

    monkeypatch.setattr(removal, "_remove_aside", meddling)
    assert remove_judged(fd, b"sub/a", state, TOKEN) is Removal.CHANGED
    assert (path / "sub/a").read_bytes() == b"newer"
    assert (path / "sub/a (2)").read_bytes() == b"judged"


def test_what_stands_aside_already_is_not_overwritten(root: tuple[Path, int]) -> None:
    path, fd = root
    aside = path / "sub" / f".serment-{TOKEN}-old.tmp"
    aside.write_bytes(b"an earlier document")
    with pytest.raises(FileExistsError):
        remove_judged(fd, b"sub/a", judged(path / "sub/a"), TOKEN)
    assert aside.read_bytes() == b"an earlier document"
    assert (path / "sub/a").read_bytes() == b"judged"


@pytest.mark.parametrize("name", [b"", b".", b"..", b"sub/..", b"../sub/a", b"/etc/hostname", b"sub/\0"])
def test_names_that_lead_out(root: tuple[Path, int], name: bytes) -> None:
    _path, fd = root
    try:
        answer = remove_judged(fd, name, Stamp(0, 0, 0, 0, 0), TOKEN)
    except OSError:
        return
    assert answer is not Removal.REMOVED
