"""How a name is spelled: the forms under which a patient is entered, and the candidates that a text offers.

Both sides fold alike (``fold``): no accents, no case, no hyphens, apostrophes or blanks within a name, so that
LE GALL, Le Gall and LEGALL are one, and so are Jean-Pierre and JEAN PIERRE. Takes names or folded text, returns folded
names; knows no list of common names and needs none, because a name counts only beside its birth date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.detection.fold import fold_term

MAX_FORMS = 6  # of a family name or of given names that are entered
_MAX_NAME = 120  # characters of one cell
_LEAST = 2  # letters of a name
_LEAST_PART = 3  # letters of a part of a compound family name that may stand for the whole
_WORD = re.compile(rb"[a-z]+")
_PARTICLES = (
    "de|du|des|d|la|le|les|l|van|von|der|den|ter|el|al|ben|bin|ibn|di|da|do|dos|del|della|san|saint|st|ste|mc|mac|o"
)
_PARTICLE_WORDS = frozenset(_PARTICLES.encode().split(b"|"))
_SHORT = 3  # letters of a word that may be the first half of a name: LE GALL, N'DIAYE, EL HADJ
# words with a capital and the particles between them, on one line; then any words at all
_CAPITALS = re.compile(rb"[A-Z][A-Za-z]*(?:[ '-](?:[A-Z][A-Za-z]*|(?:" + _PARTICLES.encode() + rb")(?=[ '-][A-Z])))*")
_ANY = re.compile(rb"[A-Za-z]+")
_BETWEEN = re.compile(rb"[ '-]")
MAX_CANDIDATES = 400  # of one window


def family_forms(name: str) -> tuple[bytes, ...]:
    """The forms of a family name: written solid, and each part of a compound one (DUPONT-MARTIN, DUPONT MARTIN)."""
    words = _words(name)
    forms = [b"".join(words), *(w for w in words if len(w) >= _LEAST_PART and w not in _PARTICLE_WORDS)]
    return _kept(forms)


def given_forms(names: str) -> tuple[bytes, ...]:
    """The forms of given names: each one, and compounds written solid (Jean-Pierre: jean, pierre, jeanpierre)."""
    words = _words(names)
    solid = [b"".join(_words(piece)) for piece in names[:_MAX_NAME].replace("\u2010", "-").split() if "-" in piece]
    whole = b"".join(words) if len(words) == 2 else b""
    return _kept([*words, *solid, whole])


def split_full_name(full: str) -> tuple[tuple[str, str], ...]:
    """(family, given) as one cell may mean them: capitals are the family name; without any, both ends are tried."""
    words = full[:_MAX_NAME].replace(",", " ").split()
    if "," in full:
        family, _, given = full[:_MAX_NAME].partition(",")
        return ((family, given),)
    capitals = [word for word in words if word.isupper() and len(word) > 1]
    rest = [word for word in words if word not in capitals]
    if capitals and rest:
        return ((" ".join(capitals), " ".join(rest)),)
    if len(words) < 2:
        return ()
    return ((words[0], " ".join(words[1:])), (words[-1], " ".join(words[:-1])))


def close_words(cased: bytes, start: int, end: int) -> list[tuple[int, bytes]]:
    """All words between two places of folded text, whatever their case: where each begins, and the word."""
    return [(word.start(), word[0].lower()) for word in _ANY.finditer(cased, max(0, start), end)]


def capital_words(cased: bytes, start: int, end: int) -> list[tuple[int, bytes]]:
    """Words with capitals, and the particles between them, of a line at a time: where they begin, and the words.

    Two words are a name as well where the first is short: LE GALL may be entered as LEGALL. A part of a longer
    compound is entered by itself.
    """
    found: list[tuple[int, bytes]] = []
    for run in _CAPITALS.finditer(cased, max(0, start), end):
        words = _BETWEEN.split(run[0].lower())
        place = run.start()
        for number, word in enumerate(words):
            found.append((place, word))
            if len(word) <= _SHORT and number + 1 < len(words):
                found.append((place, word + words[number + 1]))
            place += len(word) + 1
    return found


def candidates(words: Iterable[tuple[int, bytes]]) -> dict[bytes, list[int]]:
    """Whatever may be a name → where it stands. At most MAX_CANDIDATES."""
    found: dict[bytes, list[int]] = {}
    for place, word in words:
        if len(word) >= _LEAST:
            if word in found:
                found[word].append(place)
            elif len(found) < MAX_CANDIDATES:
                found[word] = [place]
    return found


def _words(name: str) -> list[bytes]:
    return _WORD.findall(fold_term(name[:_MAX_NAME]))


def _kept(forms: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(form for form in forms if len(form) >= _LEAST))[:MAX_FORMS]
