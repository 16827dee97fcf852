"""Every date of a text that could be a birth date, labelled or not: the list says which are.

Day first and month first are both tried, a year of two digits in both centuries: a wrong reading is nobody's birth
date, or nobody's whose name stands there. Takes folded text, returns places and ISO dates; one linear search, bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from agent.detection.fold import fold
from agent.detection.identifiers import birth

MAX_DATES = 20_000  # of one text
_MONTH = rb"[A-Za-z]{3,10}"
_SHAPES = (
    rb"[0-3][ |][0-9][ |/.-]{1,3}[01][ |][0-9][ |/.-]{1,3}[12][ |][0-9][ |][0-9][ |][0-9]",  # one box a digit
    rb"(?:18|19|20)[0-9]{2} ?[-/.] ?[0-9]{1,2} ?[-/.] ?[0-9]{1,2}",
    rb"[0-9]{1,2} ?[-/.] ?[0-9]{1,2} ?[-/.] ?(?:[0-9]{4}|[0-9]{2})|[0-9]{1,2} [0-9]{1,2} (?:18|19|20)[0-9]{2}",
    rb"[0-9]{1,2}(?:er|ER|st|nd|rd|th|\.)?[ \n/-]{1,2}(?:de |of )?" + _MONTH
    + rb"[.,]{0,2}[ \n/-]{1,2}(?:de |del )?(?:(?:18|19|20)[0-9]{2}|[0-9]{2})|"
    + _MONTH + rb"\.? [0-9]{1,2}(?:st|nd|rd|th)?,? (?:18|19|20)[0-9]{2}",
    rb"(?:18|19|20)[0-9]{6}|[0-3][0-9][01][0-9](?:19|20)[0-9]{2}",
)  # fmt: skip
_READERS = tuple(re.compile(shape) for shape in _SHAPES)
_NUMBER = re.compile(rb"[0-9]+")
_WORD = re.compile(rb"[A-Za-z]{3,}")
_DIGITS = frozenset(b"0123456789")


@lru_cache(maxsize=1)
def _searcher() -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(b"|".join(_SHAPES), options)  # without groups: to find is many times cheaper than to take apart


def find_dates(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, as written) of what looks like a date in folded text; ``read_date`` says whether it is one."""
    size = len(text)
    for number, found in enumerate(_searcher().finditer(text)):
        if number >= MAX_DATES:
            return
        start, end = found.span()
        if (start and text[start - 1] in _DIGITS) or (end < size and text[end] in _DIGITS):
            continue  # a part of a longer number
        yield start, end, text[start:end]


def read_date(written: bytes) -> tuple[str, ...]:
    """The ISO dates that may be meant; none when there is no such day."""
    shape = next((number for number, reader in enumerate(_READERS) if reader.fullmatch(written)), -1)
    numbers = _NUMBER.findall(written)
    match shape:
        case 0:
            digits = b"".join(numbers)
            readings = [(digits[4:], digits[2:4], digits[:2])]
        case 1:
            readings = [(numbers[0], numbers[1], numbers[2])]
        case 2:
            readings = [(numbers[2], numbers[1], numbers[0]), (numbers[2], numbers[0], numbers[1])]
        case 3:
            return _worded(written, numbers)
        case 4:
            readings = [(written[:4], written[4:6], written[6:]), (written[4:], written[2:4], written[:2])]
        case _:
            return ()
    return tuple(dict.fromkeys(iso for reading in readings for iso in _days(*reading)))


def dates_of(value: str) -> tuple[str, ...]:
    """The ISO dates that one value (a cell, a field) may mean, whatever stands around: a time, a label."""
    found = [iso for _, _, written in find_dates(fold(value[:80]).cased) for iso in read_date(written)]
    if not found and value[:8].isdigit():  # a time stamp without separators: HL7, DICOM
        found = list(read_date(value[:8].encode("ascii", "replace")))
    return tuple(dict.fromkeys(found))


def _worded(written: bytes, numbers: list[bytes]) -> tuple[str, ...]:
    """A month as a word: the first one that is the name of a month."""
    day, year = numbers[0], numbers[-1]
    for word in _WORD.findall(written):
        month = birth.month_of(word.decode("ascii").lower())
        if month and len(numbers) == 2:
            return _days(year, b"%d" % month, day)
    return ()


def _days(year: bytes, month: bytes, day: bytes) -> tuple[str, ...]:
    if len(year) == 4:
        years = [int(year)]
    elif len(year) == 2:
        years = [1900 + int(year), 2000 + int(year)]
    else:
        return ()
    found = (birth.date(each, int(month), int(day)) for each in years)
    return tuple(iso for iso in found if iso)
