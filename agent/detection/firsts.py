"""The first word of a line in a list of persons, where nothing but its strangeness tells that it is a family name.

Owns which words may be one: no word of the lexicon, of the wording model or of medicine, and no given name. Whether the
list is one of persons, heads.py decides. Takes a line without its lead, returns the word in lower case, or nothing.
"""

from __future__ import annotations

import re

from agent.detection.head_words import CAPITAL, CAPITALS, MARKED, NOT_A_NAME
from agent.detection.lexicon import given, medicines, words
from agent.detection.morphology import shaped
from agent.detection.wordings import vocabulary


def placed_word(body: bytes) -> bytes:
    """The first word behind an hour, a bed, a number, where it may be a family name."""
    if (found := CAPITALS.match(body)) and (word := found[1].lower()) not in NOT_A_NAME and word not in medicines():
        return word
    return _unknown(CAPITAL.match(body))


def marked_word(body: bytes) -> bytes:
    """The first word of a bare line, where a mark or a verb follows and it may be a family name."""
    return _unknown(MARKED.match(body))


def _unknown(found: re.Match[bytes] | None) -> bytes:
    """The word in lower case when it is none that is known."""
    word = found[1].lower() if found else b""
    return word if unknown(word) else b""


def unknown(word: bytes) -> bool:
    """Whether the word (lower case) is none of a language or of medicine; a given name alone is that of who cares."""
    known = word in NOT_A_NAME or word in words() or word in vocabulary() or word in given() or word in medicines()
    return bool(word) and not known and not any(shaped(b" " + word + b" "))
