"""What a reader of codes returns: the words of the structured formats, and the dates as the text of a page gives them.

A reader takes the text of one code from its marker on and returns ``Recognised``, or None when it is no such code.
``PERSONAL`` is the answer for a code about a person outside care: an official document with a name or a number in it.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.birth import date
from agent.detection.structured.base import Recognised
from agent.findings import Kind

MAX_CODE = 8_192  # characters: a QR code holds 7,089 digits, a DataMatrix 3,116
_SEPARATORS = re.compile(r"<(GS|RS|US)>|\\(?:u00|x)1([def])|%1([def])|([␝␞␟])", re.IGNORECASE)
_SIGNS = {
    "gs": "\x1d", "rs": "\x1e", "us": "\x1f", "d": "\x1d", "e": "\x1e", "f": "\x1f",
    "␝": "\x1d", "␞": "\x1e", "␟": "\x1f",
}  # fmt: skip
PERSONAL = Recognised(kind=Kind.PERSONAL_IDENTIFIER, patient_data=False)


def day_first(digits: str) -> str:
    """«14031975» or «14-3-1975» as an ISO date, "" when there is no such day."""
    parts = digits.replace("/", "-").split("-")
    if len(parts) == 1 and len(digits) == 8:
        parts = [digits[:2], digits[2:4], digits[4:]]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return ""
    return date(int(parts[2]), int(parts[1]), int(parts[0]))


def separated(text: str) -> str:
    """The first characters of a text, with the separators GS, RS and US themselves where they were written out."""
    return _SEPARATORS.sub(lambda found: _SIGNS[next(filter(None, found.groups())).lower()], text[:MAX_CODE])
