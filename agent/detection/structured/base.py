"""What every recogniser of a structured clinical format returns, and the persons it speaks of.

Each format module hands over ``Person`` values and gets a ``Recognised`` back; the detector combines it. Names and
identifiers stay in memory: only counts, weights and masked samples leave. This module reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.detection.structured.markers import fold_name, is_merge_field, is_placeholder, is_test_person, mask_name
from agent.document import Problem
from agent.findings import Finding, FindingType, Kind

CERTAIN = 0.995  # the format's own structure with a populated identity
STRONG = 0.97  # the format is sure, the patient is implied
LIKELY = 0.85  # parts of the structure are missing or broken

# nats of log-odds towards "medical"
WEIGHT_PATIENT = 9.0
WEIGHT_CLINICAL = 5.0
WEIGHT_DEFINITION = -6.0
WEIGHT_TEST = 0.0
WEIGHT_DEIDENTIFIED = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A patient as one document names them; every field is hostile text and stays in memory."""

    family: str = ""
    given: str = ""
    birth: str = ""  # as written, digits are compared only
    identifiers: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether there is a name that is not a stand-in such as ANONYMOUS."""
        return not (is_placeholder(self.family) and is_placeholder(self.given))

    @property
    def recognisable(self) -> bool:
        """Whether a particular person can be told from this: a name, or an identifier that is not a stand-in."""
        return self.named or any(not is_placeholder(value) for value in self.identifiers)

    @property
    def unfilled(self) -> bool:
        """Whether all that stands here are the fields of a template."""
        told = [value for value in (self.family, self.given, self.birth, *self.identifiers) if value.strip()]
        return any(map(is_merge_field, told[:1])) and all(map(is_merge_field, told))

    @property
    def key(self) -> str:
        """Same person, same key: name and birth date, else the first identifier, else the birth date."""
        birth = "".join(character for character in self.birth if character.isdigit())[:8]
        if self.named:
            return f"{fold_name(self.family)}|{fold_name(self.given).partition(' ')[0]}|{birth}"
        for value in self.identifiers:
            if not is_placeholder(value):
                return f"#{fold_name(value)}"
        return f"?{birth}"


@dataclass(frozen=True, slots=True)
class Recognised:
    """A structured clinical format was recognised.

    ``patient_data`` False: the format, but nobody's data (a definition, a schema, an acknowledgement, a directory).
    ``identified``: a particular person can be told. ``persons``: opaque keys, for counting only, never shown.
    ``confidence`` is the probability (0 to 1) that ``patient_data`` is right. ``anonymous`` counts the persons that are
    told apart by a pseudonym only. ``problem``: the head says clinical format and the rest could not be read.
    """

    kind: Kind
    patient_data: bool
    identified: bool = False
    persons: frozenset[str] = field(default=frozenset(), repr=False)  # a traceback or a log must not show them
    test_data: bool = False
    deidentified: bool = False
    items: tuple[Finding, ...] = ()
    confidence: float = STRONG
    anonymous: int = 0
    problem: Problem | None = None
    people: tuple[Person, ...] = field(default=(), repr=False)  # to be looked up in the practice's patient list


def nobody(kind: Kind, confidence: float = STRONG, *, why: FindingType = FindingType.DEFINITION) -> Recognised:
    """The format without a patient: definitions, schemas, acknowledgements, staff directories, animals."""
    return Recognised(
        kind=kind, patient_data=False, items=(Finding(why, weight=WEIGHT_DEFINITION),), confidence=confidence
    )


def unclear(kind: Kind) -> Recognised:
    """A clinical format by its head, cut or broken before anything tells whether it is about a patient: that is not
    « not medical ».
    """
    return Recognised(kind=kind, patient_data=False, confidence=LIKELY, problem=Problem.CORRUPT)


def about(
    kind: Kind,
    people: Iterable[Person],
    *,
    clinical: int = 0,
    test_data: bool = False,
    deidentified: bool = False,
    confidence: float = CERTAIN,
    identifier_type: FindingType | None = None,
    anonymous: int = 0,
) -> Recognised:
    """Data of patients. ``clinical`` counts clinical entries; ``identifier_type`` names a known identifier if seen;
    ``anonymous`` counts persons known by a pseudonym only.

    The document is test data when it says so, or when everyone in it bears a reserved name.
    """
    people = list(people)
    if people and all(person.unfilled for person in people):
        return nobody(kind)  # a template: no person has been put into it
    known = [person for person in people if person.recognisable]
    test = test_data or bool(known and all(is_test_person(person.family, person.given) for person in known))
    keys = frozenset(person.key for person in known)
    items: list[Finding] = []
    if known:
        sample = mask_name(known[0].family or known[0].given)
        items.append(Finding(FindingType.STRUCTURED_PATIENT, len(keys), weight=WEIGHT_PATIENT, sample=sample))
    if clinical or not known:
        items.append(Finding(FindingType.STRUCTURED_CLINICAL, max(clinical, 1), weight=WEIGHT_CLINICAL))
    if identifier_type is not None:
        items.append(Finding(identifier_type, weight=WEIGHT_CLINICAL))
    if test:
        items.append(Finding(FindingType.TEST_MARKER, weight=WEIGHT_TEST))
    if deidentified:
        items.append(Finding(FindingType.DEIDENTIFIED, weight=WEIGHT_DEIDENTIFIED))
    return Recognised(
        kind=kind,
        patient_data=True,
        identified=bool(known) and not deidentified,
        persons=keys,
        test_data=test,
        deidentified=deidentified,
        items=tuple(items),
        confidence=confidence,
        anonymous=anonymous,
        people=() if deidentified else tuple(known),
    )
