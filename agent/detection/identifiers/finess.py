"""FINESS, the number of a French health establishment: département, seven digits, Luhn over the nine. Not a patient's.

Source: DREES FINESS register. A SIREN has the same length and check, so the label must stand right before it. The rule
for Corsica is not published: A counts as 1 and B as 2 in the establishments whose numbers are known.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import BESIDE, HEAD, TAIL, Scheme, compact, luhn
from agent.findings import FindingType

_NUMBER = re.compile(rf"{HEAD}((?:\d{{2}}|2[ABab])(?:[ .]?\d){{7}}){TAIL}")
_WORDS = re.compile(r"\bfiness\b|\bn[°o] ?(?:d')?etablissement\b")


def valid(value: str) -> bool:
    """Nine characters that pass Luhn, Corsica's letter as a digit."""
    number = compact(value)
    if number[:2] in {"2A", "2B"}:
        number = f"2{'AB'.index(number[1]) + 1}{number[2:]}"
    if len(number) != 9:
        return False
    return number.isdigit() and number[:2] != "00" and luhn(number)


SCHEMES = (Scheme(FindingType.FINESS, "FR", 8, _NUMBER, valid, _WORDS, 0.95, reach=BESIDE, after=0),)
