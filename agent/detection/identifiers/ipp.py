"""Numbers that a hospital gives a patient or a stay (IPP, NIP, NDA, IEP; MRN and their counterparts abroad).

They have no national shape and no check digit: the label is the whole evidence, and must stand right before the number.
« IPP » is also a rate of disability (« IPP 15 % ») and a family of drugs, so five digits are the least.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import Hit
from agent.findings import FindingType

# labels, up to the first character of the number; for the linear search, so no look-around and no groups
_BRIDGE = r"[ \t\xa0]{0,3}(?:n°|No\.?|no\.?|Nr\.?|nr\.?|#)?[ \t\xa0]{0,2}[:=#.]?[ \t\xa0]{0,4}"
PATIENT = (
    r"(?:IPP|I\.P\.P\.?|NIP|MRN|NHC|URN|(?i:n(?:°|º|o|um[ée]ro)?\.?\s?(?:de )?patiente?"
    r"|identifiant (?:permanent|patient)"
    r"|patient ?(?:id|no|number|identifier)|medical record (?:no|number|#)|hospital (?:no|number)"
    r"|patienten-?(?:nr|nummer|id)|fallnummer|n[úu]mero de historia|historia cl[íi]nica|codice paziente"
    rf"|pati[ëe]nt(?:en)?nummer)\.?){_BRIDGE}"
)
STAY = (
    r"(?:NDA|IEP|CSN|(?i:n(?:°|º|o|um[ée]ro)\.?\s?(?:de |du |d')?(?:dossier|s[ée]jour|venue|admission)"
    rf"|visit (?:no|number)|encounter (?:no|number|id))){_BRIDGE}"
)
VALUE = re.compile(r"([A-Z]{0,4}[-/ ]?\d[\d ./-]{2,18}\d[A-Z]?)(?![\w%]|\s?%|,\d)")
# two spaces, or a date behind one, start the next field of a header line
_NEXT_FIELD = re.compile(r"\s{2,}|\s(?=\d{1,2}[/.-]\d{1,2}[/.-]\d{2})")
_SEPARATORS = str.maketrans("", "", " ./-")
_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}-\d\d-\d\d")
_LEAST_DIGITS, _MOST_DIGITS = 5, 18


def read(text: str, place: int, kind: FindingType) -> Hit | None:
    """The number that starts at ``place``, right behind its label; None when it is no number of five digits or more."""
    found = VALUE.match(text, place, min(len(text), place + 40))
    if found is None:
        return None
    value = _NEXT_FIELD.split(found[1], 1)[0].rstrip(" ./-")
    plain = value.translate(_SEPARATORS)
    digits = sum(map(str.isdigit, plain))
    if not _LEAST_DIGITS <= digits <= _MOST_DIGITS or _DATE.fullmatch(value):
        return None
    strength = 0.9 if kind is FindingType.IPP else 0.75
    return Hit(kind, place, place + len(value), plain, "", strength)
