"""Killed before each single call to the system, in turn: after recovery every document is as before or as after."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import pytest

from agent.actions.journal import Intent
from agent.actions.placeholder import NAME
from agent.actions.quarantine import QuarantineStore
from agent.actions.recovery import recover
from agent.errors import ChangedError
from agent.fsys import draft, rename
from agent.model import Decision, Result
from tests.acting import DOCUMENT, Desk, digest

MOST_CALLS = 600


class Countdown:
    """Ends the process with SIGKILL before the given call into the posix module or into renameat2."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        into_posix = event == "c_call" and getattr(argument, "__module__", "") == "posix"
        if into_posix or (event == "call" and frame.f_code.co_name == "_renameat2"):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def act_and_die(desk: Desk, decision: Decision, calls: int) -> bool:
    """Whether the action came to its end before that many calls."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            sys.setprofile(Countdown(calls))
            code = 0 if desk.act(b"sub/letter.txt", decision).result is Result.DONE else 4
        finally:
            sys.setprofile(None)
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def old_driver(monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    """As FUSE drivers of libfuse 2 answer: no unnamed files, no RENAME_NOREPLACE; exFAT has no hard links either."""

    def no(*_arguments: object, **_keywords: object) -> None:
        raise OSError(errno.EINVAL, "no such operation here")

    monkeypatch.setattr(draft.Draft, "_open_unnamed", lambda _self: -1)
    monkeypatch.setattr(rename, "_renameat2", no)
    if not links:
        monkeypatch.setattr(rename.os, "link", no)


@pytest.mark.parametrize("driver", ["new", "old", "old-without-links"])
@pytest.mark.parametrize("decision", [Decision.BLOCK, Decision.ENCRYPT])
def test_killed_at_every_call(tmp_path: Path, decision: Decision, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if driver != "new":
        old_driver(monkeypatch, links=driver == "old")
    as_before = as_after = 0
    for calls in range(1, MOST_CALLS):
        place = tmp_path / f"place{calls}"
        place.mkdir()
        desk = Desk(place, tmp_path / f"data{calls}")
        desk.keys.recipients(desk.owner)
        desk.put(b"sub/letter.txt")
        if act_and_die(desk, decision, calls):
            break
        after = Desk(place, desk.data)
        found = recover(after.store)
        left = after.names(b"sub") - {NAME}
        assert len(left) == (0 if decision is Decision.BLOCK and b"letter.txt" not in left else 1), (calls, left)
        original = b"letter.txt" in left
        elsewhere = "quarantine" if decision is Decision.BLOCK else "sealed"
        assert after.contents()[digest(DOCUMENT)] == (["place"] if original else [elsewhere]), calls
        assert not after.store.unfinished()
        assert not after.store.journal.open_intents()
        assert not list(after.store.folder.glob("*.partial"))
        for item in found:
            assert item.number == 7
            assert item.resolution == ("undone" if original else "finished"), calls
        as_before, as_after = as_before + original, as_after + (not original)
        if original:
            assert after.act(b"sub/letter.txt", decision).result is Result.DONE
            assert digest(DOCUMENT) in after.contents()
    else:
        pytest.fail("the action never came to its end")
    assert as_before > 10
    assert as_after > 0


def test_taken_twice_is_one_entry(desk: Desk) -> None:
    desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
        first = desk.store.take(transfer)
        with pytest.raises(ChangedError):  # another thread of this process has it in hand
            desk.store.take(transfer)
        again = QuarantineStore(desk.data / "quarantine")
        assert again.take(transfer).id == first.id
    assert len(again.list()) == 1


def test_recovery_waits_for_a_volume_that_is_not_here(desk: Desk) -> None:
    desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
        entry = desk.store.take(transfer)
    away = desk.place.with_name("away")
    desk.place.rename(away)
    store = QuarantineStore(desk.data / "quarantine")  # of the next agent: nobody has anything in hand
    assert [item.resolution for item in recover(store)] == ["waiting"]
    assert store.unfinished() == (entry,)
    away.rename(desk.place)
    assert recover(store, root=b"/some/other/root") == ()
    assert [item.resolution for item in recover(store, root=os.fsencode(desk.place))] == ["undone"]
    assert store.list() == ()
    assert desk.names() == {b"letter.txt"}


def test_aside_with_a_damaged_copy_gets_its_name_back(desk: Desk) -> None:
    path = desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
        entry = desk.store.take(transfer)
    os.rename(path, os.path.dirname(path) + f"/.serment-{entry.id}-old.tmp".encode())
    with (desk.data / "quarantine" / entry.id / "content").open("r+b") as content:
        content.write(b"X")
    assert [item.resolution for item in recover(QuarantineStore(desk.data / "quarantine"))] == ["undone"]
    assert desk.names() == {b"letter.txt"}


def test_put_back_never_overwrites_what_came_meanwhile(desk: Desk) -> None:
    path = desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
        entry = desk.store.take(transfer)
    aside = os.path.dirname(path) + f"/.serment-{entry.id}-old.tmp".encode()
    os.rename(path, aside)
    os.utime(aside)  # no longer in the judged state
    desk.put(b"letter.txt", b"new")
    recover(QuarantineStore(desk.data / "quarantine"))
    assert desk.names() == {b"letter.txt", b"letter (2).txt"}
    assert (desk.place / "letter.txt").read_bytes() == b"new"


@pytest.mark.parametrize("change", ["edited", "renamed"])
def test_what_was_changed_before_we_were_back_is_not_said_to_be_sealed(desk: Desk, change: str) -> None:
    path = desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.ENCRYPT) as transfer:
        desk.store.journal.write(Intent("aa" * 8, os.fsencode(desk.place), b"letter.txt", transfer.stamp, 7))
    if change == "edited":
        desk.put(b"letter.txt", b"another text")
    else:
        os.rename(path, path + b".doc")
    (found,) = recover(QuarantineStore(desk.data / "quarantine"))
    assert (found.number, found.resolution, found.held) == (7, "absent", "")


def test_a_copy_of_what_was_edited_meanwhile_is_kept_and_nothing_is_said_of_the_original(desk: Desk) -> None:
    desk.put(b"letter.txt")
    with desk.open(b"letter.txt", Decision.BLOCK) as transfer:
        entry = desk.store.take(transfer)
    desk.put(b"letter.txt", b"another text")
    store = QuarantineStore(desk.data / "quarantine")
    assert [item.resolution for item in recover(store)] == ["absent"]
    assert [(held.id, held.state, store.verified(held)) for held in store.list()] == [(entry.id, "held", True)]
    assert (desk.place / "letter.txt").read_bytes() == b"another text"
