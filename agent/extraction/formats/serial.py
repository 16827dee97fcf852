"""Spreadsheet numbers → what the cell shows, near enough: dates as ISO dates, long numbers without an exponent.

Pure. ECMA-376 part 1, 18.8.30 (number formats) and 18.17.4.1 (date systems).
"""

from __future__ import annotations

import datetime as dt
import re

_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_EPOCH_1900 = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
_EPOCH_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001
_MAX_DAYS = 2_958_466  # 9999-12-31


def is_date_format(number: int, code: str = "") -> bool:
    """Whether a number format shows a date or a time; ``code`` is its pattern where the file defines one."""
    if code:
        bare = _QUOTED.sub("", code.lower()).split(";")[0]
        return "general" not in bare and any(letter in bare for letter in "ymdhj")
    return number in _BUILT_IN_DATES


def date_of(written: str, *, since_1904: bool = False) -> str:
    """ISO date of a serial day number, with the time when there is one; what is no such number stays as written."""
    try:
        days = float(written)
    except ValueError:
        return written
    if not 0 < days < _MAX_DAYS:
        return written
    moment = (_EPOCH_1904 if since_1904 else _EPOCH_1900) + dt.timedelta(seconds=round(days * 86400))
    if days < 1:
        return moment.strftime("%H:%M")
    return moment.strftime("%Y-%m-%d") if not (moment.hour or moment.minute) else moment.strftime("%Y-%m-%d %H:%M")


def number_text(written: str) -> str:
    """« 2.79035121518989E14 » is what a file says when the cell shows 279035121518989."""
    if len(written) > 40 or not ("E" in written or "e" in written or "." in written):
        return written
    try:
        value = float(written)
    except ValueError:
        return written
    if value == int(value) if abs(value) < 1e17 else False:
        return str(int(value))
    return format(value, ".10g") if abs(value) < 1e15 else written
