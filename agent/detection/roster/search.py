"""A document against the list: texts, tables, the persons of structured formats, numbers found with their label.

Owns the closeness that makes a hit (a name between the dates around its own, the same row) and the bound on the work
of one document. Takes texts and rows, returns ``Listed``: persons as places in the list. Judges nothing: what a hit
means is combine.py's and listed.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.detection import masking
from agent.detection.fold import fold
from agent.detection.identifiers.base import Hit
from agent.detection.roster.dates import dates_of, find_dates, read_date
from agent.detection.roster.lookup import Roster
from agent.detection.roster.names import candidates, capital_words, close_words, family_forms, given_forms
from agent.findings import FindingType

REACH = 600  # characters between a labelled birth date and the name it belongs to
_BARE_REACH = 240  # ... and a date that no word calls a birth date
_NEAR = 120  # characters around a date in which words without capitals are read as names too
_TOGETHER = 60  # characters between family and given name: « Nom : LE GALL      Prénom : Jeanne »
_PLACES = 4  # of one family name in the stretch of one date
_LABEL = re.compile(
    rb"(?:\bnee?|naiss[a-z]*|\bd\.?d\.?n|\bdob|birth[a-z]*|\bborn|\bgeb[a-z]*|\bnat[oa]|\bnacid[oa]|\bnac[a-z]*)\b[^0-9]{0,30}$"
)
MAX_QUESTIONS = 200_000  # of one document: a quarter of a second
_MAX_ROWS = 5_000
_MAX_PEOPLE = 2_000
_ROW = 2_000  # characters of a row


@dataclass(frozen=True, slots=True)
class Listed:
    """Patients of the list that were found. ``persons``: place in the list → birth date as the document gives it ("" by
    a number alone). ``dates`` counts the distinct dates looked at. ``sample`` is masked.
    """

    persons: dict[int, str] = field(default_factory=dict, repr=False)
    dates: int = 0
    sample: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """One opaque key a person: the birth date, which other parts of the detection count by, where it tells."""
        births = list(self.persons.values())
        return frozenset(
            birth if birth and births.count(birth) == 1 else f"{birth}#{person}"
            for person, birth in self.persons.items()
        )


def combined(found: Iterable[Listed]) -> Listed:
    """Several pages or tables together."""
    persons: dict[int, str] = {}
    dates, sample = 0, ""
    for each in found:
        for person, birth in each.persons.items():
            persons[person] = birth or persons.get(person, "")
        dates += each.dates
        sample = sample or each.sample
    return Listed(persons, dates, sample)


@dataclass(frozen=True, slots=True)
class _Date:
    start: int
    end: int
    written: bytes
    births: tuple[bytes, ...]  # those of the list that may be meant


class Search:
    """One document's questions to the list; made anew for each document."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._left = MAX_QUESTIONS
        self._dates: dict[bytes, tuple[bytes, ...]] = {}  # as written → birth dates of the list
        self._surnames: dict[bytes, bool] = {}

    def text(self, cased: bytes, hits: Iterable[Hit] = (), *, names: bool = True) -> Listed:
        """The patients of one page (folded, case kept): by name beside the birth date, or by a number in ``hits``.

        ``names`` False where the page repeats tables: a row tells better than a page who was born when.
        """
        dates = [_Date(start, end, shown, self._births(shown)) for start, end, shown in find_dates(cased)]
        listed = any(date.births for date in dates)
        persons, sample = self._page(cased, dates) if listed and names else ({}, "")
        births = tuple({birth for date in dates for birth in date.births})
        for person in self._numbers(hits, births):
            persons.setdefault(person, "")
        return Listed(persons, len({date.written for date in dates}), sample)

    def rows(self, rows: Sequence[Sequence[str]]) -> Listed:
        """The patients of a table: name and birth date in the same row."""
        persons: dict[int, str] = {}
        dates, sample = 0, ""
        for row in rows[:_MAX_ROWS]:
            cased = fold("\n".join(row)[:_ROW]).cased
            found = list(find_dates(cased))
            dates += bool(found)
            births = tuple({date for _, _, shown in found for date in self._births(shown)})
            if births:
                words = candidates([*close_words(cased, 0, len(cased)), *capital_words(cased, 0, len(cased))])
                here, shown_name = self._named_here(self._families(words, births), words)
                persons |= here
                sample = sample or shown_name
        return Listed(persons, dates, sample)

    def people(self, people: Iterable[tuple[str, str, str, Sequence[str]]]) -> Listed:
        """The patients among persons of a structured format: (family, given, birth, identifiers) as written."""
        persons: dict[int, str] = {}
        dates, sample = 0, ""
        for number, (family, given, birth, identifiers) in enumerate(people):
            if number >= _MAX_PEOPLE:
                break
            births = tuple(date for date in map(str.encode, dates_of(birth)) if self._roster.born(date))
            dates += bool(birth)
            found = self._listed_name(family, given, births) or self._identified(identifiers, births)
            persons |= found
            if found:
                sample = sample or masking.name(b" ".join((*family_forms(family)[:1], *given_forms(given)[:1])))
        return Listed(persons, dates, sample)

    def _listed_name(self, family: str, given: str, births: tuple[bytes, ...]) -> dict[int, str]:
        for date in births:
            for one in family_forms(family):
                for other in given_forms(given):
                    person = self._roster.named(one, other, date)
                    if person is not None:
                        return {person: date.decode()}
        return {}

    def _identified(self, identifiers: Sequence[str], births: tuple[bytes, ...]) -> dict[int, str]:
        for value in identifiers[:8]:
            person = self._roster.by_nir(value)
            if person is None:
                person = self._roster.by_record(value, births)
            if person is not None:
                return {person: births[0].decode() if births else ""}
        return {}

    def _numbers(self, hits: Iterable[Hit], dates: tuple[bytes, ...]) -> Iterable[int]:
        for hit in hits:
            person = None
            if hit.type in {FindingType.NIR, FindingType.INS}:
                person = self._roster.by_nir(hit.value)
            elif hit.type in {FindingType.IPP, FindingType.NDA}:
                person = self._roster.by_record(hit.value, dates)
            if person is not None:
                yield person

    def _births(self, written: bytes) -> tuple[bytes, ...]:
        """Which birth dates of the list a date as written may be."""
        known = self._dates.get(written)
        if known is None:
            known = tuple(iso for iso in map(str.encode, read_date(written)) if self._roster.born(iso))
            self._dates[written] = known
        return known

    def _page(self, cased: bytes, dates: Sequence[_Date]) -> tuple[dict[int, str], str]:
        """Each date of the list with the names of its own stretch of the page."""
        persons: dict[int, str] = {}
        sample = ""
        lines = cased.lower()
        labelled = [_LABEL.search(lines, max(0, date.start - 50), date.start) is not None for date in dates]
        for number, date in enumerate(dates):
            if not date.births or self._left <= 0:
                continue
            low, high = _stretch(dates, labelled, number, len(cased))
            if not labelled[number]:
                low, high = _own_line(cased, date, low, high)
            close = close_words(cased, max(low, date.start - _NEAR), min(high, date.end + _NEAR))
            words = candidates([*close, *capital_words(cased, low, high)])
            self._left -= len(words) // 4 + 1
            for family, birth in self._families(words, date.births):
                for place in sorted(set(words[family]))[:_PLACES]:
                    first, last = max(low, place - _TOGETHER), min(high, place + len(family) + _TOGETHER)
                    if not labelled[number]:  # in a list, what stands behind a date is the next one's
                        first, last = (first, min(last, date.start)) if place < date.start else (date.end, last)
                    around = [*close_words(cased, first, last), *capital_words(cased, first, last)]
                    found, shown = self._named_here([(family, birth)], candidates(around))
                    persons |= found
                    sample = sample or shown
        return persons, sample

    def _families(self, words: Iterable[bytes], dates: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
        """Which of ``words`` is the family name of a patient born on one of ``dates``."""
        if self._left <= 0:
            return []
        found = [word for word in words if self._surname(word)]
        self._left -= len(found) * len(dates) + 1
        found.sort(key=len, reverse=True)  # the whole of a compound before its parts
        return [(word, date) for word in found for date in dates if self._roster.family(word, date)]

    def _named_here(
        self, families: Iterable[tuple[bytes, bytes]], words: Mapping[bytes, list[int]]
    ) -> tuple[dict[int, str], str]:
        """The patients one of whose given names is among ``words`` as well, with their birth dates; a masked sample."""
        persons: dict[int, str] = {}
        sample = ""
        for family, date in families:
            if self._left <= 0:
                break
            self._left -= 10
            for given, places in words.items():
                person = self._roster.named(family, given, date)
                if person is not None and (given != family or len(set(places)) > 1):  # THOMAS Thomas is two words
                    persons[person] = date.decode()
                    sample = sample or masking.name(family + b" " + given)
        return persons, sample

    def _surname(self, word: bytes) -> bool:
        known = self._surnames.get(word)
        if known is None:
            self._left -= 1
            known = self._surnames[word] = self._roster.surname(word)
        return known


def _stretch(dates: Sequence[_Date], labelled: Sequence[bool], number: int, size: int) -> tuple[int, int]:
    """Where the name of a birth date may stand: from the date before it to the date behind it, and not too far.

    A date that is called a birth date is not cut off by dates of other sorts; in a list each line has its own.
    """
    date, label = dates[number], labelled[number]
    reach = REACH if label else _BARE_REACH
    low, high = max(0, date.start - reach), min(size, date.end + reach)
    for before in range(number - 1, -1, -1):
        if dates[before].end <= low:
            break
        if labelled[before] or not label:
            low = dates[before].end
            break
    for behind in range(number + 1, len(dates)):
        if dates[behind].start >= high:
            break
        if labelled[behind] or not label:
            high = dates[behind].start
            break
    return low, high


def _own_line(cased: bytes, date: _Date, low: int, high: int) -> tuple[int, int]:
    """The line of a date that nothing calls a birth date, when names may stand on it; else the stretch as it is."""
    first = max(low, cased.rfind(b"\n", 0, date.start) + 1)
    end = cased.find(b"\n", date.end)
    last = min(high, end) if end >= 0 else high
    return (first, last) if len(capital_words(cased, first, last)) >= 2 else (low, high)
