"""What the pages count and page through, on both engines: everything once, in order, and by an index."""

import json
import time
from dataclasses import replace

import pytest
from sqlalchemy import insert, text

from agent.audit import record
from collector import queries
from collector.fleet import Guard, Summary, to_json
from collector.ingest.tally import tally
from collector.officers import decisions
from collector.pages import event_filter, event_page, roster, watching
from collector.store.base import SLOT_S, Change, Row, Tally
from collector.store.migrate import upgrade
from collector.store.repeated import of_laptop
from collector.store.retention import forget_old
from collector.store.sql import first_values, month_of, raise_alert
from collector.store.tables import answers, laptops
from tests.unit.collector.laptops import Laptop

NOW = 1_795_289_704
DAY_S = 86400
GOOD = Summary("0.1.0", "week", "0123456789ab", "enforce", True, {"a": Guard("removable", "usb", "hold")})


def enter(store, number, **values):
    """A laptop, as ingest would have left it."""
    summary = to_json(values.pop("summary", GOOD))
    report = json.dumps(values.pop("report", {"tuf": 1})).encode()
    row = {**first_values(f"dev_{number:03}", NOW), "id": number, "summary": summary, "report": report}
    with store.engine.begin() as connection:
        connection.execute(insert(laptops), {**row, **of_laptop(summary, report), **values})


@pytest.fixture
def fleet(store):
    """Thirty laptops: good ones, silent ones, some that were stopped or unguarded, and denied ones."""
    for number in range(1, 31):
        summary = GOOD
        if number % 5 == 0:
            summary = replace_running(False)
        elif number % 7 == 0:
            summary = Summary("0.1.0", "week", "0123456789ab", "enforce", True, {"a": Guard("removable", "", "off")})
        seen = NOW - 3 * DAY_S - number // 2 if number % 4 == 0 else NOW - number // 3  # some at the same second
        enter(store, number, summary=summary, last_seen=seen, group_name=("", "icu", "er")[number % 3],
              denied_at=NOW if number % 11 == 0 else None)  # fmt: skip
    return store


def replace_running(running):
    return Summary("0.1.0", "other", "", "observe", running, {"a": Guard("removable", "usb", "hold")})


def all_pages(store, limit, **wanted):
    found, after = [], ""
    while True:
        part, total, more = roster.page(store.engine, NOW, after=after, limit=limit, **wanted)
        assert len(part) <= limit
        found += part
        if not more:
            assert total == len(found)
            return found
        assert len(part) == limit
        after = part[-1].cursor


@pytest.mark.parametrize("limit", [1, 7, 30, 100])
def test_every_laptop_is_on_one_page_the_longest_silent_first_and_denied_ones_last(fleet, limit):
    found = all_pages(fleet, limit)
    assert sorted(each.number for each in found) == list(range(1, 31))
    order = [(each.denied, each.last_seen, each.number) for each in found]
    assert order == sorted(order)
    assert [each.silent for each in found if not each.denied][:3] == [True, True, True]


@pytest.mark.parametrize("group", ["", "icu", "nobody"])
@pytest.mark.parametrize("only", ["", *roster.ONLY, "odd"])
def test_what_is_chosen_in_the_database_is_what_each_laptop_says(fleet, group, only):
    fits = {
        "silent": lambda one: one.silent and not one.denied,
        "weak": lambda one: not one.protected and not one.denied,
        "denied": lambda one: one.denied,
    }.get(only, lambda _: True)
    wanted = [one.number for one in all_pages(fleet, 100) if (not group or one.group == group) and fits(one)]
    assert [one.number for one in all_pages(fleet, 4, group=group, only=only)] == wanted
    assert wanted or group == "nobody"


