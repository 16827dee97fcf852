"""From evidence to a probability: two questions, each answered in nats, and both must be yes.

Owns the weights. A document is medical when (a) what it says is clinical **and** (b) it says it of one particular
person. Each question starts from a prior in log-odds, evidence adds to it or takes away, and the probability of
« medical » comes from the product of the two. A leaflet fails (b) however clinical it is, a contract fails (a) however
personal. The weights are set by hand from what a document is, not fitted; the tables below are all of them.

| side | evidence | nats each | at most |
| --- | --- | --- | --- |
| clinical | title of a clinical document, as a heading | 2.4 | 3.2 |
| clinical | section heading, distinct | 0.8 | 3.2 |
| clinical | phrase of letters and reports, distinct | 0.45 | 3.6 |
| clinical | phrase that says something of one person under care («j'ai vu en consultation») | 0.9 | 1.8 |
| clinical | medical word, distinct, of the lexicon or of medical shape | 0.35 | 3.2 |
| clinical | medicine / with dose and rhythm, distinct | 0.35 / 1.2 | 1.4 / 3.6 |
| clinical | amount of a medicine alone («500 mg») / rhythm alone («1-0-1», «3dd1») | 0.3 / 0.8 | 0.9 / 1.6 |
| clinical | laboratory value with unit, distinct | 0.8 | 4.0 |
| clinical | vital sign with figure, distinct | 0.6 | 2.4 |
| clinical | week of gestation, parity, tumour stage, refraction, tooth, distinct | 0.8 | 2.4 |
| clinical | code of a diagnosis or act, distinct | 0.7 | 2.1 |
| clinical | line that holds a person and something clinical, beyond one | 0.4 | 1.6 |
| clinical | narrative about one patient, distinct | 0.3 | 0.9 |
| clinical | a patient of the practice's list: a sign of care is enough, none is not | 3.0 | 3.0 |
| clinical | density: most of a short text is clinical, in one / two / three kinds | up to | 1.4 / 1.9 / 2.2 |
| person | a patient of the practice's list: nothing is more certain | 12.0 | 12.0 |
| person | NIR, INS or another identifier of a patient, by its strength | 2.8 | 3.5 |
| person | birth date with a label / with a name beside it | 2.2 / 1.8 more | 4.0 |
| person | «Patient: NAME» | 2.8 | 2.8 |
| person | person with a civility: full name / one name | 2.0 / 1.4 | 2.4 / 1.4 |
| person | record number with its label | 1.8 | 1.8 |
| person | age of one person | 2.2 | 2.6 |
| person | narrative about one patient, distinct | 0.75 | 3.75 |
| person | phrase that says something of one person under care | 1.0 | 2.0 |
| person | phrase of letters and reports, distinct: most are said of somebody examined | 0.3 | 1.5 |
| person | complaint or sign said to be absent («no cough, denies fever»), distinct beyond one | 0.5 | 3.0 |
| person | section heading of a clinical record, distinct | 0.4 | 2.0 |
| person | measured value or dosed medicine, distinct | 0.45 | 1.8 |
| person | week of gestation, stage, refraction, tooth or rhythm, distinct | 0.5 | 1.0 |
| person | line that holds a person and something clinical | 1.0 | 3.5 |
| person | left or right beside something clinical | 0.6 | 1.2 |
| person | title of a document that is always about one patient | 1.2 | 1.2 |
| person | sex with its label | 0.6 | 0.6 |
| person | persons of more than three ages and no identity: a book of cases | −1.0 | −4.0 |
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.detection.evidence import Evidence
from agent.detection.negatives import FAMILIES
from agent.findings import FindingType

PRIOR_CLINICAL = -3.0
PRIOR_PERSON = -2.6
_SLOPE = 1.4
_DENSEST = (0.0, 1.4, 1.9, 2.2)  # nats at most, by how many kinds of clinical entries there are
MEDICAL = 0.5  # probability from which a document is called medical
CERTAIN = 0.999  # the most that is ever said: beyond it nobody has counted


@dataclass(frozen=True, slots=True)
class Weighed:
    """One line of the sum: ``side`` is "clinical" or "person"; ``nats`` is its contribution, after its cap."""

    side: str
    type: FindingType
    count: int
    nats: float


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of one page (with its neighbours): both sides in log-odds, and the lines they are made of."""

    clinical: float
    person: float
    identity: float  # nats of what names a person
    lines: tuple[Weighed, ...]

    @property
    def probability(self) -> float:
        """Probability (0 to 1) that both questions are answered yes."""
        return told(sigmoid(self.clinical) * sigmoid(self.person))


def told(product: float) -> float:
    """The product of both sides as a probability: monotone, a half stays a half, more and less are told more surely.

    The two sides are not independent, so their product is too timid. The slope was fitted on the development corpus and
    measured on it (log loss of texts: 0.015 without it, 0.007 with it). Each source judged by the others, a slope with
    an intercept came to 1.45; the intercept was left out, since it would move the threshold.
    """
    product = min(max(product, 1e-12), 1 - 1e-12)
    return sigmoid(_SLOPE * math.log(product / (1 - product)))


