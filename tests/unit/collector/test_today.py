"""What the first page counts: documents once, also those that are looked at twice because they are pictures."""

import time

import pytest

from collector import queries
from collector.pages import records
from tests.unit.collector.laptops import Laptop


def test_a_picture_that_was_looked_at_twice_is_one_document(send, engine):
    laptop, now = Laptop(), time.time_ns() // 1000
    laptop.add(judgement="not_medical", decision="observe", time_us=now)
    laptop.add(judgement="undecidable", decision="observe", problem="image", pictures="unread", time_us=now)
    laptop.add(judgement="medical", decision="block", pictures="read", act=True, time_us=now)
    send(laptop.batch())
    assert queries.today(engine, now) == queries.Today(documents=2, medical=1, held=1)


@pytest.fixture
def paris(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25), (2026, 11, 23)])
def test_the_day_of_both_pages_begins_at_midnight_also_when_the_clocks_are_changed(
    paris, light_store, monkeypatch, day
):
    noon, begins = (int(time.mktime((*day, hour, 0, 0, 0, 0, -1))) for hour in (12, 0))
    asked = []
    monkeypatch.setattr(records.time, "time", lambda: noon)
    monkeypatch.setattr(
        records.queries, "today", lambda _, since: asked.append(since) or queries.Today(documents=0, medical=0, held=0)
    )
    records.laptops_page(light_store.engine, "fr")
    assert asked == [begins * 1_000_000]
    assert records.midnight(noon) == begins


def test_what_was_judged_on_another_day_is_not_of_today(send, engine):
    laptop, now = Laptop(), time.time_ns() // 1000
    for days in (-40, -1, 0, 40):
        laptop.add(judgement="medical", decision="block", time_us=now + days * 86_400_000_000)
    send(laptop.batch())
    assert queries.today(engine, now) == queries.Today(documents=1, medical=1, held=1)
