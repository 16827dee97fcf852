"""The clinical side: what one page of text says about care, and in what words.

Owns the rules that turn lexicon matches into clinical evidence: a title is a title only as a heading, a medicine
counts more with a dose, a laboratory word counts only with a value and a unit, a vital sign only with a figure. Takes a
folded page and its matches, fills ``Evidence``. Who the text is about is identity.py, what speaks against is
negatives.py, what it all weighs is combine.py. No document text leaves this module: entries of our own lexicon do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import re2

from agent.detection.fold import Folded
from agent.detection.linear import anywhere, at_start, spans
from agent.detection.matcher import Match
from agent.detection.morphology import shaped
from agent.detection.notation import read_notation

_holds_dose = at_start(
    rb"[^\n]{0,40}?\d(?:[\d.,/ ]*)(?:mg|g|ug|mcg|micro\w*|ml|ui|iu|u|%|cp|cpr|comprimes?|gelules?|sachets?|ampoules?|"
    rb"bouffees?|gouttes?|tabs?|tablets?|caps?|capsules?|puffs?|tabletten?|compress[ae]|comprimidos?|tabletten)\b"
)
_holds_rhythm = anywhere(
    rb"matin|midi|soir|coucher|par jour|/ ?j\b|\bx ?\d|fois|toutes les|pendant \d|si douleur|jours|daily|twice|"
    rb"bid\b|tid\b|qhs|bedtime|morgens|abends|taglich|al giorno|ore \d|cada \d|al dia|per dag|\d dd|\d-\d-\d"
)
_UNIT = (
    rb"(?:[gmunpk]?g ?/ ?(?:d?l|ml|24 ?h)|[munp]?mol ?/ ?(?:l|mol)|[mku]?u?i?u ?/ ?m?l|"
    rb"m?eq ?/ ?l|/ ?mm ?3|[gt](?:iga|era)? ?/ ?l|10 ?[\^*]? ?\d+ ?/ ?l|x10|fl\b|pg\b|%|mm ?/ ?h|mm\b|"
    rb"ml ?/ ?min|sec\b|mmhg|/ ?ul|k ?/ ?ul|mil)"
)
_holds_value = at_start(
    rb"(?:[^\d\n]{0,18}|[^\n]{0,30}[:=])[\s:=.|*]{0,6}[<>]?\s{0,2}\d{1,6}(?:[.,]\d+)?\s{0,3}[*+hl]?\s{0,3}"
    rb"(?:" + _UNIT + rb"|\(?\s?\d+(?:[.,]\d+)?\s?(?:-|a|to|bis)\s?\d)"
)
_BARE = re.compile(rb"[+]?[ :=]{1,3}(?:a |at |est |is )?\d{1,5}(?:[.,]\d{1,3})?(?![\d/])(?!-\d\d)")
_FIGURE = re.compile(
    rb"[\s:=(.]{0,4}(?:(?:est|etait|was|is|a|de|of|at|mesuree?|arterielle|"
    rb"systolique)[\s:]{1,2}){0,3}\d{1,3}(?:[.,/]\d|\b)"
)
_TEMPERATURE = re.compile(rb"[\s:=\xb0o]{0,4}(?:3[4-9]|4[0-2])(?:[.,]\d)?\b")
_CODE = re2.compile(rb"\b(?:[A-TV-Z]\d{2}\.\d{1,2}|[A-Z]{4}\d{3})\b")  # ICD-10 with its dot; CCAM acts
_MOST_CODES = 20
_OPEN_FIELD = re.compile(rb"\.{5,}(?![. ]*\d)|_{3,}|\[ \]")
_RULE, _BRACKET, _BRACE, _ANGLE = b"_[{<"
_ABSENT = (
    b" no ", b" denies ", b" denied ", b" denies any ", b" denied any ", b" negative for ", b" pas de ", b" pas d ",
    b" absence de ", b" absence d ", b" aucune ", b" aucun ", b" kein ", b" keine ", b" keinen ", b" niega ",
    b" nega ", b" geen ", b" sans ", b" ni ", b" ohne ", b" senza ", b" sin ",
)  # fmt: skip
_LAST_LETTERS = frozenset(words[-3:-1] for words in _ABSENT)  # before the last blank: one look instead of 23
_BETWEEN = frozenset(
    (b", ", b" or ", b", or ", b" nor ", b" ou ", b" ni ", b", ni ", b" oder ", b" o ", b" of ", b"/", b" / ")
)
_LISTED = 6  # bytes between two that are denied together
_PLACEHOLDER = re2.compile(
    rb"\{\{[^}\n]{1,40}\}\}|<<[^>\n]{1,40}>>|\$\{[a-z_. ]{2,40}\}|\[(?:nom|prenom|name|date|datum|nome|"
    rb"naam|nombre|patient)[^\]\n]{0,30}\]"
)
_HEADING_BEFORE = b"\n\t #*-|>.)0123456789]["
_AFTER_HEADING = re.compile(rb"[ ]?(?:\(s\)|\([^)\n]{0,20}\))?[ ]?(?:[:\n|]|- |\.\n)")


class Told(NamedTuple):
    """A person of whom a sentence says something clinical: words of the name; "f", "m" or "" as the civility says."""

    words: frozenset[bytes]
    sex: str = ""


@dataclass(slots=True)
class Evidence:
    """What one page shows. Sets hold numbers of distinct lexicon entries (as folded text), never text of the document,
    but for ``births`` and ``names``, which are identities: they are counted and compared here and go nowhere.
    """

    size: int = 0  # folded bytes of the page
    loud: bool = False  # written in capitals: they tell no name there
    titles: dict[str, int] = field(default_factory=dict)  # kind → headings
    sections: set[bytes] = field(default_factory=set)
    mentions: dict[str, int] = field(default_factory=dict)  # kind → titles within running text
    phrases: set[bytes] = field(default_factory=set)
    letters: set[bytes] = field(default_factory=set)  # phrases that say something of one person under care
    narrative: set[bytes] = field(default_factory=set)
    terms: set[bytes] = field(default_factory=set)
    drugs: set[bytes] = field(default_factory=set)
    dosed: set[bytes] = field(default_factory=set)
    lab_values: set[bytes] = field(default_factory=set)
    vitals: set[bytes] = field(default_factory=set)
    absent: set[bytes] = field(default_factory=set)  # complaints and signs said to be absent: «no cough», «pas de toux»
    codes: int = 0
    strengths: set[bytes] = field(default_factory=set)  # an amount of a medicine alone: «500 mg»
    rhythms: set[bytes] = field(default_factory=set)  # «1-0-1», «3dd1»
    lab_figures: int = 0  # distinct values told by their unit alone
    vital_figures: int = 0  # distinct vital signs told by their shape
    dose_figures: int = 0  # distinct doses with a rhythm, whatever the medicine
    measures: set[bytes] = field(default_factory=set)  # weeks of gestation, stages, refractions, teeth
    sides: int = 0  # «links», «OD», «dx» close to something clinical
    heads: list[int] = field(default_factory=list)  # where persons with a civility stand
    last_name: tuple[int, bool] = (0, False)  # where the last of them ended, and whether it was new
    newest: bytes = b""
    workers: list[bytes] = field(default_factory=list)  # persons taken back because they work there
    staff: int = 0  # where the last word for who works there ended, or the last person who does
    sentences: float = 1.0  # share of the words that hold sentences together, on the page of a note
    dated: int = 0  # lines of a short page that begin with a day or an hour and hold something clinical
    rows: int = 0  # lines that hold a person and something clinical
    row_names: set[bytes] = field(default_factory=set)  # who stands there, counted and compared only
    teller: Callable[[Evidence], list[Told]] | None = None  # finds those of whom a sentence says something clinical
    _told: list[Told] | None = None
    called: int = 0  # persons told by a given name with an age: «Gabin, 7 mois»
    ages: set[bytes] = field(default_factory=set)  # «patient de 54 ans»: the age as written
    births: set[str] = field(default_factory=set)  # ISO dates beside a word for birth
    named_births: int = 0  # births with a person's name close by
    names: set[bytes] = field(default_factory=set)  # persons with a civility or a patient label, professionals apart
    patients: int = 0  # labels «Patient: NAME»
    labelled: set[bytes] = field(default_factory=set)  # who stands behind them
    charts: int = 0  # labels of a record number with the number
    listed: int = 0  # patients of the practice's list, by name with birth date or by number
    sex: int = 0
    blanks: int = 0  # fields left open
    against: dict[str, dict[str, set[bytes]]] = field(default_factory=dict)  # family → strength → entries

    @property
    def told(self) -> list[Told]:
        """The persons of whom a sentence says something clinical. They are looked for when somebody asks: most
        documents say otherwise who they are about.
        """
        if self._told is None:
            self._told = self.teller(self) if self.teller is not None else []
            self.teller = None
        return self._told

    @told.setter
    def told(self, persons: list[Told]) -> None:
        self._told = persons

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing that any weight on the clinical side counts."""
        return not (
            self.titles or self.sections or self.phrases or self.letters or self.narrative or self.terms or self.drugs
            or self.dosed or self.lab_values or self.vitals or self.strengths or self.rhythms or self.measures
            or self.codes or self.lab_figures or self.vital_figures or self.dose_figures or self.rows or self.listed
        )  # fmt: skip

    @property
    def values(self) -> int:
        """Laboratory values: those with a known name, or those told by their unit, whichever are more."""
        return max(len(self.lab_values), self.lab_figures)

    @property
    def signs(self) -> int:
        """Vital signs: those with a known name, or those told by their shape."""
        return max(len(self.vitals), self.vital_figures)

    @property
    def doses(self) -> int:
        """Medicines with dose and rhythm: those with a known name, or those told by the dose."""
        return max(len(self.dosed), self.dose_figures)