def sigmoid(nats: float) -> float:
    """Log-odds → probability, without overflow."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, nats))))


def clinical_lines(page: Evidence) -> list[Weighed]:
    """What says that the page is clinical."""
    titles = sum(page.titles.values())
    table = (
        (FindingType.TITLE, titles, 2.4, 3.2),
        (FindingType.SECTION, len(page.sections), 0.8, 3.2),
        (FindingType.PHRASE, len(page.phrases), 0.45, 3.6),
        (FindingType.PHRASE, len(page.letters), 0.9, 1.8),
        (FindingType.TERM, len(page.terms), 0.35, 3.2),
        (FindingType.DRUG, len(page.drugs), 0.35, 1.4),
        (FindingType.DRUG, page.doses, 1.2, 3.6),
        (FindingType.LAB_LINE, page.values, 0.8, 4.0),
        (FindingType.VITAL_SIGN, page.signs, 0.6, 2.4),
        (FindingType.DRUG, len(page.strengths), 0.3, 0.9),
        (FindingType.DRUG, len(page.rhythms), 0.8, 1.6),
        (FindingType.VITAL_SIGN, len(page.measures), 0.8, 2.4),
        (FindingType.CODE, page.codes, 0.7, 2.1),
        (FindingType.TERM, page.rows - 1, 0.4, 1.6),
        (FindingType.PHRASE, len(page.narrative), 0.3, 0.9),
        (FindingType.ROSTER, page.listed, 3.0, 3.0),
    )
    lines = [Weighed("clinical", kind, count, min(each * count, cap)) for kind, count, each, cap in table if count > 0]
    density = _density(page)
    if density > 0:
        lines.append(Weighed("clinical", FindingType.TERM, 1, density))
    return lines


def _density(page: Evidence) -> float:
    """Up to 2.2 nats where clinical entries are more than one word in fifty; short messages live by it.

    Entries of one kind alone (medical words, say) tell a subject rather than a note about somebody: they count half.
    """
    kinds = (
        len(page.terms),
        len(page.phrases) + len(page.letters),
        len(page.drugs),
        page.values,
        page.signs,
        len(page.measures) + len(page.rhythms),
    )
    words = max(page.size / 6.5, 12.0)
    most = _DENSEST[min(sum(count > 0 for count in kinds), 3)]
    return max(0.0, min(most, (sum(kinds) / words - 0.02) * 25.0)) if sum(kinds) >= 3 else 0.0


def identity_lines(page: Evidence, identifiers: float) -> list[Weighed]:
    """What names or numbers a person."""
    full = [name for name in page.names if b" " in name]
    table = (
        (FindingType.BIRTH_DATE, len(page.births), 2.2, 2.2),
        (FindingType.IDENTITY_BLOCK, page.named_births, 1.8, 1.8),
        (FindingType.PERSON, page.patients, 2.8, 2.8),
        (FindingType.PERSON, len(full), 2.0, 2.4),
        (FindingType.PERSON, len(page.names) - len(full), 1.4, 1.4),
        (FindingType.IPP, page.charts, 1.8, 1.8),
        (FindingType.ROSTER, page.listed, 12.0, 12.0),
    )
    lines = [Weighed("person", kind, count, min(each * count, cap)) for kind, count, each, cap in table if count]
    if identifiers:
        lines.append(Weighed("person", FindingType.NIR, max(1, round(identifiers)), min(2.8 * identifiers, 3.5)))
    return lines


def person_lines(page: Evidence) -> list[Weighed]:
    """What says that the page is about one person, named or not."""
    table = (
        (FindingType.PERSON, len(page.ages), 2.2, 2.6),
        (FindingType.PHRASE, len(page.narrative), 0.75, 3.75),
        (FindingType.PHRASE, len(page.letters), 1.0, 2.0),
        (FindingType.PHRASE, len(page.phrases), 0.3, 1.5),
        (FindingType.TERM, len(page.absent) - 1, 0.5, 3.0),
        (FindingType.SECTION, len(page.sections), 0.4, 2.0),
        (FindingType.VITAL_SIGN, page.signs + page.values + page.doses, 0.45, 1.8),
        (FindingType.VITAL_SIGN, len(page.measures) + len(page.rhythms), 0.5, 1.0),
        (FindingType.PERSON, page.rows, 1.0, 3.5),
        (FindingType.TERM, page.sides, 0.6, 1.2),
        (FindingType.TITLE, sum(page.titles.values()), 1.2, 1.2),
        (FindingType.PERSON, page.sex, 0.6, 0.6),
    )
    return [Weighed("person", kind, count, min(each * count, cap)) for kind, count, each, cap in table if count > 0]


def reach(page: Evidence) -> float:
    """The probability that the page could have at most, were it surely about one person: what is clinical in it."""
    return told(sigmoid(PRIOR_CLINICAL + sum(line.nats for line in clinical_lines(page))))


def score(page: Evidence, identifiers: float, against: dict[str, float], vignettes: int = 0) -> Score:
    """The sum of one page, its identifiers of patients, and the shares of the families that speak against.

    ``identifiers`` is the sum of the strengths of the distinct ones. ``vignettes`` counts persons of many ages beyond
    what one document about one patient and the family holds.
    """
    clinical, person = clinical_lines(page), person_lines(page)
    identity = identity_lines(page, identifiers)
    lines = clinical + person + identity
    if vignettes:
        lines.append(Weighed("person", FindingType.COURSE, vignettes, -min(4.0, 1.0 * vignettes)))
    for family, share in against.items():
        known = FAMILIES[family]
        if known.person:
            lines.append(Weighed("person", known.type, 1, -share * known.person))
        if known.clinical:
            lines.append(Weighed("clinical", known.type, 1, -share * known.clinical))
    return Score(
        PRIOR_CLINICAL + sum(line.nats for line in lines if line.side == "clinical"),
        PRIOR_PERSON + sum(line.nats for line in lines if line.side == "person"),
        sum(line.nats for line in identity),
        tuple(lines),
    )
