"""What two threads, a kill at a bad moment, a damaged file or an endless writer must not do: lose or pass a document."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agent.actions.block
import agent.actions.encrypt
import agent.actions.placeholder
from agent.actions.block import HoldBack
from agent.actions.placeholder import Placeholders
from agent.actions.quarantine import QuarantineStore
from agent.actions.recovery import recover
from agent.audit.log import AuditLog
from agent.audit.segments import read
from agent.daemon.event_queue import EventQueue
from agent.daemon.interrupted import Interrupted
from agent.daemon.ledger import Ledger
from agent.model import Cause, ChannelKind, Decision, FileEvent, Place, Result
from tests.acting import DOCUMENT, Desk
from tests.running import wait_for

NAME = b"sub/letter.txt"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "guarded").mkdir()
    return Desk(tmp_path / "guarded", tmp_path / "data")


def test_a_document_in_one_threads_hands_is_not_taken_by_another(desk: Desk) -> None:
    desk.put(NAME)
    with desk.open(NAME, Decision.BLOCK) as transfer:
        entry = desk.store.take(transfer)
        other = HoldBack(desk.store, Placeholders(desk.store, ("fr",))).apply(transfer)
        assert other.result is Result.CHANGED
        desk.store.finish(entry)
        desk.store.discard(entry)  # of whoever still holds the entry as it was before
        assert [held.state for held in desk.store.list()] == ["held"]
        assert desk.store.verified(entry)


@pytest.mark.parametrize("decision", [Decision.BLOCK, Decision.ENCRYPT])
def test_a_place_armed_anew_in_the_middle_of_an_action_loses_nothing(
    desk: Desk, decision: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another account of a sync folder, a volume's id that udev learns late: recovery comes while a thread is at it."""
    module = agent.actions.block if decision is Decision.BLOCK else agent.actions.encrypt
    remove = module.remove_judged

    def armed_anew(*words: Any) -> Any:
        assert recover(desk.store, root=os.fsencode(desk.place)) == ()
        return remove(*words)

    monkeypatch.setattr(module, "remove_judged", armed_anew)
    desk.put(NAME)
    outcome = desk.act(NAME, decision)
    assert outcome.result is Result.DONE
    if decision is Decision.BLOCK:
        assert [(held.id, held.state, desk.store.verified(held)) for held in desk.store.list()] == [
            (outcome.held, "held", True)
        ]
    else:
        assert desk.names(b"sub") == {outcome.held.encode()}


def test_a_removal_that_failed_is_tried_again_with_the_same_copy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stick that does not answer for a moment: neither the removal nor a look at the original."""

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    desk.put(NAME)
    with monkeypatch.context() as broken:
        broken.setattr(agent.actions.block, "remove_judged", failing)
        broken.setattr(agent.actions.block, "still_there", failing)
        assert desk.act(NAME, Decision.BLOCK).problem == "io-error"
    (kept,) = desk.store.list()
    assert (kept.state, NAME.split(b"/")[1] in desk.names(b"sub")) == ("taken", True)
    outcome = desk.act(NAME, Decision.BLOCK)
    assert (outcome.result, outcome.held) == (Result.DONE, kept.id)
    assert [held.state for held in desk.store.list()] == ["held"]


def test_what_is_due_waits_for_the_thread_that_has_the_file() -> None:
    queue = EventQueue()
    place = Place(ChannelKind.DOWNLOADS, b"/d", 1000)
    one, other = FileEvent(place, b"one", Cause.WRITTEN), FileEvent(place, b"other", Cause.WRITTEN)
    queue.put(one)
    assert queue.take() == one
    queue.put_later(one, 0)
    queue.put(other)
    assert queue.take() == other
    queue.done(one)
    assert queue.take() == one


def test_a_file_waits_for_later_once_and_comes_at_its_earliest() -> None:
    queue = EventQueue()
    event = FileEvent(Place(ChannelKind.DOWNLOADS, b"/d", 1000), b"a", Cause.WRITTEN)
    for delay in (3600.0, 1800.0, 0.0, 7200.0):
        queue.put_later(event, delay)
    assert queue.depth()["later"] == 1
    assert queue.take() == event
    queue.done(event)
    assert not any(queue.depth().values())


def killed(act: Callable[[], object]) -> None:
    """Do it in a process of its own, which dies by the hand of ``act``."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def die(*_arguments: object) -> None:
    os.kill(os.getpid(), 9)


def begun(log: AuditLog, desk: Desk, decision: Decision, dies: Callable[[], None]) -> int:
    """An announced act that the agent does not survive; the number of its intent."""
    fields = {"file": "f1", "release": "r", "engine": "e", "decision": str(decision), "act": True}
    for _ in range(7 - log.size):
        log.append("place", {"state": "armed"})
    number = log.append("transfer", fields, durable=True)
    assert number == 7  # what Desk says

    def act() -> None:
        dies()
        desk.act(NAME, decision)
        die()

    killed(act)
    return number


def restarted(tmp_path: Path, log: AuditLog) -> tuple[Ledger, dict[str, object]]:
    store = QuarantineStore(tmp_path / "data" / "quarantine")
    ledger = Interrupted(store, log, lambda: Ledger(tmp_path / "ledger.db"), ("fr",)).at_start(tmp_path / "audit")
    log.flush()
    (outcome,) = [entry.fields for entry in read(tmp_path / "audit") if entry.fields["k"] == "outcome"]
    return ledger, dict(outcome)


