"""Where in the log each day lies and what was said later: on logs that the real writer made."""

from __future__ import annotations

import time

import pytest

from agent.audit.holds import Hold
from agent.audit.limits import Limits
from agent.audit.log import AuditLog
from agent.audit.retention import purge
from agent.daemon.reviewing.timeline import Timeline, needs_review
from agent.daemon.reviewing.wanted import Wanted, wanted_from
from agent.errors import UsageError

DAY_US = 86_400_000_000
NOON = int(time.mktime((2026, 3, 10, 12, 0, 0, 0, 0, -1))) * 1_000_000
ANNE, BORIS = "a" * 12, "b" * 12


class Clock:
    boot = "0badcafe"

    def __init__(self, at=NOON):
        self.at = at

    def now(self):
        self.at += 1000
        return self.at, 1


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log(tmp_path, clock):
    made = AuditLog.open(tmp_path / "audit", clock, limits=Limits(segment_bytes=20_000, flush_after_s=3600))
    yield made
    made.close()


def transfer(log, user, act=True, **fields):
    decision = "block" if act else "observe"
    return log.append("transfer", {"user": user, "act": act, "decision": decision, "judgement": "medical", **fields})


def fresh(log):
    log.flush()
    timeline = Timeline(log.folder)
    timeline.refresh()
    return timeline


def days(timeline, user=None):
    return {day: (s.transfers, s.acted, s.open) for day, s in timeline.days(user).items()}


def test_sums_are_of_one_person_or_of_all_together(log, clock):
    transfer(log, ANNE)
    transfer(log, ANNE, act=False)
    transfer(log, BORIS)
    clock.at += DAY_US
    transfer(log, BORIS)
    timeline = fresh(log)
    assert days(timeline) == {"2026-03-11": (1, 1, 1), "2026-03-10": (3, 2, 2)}
    assert days(timeline, ANNE) == {"2026-03-11": (0, 0, 0), "2026-03-10": (2, 1, 1)}


def test_it_goes_on_where_it_stopped_and_says_the_same_as_a_fresh_one(log, clock):
    timeline = fresh(log)
    for number in range(50):
        of = transfer(log, ANNE if number % 2 else BORIS)
        log.append("outcome", {"of": of, "result": "done", "held": f"H{number}"})
        if number % 5 == 0:
            log.append("review", {"records": [of], "user": ANNE, "by": "owner"})
        if number % 7 == 0:
            log.append("release", {"held": f"H{number}", "by": "owner"})
        clock.at += DAY_US // 10
        log.flush()
        timeline.refresh()
    other = fresh(log)
    assert days(timeline) == days(other)
    assert timeline._later == other._later
    assert sum(len(timeline.runs(day)) for day in days(other)) >= len(days(other)) >= 5


def test_what_was_said_later_belongs_to_its_transfer(log):
    first, second = transfer(log, ANNE), transfer(log, ANNE)
    log.append("outcome", {"of": first, "result": "done", "held": "AB"})
    log.append("restore", {"held": "AB", "by": "owner"})
    log.append("contest", {"of": second, "why": "teaching", "user": ANNE, "by": "owner"})
    log.append("review", {"records": [second, 10**6, "x", -1], "user": ANNE, "by": "owner"})
    timeline = fresh(log)
    assert timeline.later(first).outcome["held"] == "AB"
    assert timeline.later(first).given["k"] == "restore"
    assert timeline.later(second).contest["why"] == "teaching"
    assert len(timeline.later(second).reviews) == 1
    assert days(timeline)["2026-03-10"] == (2, 2, 1)


def test_marks_cannot_fill_the_memory(log):
    number = transfer(log, ANNE)
    for _ in range(100):
        log.append("review", {"records": [number] * 50, "user": ANNE, "by": "owner"})
    timeline = fresh(log)
    assert len(timeline.later(number).reviews) <= 16
    assert days(timeline)["2026-03-10"] == (1, 1, 0)


def test_a_record_is_found_in_a_day_of_many_and_after_a_clock_that_went_back(log, clock):
    for _ in range(2500):
        transfer(log, ANNE, act=False)
    clock.at -= 3 * DAY_US
    old = transfer(log, ANNE)
    clock.at += 3 * DAY_US
    last = transfer(log, ANNE)
    timeline = fresh(log)
    assert {run.day for run in timeline._runs} == {"2026-03-10", "2026-03-07"}
    for number in (0, 999, 1000, 2499, old, last):
        run = timeline.run_of(number)
        assert next(timeline.read(run, number)).number == number
    assert timeline.run_of(last + 1) is None
    read = [entry.number for run in timeline.runs("2026-03-10") for entry in timeline.read(run)]
    assert read == [*range(2500), last]


def test_purged_records_are_no_longer_counted(log, clock):
    for _ in range(300):
        transfer(log, ANNE)
    log.close()
    clock.at += 400 * DAY_US
    again = AuditLog.open(log.folder, clock, limits=Limits(segment_bytes=20_000, flush_after_s=3600))
    timeline = fresh(again)
    before = days(timeline)["2026-03-10"][0]
    again.append("start", {})
    again.flush()
    removed = purge(again, clock.at - 365 * DAY_US)
    assert 0 < removed <= 300
    timeline.refresh()
    assert days(timeline)["2026-03-10"][0] == before - removed
    purge(again, clock.at, [Hold("1")])
    again.close()


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({"act": True, "decision": "block"}, True), ({"decision": "observe"}, False),
        ({"decision": "observe", "exception": True}, True), ({"decision": "inform"}, True), ({}, False),
    ],
)  # fmt: skip
def test_what_needs_a_review(fields, needed):
    assert needs_review(fields) is needed


def test_wanted_words_are_bounded():
    assert wanted_from({"shown": "open"}) == Wanted("open")
    assert wanted_from({}) == Wanted("notable")
    for bad in ({"shown": "x"}, {"channel": 3}, {"device": "x" * 65}, {"decision": ["block"]}):
        with pytest.raises(UsageError):
            wanted_from(bad)