def is_heading(lines: bytes, start: int, end: int) -> bool:
    """The entry stands at the start of a line (numbering and bullets aside) and ends it or is followed by a colon."""
    return starts_line(lines, start) and _AFTER_HEADING.match(lines, end) is not None


def starts_line(lines: bytes, start: int) -> bool:
    """Nothing but numbering, bullets and blanks before ``start`` in its line."""
    begin = start - 1
    limit = max(0, start - 8)
    while begin > limit and lines[begin] in _HEADING_BEFORE and lines[begin] != 0x0A:
        begin -= 1
    return lines[begin] == 0x0A


def read_title(evidence: Evidence, page: Folded, match: Match, kind: str) -> None:
    """A title counts as one at the start of a line; in running text several words still say something."""
    if starts_line(page.lines, match.start) and (b" " in match.entry.text or is_heading(page.lines, *match[:2])):
        evidence.titles[kind] = evidence.titles.get(kind, 0) + 1
    elif b" " in match.entry.text:
        evidence.phrases.add(match.entry.text)
        evidence.mentions[kind] = evidence.mentions.get(kind, 0) + 1


def read_section(evidence: Evidence, page: Folded, match: Match) -> None:
    """A section heading counts as one when it is a heading; elsewhere its words are terms."""
    if match.entry.text in evidence.sections or is_heading(page.lines, match.start, match.end):
        evidence.sections.add(match.entry.text)
    elif not match.entry.whole and not match.entry.has("term"):
        evidence.terms.add(match.entry.text)


