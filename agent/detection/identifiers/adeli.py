"""ADELI, the former number of French health professionals: département, profession digit, five digits and a key.

The key's algorithm is not published, so only the structure is checked and the label must stand right before it.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import BESIDE, HEAD, TAIL, Scheme, compact
from agent.findings import FindingType

_NUMBER = re.compile(rf"{HEAD}((?:\d{{2}}|2[ABab])[ .]?\d[ .]?(?:\d[ .]?){{5}}\d){TAIL}")
_WORDS = re.compile(r"\badeli\b")


def valid(value: str) -> bool:
    """Nine characters whose first two are a département."""
    number = compact(value)
    place = number[:2]
    return len(number) == 9 and number[2:].isdigit() and (place in {"2A", "2B"} or "01" <= place <= "98")


SCHEMES = (Scheme(FindingType.ADELI, "FR", 8, _NUMBER, valid, _WORDS, 0.9, reach=BESIDE, after=0),)
