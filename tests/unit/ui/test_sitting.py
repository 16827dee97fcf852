"""One sealed document under two pairs of eyes: neither edit is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.crypto.recipients import KeyKind, new_identity, recipient_of, unwrap
from agent.crypto.sealed import read_header, seal, unseal
from agent.ui import memory_folder
from agent.ui.sitting import Sitting

MINE = new_identity(KeyKind.X25519)


class Access:
    def recipients(self) -> tuple[str, ...]:
        return (str(recipient_of(MINE)),)


class Desk:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "document-AAAAA.age"
        (folder.parent / "note.txt").write_text("base\n")
        with (folder.parent / "note.txt").open("rb") as plain, self.path.open("x+b") as sealed:
            seal(plain.fileno(), 5, b"note.txt", 0, Access().recipients(), sealed.fileno())

    def sit(self) -> tuple[Sitting, Path]:
        with self.path.open("rb") as file:
            header = read_header(file.fileno())
            key = unwrap(header, [str(MINE)])
            sitting = Sitting(os.fsencode(self.path), key, header, memory_folder.make(), Access())  # type: ignore[arg-type]
            return sitting, sitting.open(file.fileno())

    def content(self, path: Path, scratch: Path) -> str:
        with path.open("rb") as file, scratch.open("w+b") as plain:
            unseal(file.fileno(), [str(MINE)], plain.fileno())
            return scratch.read_text()


@pytest.mark.parametrize("killed", [False, True])
def test_two_who_edit_the_same_document_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """``killed``: the first one's process, and another goes on from what was noted."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "work").mkdir()
    desk = Desk(tmp_path / "work")
    (one, ones), (other, others) = desk.sit(), desk.sit()
    others.write_text("base\nallergic to penicillin\n")
    other.save(last=True)
    others.write_text("base\nallergic to penicillin, seriously\n")
    other.save(last=True)  # its own edits go on from one another
    ones.write_text("base\ncomes again on Monday\n")
    if killed:
        one.recall()
    one.save(last=True)
    scratch = tmp_path / "scratch"
    assert desk.content(desk.path, scratch) == "base\nallergic to penicillin, seriously\n"
    assert not other.elsewhere
    (kept,) = one.elsewhere
    assert desk.content(Path(os.fsdecode(kept)), scratch) == "base\ncomes again on Monday\n"
    for sitting in (one, other):
        sitting._folder.remove()


def test_what_is_saved_in_a_new_folder_is_sealed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "work").mkdir()
    desk = Desk(tmp_path / "work")
    sitting, document = desk.sit()
    (document.parent / "deep/.~lock.x").mkdir(parents=True)
    (document.parent / "deep/.~lock.x/y").write_text("a lock\n")
    (document.parent / "deep/page.txt").write_text("saved there\n")
    sitting.save(last=True)
    sitting.save_others()
    (made,) = map(Path, map(os.fsdecode, sitting.elsewhere))
    assert desk.content(made, tmp_path / "scratch") == "saved there\n"


def test_the_longest_path_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read back counts as a document that nobody has seen yet, and goes unsaved."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = memory_folder.make()
    facts = {"source": os.fsdecode(b"/\xe9" * 2048), "name": os.fsdecode(b"\xe9" * 255), "digest": "0" * 64}
    folder.note(**facts)
    assert folder.noted() == facts
