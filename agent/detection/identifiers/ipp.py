"""Numbers that a hospital gives a patient or a stay (IPP, NIP, NDA, IEP; MRN and their counterparts abroad).

They have no national shape and no check digit: the label is the whole evidence, and must stand right before the number.
« IPP » is also a rate of disability (« IPP 15 % ») and a family of drugs, so five digits are the least.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import Hit
from agent.findings import FindingType

_PATIENT = (
    r"IPP|I\.P\.P\.?|NIP|(?i:n(?:°|o|um[ée]ro)?\.?\s?(?:de\s)?patient(?:e)?|identifiant (?:permanent|patient)"
    r"|patient (?:id|no|number|#)|medical record (?:no|number|#)|hospital (?:no|number)|patienten-?(?:nr|nummer|id)"
    r"|fallnummer"
    r"|n[úu]mero de historia|n[º°]? ?historia cl[íi]nica|codice paziente|pati[ëe]nt(?:en)?nummer)|MRN|NHC|URN"
)
_STAY = (
    r"NDA|IEP|(?i:n(?:°|o|um[ée]ro)?\.?\s?(?:de\s|du\s|d')?(?:dossier|s[ée]jour|venue|admission|sejour)"
    r"|visit (?:no|number)|encounter (?:no|number|id))|CSN"
)
_VALUE = (
    r"\s{0,3}(?:n°|no\.?|nr\.?|#)?\s{0,2}[:=#.]?\s{0,4}([A-Z]{0,4}[-/ ]?\d[\d ./-]{2,18}\d[A-Z]?)(?![\w%]|\s?%|,\d)"
)
LABELLED = re.compile(rf"(?<![\w.])(?:(?P<patient>{_PATIENT})|(?P<stay>{_STAY})){_VALUE}")
_LEAST_DIGITS = 5


def read(text: str, start: int, end: int) -> Hit | None:
    """The number whose label begins at ``start``; None when what follows is no number of five digits or more."""
    found = LABELLED.match(text, start, min(len(text), end + 48))
    if found is None:
        return None
    value = found[3].rstrip(" ./-")
    # a date, an amount or a telephone behind the label is not the number
    plain = re.sub(r"[ ./-]", "", value)
    digits = sum(map(str.isdigit, plain))
    if not _LEAST_DIGITS <= digits <= 18 or re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}", value):
        return None
    kind, strength = (FindingType.IPP, 0.9) if found["patient"] else (FindingType.NDA, 0.75)
    return Hit(kind, found.start(3), found.start(3) + len(value), plain, "", strength)