@pytest.mark.parametrize("decision", [Decision.BLOCK, Decision.ENCRYPT])
@pytest.mark.parametrize("renamed", ["sub", "sub/letter.txt"])
def test_what_is_renamed_after_a_kill_is_judged_again(
    tmp_path: Path, desk: Desk, decision: Decision, renamed: str
) -> None:
    log = AuditLog.open(tmp_path / "audit")
    desk.keys.prepare()
    desk.put(NAME)

    def before_removal() -> None:
        agent.actions.block.remove_judged = agent.actions.encrypt.remove_judged = die  # type: ignore[assignment]

    number = begun(log, desk, decision, before_removal)
    (desk.place / renamed).rename((desk.place / renamed).with_name("renamed"))
    ledger, outcome = restarted(tmp_path, log)
    assert (outcome["of"], outcome["result"]) == (number, "interrupted")
    assert ledger.basis("f1") is None
    assert ledger.interrupted("f1")
    there = "renamed/letter.txt" if renamed == "sub" else "sub/renamed"
    assert (desk.place / there).read_bytes() == DOCUMENT
    ledger.close()
    log.close()


def within(seconds: float, call: Callable[[], Any]) -> Any:
    found: list[Any] = []
    calling = threading.Thread(target=lambda: found.append(call()), daemon=True)
    calling.start()
    calling.join(seconds)
    assert not calling.is_alive(), "it waits for a person's program"
    return found[0]


@pytest.mark.system
@pytest.mark.parametrize("dies_before_removal", [True, False])
def test_a_program_that_hangs_before_a_folder_holds_up_no_start(
    tmp_path: Path, desk: Desk, silent: Callable[[bytes, int], Callable[[], None]], dies_before_removal: bool
) -> None:
    """What was interrupted in the folder, and the note in it, are settled when the program answers again."""
    log = AuditLog.open(tmp_path / "audit")
    desk.put(NAME)

    def before_removal() -> None:
        agent.actions.block.remove_judged = die  # type: ignore[assignment]

    begun(log, desk, Decision.BLOCK, before_removal if dies_before_removal else lambda: None)
    (desk.place / "sub" / agent.actions.placeholder.NAME.decode()).unlink(missing_ok=True)
    answers_again = silent(os.fsencode(desk.place), 12345)
    store = QuarantineStore(tmp_path / "data" / "quarantine")
    interrupted = Interrupted(store, log, lambda: Ledger(tmp_path / "ledger.db"), ("fr",))
    ledger = within(5, lambda: interrupted.at_start(tmp_path / "audit"))
    place = Place(ChannelKind.CLOUD_SYNC, os.fsencode(desk.place), 12345)
    within(5, lambda: interrupted.place(place))
    assert bool(list(log.open_intents())) is dies_before_removal
    answers_again()
    assert wait_for(lambda: interrupted.place(place) or not list(log.open_intents()))  # its thread ends first
    assert (desk.place / "sub" / "letter.txt").exists() is dies_before_removal
    assert (desk.place / "sub" / agent.actions.placeholder.NAME.decode()).exists() is not dies_before_removal
    ledger.close()
    log.close()


def test_a_document_held_before_its_outcome_was_written_is_said_to_be_held(tmp_path: Path, desk: Desk) -> None:
    log = AuditLog.open(tmp_path / "audit")
    desk.put(NAME)
    number = begun(log, desk, Decision.BLOCK, lambda: None)
    assert not (desk.place / "sub" / "letter.txt").exists()
    ledger, outcome = restarted(tmp_path, log)
    (entry,) = QuarantineStore(tmp_path / "data" / "quarantine").list()
    assert (outcome["of"], outcome["result"], outcome["held"]) == (number, "done", entry.id)
    assert not ledger.interrupted("f1")
    ledger.close()
    log.close()


def test_a_ledger_is_nobody_elses_to_lock(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        (tmp_path / "ledger.db").touch(0o644)
        ledger = Ledger(tmp_path / "ledger.db")
        ledger.mark("f1", "r/e", 1)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("ledger.db*")}
    ledger.close()
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


def test_a_ledger_with_damaged_pages_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    for number in range(300):
        ledger.mark(f"f{number}", "r/e", number)
    ledger.close()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(byte ^ 0xA5 for byte in data[4096:]))
    again = Ledger(path)
    assert again.next_index() == 0
    again.mark("f1", "r/e", 1)
    assert again.basis("f1") == "r/e"
    again.close()


def test_what_was_taken_away_is_not_known_when_it_comes_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    transfer = {"k": "transfer", "release": "r", "engine": "e", "act": True}
    held = {"k": "outcome", "result": "done", "held": "AAAAAAAA"}
    ledger.replay([(0, {**transfer, "file": "f1"}), (1, {**held, "of": 0})])
    assert ledger.basis("f1") is None
    assert not ledger.interrupted("f1")
    ledger.close()


def test_damaged_and_foreign_things_in_quarantine_stop_nothing(tmp_path: Path, desk: Desk) -> None:
    desk.put(NAME)
    desk.act(NAME, Decision.BLOCK)
    folder = tmp_path / "data" / "quarantine"
    (entry,) = desk.store.list()
    (folder / entry.id / "meta.json").write_bytes(b"{")
    (folder / "AAAAAAAA").write_bytes(b"")
    (folder / "AAAAAAAA.partial").write_bytes(b"")
    (folder / "AAAAAAAB.partial" / "x").mkdir(parents=True)
    again = QuarantineStore(folder)
    assert set(again.damaged()) == {entry.id, "AAAAAAAA"}
    assert (folder / entry.id / "content").read_bytes() == DOCUMENT
