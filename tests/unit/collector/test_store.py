"""What every store promises; the same tests on SQLite and on PostgreSQL."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from agent.audit import record
from agent.errors import HostError, UsageError
from collector.backup.making import back_up
from collector.store.base import Change, Row
from collector.store.copying import packed
from collector.store.engine import open_store
from collector.store.retention import expired, forget_old
from collector.store.sql import month_of
from collector.store.tables import laptops

NOW = 1_795_289_704  # November 2026
DAY_S = 86400


def rows(laptop, first, end, **changes):
    base = Row(laptop.id, 0, 5, "transfer", "removable", "block", None, b"public", None)
    return [base._replace(idx=index, t=index, **changes) for index in range(first, end)]


def change(laptop, end, *, alerts=(), now=NOW, **options):
    size = laptop.known.size
    known = replace(laptop.known, size=end, head=b"h" * 32, frontier=b"f" * 32, seals=b"s", log="serment-log/1")
    return Change(laptop, known, rows(laptop, size, end), alerts, now, **options)


def test_a_change_is_stored_whole_and_read_back(store):
    laptop = store.laptop("dev_one", NOW)
    made = change(laptop, 3, alerts=[("fork", 1)], skew_ms=-5, report=(b"{}", 77), next_at=NOW + 9)
    assert store.commit([made]) == [True]
    again = store.laptop("dev_one", NOW)
    assert (again.known, again.version, again.reported) == (made.known, laptop.version + 1, 77)
    assert list(store.records(laptop.id, 0, 9)) == made.rows
    assert [(each.device, each.report) for each in store.reports()] == [("dev_one", b"{}")]


def test_what_was_decided_from_an_older_state_is_not_stored(store):
    laptop = store.laptop("dev_one", NOW)
    other = store.laptop("dev_two", NOW)
    assert store.commit([change(laptop, 3), change(other, 2), change(laptop, 4)]) == [True, True, False]
    assert store.commit([change(laptop, 9)]) == [False]
    assert [row.idx for row in store.records(laptop.id, 0, 99)] == [0, 1, 2]
    assert [arrival.brought for arrival in store.arrivals(0, 9)] == [3, 2]


def test_writers_that_race_for_one_laptop_store_each_record_once(store):
    def bring():
        for _ in range(20):
            while True:
                laptop = store.laptop("dev_one", NOW)
                if store.commit([change(laptop, laptop.known.size + 3)]) == [True]:
                    break

    store.laptop("dev_one", NOW)
    threads = [threading.Thread(target=bring) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    laptop = store.laptop("dev_one", NOW)
    assert laptop.known.size == 180
    assert [row.idx for row in store.records(laptop.id, 0, 999)] == list(range(180))


def test_a_laptop_is_entered_once_by_whoever_comes_first(store):
    assert store.laptop("dev_one", NOW, make=False) is None
    found = []
    threads = [threading.Thread(target=lambda: found.append(store.laptop("dev_one", NOW))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {laptop.id for laptop in found} == {store.laptop("dev_one", NOW).id}


def test_a_failure_stores_nothing_of_the_group(store):
    good, bad = store.laptop("dev_one", NOW), store.laptop("dev_two", NOW)
    spoilt = change(bad, 1)
    spoilt = replace(spoilt, rows=[spoilt.rows[0], spoilt.rows[0]])  # one index twice
    with pytest.raises(SQLAlchemyError, match="(?i)unique"):  # the driver's own errors never come through
        store.commit([change(good, 5), spoilt])
    assert list(store.records(good.id, 0, 9)) == []
    assert store.laptop("dev_one", NOW).known.size == 0
    assert store.arrivals(0, 9) == []
    assert store.commit([change(good, 5)]) == [True]


def test_an_error_of_the_database_holds_no_value(store):
    with pytest.raises(SQLAlchemyError) as failed, store.engine.begin() as connection:
        connection.execute(laptops.insert().values(device="Dr Vernicourt", first_seen=None))
    assert "parameters hidden" in str(failed.value)
    assert "Vernicourt" not in str(failed.value) or "DETAIL" in str(failed.value)  # PostgreSQL's words are its own


def test_values_at_their_limits_survive(store):
    laptop = store.laptop("dev_one", NOW)
    made = change(laptop, 1)
    row = Row(laptop.id, 0, (1 << 53) - 1, "é😀" * 16, "", "\u202e", (1 << 53) - 1, bytes(range(256)) * 16, b"\0" * 32)
    assert store.commit([replace(made, rows=[row])]) == [True]
    assert list(store.records(laptop.id, 0, 1)) == [row]


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_any_number_of_records_is_stored_in_order(store, count):
    laptop = store.laptop("dev_one", NOW)
    made = change(laptop, count)
    assert store.commit([made]) == [True]
    assert list(store.records(laptop.id, 0, 999)) == made.rows


def test_facts_are_found_by_indices_whatever_there_is(store):
    """The plan of the query: no table is read whole, and each outcome is looked up by laptop and transfer."""
    for month in (NOW - 40 * DAY_S, NOW - 9 * DAY_S, NOW):
        made = change(laptop := store.laptop("dev_one", NOW), laptop.known.size + 4000, now=month)
        closed = [row._replace(kind="outcome", of=row.idx - 1) if row.idx % 2 else row for row in made.rows]
        assert store.commit([replace(made, rows=closed)]) == [True]
    if store.engine.dialect.name == "postgresql":  # as its autovacuum does
        with store.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
    queries = store._transfers(0, 10)
    assert queries
    for query in queries:
        plan = explained(store, query)
        assert not [line for line in plan if "SCAN" in line or "Seq Scan on events" in line or "AUTOMATIC" in line]
        assert [line for line in plan if "_of" in line]


def explained(store, query):
    compiled = query.compile(store.engine, compile_kwargs={"literal_binds": True})
    sqlite = store.engine.dialect.name == "sqlite"
    with store.engine.connect() as connection:
        found = connection.exec_driver_sql(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + str(compiled))
        return [str(row[-1]) for row in found]


def test_a_transfer_is_one_fact_although_it_was_closed_twice_and_months_later(store):
    laptop = store.laptop("dev_one", NOW)
    started = record.encode(0, 5, 0, "0badcafe", "transfer", "0" * 16, {"decision": "block"})
    closed = [record.encode(index, 9, 0, "0badcafe", "outcome", "0" * 16, {"of": 0, "result": word})
              for index, word in ((1, "done"), (2, "failed"))]  # fmt: skip
    first = replace(change(laptop, 1), rows=[Row(laptop.id, 0, 5, "transfer", "", "block", None, started, None)])
    assert store.commit([first]) == [True]
    laptop = store.laptop("dev_one", NOW)
    later = [Row(laptop.id, at, 9, "outcome", "", "", 0, public, None) for at, public in enumerate(closed, 1)]
    assert store.commit([replace(change(laptop, 3, now=NOW + 40 * DAY_S), rows=later)]) == [True]
    assert [(each.number, each.result) for each in store.facts(0, 10)] == [(0, "done")]


def test_arrivals_are_a_cursor_that_skips_nothing(store):
    for _ in range(7):
        store.commit([change(laptop := store.laptop("dev_one", NOW), laptop.known.size + 2)])
    seen, after = [], 0
    while page := store.arrivals(after, 3):
        seen += [(each.first, each.brought) for each in page]
        after = page[-1].number
    assert seen == [(first, 2) for first in range(0, 14, 2)]


def test_facts_are_transfers_with_their_outcome(store, taking):
    from tests.unit.collector.laptops import START_US, Laptop

    laptop = Laptop()
    laptop.add(act=True, decision="block", judgement="medical")
    laptop.add("outcome", of=0, result="done")
    laptop.add(decision="observe", time_us=START_US + 5)
    laptop.add(decision="observe", time_us=START_US + 10)
    taking.send(laptop.batch())
    found = sorted(store.facts(START_US, START_US + 10), key=lambda each: each.number)
    assert [(each.device, each.number, each.fields["decision"], each.result) for each in found] == [
        ("dev_one", 0, "block", "done"), ("dev_one", 2, "observe", ""),
    ]  # fmt: skip


def test_months_are_of_arrival_and_go_as_a_whole(store):
    laptop = store.laptop("dev_one", NOW)
    for month in range(4):
        now = NOW + month * 31 * DAY_S
        assert store.commit([change(laptop, laptop.known.size + 2, now=now)]) == [True]
        laptop = store.laptop("dev_one", now)
    assert store.months()[-4:] == [202611, 202612, 202701, 202702]
    assert forget_old(store, NOW + (365 + 60) * DAY_S) == [202611, 202612]
    assert [row.idx for row in store.records(laptop.id, 0, 99)] == [4, 5, 6, 7]
    assert [arrival.first for arrival in store.arrivals(0, 9)] == [4, 6]
    assert (store.brought(laptop.id, 99), store.brought(laptop.id, 6), store.brought(99, 99)) == (4, 2, 0)
    assert store.commit([change(laptop, 9, now=NOW)]) == [True]  # the clock went back: the month is made again
    assert forget_old(store, NOW) == []


def test_retention_has_its_limits(store):
    for days in (0, 181, 2000):
        with pytest.raises(UsageError):
            forget_old(store, NOW, days)
    assert expired([202611, 202612], NOW, 365) == []
    assert month_of(0) == 197001


def test_only_one_does_what_is_exclusive(store):
    with store.exclusive("forward") as mine, store.exclusive("other") as others:
        assert (mine, others) == (True, True)
        with store.exclusive("forward") as again:
            assert again == (store.engine.dialect.name == "sqlite")  # the folder's lock says so there
    with store.exclusive("forward") as free:
        assert free


def test_a_second_start_finds_everything_as_it_was(store, tmp_path):
    laptop = store.laptop("dev_one", NOW)
    store.commit([change(laptop, 3)])
    url = "" if store.engine.dialect.name == "sqlite" else store.engine.url.render_as_string(hide_password=False)
    again = open_store(tmp_path, url)
    assert again.laptop("dev_one", NOW) == store.laptop("dev_one", NOW)
    assert again.months() == store.months()
    again.close()


def test_a_database_of_a_newer_version_is_left_alone(store, tmp_path):
    with store.engine.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('9999_future')"))
        if store.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA user_version = 1")
    url = "" if store.engine.dialect.name == "sqlite" else store.engine.url.render_as_string(hide_password=False)
    with pytest.raises(HostError, match="newer version"):
        open_store(tmp_path, url)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite:///elsewhere", "postgresql://"])
def test_addresses_of_databases(tmp_path, url):
    with pytest.raises((UsageError, HostError)):
        open_store(tmp_path, url if url != "postgresql://" else f"postgresql://nobody@/none?host={tmp_path}")


def test_a_backup_is_a_database_of_one_moment(light_store, tmp_path):
    light_store.commit([change(light_store.laptop("dev_one", NOW), 3)])
    (tmp_path / "copy").mkdir()
    back_up(light_store, tmp_path / "copy" / "collector.db")
    assert (tmp_path / "copy" / "collector.db").stat().st_mode & 0o777 == 0o600
    light_store.commit([change(light_store.laptop("dev_one", NOW), 5)])
    copy = open_store(tmp_path / "copy")
    assert copy.laptop("dev_one", NOW).known.size == 3
    copy.close()
    with pytest.raises(UsageError):
        back_up(light_store, tmp_path / "copy" / "collector.db")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir() if "tmp" in path.name) == []


def test_copy_leaves_out_what_postgresql_cannot_hold():
    row = Row(1, 2, 3, "a\0b", "", "", None, b"", None)
    assert b"a\0b" not in packed([row])
    assert b"ab" in packed([row])


def test_a_collector_that_looks_while_another_commits_misses_nothing(postgresql, tmp_path):
    """A number that was given before and is committed later must not be behind a reader's cursor."""
    store = open_store(tmp_path, postgresql())
    laptop = store.laptop("dev_one", NOW)
    with store.engine.connect() as slow:
        slow.begin()
        slow.execute(text("INSERT INTO arrivals (laptop, first, brought, at) VALUES (99, 0, 1, 0)"))
        store.commit([change(laptop, 3)])
        assert store.arrivals(0, 9) == []  # the later one waits for the earlier
        slow.commit()
    assert [arrival.laptop for arrival in store.arrivals(0, 9)] == [99, laptop.id]
    store.close()


