"""Seals that come with the records: honest ones in any cut, and each way to be wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit import checkpoint, tree
from agent.audit.checkpoint import Why
from agent.crypto.signing import FileKey, OnceKey
from collector import queries
from collector.ingest.prepare import prepare
from collector.store.base import Known
from tests.unit.collector.sealing import SealedLaptop
from tests.unit.collector.taking import Taking


@pytest.fixture
def taking(light_store):
    taking = Taking(light_store)
    yield taking
    taking.close()


def alarms(taking):
    return sorted((alert.kind, alert.index) for alert in queries.list_alerts(taking.store.engine))


def honest():
    laptop = SealedLaptop().session(3, 1, 0, 5)
    laptop.seal(why=Why.BEAT).seal(why=Why.STOP)
    return laptop.session(2, 4).session(0, 1)


def taken(known, request):
    """What is held after a request, with its alarms; pure."""
    decision, _ = prepare(request.letterhead, request.body, 1, known, {})
    return decision.known, list(decision.alerts), decision.root


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_honest_logs_raise_no_alarm_however_they_are_cut(data):
    laptop = honest()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(laptop.items)), max_size=6)))
    known = Known()
    for begin, end in zip([0, *cuts], [*cuts, len(laptop.items)], strict=True):
        known, alerts, root = taken(known, laptop.request(begin, end))
        assert alerts == []
    assert (known.size, root) == (len(laptop.publics), tree.root(laptop.frontier))


def test_seals_that_are_sent_again_are_taken_once(taking):
    laptop = honest()
    middle = len(laptop.items) // 2
    taking.send(laptop.request(0, middle))
    for begin in (0, 1, middle - 3, middle):
        taking.send(laptop.request(begin))
    assert alarms(taking) == []
    assert taking.laptop.known.size == len(laptop.publics)


def test_sealed_again_by_another_key(taking):
    laptop = SealedLaptop().session(3)
    laptop.fill(2).seal(key=OnceKey())
    laptop.fill(1).seal()
    assert taking.send(laptop.request()).size == 6  # stored all the same: it is evidence
    assert alarms(taking) == [("resealed", 5)]
    laptop.session(1)
    taking.send(laptop.request(len(laptop.items) - 3))
    assert alarms(taking) == [("resealed", 5)]  # the next session is announced rightly again


def test_a_seal_over_other_records(taking):
    laptop = SealedLaptop().session(3)
    laptop.fill(2).seal(root=bytes(32))
    taking.send(laptop.request())
    assert alarms(taking) == [("root", 5)]


def test_a_seal_that_says_another_size(taking):
    laptop = SealedLaptop().session(3)
    laptop.fill(2).seal(size=4)
    taking.send(laptop.request())
    assert alarms(taking) == [("root", 5)]


def test_a_session_that_was_never_announced(taking):
    laptop = SealedLaptop().session(3)
    laptop.open(by=FileKey()).fill(1).seal()
    taking.send(laptop.request())
    assert alarms(taking) == [("key-replaced", 3)]


def test_the_first_opening_is_signed_by_the_name_of_the_log(taking):
    laptop = SealedLaptop()
    laptop.open(by=FileKey()).fill(1).seal()
    taking.send(laptop.request())
    assert alarms(taking) == [("key-replaced", 0)]


def test_another_logs_session(taking):
    laptop = SealedLaptop().session(3)
    laptop.open(identity=FileKey().public).fill(1).seal()
    taking.send(laptop.request())
    assert alarms(taking) == [("spliced", 3)]


def test_seals_without_a_session(taking):
    laptop = SealedLaptop()
    laptop.key = OnceKey()
    laptop.fill(3).seal()
    taking.send(laptop.request())
    assert alarms(taking) == [("unsealed", 3)]


def test_a_laptop_that_stops_sealing(taking):
    laptop = SealedLaptop().session(3)
    taking.send(laptop.request())
    laptop.fill(4200)
    at = 5
    while at < len(laptop.items):
        batch = laptop.request(at)
        at += batch.items
        taking.send(batch)
    assert alarms(taking) == [("unsealed", 3)]


def test_garbage_in_place_of_a_seal(taking):
    laptop = SealedLaptop().session(3)
    laptop.items.append(b"\x09garbage")
    taking.send(laptop.request())
    assert alarms(taking) == [("resealed", 3)]


def test_behind_a_hole_the_next_opening_counts(taking):
    laptop = SealedLaptop().session(3, 2)
    taking.send(laptop.request())
    there = len(laptop.items)
    laptop.fill(3).seal()
    lost = len(laptop.items)
    # The laptop lost those three: its own tree has them as lost, from there on.
    laptop.frontier = tree.unpacked(5, tree.packed(frontier_of(laptop, there)))
    tree.extend_lost(laptop.frontier, 3)
    laptop.open().add("trouble", what="damaged")
    laptop.seal().fill(2).seal()
    assert taking.send(laptop.request(lost, missing=5)).cosigned
    assert alarms(taking) == [("missing", 5)]
    laptop.fill(1).seal(root=bytes(32))
    taking.send(laptop.request(len(laptop.items) - 2))
    assert alarms(taking) == [("missing", 5), ("root", 12)]


def frontier_of(laptop, end):
    from agent.audit import chain

    frontier = []
    tree.extend(frontier, [chain.leaf(public, chain.private_hash(private)) for public, private in
                           (item for item in laptop.items[:end] if not isinstance(item, bytes))])  # fmt: skip
    return frontier


def test_behind_a_purge_nothing_is_said_of_roots_and_nothing_is_signed(taking):
    laptop = SealedLaptop().session(3)
    taking.send(laptop.request())
    begin = len(laptop.items)
    laptop.fill(3).seal()  # purged before they were ever sent: the laptop's tree has them, ours has not
    purged = len(laptop.items)
    laptop.open().fill(2).seal()
    reply = taking.send(laptop.request(purged, missing=3))
    assert begin < purged
    assert (reply.size, reply.cosigned) == (8, b"")
    assert alarms(taking) == [("missing", 3)]
    laptop.fill(1).seal()
    assert taking.send(laptop.request(len(laptop.items) - 2)).cosigned == b""
    assert alarms(taking) == [("missing", 3)]


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_bytes_in_place_of_a_seal_raise_at_most_an_alarm(body):
    laptop = SealedLaptop().session(2)
    laptop.items.insert(2, body)
    known, alerts, _ = taken(Known(), laptop.request())
    assert known.size == 2
    assert alerts
    assert checkpoint.origin(laptop.identity.public) == known.log
