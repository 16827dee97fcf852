"""Labelled birth dates in six languages, as ISO dates.

A date without a label is no birth date. Day-month order is taken except where only month-day makes a date; two-digit
years up to 30 are of this century. No clock is read: any year from 1890 to 2099 is accepted.
"""

from __future__ import annotations

import re

from agent.detection.identifiers.base import Hit
from agent.findings import FindingType

# years, also those that people write without a century
_FIRST_YEAR, _LAST_YEAR, _PIVOT = 1890, 2099, 30
_MONTHS = {
    "jan": 1, "ene": 1, "gen": 1, "fev": 2, "feb": 2, "mar": 3, "mrt": 3, "maa": 3, "avr": 4, "apr": 4, "abr": 4,
    "mai": 5, "may": 5, "mei": 5, "mag": 5, "jun": 6, "giu": 6, "jul": 7, "lug": 7, "aou": 8, "aug": 8, "ago": 8,
    "sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10, "nov": 11, "dec": 12, "dez": 12, "dic": 12,
    "juin": 6, "juil": 7,
}  # fmt: skip
_GAP = r"[\s:=|.,*()\xa0-]{0,8}(?:(?:le|am|il|el|op|on)\s{1,2})?"
# labels up to the first character of the date; for the linear search, so no look-around and no groups
LABEL = (
    r"(?i:n[ée]e?\s?(?:\(e\)|·e|\.e|/e)?\s?(?:le\b|:)|date (?:de )?naissance"
    r"|d(?:ate)?\.?\s?de naiss[a-z]*\.?|d\.?d\.?n\b\.?"
    r"|naissance|date of birth|birth\s?date|d\.?o\.?b\b\.?|born|geboortedatum|geb(?:oren|\.|datum|urtsdatum|\b)"
    r"|data di nascita|nat[oaie](?:/a)?(?: a [^\n\d]{2,30})? il\b|fecha (?:de )?nac(?:imiento|\.)?|f\.?\s?nac\.?"
    rf"|nacid[oa] el|data de nascimento){_GAP}"
)
DATE = re.compile(
    r"(?P<a>\d{1,4})\s?[/.\-\s]\s?(?P<b>\d{1,2})\s?[/.\-\s]\s?(?P<c>\d{4}|\d{1,2})(?!\d)"
    r"|(?P<d>\d{1,2})(?:er|st|nd|rd|th|\.|º)?\s(?:de\s)?(?P<m>[^\W\d_]{3,10})\.?,?\s(?:de\s)?(?P<y>\d{4})(?!\d)"
    r"|(?P<m2>[^\W\d_]{3,10})\.?\s(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s(?P<y2>\d{4})(?!\d)"
    r"|(?P<k>(?:18|19|20)\d{6}|\d{4}(?:19|20)\d{2})(?!\d)"
)


def read(text: str, place: int) -> Hit | None:
    """The birth date that starts at ``place``, right behind its label; None when no possible date stands there."""
    found = DATE.match(text, place, min(len(text), place + 40))
    iso = _iso(found) if found else ""
    return Hit(FindingType.BIRTH_DATE, place, found.end(), iso, "", 0.9) if found and iso else None


def _iso(found: re.Match[str]) -> str:
    if found["a"]:
        return numeric(found["a"], found["b"], found["c"])
    if found["k"]:
        digits = found["k"]
        first = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return first or date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    word = (found["m"] or found["m2"]).lower().translate(str.maketrans("éûèäô", "eueao"))
    return date(int(found["y"] or found["y2"]), month_of(word), int(found["d"] or found["d2"]))


def month_of(word: str) -> int:
    """The month (1 to 12) that a lower-case word without accents names in one of six languages, or 0."""
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3], 0)


def numeric(first: str, second: str, third: str) -> str:
    """Three numbers of a date as written → ISO date, or "" when they make none; years of two digits as above."""
    if len(first) == 4:
        return date(int(first), int(second), int(third)) if len(third) <= 2 else ""
    if len(first) == 3 or len(third) == 1:
        return ""
    year = int(third)
    if len(third) == 2:
        year += 2000 if year <= _PIVOT else 1900
    return date(year, int(second), int(first)) or date(year, int(first), int(second))


def date(year: int, month: int, day: int) -> str:
    """The ISO date, or "" when there is no such day in the years a patient can be born in."""
    if not (_FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12):
        return ""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 29 if month == 2 and leap else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    return f"{year:04d}-{month:02d}-{day:02d}" if 1 <= day <= last else ""
