"""From evidence to a probability: two questions, each answered in nats, and both must be yes.

A document is medical when (a) what it says is clinical **and** (b) it says it of one particular person. Each question
starts from a prior in log-odds, evidence adds to it or takes away, and the probability of « medical » comes from the
product of the two. A leaflet fails (b) however clinical it is, a contract fails (a) however personal. The weights are
the table of ``weights``, and what speaks against is that of ``negatives``; this module adds them up and owns the
arithmetic alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.detection.evidence import Evidence
from agent.detection.loops import lift
from agent.detection.negatives import FAMILIES, OF_NOBODY
from agent.detection.weights import (
    CLINICAL,
    DECIDED,
    DENSITY,
    EVEN,
    IDENTIFIER,
    IDENTITY,
    NOTE_EVEN,
    NOTE_UNSAID,
    PERSON,
    PRIOR_CLINICAL,
    PRIOR_PERSON,
    SAID,
    SLOPE,
    UNSAID,
    VIGNETTES,
    Weight,
)
from agent.findings import FindingType

MEDICAL = 0.5  # probability from which a document is called medical
_IDENTIFIED, _FILLED = 4.0, 0.6  # nats from which a clinical document is somebody's; what is left then of «of nobody»
CERTAIN = 0.999  # the most that is ever said: beyond it nobody has counted


@dataclass(slots=True)  # not frozen: dozens are made for each document, at a third of the price
class Weighed:
    """One line of the sum: ``side`` is "clinical" or "person"; ``nats`` is its contribution, after its cap.

    ``name`` is that of the weight, or the family that speaks against.
    """

    name: str
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
    """The product of both sides as a probability: monotone, a half stays a half, more and less are told more surely."""
    product = min(max(product, 1e-12), 1 - 1e-12)
    return sigmoid(SLOPE * math.log(product / (1 - product)))


def heard(score: Score, wording: float, *, sure: bool = False, note: bool = False) -> Score:
    """The sum with how the page sounds (nats of ``wordings``): what is said counts ``SAID``, how it is said the rest.

    Both speak of the document, not of one of the two questions; so the same nats are added to both sides, as many as
    make the probability of the whole. How it sounds makes nothing medical in which nothing clinical was found, nor what
    says of itself that it is a lesson or a form. ``sure``: of a patient of the practice's list more is known than that.
    ``note``: the page is all there is, and short.
    """
    if sure:
        return score
    even, unsaid = (NOTE_EVEN, NOTE_UNSAID) if note else (EVEN, UNSAID)
    clinical = sum(line.nats for line in score.lines if line.side == "clinical" and line.nats > 0)
    decided = any(line.nats <= DECIDED for line in score.lines)
    most = -even if decided else unsaid + clinical
    wanted = _with_wording(score.probability, min(wording, most), even)
    nats = round(lift(score.clinical, score.person, wanted, SLOPE), 2)
    lines = tuple(Weighed("wording", side, FindingType.WORDING, 1, nats) for side in ("clinical", "person"))
    return Score(score.clinical + nats, score.person + nats, score.identity, score.lines + lines)


def _with_wording(probability: float, wording: float, even: float = EVEN) -> float:
    odds = math.log(probability / (1 - probability)) if 0 < probability < 1 else math.copysign(40.0, probability - 0.5)
    return sigmoid(SAID * odds + wording + even)


def sigmoid(nats: float) -> float:
    """Log-odds → probability, without overflow."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, nats))))


def _lines(table: tuple[Weight, ...], page: Evidence) -> list[Weighed]:
    return [_weighed(weight, count) for weight in table if (count := weight.count(page)) > 0]


def _weighed(weight: Weight, count: float) -> Weighed:
    return Weighed(weight.name, weight.side, weight.type, max(1, round(count)), weight.each * min(count, weight.most))


def clinical_lines(page: Evidence) -> list[Weighed]:
    """What says that the page is clinical."""
    if page.says_nothing:
        return []
    lines = _lines(CLINICAL, page)
    density = _density(page)
    if density > 0:
        lines.append(Weighed("density", "clinical", FindingType.TERM, 1, density))
    return lines


def _density(page: Evidence) -> float:
    """Up to 2.6 nats where clinical entries are more than one word in fifty; short messages live by it.

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
    most = DENSITY[min(sum(count > 0 for count in kinds), 3)]
    return max(0.0, min(most, (sum(kinds) / words - 0.02) * 25.0)) if sum(kinds) >= 3 else 0.0


def identity_lines(page: Evidence, identifiers: float) -> list[Weighed]:
    """What names or numbers a person."""
    lines = _lines(IDENTITY, page)
    if identifiers:
        lines.append(_weighed(IDENTIFIER, identifiers))
    return lines


def person_lines(page: Evidence) -> list[Weighed]:
    """What says that the page is about one person, named or not."""
    return _lines(PERSON, page)


_UNTOLD = told(sigmoid(PRIOR_CLINICAL))


def reach(page: Evidence, wording: float | None = None) -> float:
    """The probability that the page could have at most, were it surely about one person: what is clinical in it, and
    how it sounds (nats; None: nobody listens).
    """
    if page.says_nothing:  # nearly every page of a long text
        most = _UNTOLD
        return most if wording is None else _with_wording(most, wording)
    nats = [weight.each * min(count, weight.most) for weight in CLINICAL if (count := weight.count(page)) > 0]
    most = told(sigmoid(PRIOR_CLINICAL + sum([*nats, max(0.0, _density(page))])))
    return most if wording is None else _with_wording(most, wording)


def score(page: Evidence, identifiers: float, against: dict[str, float], vignettes: int = 0) -> Score:
    """The sum of one page, its identifiers of patients, and the shares of the families that speak against.

    ``identifiers`` is the sum of the strengths of the distinct ones. ``vignettes`` counts persons of many ages beyond
    what one document about one patient and the family holds.
    """
    clinical, person = clinical_lines(page), person_lines(page)
    identity = identity_lines(page, identifiers)
    lines = clinical + person + identity
    if vignettes:
        lines.append(_weighed(VIGNETTES, vignettes))
    filled = sum(line.nats for line in identity) >= _IDENTIFIED and bool(page.titles or identifiers or page.patients)
    for family, share in against.items():
        known = FAMILIES[family]
        counts = share * _FILLED if filled and family in OF_NOBODY else share
        if known.person:
            lines.append(Weighed(family, "person", known.type, 1, -counts * known.person))
        if known.clinical:
            lines.append(Weighed(family, "clinical", known.type, 1, -counts * known.clinical))
    return Score(
        PRIOR_CLINICAL + sum(line.nats for line in lines if line.side == "clinical"),
        PRIOR_PERSON + sum(line.nats for line in lines if line.side == "person"),
        sum(line.nats for line in identity),
        tuple(lines),
    )
