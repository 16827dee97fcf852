"""Why a document was judged so, and what would change it, from the findings alone: values in, values out, no words.

Takes ``Findings`` as they came from a worker, returns an ``Explanation`` that the commands put into sentences. Nothing
of the document is needed, so the same explanation can be given later and elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from agent.detection.combine import MEDICAL, sigmoid
from agent.findings import Finding, Findings, FindingType, Judgement, Scale, Side

_NUMBERS = frozenset((FindingType.INS, FindingType.FOREIGN_ID))  # the sum has one line for them and the NIR
_IDENTITY = (
    FindingType.ROSTER, FindingType.NIR, FindingType.INS, FindingType.FOREIGN_ID, FindingType.PERSON,
    FindingType.IDENTITY_BLOCK, FindingType.BIRTH_DATE, FindingType.IPP,
)  # fmt: skip
_MOST_LEFT_OUT = 3  # kinds of evidence that are left out at once
_CANDIDATES = 8  # weightiest kinds that are tried


class Turn(StrEnum):
    """What would turn the judgement."""

    WITHOUT = "without"  # medical: without these kinds of evidence it would not be
    ROBUST = "robust"  # medical: no three kinds of evidence decide it
    SPARED = "spared"  # not medical: were it not for these, it would be
    LACKS = "lacks"  # not medical: what these questions ask for is missing
    FORMAT = "format"  # the format, a list or a code decided, not a sum


@dataclass(frozen=True, slots=True)
class Question:
    """One of the two questions: its sum, what it starts from, what it needs as the other one stands, and its lines.

    All in nats. ``needed`` is never below 0, where yes and no are as likely.
    """

    side: Side
    total: float
    start: float
    needed: float
    lines: tuple[Finding, ...]

    @property
    def yes(self) -> bool:
        """Whether the question is answered with yes."""
        return self.total >= self.needed


@dataclass(frozen=True, slots=True)
class Explanation:
    """``aside``: findings that are part of no sum. ``types`` and ``sides`` say what ``turn`` is about."""

    questions: tuple[Question, ...]
    aside: tuple[Finding, ...]
    turn: Turn
    types: tuple[FindingType, ...] = ()
    sides: tuple[Side, ...] = ()
    identity: tuple[FindingType, ...] = ()  # without all of these nobody could be recognised


def explain(findings: Findings) -> Explanation:
    """The explanation of a judgement, whatever it is. Never raises."""
    lines, aside = _sorted_out(findings.items)
    scale = findings.scale
    if scale is None or (findings.judgement is Judgement.MEDICAL) != _is_medical(scale.clinical, scale.person):
        if findings.judgement is not Judgement.UNDECIDABLE:
            return Explanation((), findings.items, Turn.FORMAT)
        scale = scale or Scale(0.0, 0.0)
    questions = (
        _question(Side.CLINICAL, scale.clinical, scale.person, lines),
        _question(Side.PERSON, scale.person, scale.clinical, lines),
    )
    if findings.judgement is Judgement.MEDICAL:
        types = _left_out(scale, lines)
        told = {line.type for line in lines if line.side is Side.PERSON} if findings.identified else set()
        identity = tuple(kind for kind in _IDENTITY if kind in told)
        return Explanation(questions, aside, Turn.WITHOUT if types else Turn.ROBUST, types, identity=identity)
    spared = _spared(scale, lines)
    if spared:
        return Explanation(questions, aside, Turn.SPARED, spared)
    missing = tuple(question.side for question in questions if not question.yes)
    return Explanation(questions, aside, Turn.LACKS, sides=missing)


def _sorted_out(items: tuple[Finding, ...]) -> tuple[list[Finding], tuple[Finding, ...]]:
    """The lines of the sums, and what is part of none. A number that was counted in a line shows there what it is."""
    lines, aside = [item for item in items if item.side is not None], []
    for item in items:
        if item.side is not None:
            continue
        kind = FindingType.NIR if item.type in _NUMBERS else item.type
        place = next((n for n, line in enumerate(lines) if line.type is kind and line.side is Side.PERSON), None)
        if item.weight or place is None or lines[place].sample:
            aside.append(item)
        else:
            lines[place] = replace(lines[place], type=item.type, sample=item.sample)
    return lines, tuple(aside)


def _is_medical(clinical: float, person: float) -> bool:
    return sigmoid(clinical) * sigmoid(person) >= MEDICAL


def _question(side: Side, total: float, other: float, lines: list[Finding]) -> Question:
    own = tuple(sorted((item for item in lines if item.side is side), key=lambda item: -abs(item.weight)))
    return Question(side, total, total - sum(item.weight for item in own), _needed(other), own)


def _needed(other: float) -> float:
    """Nats from which a side makes the whole medical, as the other one stands; more than even at least."""
    share = MEDICAL / sigmoid(other)
    return max(0.0, math.log(share / (1 - share))) if share < 1 else 0.0


def _left_out(scale: Scale, lines: list[Finding]) -> tuple[FindingType, ...]:
    """The fewest kinds of evidence without which the document would not be medical; of equals the weightiest."""
    kinds = _by_weight(lines, lambda item: item.weight > 0)[:_CANDIDATES]
    for count in range(1, _MOST_LEFT_OUT + 1):
        for left_out in combinations(kinds, count):
            if not _is_medical(*_without(scale, lines, left_out, lambda item: item.weight > 0)):
                return left_out
    return ()


def _spared(scale: Scale, lines: list[Finding]) -> tuple[FindingType, ...]:
    """What speaks against it, when that alone keeps it from being medical."""
    kinds = _by_weight(lines, lambda item: item.weight < 0)
    for count in range(1, min(_MOST_LEFT_OUT, len(kinds)) + 1):
        if _is_medical(*_without(scale, lines, tuple(kinds[:count]), lambda item: item.weight < 0)):
            return tuple(kinds[:count])
    return ()


def _by_weight(lines: list[Finding], wanted: Callable[[Finding], bool]) -> list[FindingType]:
    sums: dict[FindingType, float] = {}
    for item in filter(wanted, lines):
        sums[item.type] = sums.get(item.type, 0.0) + abs(item.weight)
    return sorted(sums, key=lambda kind: (-sums[kind], kind.value))


def _without(
    scale: Scale, lines: list[Finding], kinds: tuple[FindingType, ...], wanted: Callable[[Finding], bool]
) -> Iterator[float]:
    for side, total in ((Side.CLINICAL, scale.clinical), (Side.PERSON, scale.person)):
        yield total - sum(item.weight for item in lines if item.side is side and item.type in kinds and wanted(item))
