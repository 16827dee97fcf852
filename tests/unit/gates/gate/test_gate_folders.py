"""Guarded folders, where a person's program has put a file system that never answers over one of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.daemon.gate_marks import Marks
from agent.gates.gate import fanotify
from agent.gates.gate.folders import Folders
from agent.gates.gate.settings import Folder, FolderKind
from agent.gates.gate.walk import open_unasked

pytestmark = pytest.mark.system
Silent = Callable[[bytes, int], None]


def at_once(call: Callable[[], Any]) -> Any:
    """What the call returns, which waits for nobody."""
    found: list[Any] = []
    calling = threading.Thread(target=lambda: found.append(call()), daemon=True)
    calling.start()
    calling.join(5)
    assert not calling.is_alive(), "it waits for the program"
    return found[0]


def folders(*paths: Path) -> list[Folder]:
    return [Folder(os.fsencode(path), FolderKind.SYNC) for path in paths]


@pytest.fixture
def three(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A drive, a folder in it, and another folder."""
    drive, other = tmp_path / "Drive", tmp_path / "Nextcloud"
    (drive / "below").mkdir(parents=True)
    other.mkdir()
    return drive, drive / "below", other


def test_a_gate_waits_for_no_program_that_covers_a_folder(three: tuple[Path, Path, Path], silent: Silent) -> None:
    drive, below, other = three
    before = Folders(folders(drive, below))
    assert not before.missing
    inode = drive.stat().st_ino
    silent(os.fsencode(drive), 12345)
    after = at_once(lambda: Folders(folders(drive, below, other), before))
    assert [Path(os.fsdecode(each.root)) for each in after.missing] == [drive, below]
    assert {place.inode for place in after.places} >= {inode, other.stat().st_ino}  # what it covers stays guarded
    assert at_once(after.named)[1]
    after.close()


def test_the_agent_waits_for_none_either(
    three: tuple[Path, Path, Path], silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[int] = []
    monkeypatch.setattr(fanotify, "guard_filesystem", lambda *_which: None)
    monkeypatch.setattr(fanotify, "release_filesystem", lambda _group, fd: released.append(fd))
    drive, below, other = three
    marks = Marks()
    first = folders(drive, below)
    assert marks.set(-1, first) == {each.root for each in first}
    silent(os.fsencode(drive), 12345)
    assert at_once(lambda: marks.set(-1, first)) == {each.root for each in first}
    assert released == []  # it is asked about the file system still, also when nothing else is guarded there
    both = folders(drive, other)
    assert at_once(lambda: marks.set(-1, both)) == {each.root for each in both}
    never = Marks()
    assert at_once(lambda: never.set(-1, first)) == frozenset()
    assert marks.set(-1, []) == frozenset()
    assert len(released) == 1
    for each in (marks, never):
        each.close()


def test_what_root_has_mounted_is_gone_into_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    fd = open_unasked(os.fsencode(tmp_path / "there"))
    assert os.listdir(fd) == []
    os.close(fd)
    os.close(open_unasked(b"/dev/shm"))
    for name, error in (("link", NotADirectoryError), ("none", FileNotFoundError)):
        with pytest.raises(error):
            open_unasked(os.fsencode(tmp_path / name))
