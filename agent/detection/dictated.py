"""What is written as it was dictated: a name with its letters behind it, a date in words. French, as doctors dictate.

Owns both shapes: «madame quinquis q u i n q u i s», «fezzani f e deux z a n i», «né le quatorze mars mille neuf cent
cinquante trois». Takes folded text and where to look, reads a line at most. Names and dates never leave the process.
"""

from __future__ import annotations

import re

_SPELLED = re.compile(rb" ([a-z][a-z'-]{2,20})(?: \1\b|((?: (?:deux )?[a-z]){3,20})\b)")
_TWICE = re.compile(rb"deux ([a-z])")
_MONTHS = {
    name: number
    for number, name in enumerate(
        b"janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre".split(), 1
    )
}
_DATE = re.compile(rb"[^\w\n]{0,3}(?:le )?([a-z -]{2,14}?) (" + b"|".join(_MONTHS) + rb") ([a-z -]{8,48})")
_UNITS = {
    word: number
    for number, word in enumerate(
        b"zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
    )
} | {b"premier": 1}
_TENS = {b"vingt": 20, b"vingts": 20, b"trente": 30, b"quarante": 40, b"cinquante": 50, b"soixante": 60}


def spelled_name(lines: bytes, start: int) -> bytes:
    """The word at ``start`` when its letters follow it; b"": they do not."""
    found = _SPELLED.match(lines, start, start + 90)
    if found is None or found[2] is None:  # folding joins letters that stand apart: the word stands there twice
        return found[1] if found else b""
    letters = _TWICE.sub(rb"\1\1", found[2]).replace(b" ", b"")
    return found[1] if found[1].replace(b"'", b"").replace(b"-", b"") == letters else b""


def spoken_date(lines: bytes, start: int) -> str:
    """The date in words at ``start`` as YYYY-MM-DD; "": there is none."""
    found = _DATE.match(lines, start, start + 90)
    if found is None:
        return ""
    day, year = _number(found[1]), _year(found[3])
    return f"{year:04d}-{_MONTHS[found[2]]:02d}-{day:02d}" if 1 <= day <= 31 and 1900 <= year <= 2100 else ""


def _year(text: bytes) -> int:
    """Of as many words as belong to it."""
    words = text.replace(b"-", b" ").split()
    for head, base in (
        ((b"mille", b"neuf", b"cent"), 1900),
        ((b"dix", b"neuf", b"cent"), 1900),
        ((b"deux", b"mille"), 2000),
    ):
        if tuple(word.removesuffix(b"s") if word == b"cents" else word for word in words[: len(head)]) == head:
            return base + _of_words(words[len(head) :])
    return 0


def _number(text: bytes) -> int:
    return _of_words(text.replace(b"-", b" ").split())


def _of_words(words: list[bytes]) -> int:
    """The number below 100 that the first words say; what comes behind it is not read."""
    total, last = 0, 0
    for word in words:
        if word == b"et":
            continue
        value = _TENS.get(word) or _UNITS.get(word)
        if value is None or (last and value >= last and not (last == 4 and value == 20)):
            break
        total, last = (80, 20) if last == 4 and value == 20 else (total + value, value)
    return total
