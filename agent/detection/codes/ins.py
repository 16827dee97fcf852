"""The INS datamatrix: who the patient is, as the French health system printed it on the document.

Source: ANS « INS – Format datamatrix » 2.2 (2023): ``IS``, version ``01`` and 22 zeros, then blocks S1 (number, 15),
S2 (object identifier), S3 (given names), S4 (birth name), S5 (sex), S6 (birth date), S7 (place of birth); GS closes a
variable block. Software in the field changes the order, loses GS, and leaves zeros out of dates.

It holds an identity and no care; but the INS may by law be used for nothing else than a person's care (articles
L.1111-8-1 and R.1111-8-1 of the code de la santé publique) and the datamatrix is printed on health documents alone. So
the document is a patient's with nine chances in ten, on the code alone; what else it is, the text beside it says.
"""

from __future__ import annotations

import re

from agent.detection.codes.base import day_first, separated
from agent.detection.identifiers import nir
from agent.detection.structured.base import Person, Recognised, about
from agent.detection.structured.markers import INS_REAL, INS_TEST
from agent.findings import FindingType, Kind

MARKER = "IS01"
BY_LAW = 0.9  # that a document with an INS datamatrix is about a patient's care
_KEYLESS = 0.8  # the number's key is wrong: a misread or an invented one, within all the rest of the format
_HEADER = re.compile(r"IS01[0-9]{22}")
_GAP = re.compile(r"[\x1d ]?")
_MOST_BLOCKS = 12
_NAMES = re.compile(r"[^\x1d\n]{0,100}?(?=\x1d|\n|\s?S[1-7]|\Z)")
_BLOCKS = {
    "S1": re.compile(r"\d{5}[0-9AB]{2}\d{8}"),
    "S2": re.compile(r"1\.2\.250\.1\.213\.1\.4\.\d{1,2}"),
    "S3": _NAMES,
    "S4": _NAMES,
    "S5": re.compile(r"[MFI]"),
    "S6": re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{4}|\d{8}"),
    "S7": re.compile(r"\d[0-9AB]\d{3}"),
}


def read(text: str) -> Recognised | None:
    """The identity in a datamatrix text; None unless there is a number with its key, or a number, a name and a day."""
    blocks = _blocks(separated(text))
    number, birth = blocks.get("S1", ""), day_first(blocks.get("S6", ""))
    sure = bool(number) and nir.valid_permissive(number)
    if not sure and not (number and birth and blocks.get("S4")):
        return None
    person = Person(blocks.get("S4", ""), blocks.get("S3", ""), birth, (number,) if sure else ())
    authority = blocks.get("S2", "")
    return about(
        Kind.OTHER,
        [person],
        test_data=authority in INS_TEST and authority not in INS_REAL,
        confidence=BY_LAW if sure else _KEYLESS,
        identifier_type=FindingType.INS,
    )


def _blocks(text: str) -> dict[str, str]:
    """The blocks in whatever order; reading ends at the first thing that is none."""
    header = _HEADER.match(text)
    place = header.end() if header else len(text)
    blocks: dict[str, str] = {}
    for _ in range(_MOST_BLOCKS):
        name = text[place : place + 2]
        shape = _BLOCKS.get(name)
        found = shape.match(text, place + 2) if shape else None
        if found is None:
            break
        blocks.setdefault(name, found[0].strip())
        gap = _GAP.match(text, found.end())
        place = gap.end() if gap else found.end()
    return blocks
