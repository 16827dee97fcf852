"""What each action does to a document, and what it leaves alone."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from agent.actions.placeholder import NAME
from agent.model import ChannelKind, Decision, Result
from tests.acting import DOCUMENT, Desk, digest

HOLDING = (Decision.BLOCK, Decision.JUSTIFY)
ACTING = (*HOLDING, Decision.ENCRYPT)


@pytest.mark.parametrize("decision", [Decision.OBSERVE, Decision.INFORM])
def test_mild_actions_leave_the_file_alone(desk: Desk, decision: Decision) -> None:
    path = desk.put(b"letter.txt")
    before = os.stat(path)
    outcome = desk.act(b"letter.txt", decision)
    assert (outcome.result, outcome.action) == (Result.DONE, decision)
    after = os.stat(path)
    assert (after.st_ino, after.st_ctime_ns, after.st_nlink) == (before.st_ino, before.st_ctime_ns, before.st_nlink)
    assert desk.names() == {b"letter.txt"}


@pytest.mark.parametrize("decision", HOLDING)
def test_held_document_moves_to_quarantine(desk: Desk, decision: Decision, hostile_name: bytes) -> None:
    name = b"folder/" + hostile_name
    path = desk.put(name)
    os.chmod(path, 0o640)
    os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    outcome = desk.act(name, decision)
    assert (outcome.result, outcome.action, outcome.problem) == (Result.DONE, decision, "")
    assert re.fullmatch("[A-Z2-7]{8}", outcome.held)
    assert desk.names(b"folder") == {NAME}
    (entry,) = desk.store.list()
    assert (entry.id, entry.root, entry.name, entry.state) == (outcome.held, os.fsencode(desk.place), name, "held")
    assert (entry.sha256, entry.size, entry.mode) == (digest(DOCUMENT), len(DOCUMENT), 0o640)
    assert (entry.mtime_ns, entry.number, entry.rule) == (1_600_000_000_123_456_789, 7, "r1")
    assert desk.store.verified(entry)


def test_encrypt_replaces_the_document_by_a_neutral_sealed_file(desk: Desk, hostile_name: bytes) -> None:
    name = b"folder/" + hostile_name
    path = desk.put(name)
    os.chmod(path, 0o640)
    outcome = desk.act(name, Decision.ENCRYPT)
    assert (outcome.result, outcome.problem) == (Result.DONE, "")
    assert outcome.recipients == desk.keys.recipients(desk.owner)
    assert re.fullmatch(r"document-[0-9A-Z]{5}\.age", outcome.held)
    assert desk.names(b"folder") == {outcome.held.encode()}
    sealed = desk.place / "folder" / outcome.held
    assert (sealed.stat().st_mode & 0o7777, sealed.stat().st_uid) == (0o640, desk.owner)
    raw = sealed.read_bytes()
    assert b"EXEMPLE" not in raw
    assert hostile_name not in raw
    assert desk.contents() == {digest(DOCUMENT): ["sealed"]}
    (intent,) = desk.store.journal.open_intents()  # until the outcome is in the audit log: a kill would ask for it
    assert intent.sealed == outcome.held.encode()
    desk.store.journal.settled(intent.number)
    assert not list((desk.data / "quarantine" / "journal").iterdir())


def test_sealing_twice_is_sealing_once(desk: Desk) -> None:
    desk.put(b"letter.txt")
    held = desk.act(b"letter.txt", Decision.ENCRYPT).held
    before = (desk.place / held).read_bytes()
    assert desk.act(held.encode(), Decision.ENCRYPT).result is Result.DONE
    assert desk.names() == {held.encode()}
    assert (desk.place / held).read_bytes() == before


def test_a_forged_age_header_does_not_save_a_document_from_sealing(desk: Desk) -> None:
    desk.put(b"letter.txt")
    held = desk.act(b"letter.txt", Decision.ENCRYPT).held
    header = (desk.place / held).read_bytes().partition(b"\n---")[0]
    forged = header + b"\n--- " + b"A" * 43 + b"\n" + DOCUMENT
    desk.put(b"forged.age", forged)
    assert desk.act(b"forged.age", Decision.ENCRYPT).held
    assert b"forged.age" not in desk.names()


def test_sealed_file_with_a_plain_tail_is_sealed_again(desk: Desk) -> None:
    desk.put(b"letter.txt")
    held = desk.act(b"letter.txt", Decision.ENCRYPT).held
    with (desk.place / held).open("ab") as file:
        file.write(DOCUMENT)
    again = desk.act(held.encode(), Decision.ENCRYPT)
    assert again.held not in {"", held}
    assert desk.names() == {again.held.encode()}


@pytest.mark.parametrize("decision", ACTING)
def test_file_written_to_after_the_judgement_is_left(desk: Desk, decision: Decision) -> None:
    path = desk.put(b"letter.txt")
    with desk.open(b"letter.txt", decision) as transfer:
        with open(path, "ab") as file:
            file.write(b"one more line")
        outcome = desk.actions[decision].apply(transfer)
    assert outcome.result is Result.CHANGED
    assert desk.names() == {b"letter.txt"}
    assert desk.store.list() == ()


@pytest.mark.parametrize("decision", ACTING)
def test_same_size_same_time_other_content_is_left(desk: Desk, decision: Decision) -> None:
    """Whoever sets the time back is found out by the ctime."""
    path = desk.put(b"letter.txt")
    state = os.stat(path)
    with desk.open(b"letter.txt", decision) as transfer:
        with open(path, "r+b") as file:
            file.write(b"X")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert desk.actions[decision].apply(transfer).result is Result.CHANGED
    assert desk.names() == {b"letter.txt"}


@pytest.mark.parametrize("decision", ACTING)
def test_written_to_while_it_is_read_is_left(desk: Desk, decision: Decision, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its time set back, so that only the ctime tells."""
    path = desk.put(b"letter.txt")
    state, real = os.stat(path), os.pread
    with desk.open(b"letter.txt", decision) as transfer:

        def meddling(fd: int, length: int, offset: int) -> bytes:
            data = real(fd, length, offset)
            if fd == transfer.fd and offset == 0 and length > 100_000 - 1:
                with open(path, "r+b") as file:
                    file.write(b"X")
                os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
            return data

        monkeypatch.setattr(os, "pread", meddling)
        assert desk.actions[decision].apply(transfer).result is Result.CHANGED
    assert desk.names() == {b"letter.txt"}
    assert desk.store.list() == ()
    with open(path, "rb") as file:
        assert file.read(1) == b"X"


