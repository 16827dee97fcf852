"""What the first page counts: documents once, also those that are looked at twice because they are pictures."""

from collector import queries
from tests.unit.collector.laptops import START_US, Laptop


def test_a_picture_that_was_looked_at_twice_is_one_document(send, engine):
    laptop = Laptop()
    laptop.add(judgement="not_medical", decision="observe")
    laptop.add(judgement="undecidable", decision="observe", problem="image", pictures="unread")
    laptop.add(judgement="medical", decision="block", pictures="read", act=True)
    send(laptop.batch())
    assert queries.today(engine, START_US) == queries.Today(documents=2, medical=1, held=1)
