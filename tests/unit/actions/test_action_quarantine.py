"""The store: what is taken is whole, listed, given back, and never grows by the same document."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.actions import copying, quarantine
from agent.actions.entry import decode
from agent.actions.placeholder import MAX_LISTED, NAME, Placeholders, note
from agent.actions.quarantine import KEEP_RESTORED_S, QuarantineStore
from agent.errors import HostError, UntrustedInputError, UsageError
from agent.fsys.atomic import write_all
from agent.model import Decision, Result
from tests.acting import DOCUMENT, Desk, digest


def hold(desk: Desk, name: bytes = b"sub/letter.txt", content: bytes = DOCUMENT) -> str:
    desk.put(name, content)
    outcome = desk.act(name, Decision.BLOCK)
    assert outcome.result is Result.DONE
    return outcome.held


def test_survives_a_restart(desk: Desk) -> None:
    hold(desk)
    again = QuarantineStore(desk.data / "quarantine")
    assert again.list() == desk.store.list()
    assert again.list(desk.owner + 1) == ()
    assert (desk.data / "quarantine").stat().st_mode & 0o777 == 0o700


def test_a_medium_that_lies_is_found_out_before_anything_is_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(fd: int, data: bytes) -> None:
        write_all(fd, b"X" + data[1:])

    monkeypatch.setattr(copying, "write_all", lying)
    desk.put(b"letter.txt")
    outcome = desk.act(b"letter.txt", Decision.BLOCK)
    assert (outcome.result, outcome.problem) == (Result.FAILED, "io-error")
    assert desk.names() == {b"letter.txt"}
    assert list(desk.store.folder.iterdir()) == [desk.store.folder / "journal"]


def test_a_sync_client_that_brings_it_again_makes_no_second_copy(desk: Desk) -> None:
    first = hold(desk)
    text = (desk.place / "sub" / NAME.decode()).read_bytes()
    state = (desk.place / "sub" / NAME.decode()).stat()
    for _ in range(3):
        assert hold(desk) == first
    (entry,) = desk.store.list()
    assert (entry.copies, entry.state) == (4, "held")
    assert (desk.place / "sub" / NAME.decode()).read_bytes() == text
    assert (desk.place / "sub" / NAME.decode()).stat().st_ino == state.st_ino
    assert hold(desk, content=b"another") != first
    assert hold(desk, name=b"other.txt") != first


def test_damaged_copy_is_no_reason_to_take_none(desk: Desk) -> None:
    first = hold(desk)
    (desk.store.folder / first / "content").write_bytes(b"damaged")
    assert hold(desk) != first


def test_restore_keeps_the_copy_for_a_while(desk: Desk, tmp_path: Path) -> None:
    held, home = hold(desk), tmp_path / "home"
    home.mkdir()
    given_back = desk.store.restore(held.lower(), desk.owner, os.fsencode(home), guarded=[os.fsencode(desk.place)])
    assert (given_back.folder, given_back.name) == (os.fsencode(home), b"letter.txt")
    assert (home / "letter.txt").read_bytes() == DOCUMENT
    assert (home / "letter.txt").stat().st_mtime_ns == desk.store.list()[0].mtime_ns
    assert desk.store.list()[0].state == "restored"
    now = int(time.time())
    assert desk.store.prune(now + KEEP_RESTORED_S - 60) == 0
    assert desk.store.prune(now + KEEP_RESTORED_S + 60) == 1
    assert desk.store.list() == QuarantineStore(desk.store.folder).list() == ()


def test_restore_without_keeping(desk: Desk, tmp_path: Path) -> None:
    held = hold(desk)
    desk.store.restore(held, desk.owner, os.fsencode(tmp_path), keep=False)
    assert desk.store.list() == ()
    assert not (desk.store.folder / held).exists()


def test_restore_that_fails_keeps_everything(desk: Desk, tmp_path: Path) -> None:
    held = hold(desk)
    with pytest.raises(HostError) as caught:
        desk.store.restore(held, desk.owner, os.fsencode(tmp_path / "nothing"))
    assert caught.value.hint
    (desk.store.folder / held / "content").write_bytes(b"x" * len(DOCUMENT))
    with pytest.raises(HostError, match="damaged"):
        desk.store.restore(held, desk.owner, os.fsencode(tmp_path))
    assert not (tmp_path / "letter.txt").exists()
    assert desk.store.list()[0].state == "held"


def test_guarded_folder_is_seen_through_links(desk: Desk, tmp_path: Path) -> None:
    held = hold(desk)
    (tmp_path / "looks-harmless").symlink_to(desk.place / "sub")
    with pytest.raises(UsageError, match="under guard"):
        desk.store.restore(
            held, desk.owner, os.fsencode(tmp_path / "looks-harmless"), guarded=[os.fsencode(desk.place)]
        )
    assert desk.names(b"sub") == {NAME}


def test_what_is_held_again_is_held_by_the_rule_of_now(desk: Desk) -> None:
    """First under a rule that asks for a reason, then under one that refuses: no reason lets it go any more."""
    desk.put(b"sub/letter.txt")
    first = desk.act(b"sub/letter.txt", Decision.JUSTIFY).held
    assert hold(desk) == first
    (entry,) = desk.store.list()
    assert (entry.action, entry.copies) == ("block", 2)


def test_a_folder_that_does_not_answer_holds_up_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release into a folder of a server that hangs: others are held and asked about, and it is known meanwhile."""
    held = hold(desk)
    asked, answers = threading.Event(), threading.Event()
    give_back = quarantine.give_back

    def hanging(*words: Any) -> Any:
        asked.set()
        assert answers.wait(30)
        return give_back(*words)

    monkeypatch.setattr(quarantine, "give_back", hanging)
    with ThreadPoolExecutor(2) as pool:
        try:
            releasing = pool.submit(desk.store.release, held, desk.owner, "about nobody")
            assert asked.wait(30)
            assert pool.submit(hold, desk, b"sub/other.txt", b"another letter").result(10) != held
            desk.put(b"sub/letter.txt")
            with desk.open(b"sub/letter.txt", Decision.BLOCK) as transfer:
                assert desk.store.released(transfer) == held
        finally:
            answers.set()
        assert releasing.result(30).name


