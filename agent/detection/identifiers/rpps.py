"""RPPS, the number of a French health professional: eleven digits that pass the Luhn check. Not a patient's.

Source: ANS « Annuaire Santé » (measured in the agency's samples: plain Luhn over all eleven). One random number in ten
passes, so the label must stand right before it. ``8`` + RPPS is the national form in CPS cards, CDA and HL7.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import BESIDE, HEAD, TAIL, Scheme, compact, luhn
from agent.findings import FindingType

_NUMBER = re.compile(rf"{HEAD}(8?1(?:[ .\u00a0]?\d){{10}}){TAIL}")
_WORDS = re.compile(r"\brpps\b|\bidnps\b|1\.2\.250\.1\.71\.4\.2\.1")


def valid(value: str) -> bool:
    """Eleven digits starting with 1, or 8 and those; Luhn over the eleven."""
    digits = compact(value)
    digits = digits[1:] if len(digits) == 12 and digits[0] == "8" else digits
    return len(digits) == 11 and digits.isdigit() and digits[0] == "1" and luhn(digits)


SCHEMES = (Scheme(FindingType.RPPS, "FR", 11, _NUMBER, valid, _WORDS, 0.98, reach=BESIDE, after=0),)
