"""What the practice's patient list adds to the judgement of a node: certainty about whom it is, and lists of patients.

The list makes a document identified with certainty, whatever else it says of a person. Whether it is medical still
needs clinical content, less than otherwise (combine.py has the weights) — but a listing of several patients of one
practice with their birth dates is patient data by itself: it says who is under care there. Takes a ``Judged`` and what
was found, returns a ``Judged``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.detection import combine
from agent.detection.judged import Judged
from agent.detection.roster.search import Listed, Search, combined
from agent.detection.structured.base import Person
from agent.document import Area, Document, Spot
from agent.findings import Finding, FindingType, Kind

LISTING = 5  # listed patients from which a listing is patient data: more than a family's papers name
_LISTING_PROBABILITY = 0.97
_WEIGHT = 12.0  # nats, as in combine.py
_MAX_TABLES = 200


def with_people(judged: Judged, people: Sequence[Person], search: Search | None) -> Judged:
    """The persons of a structured format, looked up in the list."""
    if search is None or not people:
        return judged
    found = search.people((person.family, person.given, person.birth, person.identifiers) for person in people)
    if not found.persons:
        return judged
    return replace(
        judged, identified=True, listed=found, items=(*judged.items, _item(found, Spot(Area.FIELD)))
    )  # fmt: skip


def with_list(node: Document, judged: Judged, search: Search | None) -> Judged:
    """The tables of a node, looked up in the list, and what follows from them and from its text."""
    if search is None:
        return judged
    tables = combined([search.rows(rows) for rows in node.tables[:_MAX_TABLES]])
    if tables.persons:
        shown = any(item.type is FindingType.ROSTER for item in judged.items)
        items = judged.items if shown else (*judged.items, _item(tables, Spot(Area.SHEET)))
        medical = judged.probability >= combine.MEDICAL
        judged = replace(
            judged,
            items=items,
            identified=judged.identified or medical,
            listed=combined((tables, judged.listed)),
            persons=max(judged.persons, tables.keys, key=len) if medical else judged.persons,
        )
    best = max(tables, judged.listed, key=lambda found: len(found.persons))
    return _as_listing(judged, best) if is_listing(best) else judged


def is_listing(found: Listed) -> bool:
    """Several patients of the practice, and they are most of those who stand there with a birth date.

    The members of a club may be patients too; they are few among many.
    """
    count = len(found.persons)
    return count >= LISTING and 2 * count >= found.dates


def _as_listing(judged: Judged, found: Listed) -> Judged:
    medical = judged.probability >= combine.MEDICAL
    return replace(
        judged,
        probability=max(judged.probability, _LISTING_PROBABILITY),
        kind=judged.kind if medical and judged.kind is not Kind.OTHER else Kind.PATIENT_TABLE,
        identified=True,
        persons=max(judged.persons, found.keys, key=len) if medical else found.keys,
        anonymous=0,
    )


def _item(found: Listed, spot: Spot) -> Finding:
    return Finding(FindingType.ROSTER, len(found.persons), spot, _WEIGHT, found.sample)