def test_a_first_versions_database_is_taken_over(tmp_path):
    """Made by the statements that the first version made, filled as it filled them."""
    import sqlite3

    from agent.audit import chain, tree
    from collector.store.migrations.versions import m0001_first
    from tests.unit.collector.laptops import Laptop
    from tests.unit.collector.taking import Taking

    laptop = Laptop()
    laptop.add(act=True, decision="block", channel="removable")
    laptop.add("outcome", of=0, result="done")
    laptop.fill(5)
    old = sqlite3.connect(tmp_path / "collector.db")
    old.executescript(m0001_first._TABLES)
    for number, (device, count) in enumerate([("dev_one", 7), ("dev_gap", 3)], 1):
        old.execute("INSERT INTO laptops VALUES (?, ?, 1, 2, ?, ?, 0, '{}')", (number, device, 7, laptop.head))
        for index, (public, _) in enumerate(laptop.publics[:count]):
            kind = "outcome" if index == 1 else "transfer"
            old.execute("INSERT INTO events VALUES (?, ?, ?, ?, '', '', '', ?, NULL)", (number, index, 5, kind, public))
    old.execute("INSERT INTO alerts VALUES (1, 1, 'fork', 3, 1, 1, 1)")
    old.commit()
    old.close()
    store = open_store(tmp_path)
    frontier = []
    tree.extend(frontier, [chain.leaf(public) for public, _ in laptop.publics])
    whole, holed = store.laptop("dev_one", NOW).known, store.laptop("dev_gap", NOW).known
    assert (whole.size, whole.head, whole.frontier) == (7, laptop.head, b"".join(tree.packed(frontier)))
    assert holed.frontier is None
    assert [row.of for row in store.records(1, 0, 9)] == [None, 0, None, None, None, None, None]
    assert store.laptop("dev_one", NOW).known.seals == b""
    taking = Taking(store)
    laptop.fill(2)
    assert taking.send(laptop.batch(5)).size == 9
    taking.close()
    assert len(list(store.records(1, 0, 99))) == 9
    store.close()
