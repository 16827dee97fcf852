"""The same findings come in the same order, in whatever order they were found: sets have no say in an answer."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

from agent.detection.verdicts import _items
from agent.document import Area, Spot
from agent.findings import Finding, FindingType

FOUND = (
    Finding(FindingType.LEGAL, weight=-0.15),
    Finding(FindingType.INVOICE, weight=-0.15),
    Finding(FindingType.TERM, spot=Spot(Area.PAGE, 2), weight=0.15),
    Finding(FindingType.TERM, spot=Spot(Area.PAGE, 1), weight=0.15),
    Finding(FindingType.TITLE, weight=3.2),
)


def test_equal_weights_have_one_order() -> None:
    orders = {_items([SimpleNamespace(items=given)], None) for given in itertools.permutations(FOUND)}
    assert len(orders) == 1
    assert orders.pop()[0].type is FindingType.TITLE
