"""What an identifier is to the scanner: a scheme (how it looks, how it is checked, what must stand near it) and a hit.

Each identifier's file hands over ``Scheme`` rows; ``scan.py`` runs them all over a text. Values stay in memory; only
masked forms may be shown, and only to the document's owner.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.findings import FindingType

SEP = r"[ .\-/|\u00a0\u202f]?"  # at most one separator between two groups
HEAD = r"(?<![0-9A-Za-z])"
TAIL = r"(?![0-9A-Za-z])"
NEAR = 80  # characters before a number in which a context word counts
BESIDE = 28  # ... when it must be the number's own label
AFTER = 20  # characters behind a number in which a context word counts


@dataclass(frozen=True, slots=True)
class Hit:
    """An identifier in the original text: ``text[start:end]``. ``value`` is normalised (no separators, ISO date),
    ``country`` two letters or "", ``strength`` the probability (0 to 1) that it is what ``type`` says.
    """

    type: FindingType
    start: int
    end: int
    value: str = field(repr=False)  # a traceback or a log must not show it
    country: str
    strength: float


@dataclass(frozen=True, slots=True)
class Scheme:
    """One identifier. ``pattern`` matches at most ~40 characters, its group 1 (or all of it) is the value.

    ``valid`` judges the normalised value (structure and checksum). ``words`` is searched in the folded text around.
    ``alone`` is the strength without a context word (0: never without), ``labelled`` with one.
    """

    type: FindingType
    country: str
    digits: int  # the least number of digits a run must hold
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    words: re.Pattern[str]
    labelled: float
    alone: float = 0.0
    reach: int = NEAR
    after: int = AFTER
    pieces: tuple[str, ...] = ()  # what every such number holds, word for word: looked for before the pattern


_NOT_KEPT = re.compile(r"(?<=\d)[^0-9A-Za-z]{0,4}cl[eéEÉ][^0-9A-Za-z]{0,4}(?=\d)|[^0-9A-Za-z]")

_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())


def compact(value: str) -> str:
    """The letters and digits of a value, upper case; the word « clé » between a number and its key is left out."""
    if value.isascii() and "cl" not in value:  # nearly all: no search is needed
        return value.encode("ascii").translate(None, _SIGNS).decode("ascii").upper()
    return _NOT_KEPT.sub("", value).upper()


def luhn(digits: str) -> bool:
    """The Luhn check over all digits (ISO/IEC 7812-1 annex B)."""
    total = 0
    for index, character in enumerate(reversed(digits)):
        value = ord(character) - 48
        if index % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


_SHOWN = re.compile(r"[0-9A-Za-z]")


def mask(value: str) -> str:
    """The first character shown, every other letter or digit a dot, in the groups a reader expects.

    Of a social security number the first is the sex; three would add the year of birth.
    """
    plain = compact(value)
    groups = (1, 2, 2, 2, 3, 3, 2) if len(plain) in {13, 15} else (3,) * 16
    parts, place = [], 0
    for size in groups:
        if place >= len(plain):
            break
        parts.append(
            "".join(
                c if place + i < min(1, len(plain) // 3) else "•" for i, c in enumerate(plain[place : place + size])
            )
        )
        place += size
    return " ".join(parts)[:48]
