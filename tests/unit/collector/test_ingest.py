import time

import pytest
from sqlalchemy import select

from agent.errors import UntrustedInputError
from agent.transport import wire
from agent.transport.wire import Reply
from collector import queries
from collector.ingest.intake import LATE_S
from collector.queries import EventFilter
from collector.store.tables import laptops
from tests.unit.collector.laptops import START_US, Laptop
from tests.unit.collector.sealing import SealedLaptop

NOW = int(time.time())


def indices(engine, laptop="dev_one"):
    events = queries.list_events(engine, EventFilter(laptop=laptop, kind="all"), 500)
    return sorted(event.index for event in events)


def alarms(engine):
    return sorted((alert.laptop, alert.kind, alert.index) for alert in queries.list_alerts(engine))


def test_in_order(send, engine):
    laptop = Laptop().fill(10)
    assert send(laptop.batch(0, 4)) == Reply(4, 300)
    assert send(laptop.batch(4, 10)).size == 10
    assert indices(engine) == list(range(10))
    assert alarms(engine) == []


def test_sent_again_and_overlapping(send, engine):
    laptop = Laptop().fill(10)
    for first, end, size in ((0, 6, 6), (0, 6, 6), (3, 8, 8), (0, 3, 8), (2, 10, 10)):
        assert send(laptop.batch(first, end)).size == size
    assert indices(engine) == list(range(10))
    assert alarms(engine) == []


@pytest.mark.parametrize("value", [b"9" * 400, b"[" * 979 + b"]" * 979])
def test_a_record_of_version_1_keeps_the_limits_of_records(send, engine, value):
    public = b'{"b":"0badcafe","i":0,"k":"transfer","m":1,"p":"0000000000000000","size":' + value + b',"t":1}'
    with pytest.raises(UntrustedInputError):
        send(wire.build(wire.Letterhead("dev_one", 0, 1, None, START_US), [(public, b"")]))
    assert indices(engine) == []


def test_a_gap_is_refused_without_an_alarm(send, engine):
    laptop = Laptop().fill(10)
    send(laptop.batch(0, 3))
    assert send(laptop.batch(5, 8)) == Reply(3, why="gap")
    assert indices(engine) == [0, 1, 2]
    assert alarms(engine) == []


def test_rewritten(send, engine):
    send(Laptop().fill(10).batch())
    other = Laptop(seed="other").fill(12)
    reply = send(other.batch(0, 12))
    assert (reply.why, reply.size) == ("rewritten", 10)
    assert send(other.batch(7, 12)).why == "rewritten"
    assert alarms(engine) == [("dev_one", "rewritten", 0), ("dev_one", "rewritten", 7)]
    assert len(indices(engine)) == 10


def test_fork(send, engine):
    send(Laptop().fill(10).batch())
    other = Laptop(seed="other").fill(12)
    for _ in range(3):
        assert send(other.batch(10, 12)) == Reply(10, why="fork")
    assert alarms(engine) == [("dev_one", "fork", 10)]
    assert queries.list_alerts(engine)[0].times == 3


def test_a_changed_private_part_is_a_fork(send):
    laptop = Laptop()
    laptop.add(private=b"a")
    send(laptop.batch())
    laptop.publics[0] = (laptop.publics[0][0], b"b")
    assert send(laptop.batch()).why == "rewritten"


def test_a_record_changed_within_a_request_is_refused_whole(send, engine):
    laptop = Laptop().fill(10)
    other = Laptop(seed="x").fill(10)
    laptop.publics[5] = other.publics[5]
    assert send(laptop.batch()).why == "fork"
    assert indices(engine) == []


def test_truncated(send, engine):
    laptop = Laptop().fill(10)
    send(laptop.batch())
    assert send(laptop.batch(4, 4, size=4)) == Reply(10, why="truncated")
    assert alarms(engine) == [("dev_one", "truncated", 4)]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_request_that_hung_on_its_way_is_no_log_that_was_cut_off(taking, engine, monkeypatch, restarted):
    laptop = Laptop().fill(10)
    taking.send(laptop.batch())
    if restarted:
        taking.intake.forget(laptop.device)
    late = laptop.batch(2, 6, size=6, sent_us=START_US - 3_000_000)
    assert taking.send(late) == Reply(10, why="truncated")
    assert alarms(engine) == []
    now = time.time()
    monkeypatch.setattr("collector.ingest.intake.time.time", lambda: now + LATE_S + 2)  # nothing hangs for so long
    assert taking.send(late).why == "truncated"
    assert alarms(engine) == [("dev_one", "truncated", 6)]


def seen(engine):
    with engine.connect() as connection:
        row = connection.execute(select(laptops)).one()
    return row.last_seen, row.skew_ms, row.next_at, row.version


