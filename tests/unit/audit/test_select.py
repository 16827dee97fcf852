import pytest

from agent.audit.select import Selection

RECORD = {"i": 7, "t": 1000, "k": "transfer", "channel": "removable", "decision": "block"}


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(kinds=frozenset(("transfer",)), channels=frozenset(("removable",)), decisions=frozenset(("block",))),
        Selection(since=1000, until=1001, first=7, last=7),
    ],
)
def test_matches(selection):
    assert selection.matches(RECORD)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(kinds=frozenset(("start",))),
        Selection(channels=frozenset(("downloads",))),
        Selection(decisions=frozenset(("observe",))),
        Selection(since=1001),
        Selection(until=1000),
        Selection(first=8),
        Selection(last=6),
    ],
)
def test_does_not_match(selection):
    assert not selection.matches(RECORD)


def test_a_record_without_the_field_does_not_match_a_wish_for_it():
    assert not Selection(channels=frozenset(("removable",))).matches({"i": 1, "t": 1, "k": "start"})
