"""One event through the pipeline, with real files and a real ledger; judge, policy, action and log are scripted."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.actions.base import OpenTransfer
from agent.daemon import pipeline
from agent.daemon.device import DeviceIdentity
from agent.daemon.event_queue import EventQueue
from agent.daemon.ledger import Ledger
from agent.daemon.notices import Notices
from agent.daemon.operations import Operations
from agent.daemon.pipeline import Parts, Pipeline
from agent.daemon.troubles import Troubles
from agent.errors import HostError
from agent.findings import Findings, Judgement, Kind
from agent.model import Cause, ChannelKind, Decision, Device, Facts, FileEvent, Outcome, Place, Result, Verdict

MEDICAL = Findings(Judgement.MEDICAL, Kind.CDA, 0.99, identified=True, patients=1)


class Scripted:
    """Judge, policy, action and log in one: notes what happens, in order."""

    def __init__(self) -> None:
        self.decision = Decision.BLOCK
        self.result = Result.DONE
        self.story: list[str] = []
        self.facts: list[Facts] = []
        self.records: list[tuple[str, dict[str, Any], bool]] = []
        self.while_judging: Callable[[int], None] = lambda _fd: None
        self.log_error = False
        self.release = "r1"
        self.held = ""

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        self.story.append("judge")
        assert os.pread(fd, 3, 0) == b"abc"
        self.while_judging(fd)
        return MEDICAL

    def evaluate(self, facts: Facts) -> Verdict:
        self.facts.append(facts)
        return Verdict(self.decision, self.decision, "rule", "policy", self.release)

    def apply(self, transfer: OpenTransfer) -> Outcome:
        self.story.append("act")
        assert os.pread(transfer.fd, 3, 0) == b"abc"
        return Outcome(self.result, self.decision, "disk-full" if self.result is Result.FAILED else "", self.held)

    def append(self, kind: str, fields: Mapping[str, object], *, durable: bool = False, **_private: object) -> int:
        if self.log_error:
            raise HostError("no space", what="audit")
        self.story.append(kind)
        self.records.append((kind, dict(fields), durable))
        return len(self.records) - 1


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.script, self.queue, self.notices = Scripted(), EventQueue(), Notices()
        self.folder = tmp_path / "guarded"
        self.folder.mkdir()
        self.released: str | None = None
        self.armed_ns = self.held_ns = 0
        self.ledger = Ledger(tmp_path / "ledger.db")
        self.troubles = Troubles(lambda _word, _state: None)
        script = self.script
        self.pipeline = Pipeline(
            Parts(
                judge=script, policy=script, actions=dict.fromkeys(Decision, script), log=script, ledger=self.ledger,
                identity=DeviceIdentity("dev_1", bytes(32)), queue=self.queue, notices=self.notices,
                troubles=self.troubles, operations=Operations(), login=lambda _uid: ("clara", ("cardio",)),
                released=lambda _transfer: self.released, settled=lambda _number: None, armed_ns=lambda _place: self.armed_ns,
                held_ns=lambda _place: self.held_ns,
            )
        )  # fmt: skip

    def event(self, name: str = "a.txt", cause: Cause = Cause.WRITTEN, content: bytes | None = b"abc") -> FileEvent:
        if content is not None:
            (self.folder / name).write_bytes(content)
        return FileEvent(Place(ChannelKind.DOWNLOADS, os.fsencode(self.folder), 1000), name.encode(), cause)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_intent_is_durable_before_the_act_and_the_outcome_follows(bench: Bench) -> None:
    bench.pipeline.process(bench.event())
    assert bench.script.story == ["judge", "transfer", "act", "outcome"]
    assert [durable for _kind, _fields, durable in bench.script.records] == [True, True]
    assert bench.script.records[1][1] == {"of": 0, "result": "done", "action": "block"}


def test_where_a_folder_goes_is_among_the_facts_and_in_no_record(bench: Bench) -> None:
    event = bench.event()
    place = replace(event.place, channel=ChannelKind.CLOUD_SYNC, host="cloud.example.org")
    bench.pipeline.process(replace(event, place=place))
    assert bench.script.facts[-1].host == "cloud.example.org"
    assert "cloud.example.org" not in repr(bench.script.records)  # it can be a person's own


def test_an_exception_ends_with_the_day_of_the_laptop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with the day of Greenwich: in Fort-de-France that is at eight in the evening."""
    tomorrow = time.gmtime().tm_hour >= 11
    monkeypatch.setenv("TZ", "EST-14" if tomorrow else "WST12")  # where it is another day than in Greenwich
    time.tzset()
    try:
        bench.pipeline.process(bench.event())
        here, greenwich = time.strftime("%Y-%m-%d"), time.strftime("%Y-%m-%d", time.gmtime())
    finally:
        monkeypatch.undo()
        time.tzset()
    assert bench.script.facts[-1].day == here != greenwich


