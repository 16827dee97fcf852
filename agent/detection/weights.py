"""The weights of all evidence: one line each, what it counts, what one of it is worth, and how much at most.

Pure values. ``combine`` adds them up; ``bench/fit.py`` fits them to labelled documents, held near to where they were
set by hand from what a document is, and prints what it found. A weight is in nats of log-odds towards its side:
« clinical » (is this about care?) or « person » (is it about one particular person?).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.detection.evidence import Evidence
from agent.findings import FindingType as Type


@dataclass(frozen=True, slots=True)
class Weight:
    """``each`` nats for every one that ``count`` finds on a page, up to ``most`` of them (may be fractional)."""

    name: str
    side: str
    type: Type
    count: Callable[[Evidence], float]
    each: float
    most: float


PRIOR_CLINICAL = -3.0
PRIOR_PERSON = -2.6
SLOPE = 0.85
"""The two sides are not independent, so the product of their probabilities is too timid: its log-odds are stretched."""
SAID, EVEN = 0.7, 0.3
"""What the log-odds of the rules are worth beside the wording model's, and the nats both start from together. On five
sets that neither had seen, each left out of the model in turn, a fit gives 1.0 and 0.0 with the model at its word, and
0.7 to 1.0 do equally well; a leak costs more than a question, hence 0.3. On six sets, with more terse notes, 0.7 finds
nine more of 770 than 0.8, at one false alarm less of 849 (decision 10).
"""
DECIDED = -4.0
"""Nats against, in one line, that the wording does not make up for."""
UNSAID = 1.0
"""Nats that the wording may add beyond those of what is clinical on the page."""
NOTE_EVEN, NOTE_UNSAID = 0.9, 0.4
"""The same two for a document that is one note: the lists of clinical words know less of it. Where nothing clinical is
said both together are as before (decision 10).
"""
_MANY = 3  # births that make a list
NOTE = 900  # folded bytes of a note
_FEW = 3  # clinical entries in it
_TWO, _LINE = 2, 300  # … of a line or two that say them of somebody by name; folded bytes of these
_PROSE, _JOTTED = 0.28, 0.2  # shares of binding words: of sentences, of notes
_OF_ANYBODY = frozenset((b"*shorthand", b"*for weeks", b"*see again", b"*session", b"*tolerated", b"*done"))


def _tied(page: Evidence) -> bool:
    """Whether the births on the page are those of whom it is about: a list of persons with nothing clinical beside
    them is a list of members.
    """
    return len(page.births) < _MANY or page.rows * 2 >= len(page.births) or page.patients > 0


def _terse(page: Evidence) -> bool:
    """A few lines with somebody in them, several clinical entries and no word of anything else: a note, a message."""
    if page.size > NOTE:
        return False
    told = len(page.terms) + len(page.phrases) + len(page.drugs) + page.values + page.signs + len(page.measures)
    someone = page.rows or page.ages or page.names or page.narrative - _OF_ANYBODY or page.told
    told_by = page.sentences < _PROSE or page.letters or b"*kin by name" in page.narrative
    few = _TWO if told < _FEW and page.size <= _LINE and page.told else _FEW
    return told >= few and bool(someone and told_by) and not _markers(page)


def _jotted(page: Evidence) -> bool:
    """A few words of three kinds at least, hardly any of which holds a sentence together: written for oneself."""
    kinds = (len(page.terms), len(page.phrases), len(page.drugs), page.values, page.signs, len(page.measures))
    return (
        page.sentences < _JOTTED
        and len(page.terms) >= _FEW
        and sum(kinds) > _FEW
        and sum(map(bool, kinds)) >= _FEW
        and not _markers(page)
    )


def _markers(page: Evidence) -> bool:
    """Whether anything but ordinary words speaks against."""
    return any(strength != "o" for strengths in page.against.values() for strength in strengths)


def _full_names(page: Evidence) -> int:
    return sum(b" " in name for name in page.names)


def _told_of(page: Evidence) -> int:
    """Persons in a note without civility, of whom it says something clinical, where nobody else is named."""
    return len(page.told) if page.size <= NOTE and not page.names and not _markers(page) else 0


CLINICAL = (
    # title of a clinical document, as a heading
    Weight("title", "clinical", Type.TITLE, lambda page: sum(page.titles.values()), 2.4, 1.333),
    # section heading, distinct
    Weight("section", "clinical", Type.SECTION, lambda page: len(page.sections), 0.8, 4),
    # phrase of letters and reports, distinct
    Weight("phrase", "clinical", Type.PHRASE, lambda page: len(page.phrases), 0.45, 8),
    # phrase that says something of one person under care («j'ai vu en consultation»)
    Weight("letter", "clinical", Type.PHRASE, lambda page: len(page.letters), 0.9, 2),
    # medical word, distinct, of the lexicon or of medical shape
    Weight("term", "clinical", Type.TERM, lambda page: len(page.terms), 0.28, 11.0),
    # medicine, distinct
    Weight("drug", "clinical", Type.DRUG, lambda page: len(page.drugs), 0.35, 4),
    # medicine with dose and rhythm, distinct
    Weight("dose", "clinical", Type.DRUG, lambda page: page.doses, 1.2, 3),
    # laboratory value with unit, distinct
    Weight("value", "clinical", Type.LAB_LINE, lambda page: page.values, 0.8, 5),
    # vital sign with figure, distinct
    Weight("sign", "clinical", Type.VITAL_SIGN, lambda page: page.signs, 0.6, 4),
    # amount of a medicine alone («500 mg»)
    Weight("strength", "clinical", Type.DRUG, lambda page: len(page.strengths), 0.3, 3),
    # rhythm alone («1-0-1», «3dd1»)
    Weight("rhythm", "clinical", Type.DRUG, lambda page: len(page.rhythms), 0.8, 2),
    # week of gestation, parity, tumour stage, refraction, tooth, distinct
    Weight("measure", "clinical", Type.VITAL_SIGN, lambda page: len(page.measures), 0.8, 3),
    # code of a diagnosis or act, distinct
    Weight("code", "clinical", Type.CODE, lambda page: page.codes, 0.7, 3),
    # line that holds a person and something clinical, beyond one
    Weight("rows", "clinical", Type.TERM, lambda page: max(0, page.rows - 1), 0.4, 4),
    # a few lines with somebody in them and nothing else
    Weight("note", "clinical", Type.PHRASE, _terse, 1.0, 1),
    # narrative about one patient, distinct
    Weight("narrative", "clinical", Type.PHRASE, lambda page: len(page.narrative), 0.3, 3),
    # a patient of the practice's list: a sign of care is enough, none is not
    Weight("listed", "clinical", Type.ROSTER, lambda page: page.listed, 3.0, 1),
)
IDENTITY = (
    # birth date with a label
    Weight("birth", "person", Type.BIRTH_DATE, lambda page: len(page.births) if _tied(page) else 0, 2.2, 1),
    # … and a name beside it
    Weight("block", "person", Type.IDENTITY_BLOCK, lambda page: page.named_births if _tied(page) else 0, 1.8, 1),
    # «Patient: NAME»
    Weight("patient", "person", Type.PERSON, lambda page: page.patients, 2.8, 1),
    # person with a civility: full name
    Weight("full-name", "person", Type.PERSON, _full_names, 2.0, 1.2),
    # … one name
    Weight("name", "person", Type.PERSON, lambda page: len(page.names) - _full_names(page), 1.4, 1),
    # … a full name in a note, without civility
    Weight("told-of", "person", Type.PERSON, _told_of, 1.4, 1),
    # record number with its label
    Weight("chart", "person", Type.IPP, lambda page: page.charts, 1.8, 1),
    # a patient of the practice's list: nothing is more certain
    Weight("on-list", "person", Type.ROSTER, lambda page: page.listed, 12.0, 1),
)
IDENTIFIER = Weight("identifier", "person", Type.NIR, lambda _page: 0, 2.8, 1.25)
"""NIR, INS or another identifier of a patient, counted by the sum of their strengths."""
PERSON = (
    # age of one person
    Weight("age", "person", Type.PERSON, lambda page: len(page.ages), 2.2, 1.182),
    # narrative about one patient, distinct
    Weight("told", "person", Type.PHRASE, lambda page: len(page.narrative), 0.75, 5),
    # phrase that says something of one person under care
    Weight("seen", "person", Type.PHRASE, lambda page: len(page.letters), 1.0, 2),
    # phrase of letters and reports, distinct: most are said of somebody examined
    Weight("said", "person", Type.PHRASE, lambda page: len(page.phrases), 0.3, 5),
    # complaint or sign said to be absent («no cough, denies fever»), distinct beyond one
    Weight("absent", "person", Type.TERM, lambda page: max(0, len(page.absent) - 1), 0.5, 6),
    # section heading of a clinical record, distinct
    Weight("record", "person", Type.SECTION, lambda page: len(page.sections), 0.4, 5),
    # measured value or dosed medicine, distinct
    Weight("measured", "person", Type.VITAL_SIGN, lambda page: page.signs + page.values + page.doses, 0.45, 4),
    # week of gestation, stage, refraction, tooth or rhythm, distinct
    Weight("noted", "person", Type.VITAL_SIGN, lambda page: len(page.measures) + len(page.rhythms), 0.5, 2),
    # line that holds a person and something clinical
    Weight("row", "person", Type.PERSON, lambda page: page.rows, 1.0, 3.5),
    # dated lines that hold something clinical, beyond one: a diary
    Weight("diary", "person", Type.PHRASE, lambda page: max(0, page.dated - 1), 0.5, 4),
    # a few lines with somebody in them and nothing else
    Weight("noted-down", "person", Type.PHRASE, _terse, 1.4, 1),
    # hardly a sentence in it
    Weight("jotted", "person", Type.PHRASE, _jotted, 0.9, 1),
    # left or right beside something clinical
    Weight("side", "person", Type.TERM, lambda page: page.sides, 0.6, 2),
    # title of a document that is always about one patient
    Weight("about", "person", Type.TITLE, lambda page: sum(page.titles.values()), 1.2, 1),
    # sex with its label
    Weight("sex", "person", Type.PERSON, lambda page: page.sex, 0.6, 1),
)
VIGNETTES = Weight("vignettes", "person", Type.COURSE, lambda _page: 0, -1.0, 4)
"""Persons of more than three ages and no identity: a book of cases."""
DENSITY = (0.0, 1.6, 2.2, 2.6)
"""Nats at most where most of a short text is clinical, by how many kinds of clinical entries there are (0 to 3)."""
