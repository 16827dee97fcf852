"""Who the patients of a text are: by birth date, by number, by the practice's list, by the entries of a list, by name.

Owns the choice between these ways to count: the one that tells of most persons is believed. Takes what the pages show
of a text that was judged medical, returns opaque keys, for counting only; they never leave the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.detection import heads, pairs, told
from agent.detection.evidence import Evidence
from agent.detection.judged import NAMED
from agent.detection.sole import is_of_one, one

_ENTRIES = 64  # pages whose entries are counted
_SEVERAL = 3  # lines with different persons and something clinical that make a list of patients
_BESIDES = "+pair"  # the key of whom a record is about besides: the newborn, the other of a couple


class About(NamedTuple):
    """One key a patient, and how many entries a list has, whoever stands in it."""

    persons: frozenset[str]
    entries: int


NOBODY = About(frozenset(), 0)


def about_whom(
    pages: Sequence[Evidence], cased: Sequence[bytes], numbers: frozenset[str], listed: frozenset[str], *, in_rows: bool
) -> About:
    """The patients of a text: ``cased`` are its folded pages, ``numbers`` those of patients on them, ``listed`` the
    keys of the practice's list. ``in_rows``: they stand in tables, whose rows are counted elsewhere.
    """
    births = frozenset(birth for page in pages for birth in page.births if page.named_births)
    rows = frozenset(who.decode("ascii", "replace") for page in pages for who in page.row_names)
    entries = frozenset[str]()
    sole = is_of_one(pages, births, numbers)
    if not in_rows:
        entries = heads.patients(cased[:_ENTRIES], sole=sole)
        entries = entries if sole else told.added(entries, [who for page in pages for who in page.told])
    known = max(births, listed, rows if len(rows) >= _SEVERAL and not sole else frozenset(), entries, key=len)
    persons = known or numbers or one(pages)
    if max(len(known), len(numbers)) < pairs.least(page.lower() for page in cased[:_ENTRIES]) > 1:
        named = all(who.startswith(NAMED) for who in persons)
        persons |= {(NAMED if named else "") + _BESIDES}
    return About(persons, len(entries))
