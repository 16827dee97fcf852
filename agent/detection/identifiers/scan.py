"""One pass over a text for every identifier.

Two linear searches (google-re2) find where a number or a label is; only there do the schemes of each identifier look,
in windows of bounded size. A text without digits costs a few microseconds. A grid of numbers in which few pass a check
is noise, not identifiers: without a context word such passes are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from agent.detection.identifiers import adeli, birth, contacts, finess, foreign, ins, ipp, nir, rpps
from agent.detection.identifiers.base import NEAR, Hit, Scheme, compact
from agent.findings import FindingType

MAX_HITS = 20_000
MAX_LANDMARKS = 50_000
MAX_RUN_CHARACTERS = 400_000  # of number-like text examined; beyond that a text is a table of numbers
_CHUNK = 4_000  # characters of one run looked at together
_OVERLAP = 64
_BEHIND = 12  # a key or a check letter may stand behind a run: « 1850578006084 clé 91 »
_GRID = 20  # so many candidates of one shape make a column or a grid
_COLUMN_RATE = 0.3  # a column of identifiers passes far more often, noise far less (base rates are below 0.2 %)

SCHEMES: tuple[Scheme, ...] = (
    *ins.SCHEMES,
    *nir.SCHEMES,
    *rpps.SCHEMES,
    *finess.SCHEMES,
    *adeli.SCHEMES,
    *foreign.SCHEMES,
    *contacts.SCHEMES,
)
_ACCENTS = str.maketrans("àâäéèêëîïôöùûüçñøº\u00a0\u202f\n\t", "aaaeeeeiioouuucnoo    ")
_NUMBERS = rb"[0-9](?:[ .\-/|\xa0()]{0,3}[0-9ABab]){6,}"
# what a number's label, a street or a number with letters in it begins with; one group each, tried in this order
_LANDMARKS = (
    ipp.PATIENT,
    ipp.STAY,
    birth.LABEL,
    contacts.STREET,
    r"[A-Z]{6}[0-9]{2}[A-T][0-9]{2}[A-Z][0-9]{3}[A-Z]",
    r"[1-9][A-Z][0-9A-Z][0-9]-?[A-Z][0-9A-Z][0-9]-?[A-Z]{2}[0-9]{2}",
)


@lru_cache(maxsize=1)
def _searchers() -> tuple[Any, Any, Any]:
    """Linear-time searchers for numbers, for landmarks, and for any context word at all (over folded text)."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    landmarks = "|".join(f"({pattern})" for pattern in _LANDMARKS).encode("latin-1")
    words = "|".join(sorted({scheme.words.pattern for scheme in SCHEMES})).encode("latin-1")
    return tuple(re2.compile(pattern, options) for pattern in (_NUMBERS, landmarks, words))


def find_identifiers(text: str) -> list[Hit]:
    """Every identifier in the text, by place; overlapping ones are settled for the stronger. Never raises."""
    if not any(digit in text for digit in "0123456789"):
        return contacts.mails(text)
    plain = text.replace("\u202f", "\u00a0").encode("latin-1", "replace")  # one byte a character: same offsets
    numbers, landmarks, words = _searchers()
    hits = [*contacts.mails(text), *ins.datamatrix(text)]
    hits += _numbers(text, numbers.finditer(plain), words)
    hits += _landmarks(text, landmarks.finditer(plain))
    return _settle(hits)


def _numbers(text: str, runs: Iterator[Any], words: Any) -> list[Hit]:
    tally = [[0, 0] for _ in SCHEMES]  # candidates and passes without context, by scheme
    alone: list[tuple[int, Hit]] = []
    hits: list[Hit] = []
    budget = MAX_RUN_CHARACTERS
    for run in runs:
        start, end = run.span()
        budget -= end - start
        if budget < 0 or len(hits) > MAX_HITS:
            break
        for low in range(start, end, _CHUNK):
            high = min(end, low + _CHUNK + _OVERLAP)
            worded = words.search(_fold(text, low, high).encode("latin-1", "replace")) is not None
            _try_schemes(text, low, high, worded, tally, alone, hits)
    for index, hit in alone:
        candidates, passes = tally[index]
        if candidates < _GRID or passes >= candidates * _COLUMN_RATE:
            hits.append(hit)
    return hits


def _try_schemes(
    text: str,
    start: int,
    end: int,
    worded: bool,
    tally: list[list[int]],
    alone: list[tuple[int, Hit]],
    hits: list[Hit],
) -> None:
    count = sum(map(str.isdigit, text[start : end + _BEHIND]))
    for index, scheme in enumerate(SCHEMES):
        if count < scheme.digits or not (scheme.alone or worded):
            continue
        for match in _candidates(scheme, text, start, end):
            tally[index][0] += 1
            value = compact(match[1])
            if not scheme.valid(value):
                continue
            tally[index][1] += 1
            hit = _grade(scheme, text, match)
            if hit is None:
                continue
            if hit.strength >= scheme.labelled:
                hits.append(hit)
            else:
                alone.append((index, hit))


def _candidates(scheme: Scheme, text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Matches of the shape, overlapping ones too: a wrong reading of a run must not hide the right one behind it."""
    place, stop = max(0, start - 6), min(len(text), end + _BEHIND)
    while (found := scheme.pattern.search(text, place, stop)) is not None:
        yield found
        place = found.start(1) + 1


def _grade(scheme: Scheme, text: str, match: re.Match[str]) -> Hit | None:
    start, end = match.span(1)
    before = _fold(text, start, start, scheme.reach, 0)
    after = _fold(text, end, end, 0, scheme.after) if scheme.after else ""
    labelled = scheme.words.search(before) is not None or (bool(after) and scheme.words.search(after) is not None)
    strength = scheme.labelled if labelled else scheme.alone
    return Hit(scheme.type, start, end, compact(match[1]), scheme.country, strength) if strength else None


def _fold(text: str, start: int, end: int, before: int = NEAR, after: int = 20) -> str:
    """The text around a place, lower case, without accents or line breaks; the place itself is left out when long."""
    middle = text[start:end] if end - start < 200 else " "
    return f"{text[max(0, start - before) : start]}{middle}{text[end : end + after]}".lower().translate(_ACCENTS)


def _landmarks(text: str, found: Iterator[Any]) -> list[Hit]:
    hits: list[Hit] = []
    for number, match in enumerate(found):
        if number > MAX_LANDMARKS or len(hits) > MAX_HITS:
            break
        start, end = match.span()
        if start and text[start - 1].isalnum():
            continue
        hit = _read_landmark(text, start, end, match)
        if hit is not None:
            hits.append(hit)
    return hits


def _read_landmark(text: str, start: int, end: int, match: Any) -> Hit | None:
    group = next(index for index in range(1, len(_LANDMARKS) + 1) if match.start(index) >= 0)
    if group <= 2:
        return ipp.read(text, end, FindingType.IPP if group == 1 else FindingType.NDA)
    if group == 3:
        return birth.read(text, end)
    if group == 4:
        return contacts.address(text, start, end)
    scheme = foreign.LETTERED[group - 5]
    letters = scheme.pattern.match(text, start)
    return _grade(scheme, text, letters) if letters and scheme.valid(compact(letters[1])) else None


def _settle(hits: list[Hit]) -> list[Hit]:
    """Drop every hit that overlaps a stronger one; equal ones go to the longer, then the earlier."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.strength, h.start - h.end)):
        if kept and hit.start < kept[-1].end:
            if hit.strength > kept[-1].strength:
                kept[-1] = hit
            continue
        kept.append(hit)
    return kept[:MAX_HITS]