@pytest.mark.parametrize("decision", ACTING)
@pytest.mark.parametrize("swap", ["file", "link", "folder", "fifo"])
def test_name_that_is_something_else_now_is_left(desk: Desk, tmp_path: Path, decision: Decision, swap: str) -> None:
    path = desk.put(b"letter.txt")
    victim = tmp_path / "victim"
    victim.write_bytes(DOCUMENT)
    with desk.open(b"letter.txt", decision) as transfer:
        os.rename(path, path + b".away")
        if swap == "file":
            desk.put(b"letter.txt", DOCUMENT)
        elif swap == "link":
            os.symlink(victim, path)
        elif swap == "folder":
            os.mkdir(path)
        else:
            os.mkfifo(path)
        before = os.lstat(path)
        assert desk.actions[decision].apply(transfer).result is Result.CHANGED
    assert os.lstat(path).st_ino == before.st_ino
    assert victim.read_bytes() == DOCUMENT
    assert desk.names() == {b"letter.txt", b"letter.txt.away"}
    assert desk.store.list() == ()


@pytest.mark.parametrize("decision", ACTING)
def test_parent_swapped_for_a_link_leads_nowhere(desk: Desk, tmp_path: Path, decision: Decision) -> None:
    desk.put(b"sub/letter.txt")
    victim = tmp_path / "elsewhere"
    with desk.open(b"sub/letter.txt", decision) as transfer:
        (desk.place / "sub").rename(victim)
        (desk.place / "sub").symlink_to(victim)
        outcome = desk.actions[decision].apply(transfer)
    assert outcome.result in {Result.GONE, Result.FAILED}
    assert os.listdir(victim) == ["letter.txt"]
    assert desk.store.list() == ()


