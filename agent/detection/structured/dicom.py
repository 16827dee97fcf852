"""DICOM: the header fields that the extraction read ("gggg,eeee" → text) to what they say of a patient.

Standard: PS3.3 C.7.1.1 (Patient), PS3.15 annex E (de-identification), PS3.3 C.7.1.4 (veterinary), PS3.3 F (DICOMDIR). A
claim of de-identification is believed only when the name and birth date are gone and no text is burnt into the pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.detection.structured.base import CERTAIN, LIKELY, STRONG, Person, Recognised, about, nobody
from agent.detection.structured.markers import fold_name, is_placeholder
from agent.findings import FindingType, Kind

_DICOMDIR = "1.2.840.10008.1.3.10"
# classes about a device, a protocol or a display, not about a patient: PS3.4 annex B.5 "non-patient" storage
_NON_PATIENT = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.(?:38\.1|39\.1|43\.1|44\.1|45\.1|1\.1\.200\.[137]|1\.1\.201\.1)")
_ECG = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\.(?:1\.|[2-6])")
_EEG = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\.7\.")
_HUMAN = re.compile(r"human|homo\s*sapiens|humain|337915000|l-85b00", re.IGNORECASE)
_DUMMY_BIRTH = frozenset({"", "19000101", "00010101", "00000000", "18500101", "19700101"})
_MOST = 10_000  # persons counted
_NO_NAMES = frozenset("PATIENT PATIENTE NOM NAME PRENOM ANONYME ANONYMOUS ANONYM ANON ANONIMO ANONIEM".split())  # noqa: SIM905
_THINGS = frozenset("PHANTOM PHANTOMS FANTOME FANTOM FANTOMA PHANTOME".split())  # noqa: SIM905
_TRIALS = frozenset("TEST TESTS ESSAI ESSAIS QA QC AQ CQ QUALITE QUALITY CONTROLE CONTROL CALIBRATION".split())  # noqa: SIM905
_ROOMS = frozenset(
    "IRM MR MRI CT SCANNER TDM US ECHO RX DX CR MG MAMMO PET TEP NM PATIENT DAILY WEEKLY DE DU ASSURANCE SERVICE "  # noqa: SIM905
    "GE SIEMENS PHILIPS CANON TOSHIBA HITACHI EAU WATER DOSE TECHNIQUE MACHINE SALLE".split()
)
_CLINICAL = ("0008,1030", "0008,103E", "0008,0060", "0010,21B0", "0018,0015", "0032,1060", "0040,A730", "5400,0100")


def recognise_dicom(fields: Mapping[str, str], patients: Sequence[Sequence[str]] = ()) -> Recognised:
    """Judge a DICOM file. ``fields``: "gggg,eeee" → value, several values joined by a backslash or a line break.

    ``patients``: name, number and birth date of each PATIENT record of a directory, or of each study of a list.
    """
    tags = {tag.upper().replace(" ", ""): value.strip().strip("\0") for tag, value in fields.items()}
    sop_class = tags.get("0002,0002", "") or tags.get("0008,0016", "")
    if _NON_PATIENT.fullmatch(sop_class) and not tags.get("0010,0010"):
        return nobody(Kind.DICOM)
    if _is_animal(tags):
        return nobody(Kind.DICOM, STRONG, why=FindingType.VETERINARY)
    people = _listed(patients) or _people(tags)
    removed = _removed(tags, people) or _in_trial(tags, people)
    anonymous = removed or not any(person.recognisable for person in people)
    clinical = sum(1 for tag in _CLINICAL if tags.get(tag))
    confidence = CERTAIN if any(person.recognisable for person in people) else STRONG
    if sop_class == _DICOMDIR and anonymous:
        confidence = LIKELY
    return about(
        _kind(sop_class),
        [] if anonymous else people,
        clinical=max(clinical, 1),
        test_data=bool(people) and all(_is_phantom(person) for person in people),
        deidentified=removed,
        confidence=confidence,
    )


def _kind(sop_class: str) -> Kind:
    if _ECG.match(sop_class):
        return Kind.ECG
    return Kind.EEG if _EEG.match(sop_class) else Kind.DICOM


def _is_animal(tags: Mapping[str, str]) -> bool:
    """Species, breed or a responsible owner stand in the veterinary attributes (a human species excepted)."""
    species = tags.get("0010,2201", "") or tags.get("0010,2202", "")
    if species:
        return not _HUMAN.search(species)
    return bool(tags.get("0010,2292")) or tags.get("0010,2298", "").upper() == "OWNER"


def _people(tags: Mapping[str, str]) -> list[Person]:
    """The person of the header; a data set that names several holds them as values of the same elements."""
    names = _several(tags.get("0010,0010", ""))
    numbers = _several(tags.get("0010,0020", ""))
    births = _several(tags.get("0010,0030", ""))
    people = []
    for index in range(max(len(names), len(numbers), 1)):
        name, number, birth = (values[index] if index < len(values) else "" for values in (names, numbers, births))
        people.append(_person(name, number, birth))
    return people[:_MOST]


def _listed(patients: Sequence[Sequence[str]]) -> list[Person]:
    return [_person(*(value.strip() for value in row)) for row in patients[:_MOST] if len(row) == 3]


def _person(name: str, number: str, birth: str) -> Person:
    """PS3.5 6.2.1: alphabetic=ideographic=phonetic, and within each family^given^middle^prefix^suffix."""
    groups = [group for group in name.split("=") if group.strip("^ ")]
    family, _, rest = (groups[0] if groups else "").partition("^")
    given = rest.partition("^")[0]
    numbers = (number,) if number else ()
    if _is_stand_in(family, given):
        family = given = ""
        numbers = () if name.strip("^ ") else numbers  # a pseudonym goes with such a name, not a hospital number
    return Person(family.strip(), given.strip(), birth, numbers)


def _is_stand_in(family: str, given: str) -> bool:
    """ANONYMOUS, and « Patient^Anonyme »: words that say that nobody is named."""
    if is_placeholder(family) and is_placeholder(given):
        return True
    words = fold_name(f"{family} {given}").split()
    bare = [word for word in words if word not in _NO_NAMES]
    return len(bare) < len(words) and all(is_placeholder(word) for word in bare)


def _is_phantom(person: Person) -> bool:
    """What technicians write for a thing that is not a patient: «WATER PHANTOM», «Test IRM», «Qualite^Controle»."""
    words = set(fold_name(f"{person.family} {person.given}").split())
    return bool(words & _THINGS) or (bool(words & _TRIALS) and words <= _TRIALS | _ROOMS)


def _in_trial(tags: Mapping[str, str], people: list[Person]) -> bool:
    """A trial's subject under a code (PS3.3 C.7.1.3): no name, no full birth date, nothing burnt in."""
    if not (tags.get("0012,0010") or tags.get("0012,0040")) or tags.get("0028,0301", "").upper() == "YES":
        return False
    return _no_birth(tags) and not any(person.named and not _is_code(person) for person in people)


def _several(value: str) -> list[str]:
    return [part.strip() for part in re.split(r"[\\\n]", value) if part.strip()]


def _removed(tags: Mapping[str, str], people: list[Person]) -> bool:
    """Whether the identity was really taken out, as the file claims."""
    if tags.get("0012,0062", "").upper() != "YES" or tags.get("0028,0301", "").upper() == "YES":
        return False
    return _no_birth(tags) and not any(person.named and not _is_code(person) for person in people)


def _no_birth(tags: Mapping[str, str]) -> bool:
    birth = "".join(character for character in tags.get("0010,0030", "") if character.isdigit())
    return birth in _DUMMY_BIRTH or birth.endswith("0101")


def _is_code(person: Person) -> bool:
    """A trial's subject code rather than a name: one part, with digits in it."""
    return not person.given and any(character.isdigit() for character in person.family)
