"""Letters that an SVG draws as shapes (SVG 2, 5.6 « use »): what programs make of a page that they print or convert.

Pure. Each letter is drawn once and then referred to wherever it stands, so that a text shows as many references to a
dozen shapes. A plot refers to its markers even more often, but to few of them.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

_NAMESPACE = b"http://www.w3.org/2000/svg"
_BEGIN = 4096  # bytes in which the root element stands
_USE = re.compile(rb"<(?:[\w.-]{1,20}:)?use\s[^<>]{0,600}?href\s?=\s?[\"']#([^\"'<>]{1,100})")
_MARKERS = 5  # shapes: those that are referred to most
_LETTERS, _ALPHABET = 200, 15  # references, and shapes that they are spread over
_ENOUGH = 50_000  # references by which a text is told


def drawn_letters(data: bytes) -> int:
    """How many letters the picture draws; 0 where its references do not look like a text."""
    if _NAMESPACE not in data[:_BEGIN] or data.count(b"href") <= _LETTERS:
        return 0
    times = Counter(match[1] for match in islice(_USE.finditer(data), _ENOUGH))
    rest = times.most_common()[_MARKERS:]
    if len(rest) < _ALPHABET or sum(count for _shape, count in rest) < _LETTERS:
        return 0
    return times.total()