def test_released_is_known_again_and_other_content_is_not(desk: Desk) -> None:
    held = hold(desk)
    with pytest.raises(UsageError, match="reason"):
        desk.store.release(held, desk.owner, "  ")
    desk.store.release(held, desk.owner, "about nobody")
    desk.put(b"sub/letter.txt" + b".other")
    for store in (desk.store, QuarantineStore(desk.store.folder)):
        with desk.open(b"sub/letter.txt", Decision.BLOCK) as transfer:
            assert store.released(transfer) == held
        with desk.open(b"sub/letter.txt.other", Decision.BLOCK) as transfer:
            assert store.released(transfer) is None
    desk.put(b"sub/letter.txt", b"X" + DOCUMENT[1:])
    with desk.open(b"sub/letter.txt", Decision.BLOCK) as transfer:
        assert desk.store.released(transfer) is None
    assert desk.store.list()[0].reason == "about nobody"


def test_damaged_record_is_told_and_its_content_left(desk: Desk) -> None:
    held = hold(desk)
    (desk.store.folder / held / "meta.json").write_bytes(b"{")
    again = QuarantineStore(desk.store.folder)
    assert (again.list(), again.damaged()) == ((), (held,))
    assert digest((again.folder / held / "content").read_bytes()) == digest(DOCUMENT)


@settings(max_examples=200, deadline=None)
@given(
    raw=st.one_of(
        st.binary(max_size=200), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr).map(str.encode)
    )
)
def test_any_record_is_an_entry_or_refused(raw: bytes) -> None:
    with pytest.raises(UntrustedInputError):
        decode(raw)


def test_record_round_trip_and_each_field_missing(desk: Desk) -> None:
    import json

    hold(desk, b"sub/\xff\n.txt")
    (entry,) = desk.store.list()
    assert decode(entry.encode()) == entry
    table = json.loads(entry.encode())
    for key in set(table) - {"state", "reason", "copies", "keep_until", "before"}:
        with pytest.raises(UntrustedInputError):
            decode(json.dumps({name: value for name, value in table.items() if name != key}).encode())
    for key, value in (("id", "../../etc"), ("state", "gone"), ("stamp", [1]), ("v", 2), ("name", "%"), ("more", 1)):
        with pytest.raises(UntrustedInputError):
            decode(json.dumps(table | {key: value}).encode())


def test_note_names_no_document_and_follows_what_is_held(desk: Desk, tmp_path: Path) -> None:
    first, second = hold(desk, b"sub/DUPONT Jeanne.pdf"), hold(desk, b"sub/MARTIN Paul.pdf", b"x")
    path = desk.place / "sub" / NAME.decode()
    text = path.read_text(encoding="utf-8")
    assert first in text
    assert second in text
    assert "DUPONT" not in text
    assert "MARTIN" not in text
    assert f"serment quarantine restore {sorted((first, second))[-1]}" in text
    assert path.stat().st_mode & 0o777 == 0o644
    placeholders = Placeholders(desk.store)
    desk.store.restore(first, desk.owner, os.fsencode(tmp_path))
    assert placeholders.refresh_for(desk.store.get(first, 0))
    assert first not in path.read_text(encoding="utf-8")
    desk.store.restore(second, desk.owner, os.fsencode(tmp_path))
    assert placeholders.refresh_for(desk.store.get(second, 0))
    assert not path.exists()


def test_note_is_bounded(desk: Desk) -> None:
    hold(desk)
    (entry,) = desk.store.list()
    many = [entry.with_state("held", id=f"AAAAAA{chr(65 + n // 26)}{chr(65 + n % 26)}") for n in range(60)]
    text = note(many, ("en",))
    assert text.count(entry.day) == MAX_LISTED
    assert "40" in text
    assert note(list(reversed(many)), ("en",)) == text


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_file_of_the_note_s_name_that_is_not_ours_stays(desk: Desk, tmp_path: Path, kind: str) -> None:
    path = desk.place / "sub" / NAME.decode()
    path.parent.mkdir()
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    if kind == "file":
        path.write_bytes(b"mine")
    elif kind == "link":
        path.symlink_to(victim)
    else:
        path.mkdir()
    before = path.lstat().st_ino
    hold(desk)
    assert path.lstat().st_ino == before
    assert victim.read_bytes() == b"mine"
