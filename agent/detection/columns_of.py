"""Patients that stand as headings of columns, readings below them: «      Abhervé  Bothorel / TA  13/7  11/6 / Glyc …».

Owns that shape in a note: a line of nothing but family names, then lines that begin with what is measured or done and
hold a cell for each. Takes the folded page and its ``Evidence``; notes who is told of. Names never leave the process.
"""

from __future__ import annotations

import re
from itertools import islice

import re2

from agent.detection.evidence import Evidence, Told
from agent.detection.firsts import unknown
from agent.detection.fold import Folded
from agent.detection.jottings import LONGEST
from agent.detection.linear import spans

_LINES = 200  # of a page, that may be such a line
_LEAST, _MOST = 2, 12  # names of such a line
_ROWS = 2  # lines below it
_HEAD = rb"(?:(?:Mr?|Mme|Mlle|Mrs|Ms|Frau|Herr|Sig|Sra?|Dhr|Mw)\.? )?[A-Z][A-Za-z'\-]{2,24}"
_BETWEEN = rb"[ ,;|\t:\-]"
_HEADS = re.compile(rb" ?" + _HEAD + rb"(?=[ ,;|]|$)")
_BARE = re2.compile(rb"(?m)^" + _BETWEEN + rb"*(?:" + _HEAD + _BETWEEN + rb"+)+" + _HEAD + _BETWEEN + rb"*$")
"""A line of nothing but two such words or more: one search of a page leaves the others out."""


def read_columns(evidence: Evidence, page: Folded) -> None:
    """Note the persons of the first line of names that has readings below it."""
    said = evidence.vitals | evidence.lab_values | evidence.terms | evidence.drugs
    if len(page.cased) > LONGEST or not said:
        return
    for start, end in islice(spans(_BARE, page.cased), _LINES):
        names = _names(page.cased[start:end])
        if names and _are_read(page.cased[end + 1 :].split(b"\n", _ROWS + 1)[: _ROWS + 1], len(names), said):
            evidence.told += [Told(frozenset((name,))) for name in names]
            return


def _names(line: bytes) -> list[bytes]:
    """The family names of a line that holds nothing else; all must be words of no language but one in four."""
    found = list(islice(_HEADS.finditer(line), _MOST + 1))
    words = [match[0].lower().split()[-1] for match in found]
    rest = _HEADS.sub(b"", line).strip(b" ,;|\t-:")
    if rest or not _LEAST <= len(words) <= _MOST or len(set(words)) < len(words):
        return []
    strange = sum(map(unknown, words))
    return words if strange >= _LEAST and 4 * strange >= 3 * len(words) else []


def _are_read(lines: list[bytes], columns: int, said: set[bytes]) -> bool:
    """Whether each of the next lines has a cell a column behind its label, and a label is clinical."""
    rows = [line.lower().split() for line in lines]
    full = [row for row in rows if len(row) > columns]
    return len(full) >= _ROWS and any(row[0].rstrip(b":") in said for row in full)
