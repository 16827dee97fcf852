"""From the nodes of a document to the one answer about the file.

Owns the rule that a medical part makes the whole medical, that a part which could not be looked at makes it undecidable
otherwise, and that only what is left is « not medical ». Takes judged nodes, parents first, returns ``Findings``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.detection.combine import CERTAIN, MEDICAL
from agent.detection.judged import NAMED, Judged, distinct
from agent.document import Document, Format, Problem
from agent.findings import Finding, Findings, Judgement, Kind

MAX_ITEMS = 64
_ARCHIVES = frozenset((Format.ZIP, Format.TAR, Format.GZIP, Format.SEVENZIP, Format.RAR, Format.BZIP2, Format.XZ))
_MAILS = frozenset((Format.EML, Format.MSG, Format.MBOX))
_CARRIERS = _ARCHIVES | _MAILS  # what they hold may be about anybody


def conclude(document: Document, judged: Sequence[Judged], *, complete: bool) -> Findings:
    """One answer: medical if any part is, else undecidable if any part could not be looked at, else not medical."""
    medical = [node for node in judged if node.probability >= MEDICAL]
    problem = next((node.problem for node in judged if node.problem is not None), None)
    if not complete:
        problem = problem or Problem.TOO_DEEP
    if medical:
        return _medical(document, medical, problem)
    best = max(judged, key=lambda node: node.probability, default=None)
    items, scale = _items(judged, best), best.scale if best is not None else None
    if problem is not None:
        sealed = document.format is Format.AGE and problem is Problem.ENCRYPTED
        kind = Kind.SEALED if sealed else Kind.OTHER
        return Findings(
            Judgement.UNDECIDABLE,
            kind,
            confidence=1.0,
            format=document.format,
            problem=problem,
            items=items,
            scale=scale,
        )
    return Findings(
        Judgement.NOT_MEDICAL,
        _harmless(judged),
        confidence=round(min(CERTAIN, 1 - max((node.probability for node in judged), default=0.0)), 4),
        format=document.format,
        items=items,
        scale=scale,
        unread_pictures=any(node.unread for node in judged),
    )


def _harmless(judged: Sequence[Judged]) -> Kind:
    """What a document that is not medical may be said to be: a policy can name both."""
    if any(node.number for node in judged):
        return Kind.PERSONAL_IDENTIFIER
    return Kind.RESEARCH if any(node.kind is Kind.RESEARCH for node in judged) else Kind.OTHER


def _medical(document: Document, medical: list[Judged], problem: Problem | None) -> Findings:
    told = frozenset[str]().union(*(_persons(medical)))
    named = distinct(who for who in told if who.startswith(NAMED))
    keyed = frozenset(who for who in told if not who.startswith(NAMED))
    persons = max(keyed, named, key=len)  # a birth date and a name may be of the same person
    nameless = max((node.anonymous + ("one" in node.persons) for node in medical), default=0)
    best = max(medical, key=lambda node: node.probability)
    return Findings(
        Judgement.MEDICAL,
        _kind(document, medical),
        confidence=round(min(CERTAIN, best.probability), 4),
        identified=any(node.identified for node in medical),
        patients=max(len(persons), nameless),
        test_data=all(node.test_data for node in medical),
        format=document.format,
        problem=problem,
        items=_items(medical, best),
        scale=best.scale,
    )


def _persons(medical: list[Judged]) -> Iterator[frozenset[str]]:
    """The persons of each node. What is embedded in one patient's message (the letter within a CDA, the report within
    an HL7 message) is about that patient, however its text tells who that is.
    """
    inner = {
        id(child)
        for node in medical
        if len(node.persons) == 1 and node.node.format not in _CARRIERS and all("|" in who for who in node.persons)
        for child in node.node.children
    }
    for node in medical:
        by_text = len(node.persons) == 1 and not any("|" in who for who in node.persons)
        if node.persons != {"one"} and not (by_text and id(node.node) in inner):
            yield node.persons


def _kind(document: Document, medical: list[Judged]) -> Kind:
    """A container's own kind when it is one; else the kind of the document, else of its most certain part."""
    own = next((node.kind for node in medical if node.node is document), None)
    if document.format in _MAILS:
        return Kind.EMAIL
    if own is not None and own is not Kind.OTHER:
        return own
    if document.format in _ARCHIVES:
        return Kind.ARCHIVE
    return max(medical, key=lambda node: node.probability).kind


def _items(judged: Sequence[Judged], best: Judged | None) -> tuple[Finding, ...]:
    """The weightiest findings of all nodes, bounded; always in the same order, whichever process found them. Only those
    of the node that decided are part of its sums.
    """
    found = [item if node is best else replace(item, side=None) for node in judged for item in node.items]
    if len(found) > MAX_ITEMS:  # a sum is shown whole
        found = sorted(found, key=lambda item: (item.side is None, *_order(item)))[:MAX_ITEMS]
    return tuple(sorted(found, key=_order))


def _order(item: Finding) -> tuple[float, str, str, str, int]:
    return -abs(item.weight), item.type, item.side or "", item.spot.area, item.spot.number
