"""What the first page counts: documents once, also those that are looked at twice because they are pictures."""

import time

from collector import queries
from tests.unit.collector.laptops import Laptop


def test_a_picture_that_was_looked_at_twice_is_one_document(send, engine):
    laptop, now = Laptop(), time.time_ns() // 1000
    laptop.add(judgement="not_medical", decision="observe", time_us=now)
    laptop.add(judgement="undecidable", decision="observe", problem="image", pictures="unread", time_us=now)
    laptop.add(judgement="medical", decision="block", pictures="read", act=True, time_us=now)
    send(laptop.batch())
    assert queries.today(engine, now) == queries.Today(documents=2, medical=1, held=1)


def test_what_was_judged_on_another_day_is_not_of_today(send, engine):
    laptop, now = Laptop(), time.time_ns() // 1000
    for days in (-40, -1, 0, 40):
        laptop.add(judgement="medical", decision="block", time_us=now + days * 86_400_000_000)
    send(laptop.batch())
    assert queries.today(engine, now) == queries.Today(documents=1, medical=1, held=1)
