"""The French social security number (NIR, INSEE number): thirteen characters and a key.

Structure: INSEE, « Répertoire national d'identification »; key = 97 - (N mod 97), Corsica 2A → 19 and 2B → 18 (arrêté
of 1996, as in every public description). Strict structure plus key lets one random number in ten thousand pass, so it
needs no context; provisional numbers, special months and a missing key do.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import HEAD, SEP, TAIL, Scheme, compact
from agent.findings import FindingType

_BODY = rf"[1-478]{SEP}\d{{2}}{SEP}\d{{2}}{SEP}(?:\d{{2}}|2[ABab]){SEP}\d{{3}}{SEP}\d{{3}}"  # 1 85 05 78 006 084
_KEY = r"[ .\-/|\u00a0\u202f]{0,3}(?:\(?cl[eé][ :]{0,3})?\d{2}"
FULL = re.compile(rf"{HEAD}({_BODY}{_KEY}){TAIL}")
BOXED = re.compile(rf"{HEAD}([1-478](?:[ |]{{1,3}}[0-9ABab]){{14}}){TAIL}")  # one box a digit, as on official forms
KEYLESS = re.compile(rf"{HEAD}({_BODY}){TAIL}")
BOXED_KEYLESS = re.compile(rf"{HEAD}([1-478](?:[ |]{{1,3}}[0-9ABab]){{12}}){TAIL}")
WORDS = re.compile(
    r"\bnir\b|\bnia\b"
    r"|secu(?:rite)? ?sociale|\bs[eé]cu\b|\bnss\b|\bn[°o]? ?ss\b|\bins\b|immatriculation|assure|\binsee\b"
    r"|carte vitale|\bmatricule\b"
)


def key_of(thirteen: str) -> int:
    """The key (1 to 97) of a thirteen-character number, Corsican letters allowed."""
    number = int(thirteen.replace("2A", "19", 1).replace("2B", "18", 1)) if not thirteen.isdigit() else int(thirteen)
    return 97 - number % 97


def _digits(value: str) -> str:
    """Thirteen or fifteen characters with letters only where Corsica puts one; "" otherwise."""
    value = compact(value)
    plain = value[:5] + value[7:]
    place = value[5:7]
    if len(value) not in {13, 15} or not plain.isdigit() or not (place.isdigit() or place in {"2A", "2B"}):
        return ""
    return value


def _placed(value: str) -> bool:
    """Département 01-95, 2A, 2B, 96-99; commune and order numbers are never zero."""
    place = value[5:7]
    return place != "00" and value[7:10] != "000" and value[10:13] != "000"


def valid_strict(value: str) -> bool:
    """Fifteen characters, sex 1 or 2, month 01 to 12, a place, an order number, and the right key."""
    value = _digits(value)
    if len(value) != 15 or value[0] not in "12" or not "01" <= value[3:5] <= "12" or not _placed(value):
        return False
    return int(value[13:]) == key_of(value[:13])


def valid_permissive(value: str) -> bool:
    """As strict, with provisional sex digits (3, 4, 7, 8) and the months of incomplete records (20-42, 50-99)."""
    value = _digits(value)
    if len(value) != 15 or not _placed(value) or int(value[13:]) != key_of(value[:13]):
        return False
    month = int(value[3:5])
    return value[0] in "123478" and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50)


def valid_keyless(value: str) -> bool:
    """Thirteen characters of strict structure; there is no check digit, so only a label makes this an identifier."""
    value = _digits(value)
    return len(value) == 13 and value[0] in "12" and "01" <= value[3:5] <= "12" and _placed(value)


def schemes(kind: FindingType, words: re.Pattern[str], alone: float) -> tuple[Scheme, ...]:
    """The rows for this number under one type: the NIR itself here, the INS in ``ins.py``."""
    strict = alone
    bonus = 0.005 if kind is FindingType.INS else 0.0
    return (
        Scheme(kind, "FR", 14, FULL, valid_strict, words, 0.99 + bonus, strict),
        Scheme(kind, "FR", 14, BOXED, valid_strict, words, 0.98 + bonus, strict),
        Scheme(kind, "FR", 14, FULL, valid_permissive, words, 0.9 + bonus),
        Scheme(kind, "FR", 12, KEYLESS, valid_keyless, words, 0.7 + bonus, reach=40, after=0),
        Scheme(kind, "FR", 12, BOXED_KEYLESS, valid_keyless, words, 0.7 + bonus, reach=40, after=0),
    )


SCHEMES = schemes(FindingType.NIR, WORDS, 0.95)