def test_the_counts_are_those_of_the_laptops(fleet):
    found = all_pages(fleet, 100)
    welcome = [one for one in found if not one.denied]
    assert roster.counts(fleet.engine, NOW) == roster.Counts(
        len(welcome), sum(one.protected for one in found), sum(one.silent for one in welcome), 2
    )
    assert roster.groups(fleet.engine) == ["er", "icu"]
    assert roster.in_force(fleet.engine) == [("week", "0123456789ab", "enforce", 22), ("other", "", "observe", 6)]
    assert roster.names(fleet.engine, 30)[:2] == ["dev_001", "dev_002"] and roster.names(fleet.engine, 29) == []


@pytest.mark.parametrize("after", ["", "x", "0.1", "2.1.1", "0.-1.1", "0.1.1;", "0." + "9" * 17 + ".1", "0.1.1\n"])
def test_a_cursor_that_makes_no_sense_is_the_first_page(fleet, after):
    assert roster.page(fleet.engine, NOW, after=after, limit=3)[0][0].number == all_pages(fleet, 100)[0].number


def test_a_zero_byte_in_an_address_finds_nothing_and_breaks_nothing(fleet):
    assert roster.page(fleet.engine, NOW, group="no\0body")[:2] == ([], 0)
    wanted, _ = event_filter({"laptop": "dev\0x", "channel": "\0", "kind": "\0a", "decision": "\0b"})
    assert queries.list_events(fleet.engine, wanted, 5) == []
    assert event_page(fleet.engine, "en", "dev\0x", 1) is None


def test_an_empty_fleet(store):
    assert roster.counts(store.engine, NOW) == roster.Counts(0, 0, 0, 0)
    assert roster.page(store.engine, NOW) == ([], 0, False)
    assert watching.stories(store.engine, NOW) == ([], 0, 0)
    assert watching.stories(store.engine, NOW, 50) == ([], 0, 0)
    assert watching.asked(store.engine, 50) == ([], 0, 0)
    assert queries.today(store.engine, 0) == queries.Today()
    assert queries.count_records(store.engine) == 0


def test_laptops_by_who_was_seen_last_come_in_pages_too(fleet):
    found, before = [], ""
    while part := queries.list_laptops(fleet.engine, 4, before):
        found += part
        before = part[-1].cursor
    assert len({each.device for each in found}) == len(found) == 30
    assert [each.last_seen for each in found] == sorted((each.last_seen for each in found), reverse=True)


# ---- what ingest keeps up to date


def test_what_records_say_of_a_laptop_is_counted_at_once(taking, store):
    laptop = Laptop()
    laptop.add("start", version="0.1.0")
    laptop.add("place", state="armed", volume="v", channel="removable", strength="hold")
    laptop.add("policy", policy="a\0b", release="3", mode="enforce")
    taking.send(laptop.batch())
    now = int(time.time())
    assert roster.counts(store.engine, now) == roster.Counts(1, 1, 0, 0)
    assert [name for name, *_ in roster.in_force(store.engine)] == ["ab"]
    laptop.add("place", state="armed", volume="w", channel="downloads", strength="off")
    taking.send(laptop.batch(first=3))
    assert roster.counts(store.engine, now) == roster.Counts(1, 0, 0, 0)
    laptop.add("stop")
    taking.send(laptop.batch(first=4))
    ((one,), _, _) = roster.page(store.engine, now)
    assert (one.guard, one.summary.running) == ("", False)


def test_who_refuses_what_is_published_is_known_from_the_last_report(store):
    def says(report):
        laptop = store.laptop("dev_one", NOW)
        refuses = ("mix", 0) if report else ("", 0)
        given = (b"{}", 1) if report is not None else None
        assert store.commit([Change(laptop, laptop.known, (), (), NOW, report=given, refusal=refuses)]) == [True]

    assert store.refused(9) == []
    says(report=True)
    assert [tuple(each) for each in store.refused(9)] == [("dev_one", "", "mix", 0)]
    says(report=None)  # nothing was said: it is as it was
    assert len(store.refused(9)) == 1
    says(report=False)
    assert store.refused(9) == []