@pytest.mark.parametrize("decision", ACTING)
def test_deleted_before_the_action(desk: Desk, decision: Decision) -> None:
    path = desk.put(b"letter.txt")
    with desk.open(b"letter.txt", decision) as transfer:
        os.unlink(path)
        outcome = desk.actions[decision].apply(transfer)
    assert outcome.result in {Result.GONE, Result.CHANGED}  # unlinking changes the ctime
    assert desk.names() == set()
    assert desk.store.list() == ()


@pytest.mark.parametrize("decision", ACTING)
def test_file_still_open_for_writing_is_left_until_it_is_closed(desk: Desk, decision: Decision) -> None:
    path = desk.put(b"download.txt")
    with open(path, "ab") as writer:
        outcome = desk.act(b"download.txt", decision)
        assert (outcome.result, outcome.problem) == (Result.FAILED, "in-use")
        assert desk.names() == {b"download.txt"}
        writer.write(b"the second half")
    assert desk.act(b"download.txt", decision).result is Result.DONE
    assert digest(DOCUMENT + b"the second half") in desk.contents()


def test_the_question_for_writers_leaves_no_signal_behind(desk: Desk) -> None:
    """A broken lease would otherwise end the process with SIGIO."""
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    path = desk.put(b"letter.txt")
    assert desk.act(b"letter.txt", Decision.BLOCK).result is Result.DONE
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK)
    os.close(fd)


@pytest.mark.parametrize("decision", ACTING)
def test_one_of_two_hard_links_goes_the_other_stays(desk: Desk, tmp_path: Path, decision: Decision) -> None:
    path = desk.put(b"letter.txt")
    other = tmp_path / "other"
    os.link(path, other)
    assert desk.act(b"letter.txt", decision).result is Result.DONE
    assert b"letter.txt" not in desk.names()
    assert other.read_bytes() == DOCUMENT


@pytest.mark.parametrize("decision", ACTING)
def test_empty_document(desk: Desk, decision: Decision) -> None:
    desk.put(b"empty", b"")
    assert desk.act(b"empty", decision).result is Result.DONE
    assert digest(b"") in desk.contents()


class Gate:
    def __init__(self) -> None:
        self.called: list[str] = []
        self.sealed = b""
        self.name = b""

    def release(self) -> None:
        self.called.append("release")

    def refuse(self) -> None:
        self.called.append("refuse")

    def substitute(self, sealed_fd: int, name: bytes) -> None:
        self.called.append("substitute")
        self.sealed = os.read(sealed_fd, 1 << 24)
        self.name = name


@pytest.mark.parametrize(
    ("decision", "called"),
    [
        ("observe", "release"),
        ("inform", "release"),
        ("justify", "refuse"),
        ("block", "refuse"),
        ("encrypt", "substitute"),
    ],
)
def test_a_gate_is_told_once_and_the_original_stays(desk: Desk, decision: str, called: str) -> None:
    desk.put(b"staged")
    gate = Gate()
    with desk.open(b"staged", Decision(decision), ChannelKind.REMOVABLE, gate) as transfer:
        outcome = desk.actions[Decision(decision)].apply(transfer)
    assert (outcome.result, gate.called) == (Result.DONE, [called])
    assert desk.names() == {b"staged"}
    assert len(desk.store.list()) == (called == "refuse")
    if called == "substitute":
        desk.put(b"sealed", gate.sealed)
        assert gate.name == outcome.held.encode()
        assert sorted(desk.contents()[digest(DOCUMENT)]) == ["place", "sealed"]


def test_a_gate_refuses_what_cannot_be_sealed(desk: Desk) -> None:
    desk.keys.recipients(desk.owner)
    for key in (desk.data / "keys").rglob("*.sealed"):
        key.unlink()
    desk.keys.__init__(desk.data / "keys")  # type: ignore[misc]
    desk.put(b"staged")
    gate = Gate()
    with desk.open(b"staged", Decision.ENCRYPT, ChannelKind.REMOVABLE, gate) as transfer:
        outcome = desk.actions[Decision.ENCRYPT].apply(transfer)
    assert (outcome.result, outcome.problem, gate.called) == (Result.FAILED, "keys", ["refuse"])
