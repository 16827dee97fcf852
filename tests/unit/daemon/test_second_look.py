"""The second look: recorded once, as new as the first one was, only of what was read, never lost, never twice."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.actions.base import OpenTransfer
from agent.daemon.case import opened
from agent.daemon.device import DeviceIdentity
from agent.daemon.event_queue import EventQueue
from agent.daemon.ledger import Ledger, Owed, basis_of, owed
from agent.daemon.notices import Notices
from agent.daemon.operations import Operations
from agent.daemon.owed_looks import OwedLooks
from agent.daemon.pipeline import Parts, Pipeline
from agent.daemon.second_look import SecondLook, Surroundings
from agent.daemon.troubles import Troubles
from agent.document import Format, Problem
from agent.errors import HostError
from agent.findings import Findings, Judgement, Kind, undecidable
from agent.model import Cause, ChannelKind, Decision, Device, Facts, FileEvent, Outcome, Place, Result, Verdict
from tests.picture_reader import CRASH, HARMLESS, MEDICAL, picture, pool
from tests.running import wait_for

MEDICAL_SCAN = Findings(Judgement.MEDICAL, Kind.LAB_REPORT, 0.97, identified=True, patients=1, format=Format.IMAGE)
UNREAD = undecidable(Problem.IMAGE, Format.IMAGE)


class Scripted:
    """The first look's judge, the reader of pictures, policy, actions and log: notes what happens, in order."""

    def __init__(self) -> None:
        self.first = Decision.OBSERVE
        self.final = Decision.BLOCK
        self.seen = MEDICAL_SCAN
        self.result, self.held = Result.DONE, ""
        self.story: list[str] = []
        self.records: list[dict[str, Any]] = []
        self.facts: list[Facts] = []
        self.release, self.rule = "r1", "rule"
        self.log_error = False
        self.while_reading: Callable[[int], None] = lambda _fd: None

    def evaluate(self, facts: Facts) -> Verdict:
        self.facts.append(facts)
        decision = self.first if facts.findings is UNREAD else self.final
        return Verdict(decision, decision, self.rule, "policy", self.release)

    def apply(self, transfer: OpenTransfer) -> Outcome:
        self.story.append("act")
        assert os.pread(transfer.fd, 3, 0) == b"abc"
        return Outcome(self.result, transfer.verdict.decision, "", self.held)

    def append(self, kind: str, fields: Mapping[str, object], *, durable: bool = False, **_private: object) -> int:
        if self.log_error:
            raise HostError("no space", what="audit")
        self.story.append(kind)
        self.records.append({**fields, "k": kind})
        return len(self.records) - 1

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        self.story.append("judge")
        return UNREAD


class Reader:
    def __init__(self, script: Scripted) -> None:
        self.script, self.closed = script, False

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        self.script.story.append("read")
        self.script.while_reading(fd)
        return self.script.seen

    def close(self) -> None:
        self.closed = True