def counted(store):
    with store.engine.connect() as connection:
        return sorted(connection.execute(text("SELECT slot, documents, medical, held FROM tallies")).all())


def test_documents_are_added_up_by_quarter_of_an_hour_and_by_collector(store):
    slot = NOW // SLOT_S
    for _ in range(2):
        for device in ("dev_one", "dev_two"):
            laptop = store.laptop(device, NOW)
            tallies = (
                Tally(slot, 3, 2, 1),
                Tally(slot - 1, 1, 0, 0),
                Tally(slot - 5000, 9, 9, 9),
                Tally(1 << 50, 9, 9, 9),
            )
            assert store.commit([Change(laptop, laptop.known, (), (), NOW, tallies=tallies)]) == [True]
    assert counted(store) == [(slot - 1, 4, 0, 0), (slot, 12, 8, 4)]  # clocks that lie fill no table
    store._shard += 1  # another collector
    laptop = store.laptop("dev_one", NOW)
    lost = replace(laptop, version=laptop.version - 1)
    assert store.commit(
        [
            Change(laptop, laptop.known, (), (), NOW, tallies=tallies),
            Change(lost, lost.known, (), (), NOW, tallies=tallies),
        ]
    ) == [True, False]
    assert queries.today(store.engine, slot * SLOT_S * 1_000_000) == queries.Today(15, 10, 5)
    assert queries.today(store.engine, (slot + 1) * SLOT_S * 1_000_000) == queries.Today()
    forget_old(store, NOW + 20 * DAY_S)
    assert counted(store) == []


def test_the_count_is_what_the_records_say():
    said = [
        {"judgement": "medical", "decision": "block"}, {"judgement": "not_medical", "decision": "observe"},
        {"judgement": "undecidable", "decision": "justify", "pictures": "unread"},
        {"judgement": "medical", "decision": "encrypt", "pictures": "read"},
        {"rule": "judgement medical", "decision": "inform", "policy": "'\u00a7medical", "kind": "medical"},
    ]  # fmt: skip
    rows = []
    for number, fields in enumerate(said):
        public = record.encode(number, 7_000_000, 1, "0badcafe", "transfer", "0" * 16, fields)
        rows.append(Row(1, number, 7_000_000, "transfer", "", fields["decision"], None, public, None))
    rows.append(rows[0]._replace(kind="outcome"))
    rows.append(rows[0]._replace(t=SLOT_S * 1_000_000, public=b'{"judgement":"medical","k":"transfer"}'))
    assert tally(rows) == (Tally(0, 4, 2, 3), Tally(1, 1, 1, 1))


# ---- alerts and requests


def test_stories_come_in_pages_what_needs_a_decision_first(store):
    for number in range(1, 8):
        enter(store, number)
        with store.engine.begin() as connection:
            raise_alert(connection, number, "fork", 1, NOW - 10 * number)
    for number, verdict, upto in ((1, "normal", NOW), (2, "incident", NOW), (3, "normal", 1), (4, "exception", NOW)):
        form = {"laptop": f"dev_{number:03}", "kind": "fork", "verdict": verdict, "why": "x", "upto": str(upto),
                "until": time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5 * DAY_S))}  # fmt: skip
        decisions.decide_story(store.engine, {**form, "verdict": "normal"}, "somebody")
        decisions.decide_story(store.engine, form, "camille")
    found = []
    for skip in (0, 3, 6, 9):
        part, total, waiting = watching.stories(store.engine, NOW, skip, 3)
        assert (total, waiting) == (7, 4)
        found += part
    assert [each.laptop for each in found] == [f"dev_00{number}" for number in (3, 5, 6, 7, 2, 1, 4)]
    assert [each.state for each in found] == ["open"] * 4 + ["incident", "normal", "exception"]
    assert (found[0].again, found[0].by) == (True, "camille")
    later = watching.stories(store.engine, int(time.time()) + 30 * DAY_S)[0]
    assert next(each.state for each in later if each.laptop == "dev_004") == "open"