def read_drug(evidence: Evidence, page: Folded, match: Match) -> None:
    """A medicine; with a dose or a rhythm in the same line it is a prescription of somebody."""
    _note_drug(evidence, page, match.entry.text, match.end)


def _note_drug(evidence: Evidence, page: Folded, name: bytes, end: int) -> None:
    evidence.drugs.add(name)
    if name in evidence.dosed:
        return
    stop = page.lines.find(b"\n", end)
    line = page.lines[end : min(stop, end + 90)]
    if _holds_dose(line) and _holds_rhythm(line):
        evidence.dosed.add(name)


def read_analyte(evidence: Evidence, page: Folded, match: Match, detail: str) -> None:
    """A laboratory word with a value and a unit, or a value and a reference interval; of the short names that
    clinicians write («Hb 9,8»), the value right behind is enough. A limit («CRP < 5») is no value.
    """
    if match.entry.text in evidence.lab_values:
        return
    if (detail == "bare" and _BARE.match(page.lines, match.end, match.end + 16)) or (
        _holds_value(page.lines[match.end : match.end + 70])
    ):
        evidence.lab_values.add(match.entry.text)


def read_vital(evidence: Evidence, page: Folded, match: Match) -> None:
    """A vital sign with its figure."""
    if match.entry.text in evidence.vitals:
        return
    shape = _TEMPERATURE if match.entry.text == b"t" else _FIGURE
    if shape.match(page.lines, match.end, match.end + 40):
        evidence.vitals.add(match.entry.text)


def is_denied(page: Folded, match: Match, denied: int = 0) -> bool:
    """«No cough», «denies fever», «pas de toux»: the complaint is stated as absent, as after an examination.

    ``denied`` is the end of the last one denied: what is listed behind it («, fever or rash») is denied with it.
    """
    start = match.start
    words = page.words
    if words[start - 3 : start - 1] in _LAST_LETTERS and words.endswith(_ABSENT, max(0, start - 14), start):
        return True
    return 0 < start - denied <= _LISTED and page.lines[denied:start] in _BETWEEN


def count_open_fields(page: Folded) -> int:
    """Fields left open in a form: dotted or ruled lines and empty boxes (not the leaders of a table of contents)."""
    lines = page.lines  # one letter is looked for faster than three, and by its code faster than as bytes
    bracket = _BRACKET in lines
    ruled, boxed = _RULE in lines and b"___" in lines, bracket and b"[ ]" in lines
    open_fields = len(_OPEN_FIELD.findall(lines)[:100]) if ruled or boxed or b"....." in lines else 0
    if not (bracket or _BRACE in lines or (_ANGLE in lines and b"<<" in lines)):
        return open_fields
    return open_fields + len(list(islice(spans(_PLACEHOLDER, lines), 100)))


def read_shaped(evidence: Evidence, page: Folded) -> list[int]:
    """Words of medical shape that the lexicon does not hold, as terms and medicines; where the medicines end."""
    places = []
    for word, end, medicine in shaped(page.words):
        if medicine:
            _note_drug(evidence, page, word, end)
        else:
            evidence.terms.add(word)
        places.append(end - 1)
    return places


def read_figures(evidence: Evidence, page: Folded) -> list[int]:
    """Notation in figures, beside what the lexicon's own words found: the same reading counts once. Returns places."""
    found = read_notation(page)
    evidence.strengths, evidence.rhythms, evidence.measures = found.strengths, found.rhythms, found.findings
    evidence.lab_figures, evidence.vital_figures = len(found.labs), len(found.vitals)
    evidence.dose_figures = len(found.doses)
    evidence.codes = min(_MOST_CODES, evidence.codes + found.codes)
    return found.places


def count_codes(page: Folded) -> int:
    """Codes of diagnoses and acts, distinct, at most 20."""
    if not page.figures:
        return 0
    return len({page.cased[start:end] for start, end in islice(spans(_CODE, page.cased), _MOST_CODES)})