def test_a_mere_observation_is_one_record(bench: Bench) -> None:
    bench.script.decision = Decision.OBSERVE
    bench.pipeline.process(bench.event())
    assert bench.script.story == ["judge", "transfer"]
    assert "act" not in bench.script.records[0][1]


def test_nothing_is_judged_twice_without_cause(bench: Bench) -> None:
    event = bench.event()
    bench.pipeline.process(event)
    bench.pipeline.process(event)
    assert bench.script.story.count("judge") == 1
    bench.script.release = "r2"
    bench.pipeline.process(event)
    assert bench.script.story.count("judge") == 2


def test_a_file_that_changes_while_it_is_judged_is_judged_again_as_new(bench: Bench) -> None:
    event = bench.event(cause=Cause.EXISTING)
    bench.script.while_judging = lambda _fd: (bench.folder / "a.txt").write_bytes(b"abcd") and None
    bench.pipeline.process(event)
    assert bench.script.story == ["judge"]
    assert bench.queue.depth()["later"] == 1


def test_a_changed_outcome_is_taken_up_again_and_told_to_nobody(bench: Bench) -> None:
    bench.script.result = Result.CHANGED
    bench.pipeline.process(bench.event())
    assert bench.queue.depth()["later"] == 1
    assert bench.notices.of(None) == ()


def test_a_failed_action_is_tried_again_and_said(bench: Bench) -> None:
    bench.script.result = Result.FAILED
    event = bench.event()
    bench.pipeline.process(event)
    assert bench.queue.depth()["later"] == 1
    assert [trouble.word for trouble in bench.troubles.standing()] == ["action-failed"]
    bench.script.result = Result.DONE
    bench.pipeline.process(event)
    assert bench.script.facts[-1].arrival == "new"
    assert bench.troubles.standing() == ()


@pytest.mark.parametrize(
    ("held_s", "mechanism", "judged"),
    [(-3600, "airlock", False), (3600, "airlock", True), (-3600, "watch", True), (-1, "airlock", True)],
)
def test_what_came_through_an_airlock_is_not_judged_once_more(
    bench: Bench, held_s: int, mechanism: str, judged: bool
) -> None:
    """What lay there before, is younger than clocks are exact, or lies where no airlock is, is."""
    event = bench.event(cause=Cause.EXISTING)
    bench.armed_ns, bench.held_ns = 1, time.time_ns() + held_s * 1_000_000_000
    bench.pipeline.process(replace(event, place=replace(event.place, mechanism=mechanism)))
    assert ("judge" in bench.script.story) is judged


def test_a_failure_is_forgotten_when_the_document_is_gone(bench: Bench) -> None:
    bench.script.result = Result.FAILED
    event = bench.event()
    bench.pipeline.process(event)
    (bench.folder / "a.txt").unlink()
    bench.pipeline.process(event)
    assert bench.troubles.standing() == ()


@pytest.mark.parametrize(("armed", "arrival"), [(0, "new"), (1 << 62, "existing")])
def test_what_was_changed_since_the_guard_began_is_new(bench: Bench, armed: int, arrival: str) -> None:
    bench.armed_ns = armed
    bench.pipeline.process(bench.event(cause=Cause.EXISTING))
    assert bench.script.facts[0].arrival == arrival


def test_what_was_judged_under_another_policy_is_existing(bench: Bench) -> None:
    bench.script.decision = Decision.OBSERVE
    event = bench.event(cause=Cause.EXISTING)
    bench.pipeline.process(event)
    bench.script.release = "r2"
    bench.pipeline.process(event)
    assert [facts.arrival for facts in bench.script.facts] == ["new", "existing"]


def test_an_interrupted_transfer_is_resumed_as_new(bench: Bench) -> None:
    event = bench.event(cause=Cause.EXISTING)
    bench.armed_ns = 1 << 62
    bench.script.result = Result.INTERRUPTED
    bench.pipeline.process(event)
    file = bench.script.records[0][1]["file"]
    bench.ledger.mark(file, "other", 0)
    bench.ledger.resume(file)
    bench.script.result = Result.DONE
    bench.pipeline.process(event)
    assert bench.script.facts[-1].arrival == "new"
    assert bench.script.records[-2][1]["cause"] == "resumed"


def test_a_released_document_is_not_held_again(bench: Bench) -> None:
    bench.released = "ABCDEFGH"
    bench.pipeline.process(bench.event())
    assert bench.script.story == ["judge", "transfer"]
    assert bench.script.records[0][1]["released"] == "ABCDEFGH"
    assert bench.script.records[0][1]["wanted"] == "block"


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "gone"])
def test_what_is_no_document_is_skipped_without_a_record(bench: Bench, kind: str) -> None:
    path = bench.folder / "a.txt"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    bench.pipeline.process(bench.event(content=None))
    assert bench.script.story == []
    assert bench.pipeline.counts["skipped"] == 1


