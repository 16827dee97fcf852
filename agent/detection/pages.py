"""Reading a text page by page: cut, fold, match, and hand each match to the rule it belongs to.

Owns the size of a page (proximity: identity and clinical content must meet on the same or the next page) and the
dispatch from lexicon groups to rules. Takes text, returns one ``Evidence`` a page. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import re2

from agent.detection import begun, columns_of, identity, negatives, notation, people, person_shapes, sides, told
from agent.detection import evidence as clinical
from agent.detection.evidence import Evidence
from agent.detection.fold import Folded, fold
from agent.detection.jottings import LONGEST, read_jottings
from agent.detection.linear import holding
from agent.detection.matcher import Match, matcher
from agent.detection.speech import read_speech

PAGE = 6000  # characters: two printed pages
_FEW = 3  # clinical entries from which sides of the body are looked for
_BEGUN, _LOUD = 1500, 0.8  # bytes looked at, share of the letters
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _CAPITALS + _CAPITALS.lower()
_READINGS = frozenset(("drug", "analyte", "vital"))
# whether a page without a figure may hold a notation or a person that needs none
_wordy = holding(re2.compile(f"(?i:{notation.WITHOUT_FIGURES})|{person_shapes.WITHOUT_FIGURES}".encode("ascii")))
_ANCHORS = {
    "born": identity.read_born,
    "civility": identity.read_civility,
    "patient": identity.read_patient,
    "age": identity.read_age,
    "chart": identity.read_chart,
    "sex": identity.read_sex,
    "office": identity.read_office,
    "role": identity.read_role,
    "kin": identity.read_kin,
}


def cut(text: str, size: int = PAGE) -> Iterator[str]:
    """Pieces of at most ``size`` characters, cut at a line end in the last third, else at a space."""
    start = 0
    while len(text) - start > size:
        low, high = start + size * 2 // 3, start + size
        stop = max(text.rfind("\n", low, high), text.rfind("\f", low, high))
        stop = stop if stop > 0 else text.rfind(" ", low, high)
        stop = stop + 1 if stop > 0 else high
        yield text[start:stop]
        start = stop
    if start < len(text):
        yield text[start:]


def read_page(text: str | Folded) -> Evidence:
    """All evidence of one page of text, folded or not, in time linear in its length."""
    page = fold(text) if isinstance(text, str) else text
    evidence = Evidence(size=len(page.words), loud=_is_loud(page.cased))
    counted = {
        "phrase": evidence.phrases,
        "letter": evidence.letters,
        "narrative": evidence.narrative,
        "term": evidence.terms,
    }
    places: list[int] = []
    denied = 0
    for match in matcher().find(page.words):
        entry = match.entry
        for group, detail in entry.uses:
            if group in counted:
                counted[group].add(entry.text)
                places.append(match.start)
                if clinical.is_denied(page, match, denied):
                    evidence.absent.add(entry.text)
                    denied = match.end
            else:
                _RULES[group](evidence, page, match, detail)
                if group in _READINGS and (
                    entry.text in evidence.vitals or entry.text in evidence.lab_values or group == "drug"
                ):
                    places.append(match.start)
    evidence.codes = clinical.count_codes(page)
    places += clinical.read_shaped(evidence, page)
    some = page.figures or _wordy(page.cased)
    if some:
        places += clinical.read_figures(evidence, page)
    if len(places) >= _FEW or (places and len(page.lines) <= LONGEST):
        read_speech(evidence, page)
    places += read_jottings(evidence, page)
    persons = [*evidence.heads, *begun.read_begun(evidence, page, places)]
    people.read_people(evidence, page, places, persons, some=some)
    told.read_told(evidence, page, places)
    columns_of.read_columns(evidence, page)
    if len(places) >= _FEW:
        evidence.sides += sides.count_sides(page, places)
    evidence.blanks += clinical.count_open_fields(page)
    if negatives.looks_like_code(page):
        evidence.against["code"] = {"s": {b"*1", b"*2", b"*3"}}
    return evidence


def _is_loud(cased: bytes) -> bool:
    """Whether a page is written in capitals, by how it begins."""
    begun = cased[:_BEGUN]
    capitals = len(begun) - len(begun.translate(None, _CAPITALS))
    return capitals > _LOUD * (len(begun) - len(begun.translate(None, _LETTERS)))


def _read_anchor(evidence: Evidence, page: Folded, match: Match, detail: str) -> None:
    rule = _ANCHORS.get(detail)
    if rule is not None:
        rule(evidence, page, match)


def _plain(rule: Callable[[Evidence, Folded, Match], None]) -> Callable[[Evidence, Folded, Match, str], None]:
    """A rule that asks for no detail, in the shape of those that do."""
    return lambda evidence, page, match, _detail: rule(evidence, page, match)


_RULES: dict[str, Callable[[Evidence, Folded, Match, str], None]] = {
    "anchor": _read_anchor,
    "against": negatives.read_marker,
    "title": clinical.read_title,
    "section": _plain(clinical.read_section),
    "drug": _plain(clinical.read_drug),
    "analyte": clinical.read_analyte,
    "vital": _plain(clinical.read_vital),
}
