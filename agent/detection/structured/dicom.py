"""DICOM: the header fields that the extraction read ("gggg,eeee" → text) to what they say of a patient.

Standard: PS3.3 C.7.1.1 (Patient), PS3.15 annex E (de-identification), PS3.3 C.7.1.4 (veterinary), PS3.3 F (DICOMDIR). A
claim of de-identification is believed only when the name and birth date are gone and no text is burnt into the pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.detection.structured.base import CERTAIN, LIKELY, STRONG, Person, Recognised, about, nobody
from agent.detection.structured.markers import is_placeholder
from agent.findings import FindingType, Kind

_DICOMDIR = "1.2.840.10008.1.3.10"
# classes about a device, a protocol or a display, not about a patient: PS3.4 annex B.5 "non-patient" storage
_NON_PATIENT = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.(?:38\.1|39\.1|43\.1|44\.1|45\.1|1\.1\.200\.[137]|1\.1\.201\.1)")
_ECG = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\.(?:1\.|[2-6])")
_EEG = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\.7\.")
_HUMAN = re.compile(r"human|homo\s*sapiens|humain|337915000|l-85b00", re.IGNORECASE)
_DUMMY_BIRTH = frozenset({"", "19000101", "00010101", "00000000", "18500101", "19700101"})
_CLINICAL = ("0008,1030", "0008,103E", "0008,0060", "0010,21B0", "0018,0015", "0032,1060", "0040,A730", "5400,0100")


def recognise_dicom(fields: Mapping[str, str]) -> Recognised:
    """Judge a DICOM file. ``fields``: "gggg,eeee" → value, several values joined by a backslash or a line break."""
    tags = {tag.upper().replace(" ", ""): value.strip().strip("\0") for tag, value in fields.items()}
    sop_class = tags.get("0002,0002", "") or tags.get("0008,0016", "")
    if _NON_PATIENT.fullmatch(sop_class) and not tags.get("0010,0010"):
        return nobody(Kind.DICOM)
    if _is_animal(tags):
        return nobody(Kind.DICOM, STRONG, why=FindingType.VETERINARY)
    people = _people(tags)
    removed = _removed(tags, people)
    anonymous = removed or not any(person.recognisable for person in people)
    clinical = sum(1 for tag in _CLINICAL if tags.get(tag))
    confidence = CERTAIN if any(person.recognisable for person in people) else STRONG
    if sop_class == _DICOMDIR and anonymous:
        confidence = LIKELY
    return about(
        _kind(sop_class),
        [] if anonymous else people,
        clinical=max(clinical, 1),
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
    """One person a name; a DICOMDIR holds several. Name: alphabetic group, family and given split at ``^``."""
    names = _several(tags.get("0010,0010", ""))
    numbers = _several(tags.get("0010,0020", ""))
    births = _several(tags.get("0010,0030", ""))
    people = []
    for index in range(max(len(names), len(numbers), 1)):
        name = names[index] if index < len(names) else ""
        groups = [group for group in name.split("=") if group.strip("^ ")]
        family, _, rest = (groups[0] if groups else "").partition("^")
        if is_placeholder(family) and is_placeholder(rest.partition("^")[0]):
            family = rest = ""  # a pseudonym goes with such a name, not a hospital number
            numbers_here: tuple[str, ...] = () if name.strip("^ ") else tuple(numbers[index : index + 1])
        else:
            numbers_here = tuple(numbers[index : index + 1])
        birth = births[index] if index < len(births) else ""
        people.append(Person(family.strip(), rest.partition("^")[0].strip(), birth, numbers_here))
    return people[:10_000]


def _several(value: str) -> list[str]:
    return [part.strip() for part in re.split(r"[\\\n]", value) if part.strip()]


def _removed(tags: Mapping[str, str], people: list[Person]) -> bool:
    """Whether the identity was really taken out, as the file claims."""
    if tags.get("0012,0062", "").upper() != "YES" or tags.get("0028,0301", "").upper() == "YES":
        return False
    birth = "".join(character for character in tags.get("0010,0030", "") if character.isdigit())
    if birth not in _DUMMY_BIRTH and not birth.endswith("0101"):
        return False
    return not any(person.named and not _is_code(person) for person in people)


def _is_code(person: Person) -> bool:
    """A trial's subject code rather than a name: one part, with digits in it."""
    return not person.given and any(character.isdigit() for character in person.family)