def test_a_name_that_leads_out_of_the_folder_is_skipped(bench: Bench) -> None:
    (bench.folder.parent / "secret.txt").write_bytes(b"abc")
    event = replace(bench.event(content=None), name=b"../secret.txt")
    bench.pipeline.process(event)
    assert bench.script.story == []


def test_no_log_no_act_and_the_event_comes_back(bench: Bench) -> None:
    bench.script.log_error = True
    bench.queue.put(bench.event())
    bench.queue.put_later(bench.event("b.txt"), 3600)
    bench.pipeline.process = _once(bench)  # type: ignore[method-assign]
    bench.pipeline.run()
    assert "act" not in bench.script.story
    assert bench.queue.depth()["later"] == 2
    assert [trouble.word for trouble in bench.troubles.standing()] == ["audit-unwritable"]


def _once(bench: Bench) -> Callable[[FileEvent], None]:
    process = bench.pipeline.process

    def wrapped(event: FileEvent) -> None:
        try:
            process(event)
        finally:
            bench.queue.close()

    return wrapped


def test_an_error_of_ours_is_counted_and_tried_once_more(bench: Bench) -> None:
    def explode(_fd: int) -> None:
        raise KeyError("a document's text")

    bench.script.while_judging = explode
    bench.queue.put(bench.event())
    bench.pipeline.process = _once(bench)  # type: ignore[method-assign]
    bench.pipeline.run()
    assert bench.pipeline.counts["errors"] == 1
    assert bench.queue.depth()["later"] == 1
    assert [trouble.word for trouble in bench.troubles.standing()] == ["pipeline-error"]


def test_no_descriptor_is_left_open(bench: Bench) -> None:
    gc.collect()  # what other tests left to the collector must not go in between
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        bench.pipeline.process(bench.event(f"{number}.txt"))
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize(("result", "held"), [(Result.DONE, "ABCDEFGH"), (Result.GONE, "")])
def test_a_document_that_comes_again_on_a_stick_without_inodes_is_judged_again(
    bench: Bench, result: Result, held: str
) -> None:
    bench.script.result, bench.script.held = result, held
    event = bench.event()
    place = replace(event.place, device=Device(filesystem="vfat"))
    for _ in range(2):  # the same name, size and time, as file managers copy it
        bench.pipeline.process(replace(event, place=place))
    assert bench.script.story.count("act") == 2


def test_a_file_rewritten_for_ever_is_looked_at_ever_more_seldom(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.script.decision = Decision.OBSERVE
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(300):  # thirty seconds
        bench.pipeline.process(bench.event(content=b"abc%d" % number))
        now += 0.1
    assert bench.script.story.count("judge") <= 7
    assert bench.queue.depth()["later"] == 1
    for number in range(1100):  # most of a day
        now += 61.0
        bench.pipeline.process(bench.event(content=b"abc-%d" % number))
    assert bench.script.story.count("judge") >= 1100
    assert bench.script.facts[-1].size == len(b"abc-1099")


def test_files_that_are_known_are_not_made_to_wait(bench: Bench) -> None:
    bench.script.decision = Decision.OBSERVE
    for _ in range(20):  # somebody asks again and again for a rescan
        bench.pipeline.process(bench.event(content=None) if bench.script.facts else bench.event())
    judged = len(bench.script.facts)
    bench.pipeline.process(bench.event(content=b"abcdef"))
    assert len(bench.script.facts) == judged + 1


def test_a_failure_is_over_when_there_is_nothing_to_do_any_more(bench: Bench) -> None:
    bench.script.result = Result.FAILED
    bench.pipeline.process(bench.event())
    assert [each.word for each in bench.troubles.standing()] == ["action-failed"]
    bench.script.decision = Decision.OBSERVE
    bench.pipeline.process(bench.event(content=b"abcd"))
    assert not bench.troubles.standing()


def test_a_log_that_could_not_be_written_is_well_once_the_outcome_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, failures = bench.script.append, [HostError("no space", what="audit")] * 2

    def full(kind: str, fields: dict[str, object], **more: object) -> int:
        if kind == "outcome" and failures:
            raise failures.pop()
        return append(kind, fields, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.script, "append", full)
    monkeypatch.setattr(pipeline.time, "sleep", lambda _seconds: None)
    bench.pipeline.process(bench.event())
    assert (bench.script.records[-1][0], failures, bench.troubles.standing()) == ("outcome", [], ())