class Bench:
    """A pipeline and its second look on one folder; ``look`` does what is owed, in this thread."""

    def __init__(self, tmp_path: Path) -> None:
        self.script, self.queue, self.notices = Scripted(), EventQueue(), Notices()
        self.tmp_path, self.folder = tmp_path, tmp_path / "guarded"
        self.folder.mkdir()
        self.device: Device | None = None
        self.armed_ns = 0
        self.released: str | None = None
        self.rescans = 0
        self.troubles = Troubles(lambda _word, _state: None)
        self.operations = Operations()
        self.start()

    def start(self) -> None:
        """A (re)started agent: nothing but the log's records is known."""
        self.ledger = Ledger(self.tmp_path / f"ledger-{len(self.script.records)}-{time.monotonic_ns()}.db")
        self.ledger.replay(enumerate(self.script.records))
        script = self.script
        self.pipeline = Pipeline(
            Parts(
                judge=script, policy=script, actions=dict.fromkeys(Decision, script), log=script, ledger=self.ledger,
                identity=DeviceIdentity("dev_1", bytes(32)), queue=self.queue, notices=self.notices,
                troubles=self.troubles, operations=self.operations, login=lambda _uid: ("clara", ("cardio",)),
                released=lambda _transfer: self.released, settled=lambda _number: None, armed_ns=lambda _place: self.armed_ns,
                want_read=lambda event, owed: self.second.want(event, owed),
            )
        )  # fmt: skip
        self.reader = Reader(script)
        self.second = self.make(self.reader)

    def make(self, reader: Any, capacity: int = 2000) -> SecondLook:
        return SecondLook(
            self.pipeline,
            Surroundings(reader, self.queue, self.troubles, self.operations, self._rescan, lambda *_: None),
            capacity,
        )

    def _rescan(self) -> None:
        self.rescans += 1

    def event(self, name: str = "a.png", cause: Cause = Cause.WRITTEN, content: bytes | None = b"abc") -> FileEvent:
        if content is not None:
            (self.folder / name).write_bytes(content)
        kind = ChannelKind.REMOVABLE if self.device else ChannelKind.DOWNLOADS
        return FileEvent(Place(kind, os.fsencode(self.folder), 1000, device=self.device), name.encode(), cause)

    def look(self) -> None:
        while (event := self.second._owed.take(0)) is not None:
            self.second._look(event)

    def transfers(self) -> list[dict[str, Any]]:
        return [record for record in self.script.records if record["k"] == "transfer"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_first_undecidable_at_once_then_final(bench: Bench) -> None:
    bench.pipeline.process(bench.event())
    assert bench.script.story == ["judge", "transfer"]
    assert bench.second.counts() == {"waiting": 1, "read": 0}
    bench.look()
    assert bench.script.story == ["judge", "transfer", "read", "transfer", "act", "outcome"]
    first, final = bench.transfers()
    assert (first["pictures"], first["judgement"], first["problem"]) == ("unread", "undecidable", "image")
    assert (final["pictures"], final["judgement"], final["cause"]) == ("read", "medical", "read")
    assert first["file"] == final["file"]
    assert bench.second.counts() == {"waiting": 0, "read": 1}


def test_neither_a_rescan_nor_a_restart_reads_it_twice(bench: Bench) -> None:
    bench.script.final = Decision.INFORM
    event = bench.event()
    bench.pipeline.process(event)
    bench.pipeline.process(event)  # waits once
    bench.look()
    for _ in range(2):
        bench.pipeline.process(replace(event, cause=Cause.EXISTING))
        bench.look()
        bench.start()
    assert bench.script.story.count("read") == 1
    assert bench.script.story.count("judge") == 1
    assert len(bench.transfers()) == 2


def test_a_restart_between_the_looks_does_the_second_after_all(bench: Bench) -> None:
    bench.pipeline.process(bench.event())
    bench.start()
    bench.pipeline.process(bench.event(content=None, cause=Cause.EXISTING))
    bench.look()
    assert bench.script.story.count("judge") == 1
    assert [record["pictures"] for record in bench.transfers()] == ["unread", "read"]


@pytest.mark.parametrize("restart", [False, True])
def test_what_was_new_at_the_first_look_is_new_at_the_second(bench: Bench, restart: bool) -> None:
    bench.pipeline.process(bench.event(cause=Cause.EXISTING))  # it came while the agent was not running
    assert bench.script.facts[0].arrival == "new"
    if restart:
        bench.start()
        bench.armed_ns = 1 << 62
        bench.pipeline.process(bench.event(content=None, cause=Cause.EXISTING))
    bench.look()
    assert [facts.arrival for facts in bench.script.facts] == ["new", "new"]


def test_what_was_there_before_stays_so(bench: Bench) -> None:
    bench.armed_ns = 1 << 62
    bench.pipeline.process(bench.event(cause=Cause.EXISTING))
    bench.look()
    assert [facts.arrival for facts in bench.script.facts] == ["existing", "existing"]


def test_a_kill_between_intent_and_outcome_of_the_second_look(bench: Bench) -> None:
    bench.pipeline.process(bench.event())
    bench.look()
    assert bench.script.records.pop()["k"] == "outcome"  # never written
    bench.start()
    bench.pipeline.process(bench.event(content=None, cause=Cause.EXISTING))
    bench.look()
    assert [record["pictures"] for record in bench.transfers()] == ["unread", "read", "read"]
    assert bench.transfers()[-1]["cause"] == "resumed"
    bench.start()
    bench.pipeline.process(bench.event(content=None, cause=Cause.EXISTING))
    assert bench.second.counts()["waiting"] == 0


def test_a_file_written_to_while_it_is_read_is_judged_anew(bench: Bench) -> None:
    bench.pipeline.process(bench.event())
    bench.script.while_reading = lambda _fd: (bench.folder / "a.png").write_bytes(b"abcd") and None
    bench.look()
    assert len(bench.transfers()) == 1
    assert bench.queue.depth()["later"] == 1


@pytest.mark.parametrize("how", ["gone", "link", "folder gone"])
def test_a_file_that_goes_while_it_is_read_leaves_no_record(bench: Bench, how: str) -> None:
    bench.pipeline.process(bench.event())

    def vanish(_fd: int) -> None:
        (bench.folder / "a.png").unlink()
        if how == "link":
            (bench.folder / "a.png").symlink_to("/etc/passwd")
        elif how == "folder gone":
            bench.folder.rmdir()

    bench.script.while_reading = vanish
    bench.look()
    assert len(bench.transfers()) == 1
    assert "act" not in bench.script.story


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_file_that_somebody_leases_is_looked_at_later(bench: Bench, when: str) -> None:
    bench.device = Device(filesystem="ext4")  # read from a copy: a lease needs the file for itself
    bench.pipeline.process(bench.event())
    leased: list[Any] = []

    def lease(_fd: int) -> None:
        leased.append((bench.folder / "a.png").open("rb+"))
        fcntl.fcntl(leased[0], fcntl.F_SETLEASE, fcntl.F_WRLCK)

    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the kernel says that somebody else wants the file
    try:
        if when == "before":
            lease(-1)
        else:
            bench.script.while_reading = lease
        bench.look()
        assert bench.queue.depth()["later"] == 1
        assert len(bench.transfers()) == 1
    finally:
        for file in leased:
            file.close()
        signal.signal(signal.SIGIO, before)
    bench.script.while_reading = lambda _fd: None
    bench.pipeline.process(bench.event(content=None))
    bench.look()
    assert [record["pictures"] for record in bench.transfers()] == ["unread", "read"]


def test_a_new_policy_has_its_own_two_looks(bench: Bench) -> None:
    event = bench.event()
    bench.pipeline.process(event)
    bench.script.while_reading = lambda _fd: setattr(bench.script, "release", "r2")
    bench.look()
    assert len(bench.transfers()) == 1  # decided by nobody: the rescan of the new policy is under way
    bench.pipeline.process(event)
    bench.look()
    assert [(r["release"], r["pictures"]) for r in bench.transfers()] == [
        ("r1", "unread"), ("r2", "unread"), ("r2", "read"),
    ]  # fmt: skip


@pytest.mark.parametrize("problem", [Problem.IMAGE, Problem.CRASHED, Problem.TIMED_OUT])
def test_what_cannot_be_read_stays_undecidable_and_is_said_once(bench: Bench, problem: Problem) -> None:
    bench.script.first = bench.script.final = Decision.INFORM
    bench.script.seen = undecidable(problem)
    bench.script.while_reading = lambda _fd: setattr(bench.script, "rule", "another")  # not merged with the first
    event = bench.event()
    for _ in range(3):
        bench.pipeline.process(event)
        bench.look()
    first, final = bench.transfers()
    assert (final["judgement"], final["problem"], final["pictures"]) == ("undecidable", str(problem), "read")
    assert bench.script.story.count("read") == 1
    assert [notice.count for notice in bench.notices.of(None)] == [1]


def test_what_the_pictures_show_is_told_though_something_was_told_before(bench: Bench) -> None:
    bench.script.first = bench.script.final = Decision.INFORM
    bench.pipeline.process(bench.event())
    bench.look()
    (notice,) = bench.notices.of(None)
    assert notice.count == 1  # it is one document
    assert bench.script.story.count("act") == 2


@pytest.mark.parametrize("decision", [Decision.ENCRYPT, Decision.BLOCK, Decision.JUSTIFY])
def test_what_was_sealed_or_taken_away_is_not_looked_at_again(bench: Bench, decision: Decision) -> None:
    bench.script.first, bench.script.held = decision, "ABCDEFGH"
    bench.pipeline.process(bench.event())
    assert "pictures" not in bench.transfers()[0]
    assert bench.second.counts()["waiting"] == 0


def test_other_undecidable_documents_have_one_look(bench: Bench) -> None:
    bench.script.judge = lambda fd, extension="", size=0: undecidable(Problem.ENCRYPTED)  # type: ignore[method-assign]
    bench.script.final = Decision.OBSERVE
    bench.pipeline.process(bench.event())
    assert "pictures" not in bench.transfers()[0]
    assert bench.second.counts()["waiting"] == 0


def test_what_is_not_owed_is_not_read(bench: Bench) -> None:
    event = bench.event()
    bench.second.want(event, Owed("new", "observe"))
    bench.look()
    bench.script.first = Decision.BLOCK
    bench.pipeline.process(event)
    bench.second.want(event, Owed("new", "observe"))
    bench.look()
    assert "read" not in bench.script.story


def test_a_new_scan_does_not_wait_behind_old_photographs(bench: Bench) -> None:
    bench.script.final = Decision.OBSERVE
    bench.armed_ns = 1 << 62
    bench.pipeline.process(bench.event("old.png", Cause.EXISTING))
    bench.pipeline.process(bench.event("new.png"))
    bench.look()
    assert [record["arrival"] for record in bench.transfers()] == ["existing", "new", "new", "existing"]


def test_what_its_owner_released_is_read_and_not_held(bench: Bench) -> None:
    bench.released = "ABCDEFGH"
    bench.pipeline.process(bench.event())
    bench.look()
    assert bench.transfers()[1]["released"] == "ABCDEFGH"
    assert "act" not in bench.script.story


def test_a_failed_action_is_tried_again_with_its_pictures_read(bench: Bench) -> None:
    bench.script.result = Result.FAILED
    bench.pipeline.process(bench.event())
    bench.look()
    assert bench.queue.depth()["later"] == 1
    bench.script.result, bench.script.held = Result.DONE, "ABCDEFGH"
    bench.pipeline.process(bench.event(content=None))
    bench.look()
    assert bench.transfers()[-1]["pictures"] == "read"
    assert bench.troubles.standing() == ()
    assert bench.ledger.basis(bench.transfers()[0]["file"]) is None


def test_without_an_audit_log_nothing_is_done_and_the_look_stays_owed(bench: Bench) -> None:
    bench.pipeline.process(bench.event())
    bench.script.log_error = True
    thread = threading.Thread(target=bench.second.run)
    thread.start()
    try:
        wait_for(lambda: [t.word for t in bench.troubles.standing()] == ["audit-unwritable"])
        assert "act" not in bench.script.story
        assert bench.second.counts()["waiting"] >= 1
    finally:
        bench.second.close()
        thread.join(30)
    bench.script.log_error = False
    bench.start()
    bench.pipeline.process(bench.event(content=None))
    bench.look()
    assert [record["pictures"] for record in bench.transfers()] == ["unread", "read"]


def test_a_reader_that_does_not_start_is_a_trouble_and_no_record(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.daemon.second_look.RETRY_FIRST_S", 0.02)
    bench.second = bench.make(bench.reader)
    fails = 3

    def unavailable(_fd: int) -> None:
        nonlocal fails
        if fails:
            fails -= 1
            assert len(bench.transfers()) == 1
            raise HostError("no reader process can be started")

    bench.script.while_reading = unavailable
    bench.pipeline.process(bench.event())
    thread = threading.Thread(target=bench.second.run)
    thread.start()
    try:
        wait_for(lambda: bench.second.counts()["read"] == 1)
    finally:
        bench.second.close()
        thread.join(30)
    assert fails == 0
    assert len(bench.transfers()) == 2
    assert bench.troubles.standing() == ()


def test_an_error_of_ours_is_said_and_does_not_come_back_by_itself(bench: Bench) -> None:
    def explode(_fd: int) -> None:
        raise KeyError("a document's text")

    bench.script.while_reading = explode
    bench.pipeline.process(bench.event())
    thread = threading.Thread(target=bench.second.run)
    thread.start()
    try:
        wait_for(lambda: [t.word for t in bench.troubles.standing()] == ["pictures-error"])
        wait_for(lambda: bench.second.counts()["waiting"] == 0)
    finally:
        bench.second.close()
        thread.join(30)
    assert bench.script.story.count("read") == 1
    bench.script.while_reading = lambda _fd: None
    bench.start()
    bench.pipeline.process(bench.event(content=None))
    bench.look()
    assert bench.troubles.standing() == ()


def test_reading_holds_up_nobody_and_settling_waits_for_whoever_has_the_file(bench: Bench) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slowly(_fd: int) -> None:
        reading.set()
        assert go_on.wait(30)

    bench.script.while_reading = slowly
    event = bench.event()
    bench.pipeline.process(event)
    thread = threading.Thread(target=bench.second.run)
    thread.start()
    try:
        assert reading.wait(30)
        bench.queue.put(event)
        taken = bench.queue.take()  # nobody waits for the reading
        assert taken == event
        go_on.set()
        wait_for(lambda: _waits_in_claim(thread))
        assert len(bench.transfers()) == 1
        bench.queue.done(event)
        wait_for(lambda: len(bench.transfers()) == 2)
    finally:
        go_on.set()
        bench.queue.close()
        bench.second.close()
        thread.join(30)


def _waits_in_claim(thread: threading.Thread) -> bool:
    import sys

    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_code.co_name == "claim":
            return True
        frame = frame.f_back
    return False


def test_while_it_is_settled_no_other_thread_gets_the_file(bench: Bench) -> None:
    event, other = bench.event(), bench.event("b.txt")
    assert bench.queue.claim(event)
    bench.queue.put(event)
    bench.queue.put(other)
    assert bench.queue.take() == other
    bench.queue.release(event)
    assert bench.queue.take() == event
    bench.queue.close()
    assert not bench.queue.claim(other)


def test_a_stick_is_read_from_a_copy_in_memory(bench: Bench) -> None:
    bench.device = Device(filesystem="ext4")
    held: list[str] = []

    def look_round(fd: int) -> None:
        assert os.pread(fd, 10, 0) == b"abc"
        links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
        held.extend(os.readlink(link) for link in links if os.path.lexists(link))

    bench.script.while_reading = look_round
    bench.pipeline.process(bench.event())
    bench.look()
    assert len(bench.transfers()) == 2
    assert not [path for path in held if path.startswith(str(bench.folder))]


def test_another_content_in_the_same_state_is_not_what_was_read(bench: Bench) -> None:
    bench.device = Device(filesystem="vfat")
    event = bench.event()
    bench.pipeline.process(event)
    with opened(event) as (root_fd, fd, _problem):
        case = bench.pipeline.case(event, root_fd, fd)
        bench.second._settle(case, case, b"the digest of something else", MEDICAL_SCAN)
    assert len(bench.transfers()) == 1
    assert bench.queue.depth()["later"] == 1


def test_no_descriptor_is_left_open(bench: Bench) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for device in (None, Device(filesystem="ext4")):
        bench.device = device
        for number in range(10):
            bench.pipeline.process(bench.event(f"{number}{device is None}.png"))
        bench.look()
    assert len(bench.transfers()) == 40
    assert len(os.listdir("/proc/self/fd")) <= before


def test_what_does_not_fit_is_brought_back_by_a_rescan(bench: Bench) -> None:
    bench.second = bench.make(bench.reader, capacity=3)
    bench.script.final = Decision.OBSERVE
    events = [bench.event(f"{number}.png") for number in range(8)]
    for event in events:
        bench.pipeline.process(event)
    assert bench.second.counts()["waiting"] == 3
    rounds = 0
    while bench.second.counts()["read"] < 8:
        bench.look()
        bench.second._no_rescan_before = 0.0
        bench.second._bring_back()
        rounds += 1
        assert bench.rescans <= rounds <= 8
        for event in events:
            bench.pipeline.process(event)
    assert bench.rescans == 2  # after three and after six; the last two fitted
    bench.second._bring_back()
    assert bench.rescans == 2
    assert len(bench.transfers()) == 16


def test_a_rescan_that_brings_nothing_on_is_not_repeated_at_once(bench: Bench) -> None:
    bench.second = bench.make(bench.reader, capacity=1)
    for _ in range(3):
        for name in ("a.png", "b.png"):
            bench.second.want(bench.event(name, content=None), Owed("new", "observe"))
        bench.look()  # there is no such file
        bench.second._bring_back()
    assert bench.rescans == 1


def test_fresh_ones_go_first_and_take_the_place_of_old_ones(bench: Bench) -> None:
    looks = OwedLooks(2)
    old, older, new = (bench.event(name, content=None) for name in ("old", "older", "new"))
    looks.put(old, fresh=False)
    looks.put(older, fresh=False)
    looks.put(new, fresh=True)
    looks.put(new, fresh=True)
    assert len(looks) == 2
    assert not looks.take_overflow()  # something waits still
    assert [looks.take(0), looks.take(0), looks.take(0)] == [new, old, None]
    assert looks.take_overflow()
    assert not looks.take_overflow()
    looks.close()
    looks.put(old, fresh=True)
    assert looks.take(60) is None


def test_what_is_owed_is_one_value_with_what_was_judged() -> None:
    record = {"release": "r1", "engine": "7", "arrival": "new", "decision": "inform"}
    assert owed(basis_of(record), basis_of(record)) is None
    unread = basis_of({**record, "pictures": "unread"})
    assert owed(unread, basis_of(record)) == Owed("new", "inform")
    assert owed(unread, basis_of({**record, "release": "r2"})) is None
    assert owed(basis_of({**record, "pictures": "read"}), basis_of(record)) is None
    assert owed(None, basis_of(record)) is None


def test_closing_ends_the_thread_in_the_middle_of_a_document(bench: Bench) -> None:
    real = pool()
    bench.second = bench.make(real)
    bench.pipeline.process(bench.event(content=picture(b"hang")))
    bench.second.start()
    wait_for(lambda: real.statistics().pids)
    bench.second.close()
    assert not bench.second._thread.is_alive()
    assert len(bench.transfers()) == 1
    assert bench.troubles.standing() == ()


def test_real_readers_and_a_document_that_kills_them(bench: Bench) -> None:
    bench.script.final = Decision.OBSERVE
    bench.second = bench.make(pool())
    for name, word in (("m.png", MEDICAL), ("c.png", CRASH), ("h.png", HARMLESS)):
        bench.pipeline.process(bench.event(name, content=picture(word)))
    bench.second.start()
    try:
        wait_for(lambda: bench.second.counts()["read"] == 3, 60)
    finally:
        bench.second.close()
    final = [(r["judgement"], r.get("problem", "")) for r in bench.transfers() if r["pictures"] == "read"]
    assert final == [("medical", ""), ("undecidable", "crashed"), ("not_medical", "")]
