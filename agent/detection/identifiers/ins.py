"""The French national health identity (INS): a NIR or NIA with an object identifier, and its datamatrix text.

Sources: ANS « Référentiel INS » and « Format du datamatrix INS » 2.2: ``IS01`` + 22 zeros, blocks S1 (number), S2
(OID), S3 to S7. A text that labels a number « INS » is by regulation a patient's health document.
"""

from __future__ import annotations

import re

from agent.detection.identifiers import nir
from agent.detection.identifiers.base import Hit
from agent.findings import FindingType

WORDS = re.compile(
    r"\bmatricule ins\b|\bins(?:[ -]?(?:nir|nia|c))?\b|1\.2\.250\.1\.213\.1\.4\.\d|identite nationale de sante"
)
DATAMATRIX = re.compile(
    r"IS01[0-9]{22}.{0,300}?S1(\d{5}[0-9AB]{2}\d{8})S2(1\.2\.250\.1\.213\.1\.4\.\d{1,2})", re.DOTALL
)
SCHEMES = nir.schemes(FindingType.INS, WORDS, 0.0)


def datamatrix(text: str, limit: int = 1_000) -> list[Hit]:
    """The identities in datamatrix texts; the number's key must be right."""
    hits: list[Hit] = []
    place = text.find("IS01")
    while place >= 0 and len(hits) < limit:
        found = DATAMATRIX.match(text, place)
        if found and nir.valid_permissive(found[1]):
            hits.append(Hit(FindingType.INS, found.start(1), found.end(1), found[1], "FR", 0.999))
        place = text.find("IS01", place + 4)
    return hits