def test_a_signed_request_that_comes_again_is_no_sign_of_life_and_no_log_that_was_cut_off(taking, engine):
    laptop = SealedLaptop().session(3, 2)
    first, early = laptop.request(report=b"{}"), laptop.request(size=4, end=3)
    nothing = laptop.request(len(laptop.items))
    taking.send(first, reported_us=1000)
    laptop.session(4)
    assert taking.send(laptop.request(), reported_us=3000).size == 9  # without a report
    with engine.begin() as connection:
        connection.execute(laptops.update().values(last_seen=NOW - 2 * LATE_S, skew_ms=7, version=9))
    taking.intake.forget(laptop.device)
    before = seen(engine)
    answers = [taking.send(each, reported_us=2000) for each in (first, early, nothing, laptop.request())]
    assert [(each.why, each.size) for each in answers] == [("truncated", 9)] * 3 + [("", 9)]
    assert (seen(engine), alarms(engine)) == (before, [])
    assert taking.send(laptop.request(), reported_us=3001).size == 9
    assert seen(engine)[0] >= NOW
    assert taking.send(early, reported_us=3002).why == "truncated"
    assert [kind for _, kind, _ in alarms(engine)] == ["truncated"]


def test_a_laptop_whose_clock_was_set_back_is_heard_when_it_brings_something(taking, engine):
    laptop = SealedLaptop().session(3)
    taking.send(laptop.request(), reported_us=3000)
    with engine.begin() as connection:
        connection.execute(laptops.update().values(last_seen=9, version=9))
    taking.intake.forget(laptop.device)
    laptop.seal()
    assert taking.send(laptop.request(len(laptop.items) - 1), reported_us=1000).size == 3
    assert seen(engine)[0] >= NOW


def test_a_hole_that_the_laptop_tells_is_kept_in_sight(send, engine):
    laptop = Laptop().fill(10)
    laptop.add("trouble", what="damaged")
    laptop.fill(3)
    send(laptop.batch(0, 4))
    assert send(laptop.batch(6, 14)).why == "gap"
    assert send(laptop.batch(6, 14, missing=5)).why == "gap"
    assert send(laptop.batch(6, 14, missing=4)).size == 14
    assert alarms(engine) == [("dev_one", "missing", 4)]
    assert indices(engine) == [0, 1, 2, 3, *range(6, 14)]
    assert send(laptop.batch(0, 14)).size == 14  # once more, with what was lost: nothing is rewritten
    laptop.fill(2)
    assert send(laptop.batch(14)).size == 16


def test_behind_a_hole_the_chain_is_checked_again_from_the_stated_head_on(send):
    laptop = Laptop().fill(6)
    laptop.add("trouble", what="damaged")
    laptop.fill(2)
    other = Laptop(seed="x").fill(12)
    laptop.publics[8] = other.publics[8]
    send(laptop.batch(0, 2))
    assert send(laptop.batch(4, missing=2)).why == "fork"


def test_two_laptops_do_not_mix(send, engine):
    send(Laptop("dev_one").fill(3).batch())
    send(Laptop("dev_two").fill(5).batch())
    assert (len(indices(engine)), len(indices(engine, "dev_two"))) == (3, 5)


def test_numbers_that_do_not_follow_are_refused(send, engine):
    laptop = Laptop().fill(5)
    batch = laptop.batch(0, 5)
    from agent.transport.wire import Batch, Letterhead

    with pytest.raises(UntrustedInputError):
        send(Batch(Letterhead("dev_one", 1, 6), batch.body, 5))
    assert indices(engine) == []


def test_an_outcome_is_shown_with_its_transfer(send, engine):
    laptop = Laptop()
    laptop.add(act=True, decision="block", channel="removable")
    laptop.add("outcome", of=0, result="done", action="block")
    laptop.add("outcome", of=7, result="nonsense")
    laptop.add("outcome", of="x", result="nonsense")
    laptop.add("outcome", of=3, result="nonsense")
    send(laptop.batch())
    shown = queries.list_events(engine, EventFilter(), 10)
    assert [(event.index, event.result) for event in shown] == [(0, "done")]
    assert queries.outcome_of(engine, shown[0]).index == 1


def test_what_is_known_of_a_laptop(send, engine):
    laptop = Laptop()
    laptop.add("start", version="0.1.0")
    laptop.add("policy", policy="enforce", release="0123456789ab", mode="enforce")
    laptop.add("place", state="armed", volume="v1", channel="removable", strength="hold", service="usb")
    laptop.add("place", state="armed", volume="v2", channel="downloads", strength="after-write")
    laptop.add("place", state="gone", volume="v1", channel="removable", strength="hold", service="usb")
    laptop.add("place", state=4, volume=[1], channel={"a": 1})
    send(laptop.batch())
    (row,) = queries.list_laptops(engine)
    assert (row.summary.version, row.summary.policy, row.summary.running) == ("0.1.0", "enforce", True)
    assert ("downloads", "after-write") in row.summary.strengths()
    assert ("removable", "hold") not in row.summary.strengths()
    laptop.add("stop")
    send(laptop.batch(len(laptop.publics) - 1))
    (row,) = queries.list_laptops(engine)
    assert (row.summary.running, row.summary.places, row.size) == (False, {}, 7)


def test_pages_of_events_do_not_overlap_and_lose_none(send, engine):
    one, two = Laptop("dev_one").fill(30), Laptop("dev_two").fill(25)  # all at the same moment
    send(one.batch())
    send(two.batch())
    seen, before = [], ""
    while True:
        page = queries.list_events(engine, EventFilter(before=before), 7)
        seen += [(event.laptop, event.index) for event in page]
        if not page or len(seen) > 55:
            break
        before = page[-1].cursor
    assert len(seen) == len(set(seen)) == 55
