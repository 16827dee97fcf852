"""Left and right beside something clinical: «genou gauche», «li. Knie», «dx».

Owns the words for the sides of the body in seven languages, and how close to a clinical entry they must stand. Takes a
folded page and the places of its clinical entries, returns a count. Judges nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice

import re2

from agent.detection.fold import Folded
from agent.detection.linear import spans

_MOST = 120  # words looked at a page
_NEAR = 40  # bytes between a side and what it is the side of
_MANY_SIDES = 3
_SIDES = re2.compile(
    rb" (?:rechts|links|re|li|bds|beidseits|rechter|linker|rechten|linken|rechte|linke|left|right|bilateral|"
    rb"droite?|gauche|dte|gche|dx|sx|destr[ao]|sinistr[ao]|derech[ao]|izquierd[ao]|dcha|dcho|izda|izdo|izq|"
    rb"direit[ao]|esquerd[ao]|esq|od|os|og) "
)


def count_sides(page: Folded, clinical: Sequence[int]) -> int:
    """Distinct words for left and right close to something clinical, at most three: a lesson seldom has a side."""
    places = sorted(clinical)
    found: set[tuple[bytes, int]] = set()
    for start, end in islice(spans(_SIDES, page.words), _MOST):
        if len(found) >= _MANY_SIDES:
            break
        near = bisect_right(places, start + _NEAR)
        if near and places[near - 1] >= start - _NEAR:
            found.add((page.words[start:end], places[near - 1]))
    return len(found)
