"""Two or more words with capitals that are the full name of a person: one of them is a given name, none is a word.

Owns that decision and how the words of a name are taken apart. Pure functions on folded text with its case. Names never
leave the process.
"""

from __future__ import annotations

import re

from agent.detection.evidence import Told
from agent.detection.head_words import NOT_A_NAME
from agent.detection.lexicon import family, given, words
from agent.detection.person_names import CIVILITIES, NOT_NAMES, PARTICLES
from agent.detection.told_words import AND, NOBODY
from agent.detection.wordings import vocabulary

_LEAST = 3  # letters of a name
_ELIDED = re.compile(rb"\b[a-z]'")  # «L'Hostis», «O'Connor»


def has_given(text: bytes) -> bool:
    """Whether one of the words is a given name: asked first, for hardly any two words with capitals are a person."""
    return not given().isdisjoint(text.lower().replace(b"-", b" ").split())


def full(text: bytes, *, aged: bool = False) -> list[Told]:
    """Two words with capitals, one of them a given name, the other no word of any page; «Maël et Tom X» are two."""
    parts = text.lower().replace(b"-", b" ").split()
    who = words_in(text)
    if len(who) < 2 or given().isdisjoint(who) or not CIVILITIES.isdisjoint(parts) or min(map(len, who)) < _LEAST:
        return []
    if not who.isdisjoint(NOT_A_NAME) or not who.isdisjoint(NOT_NAMES) or not who.isdisjoint(NOBODY):
        return []
    if not words().isdisjoint(who - family()) or not (aged or _is_written_as_a_name(text) or _is_no_word(who)):
        return []
    if AND.isdisjoint(parts[1:2]):
        return [Told(who)]
    first, second, *rest = (frozenset((part,)) for part in parts if part not in AND and part not in PARTICLES)
    last = frozenset[bytes]().union(*rest)
    return [Told(first | last), Told(second | last)] if first | second <= given() else []


def words_in(name: bytes) -> frozenset[bytes]:
    """The words of a name in lower case, without what joins them and without the abbreviations behind it."""
    first, *rest = name.split()
    if not first.isupper():  # «Mme Kaddour RAS», «Mme Jacquemart OG»
        name = b" ".join([first, *(word for word in rest if len(word) > _LEAST or not word.isupper())])
    return frozenset(_ELIDED.sub(b"", name.lower()).replace(b"-", b" ").replace(b"'", b" ").split()) - PARTICLES - AND


def _is_written_as_a_name(text: bytes) -> bool:
    """«DUVAL Robert», «Robert DUVAL»: the family name in capitals, the given name not."""
    return sum(part.isupper() for part in text.split() if len(part) >= _LEAST) == 1 and not text.isupper()


def _is_no_word(who: frozenset[bytes]) -> bool:
    """Whether one of them stands on few pages, or is a family name that stands on many."""
    unknown = who - vocabulary()
    return bool(unknown - given() or (unknown and who <= given()) or who & family())
