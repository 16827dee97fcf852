"""The questions that can be put to the list: is this a birth date of it, a family name of that day, this patient?

Owns the list as the worker holds it: numbers, some 250 bytes a patient. Answers are places in the list (``int``),
which tell persons apart and name nobody. Never changes
after it was made, and keeps nothing of what it was asked.
"""

from __future__ import annotations

from bisect import bisect_left

from agent.detection.roster.digests import Digests
from agent.detection.roster.index import Index, decode_index
from agent.detection.roster.numbers import nir_form, record_form, sure


class Roster:
    """A patient list that can be asked. ``open`` makes one of a file's bytes and its key."""

    def __init__(self, index: Index, key: bytes) -> None:
        self._births = frozenset(index.births)  # asked of every word and date: a search would cost ten times as much
        self._surnames = frozenset(index.surnames)
        self._families = frozenset(index.families)
        self._entries, self._whose = index.entries, index.whose
        self._digests = Digests(key)

    @classmethod
    def open(cls, data: bytes, key: bytes) -> Roster:
        """Raises UntrustedInputError when the bytes are no list of this key."""
        return cls(decode_index(data, key), key)

    def born(self, date: bytes) -> bool:
        """Whether a patient of the list was born that day."""
        return self._digests.birth(date) in self._births

    def surname(self, family: bytes) -> bool:
        """Whether a patient of the list bears this family name."""
        return self._digests.surname(family) in self._surnames

    def family(self, family: bytes, date: bytes) -> bool:
        """Whether a patient born that day bears this family name."""
        return self._digests.family(family, date) in self._families

    def named(self, family: bytes, given: bytes, date: bytes) -> int | None:
        """The patient of this name and birth date."""
        return self._patient(self._digests.name(family, given, date))

    def by_nir(self, number: str) -> int | None:
        """The patient of this social security or national health number, with or without its key."""
        form = nir_form(number)
        return self._patient(self._digests.nir(form)) if form else None

    def by_record(self, number: str, dates: tuple[bytes, ...] = ()) -> int | None:
        """The patient whom the practice gave this number: by itself when it is long, else with the birth date."""
        form = record_form(number)
        if not form:
            return None
        if sure(form):
            return self._patient(self._digests.record(form))
        found = (self._patient(self._digests.dated_record(form, date)) for date in dates)
        return next((patient for patient in found if patient is not None), None)

    def _patient(self, digest: int) -> int | None:
        entries = self._entries
        place = bisect_left(entries, digest)
        return self._whose[place] if place < len(entries) and entries[place] == digest else None