def test_requests_come_in_pages_those_without_an_answer_first(taking, store):
    laptop = Laptop()
    for number in range(9):
        laptop.add("contest" if number % 2 else "transfer", time_us=1_000_000 * (number + 1), why="wrong")
    taking.send(laptop.batch())
    with store.engine.begin() as connection:
        for answer in ("refused", "granted"):
            said = {"device": 1, "idx": 7, "answer": answer, "why": "w", "by_whom": "camille", "at": NOW}
            connection.execute(insert(answers), said)
    pages = [watching.asked(store.engine, skip, 2) for skip in (0, 2, 4)]
    assert [[each.index for each in found] for found, _, _ in pages] == [[5, 3], [1, 7], []]
    assert {(total, waiting) for _, total, waiting in pages} == {(4, 3)}
    assert (pages[1][0][1].answer, pages[1][0][0].answer) == ("granted", "")


# ---- the plans, and what there was before


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT sum(CASE WHEN denied_at IS NULL AND last_seen >= 5 AND running = 1 AND guard IN ('hold') THEN 1 END)"
         " FROM laptops", "COVERING INDEX laptops_seen"),
        ("SELECT * FROM laptops WHERE denied_at IS NULL ORDER BY last_seen, id LIMIT 5", "laptops_seen"),
        ("SELECT policy_name, policy_release, policy_mode, count(*) FROM laptops WHERE denied_at IS NULL"
         " GROUP BY 1, 2, 3", "laptops_policy"),
        ("SELECT id FROM laptops WHERE refused_why != '' AND denied_at IS NULL ORDER BY id LIMIT 5",
         "laptops_refusing"),
        ("SELECT t FROM events WHERE kind NOT IN ('transfer', 'outcome') AND kind IN ('contest', 'emergency')", "_rare"),
    ],
)  # fmt: skip
def test_what_pages_ask_is_found_by_an_index(light_store, query, index):
    light_store._ensure(month_of(NOW))
    with light_store.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert any(index in step for step in plan), plan


def test_a_database_of_before_is_counted_as_it_was(tmp_path, request, store):
    """The migration fills what later ingest keeps up to date."""
    with store.engine.begin() as connection:  # as the version before left it
        for name in ("laptops_seen", "laptops_policy", "laptops_refusing", "story_decisions_of", "answers_of"):
            connection.execute(text(f"DROP INDEX {name}"))
        for name in (
            "running",
            "guard",
            "policy_name",
            "policy_release",
            "policy_mode",
            "refused_why",
            "refused_number",
        ):
            connection.execute(text(f"ALTER TABLE laptops DROP COLUMN {name}"))
        for name in ("tallies", "published"):
            connection.execute(text(f"DROP TABLE {name}"))
        if store.engine.dialect.name == "postgresql":
            connection.execute(text("DROP INDEX events_rare"))
        connection.execute(text("DELETE FROM alembic_version"))
        for head in ("0004_forwarding", "0006_directory"):
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
        if store.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA user_version = 1")
    now = int(time.time())
    row = {**first_values("dev_one", now), "id": 1, "summary": to_json(GOOD), "report": b'{"tuf_refused": "mix"}'}
    names = ", ".join(row)
    with store.engine.begin() as connection:
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO laptops ({names}) VALUES ({values})"), row)
    public = record.encode(0, now * 1_000_000, 1, "0badcafe", "transfer", "0" * 16, {"judgement": "medical"})
    store._ensure(month_of(now))
    with store.engine.begin() as connection:
        store._insert(
            connection, month_of(now), [Row(1, 0, now * 1_000_000, "transfer", "", "block", None, public, None)]
        )
    upgrade(store.engine)
    assert roster.counts(store.engine, now) == roster.Counts(1, 1, 0, 0)
    assert [each.why for each in store.refused(9)] == ["mix"]
    assert queries.today(store.engine, now * 1_000_000) == queries.Today(1, 1, 1)
