"""Patients → digests → one list; and two lists into one. Pure.

Owns which combinations of a patient's names are entered: every family name with every given name, with the birth date.
Rows that share one of these are the same patient. Takes ``Patient`` values, returns an ``Index``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from agent.detection.roster.digests import Digests
from agent.detection.roster.index import MAX_PATIENTS, Index
from agent.detection.roster.numbers import sure
from agent.patients.rows import Patient


class Gathering:
    """Takes patients one by one; ``index`` is the list of all of them."""

    def __init__(self, key: bytes) -> None:
        self._digests = Digests(key)
        self._births: set[int] = set()
        self._surnames: set[int] = set()
        self._families: set[int] = set()
        self._entries: dict[int, int] = {}  # digest → the patient's own digest
        self._patients: set[int] = set()

    @property
    def patients(self) -> int:
        return len(self._patients)

    @property
    def full(self) -> bool:
        """Whether there is no room for another patient."""
        return len(self._patients) >= MAX_PATIENTS

    def add(self, patient: Patient) -> bool:
        """Enter a patient; False when one of the names with the birth date is entered already: the same one again."""
        digests = self._digests
        names = [
            digests.name(family, given, birth)
            for birth in patient.births for family in patient.families for given in patient.givens
        ]  # fmt: skip
        numbers = [*([digests.nir(patient.nir)] if patient.nir else ()), *self._records(patient)]
        entries = names + numbers
        if not entries:
            return False
        # a number tells the patient only where there is no name: children are exported with their parent's number
        owner = next((self._entries[entry] for entry in names or numbers if entry in self._entries), None)
        self._births.update(map(digests.birth, patient.births))
        self._surnames.update(map(digests.surname, patient.families))
        self._families.update(digests.family(family, day) for day in patient.births for family in patient.families)
        for entry in entries:
            self._entries.setdefault(entry, entries[0] if owner is None else owner)
        self._patients.add(entries[0] if owner is None else owner)
        return owner is None

    def _records(self, patient: Patient) -> Iterable[int]:
        for record in patient.records:
            if sure(record):
                yield self._digests.record(record)
            else:
                yield from (self._digests.dated_record(record, birth) for birth in patient.births)

    def index(self, loaded: int = 0) -> Index:
        """The list so far; ``loaded`` in seconds since 1970."""
        return _index(self._births, self._surnames, self._families, self._entries, self._patients, loaded)


def merged(old: Index, new: Index) -> Index:
    """Both lists in one, dated as the new one. A patient of the new one whose own entry the old one has is the same."""
    owners = {entry: old.patients[place] for entry, place in zip(old.entries, old.whose, strict=True)}
    same = {patient: owners.get(patient, patient) for patient in new.patients}
    for entry, place in zip(new.entries, new.whose, strict=True):
        owners.setdefault(entry, same[new.patients[place]])
    births, surnames = {*old.births, *new.births}, {*old.surnames, *new.surnames}
    families = {*old.families, *new.families}
    return _index(births, surnames, families, owners, {*old.patients, *same.values()}, new.loaded)


def _index(
    births: Iterable[int],
    surnames: Iterable[int],
    families: Iterable[int],
    entries: dict[int, int],
    patients: Iterable[int],
    loaded: int,
) -> Index:
    own = sorted(patients)
    place = {digest: number for number, digest in enumerate(own)}
    digests = sorted(entries)
    return Index(
        births=array("Q", sorted(births)),
        surnames=array("Q", sorted(surnames)),
        families=array("Q", sorted(families)),
        entries=array("Q", digests),
        whose=array("I", (place[entries[digest]] for digest in digests)),
        patients=array("Q", own),
        loaded=loaded,
    )
