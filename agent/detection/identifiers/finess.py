"""FINESS, the number of a French health establishment: département, seven digits, Luhn over the nine. Not a patient's.

Source: DREES FINESS register. A SIREN has the same length and check, so the label must stand right before it. The rule
for Corsican letters is not published: with the label, 2A and 2B are accepted on their structure.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import BESIDE, HEAD, TAIL, Scheme, compact, luhn
from agent.findings import FindingType

_NUMBER = re.compile(rf"{HEAD}((?:\d{{2}}|2[ABab])(?:[ .]?\d){{7}}){TAIL}")
_WORDS = re.compile(r"\bfiness\b|\bn[°o] ?(?:d')?etablissement\b")


def valid(value: str) -> bool:
    """Nine characters: digits that pass Luhn, or Corsica and seven digits."""
    number = compact(value)
    if len(number) != 9:
        return False
    if number[:2] in {"2A", "2B"}:
        return number[2:].isdigit()
    return number.isdigit() and number[:2] != "00" and luhn(number)


SCHEMES = (Scheme(FindingType.FINESS, "FR", 8, _NUMBER, valid, _WORDS, 0.95, reach=BESIDE, after=0),)
