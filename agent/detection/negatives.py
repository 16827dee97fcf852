"""What speaks against: leaflets, papers, courses, blank forms, payslips, invoices, contracts, specifications, code, …

Owns the families of documents that speak the clinical language about nobody in particular, or of a person outside care.
A family weighs only by its own markers, two strong ones at least; being long or technical is no marker. Takes the
markers that the pages gathered, returns one negative weight a family. It never decides: a letter about a patient on a
practice's invoice paper keeps its own evidence, which is compared with this in combine.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from agent.detection.evidence import Evidence, is_heading, starts_line
from agent.detection.fold import Folded
from agent.detection.linear import spans
from agent.detection.matcher import Match
from agent.findings import FindingType


@dataclass(frozen=True, slots=True)
class Family:
    """How much a look-alike weighs at most, in nats, and which side it takes away from."""

    type: FindingType
    person: float = 0.0  # against «about a particular person»
    clinical: float = 0.0  # against «clinical content»


_POOLED = 8.5  # nats of all families together, when none of them alone says it
FAMILIES = {
    "leaflet": Family(FindingType.LEAFLET, person=6.0),
    "general": Family(FindingType.COURSE, person=5.0),
    "advice": Family(FindingType.LEAFLET, person=3.5),
    "paper": Family(FindingType.PAPER, person=8.5),
    "course": Family(FindingType.COURSE, person=8.0),
    "blank-form": Family(FindingType.BLANK_FORM, person=5.0),
    "payslip": Family(FindingType.PAYSLIP, clinical=4.0),
    "invoice": Family(FindingType.INVOICE, clinical=2.0),
    "resume": Family(FindingType.RESUME, clinical=3.0),
    "legal": Family(FindingType.LEGAL, clinical=2.0),
    "veterinary": Family(FindingType.VETERINARY, person=20.0),
    "specification": Family(FindingType.SPECIFICATION, person=5.0),
    "administrative": Family(FindingType.ADMINISTRATIVE, person=4.0),
    "press": Family(FindingType.ADMINISTRATIVE, person=5.0),
    "code": Family(FindingType.SOURCE_CODE, person=6.0),
    "exam": Family(FindingType.COURSE, person=6.0),
    "rule": Family(FindingType.COURSE, person=4.0),
    "fiction": Family(FindingType.COURSE, person=6.0),
    "training": Family(FindingType.ADMINISTRATIVE, clinical=3.5),
    "elsewhere": Family(FindingType.ADMINISTRATIVE, person=_POOLED),
}
_ORDINARY = 0.4  # an ordinary marker beside a strong one
_DECISIVE = 2  # one marker of strength ``d`` is worth two strong ones
_POOL_START, _POOL_SPAN = 1.6, 6.2  # words of anything but care, of all families together: from two on, all at eight
_POOL_TOLD = 0.6  # how much of what the families said by themselves is not said again
_POOL_CARE = 0.15  # words of the pool that one phrase about somebody under care makes up for
_ANIMALS, _SEVERAL = (
    3,
    0.15,
)  # so many markers say that it is an animal; fewer, that somebody works with them or was bitten
_START, _SPAN = 0.9, 1.3  # one strong marker: nearly nothing; 2.2 and more: all of the family's weight
OF_NOBODY = frozenset(("leaflet", "general", "advice", "course", "rule", "administrative", "elsewhere"))
"""Families that say that nobody in particular is meant: a clinical title over a whole identity says who is."""
_KEPT = {"h": "s", "H": "d"}  # how a heading is counted
_OF_NOBODY = frozenset(("rule",))  # said to whoever is on duty: a plan for one identified person speaks alike
_STAY = b"*stay"  # jottings.py: a daily rate, a case rate
_OPEN_FIELDS = 4  # this many fields left open and no birth date: nobody has filled it in
_FEW_SIGNS = 8
_CODE_LINE = re2.compile(
    rb"\n(?:[^\n]*(?:[;{}]|\):|\)|\],|\(|\),|=>|=|/>|\\)\n|(?:def|class|import|from|return|if|elif|else|for|const|let|var|assert|#include|//|/\*|\*|@|>>>|"
    rb"</?[a-z][a-z0-9]*[^\n]*>)[ (\n:{])"
)


def read_marker(evidence: Evidence, page: Folded, match: Match, detail: str) -> None:
    """Note a marker of a family; those of strength ``h`` and ``H`` only where they stand as a heading."""
    family, _, strength = detail.partition(":")
    known = evidence.against.get(family)
    if known is not None and match.entry.text in known.get(_KEPT.get(strength, strength), ()):
        return
    if strength in {"h", "H"}:
        within = family == "paper" and _heading_within(page, match)
        if not (within or is_heading(page.lines, match.start, match.end) or _heading_after_number(page, match)):
            return
        strength = _KEPT[strength]
    evidence.against.setdefault(family, {}).setdefault(strength, set()).add(match.entry.text)


def _heading_after_number(page: Folded, match: Match) -> bool:
    """«UE 7 - COURS : …»: in capitals, followed by a colon, in the first third of its line."""
    return page.cased[match.start : match.end].isupper() and page.lines[match.end : match.end + 2] in {b" :", b": "}


def _heading_within(page: Folded, match: Match) -> bool:
    """«… favorable. Discussion : l'anticoagulation»: the parts of an abstract printed in one paragraph."""
    begins = (
        page.lines[match.start - 2 : match.start] in {b". ", b"- "}
        and page.cased[match.start : match.start + 1].isupper()
    )
    return begins and page.lines[match.end : match.end + 2] in {b" :", b": "}


def looks_like_code(page: Folded) -> bool:
    """Written for a machine: a quarter of the lines end or begin as statements and markup do."""
    sample = page.lines[:4000]
    if len(sample) - len(sample.translate(None, b"(=<{")) < _FEW_SIGNS:
        return False
    return sum(1 for _ in spans(_CODE_LINE, sample)) * 4 > sample.count(b"\n")


def _pooled(pages: Sequence[Evidence], merged: dict[str, dict[str, set[bytes]]]) -> float:
    """The share of all families together: markers that are too few in each of them are many in one place."""
    found = {
        marker
        for strengths in merged.values()
        for strength, markers in strengths.items()
        if strength != "o"
        for marker in markers
        if not marker.startswith(b"*")
    }
    if len(found) <= _POOL_START:
        return 0.0
    said = max(2 * len(page.letters) + len(page.narrative) + len(page.phrases) for page in pages)
    return min(1.0, max(0.0, (len(found) - _POOL_CARE * said - _POOL_START) / _POOL_SPAN))


def _distinct(strengths: dict[str, set[bytes]]) -> int:
    return len(set().union(*strengths.values()))


def weigh(pages: Sequence[Evidence]) -> dict[str, float]:
    """Family → share of its full weight (0 to 1) by the distinct markers of ``pages`` together."""
    merged: dict[str, dict[str, set[bytes]]] = {}
    blanks = births = labels = stay = 0
    for page in pages:
        blanks += page.blanks
        births += len(page.births)
        stay += _STAY in page.sections
        labels += page.patients + page.charts + page.listed
        for family, strengths in page.against.items():
            for strength, found in strengths.items():
                merged.setdefault(family, {}).setdefault(strength, set()).update(found)
    if blanks >= _OPEN_FIELDS and not births:
        merged.setdefault("blank-form", {}).setdefault("s", set()).update((b"*1", b"*2", b"*3"))
    if stay and labels:  # what a hospital asks of one patient
        merged = {family: found for family, found in merged.items() if family not in {"invoice", "payslip"}}
    if births or labels:
        merged = {family: found for family, found in merged.items() if family not in _OF_NOBODY}
    shares: dict[str, float] = {}
    for family, strengths in merged.items():
        if family == "elsewhere":
            continue
        strong, ordinary = len(strengths.get("s", ())), len(strengths.get("o", ()))
        strong += _DECISIVE * len(strengths.get("d", ()))
        score = strong + _ORDINARY * ordinary
        if strong or ordinary > 4:
            most = _SEVERAL if family == "veterinary" and _distinct(strengths) < _ANIMALS else 1.0
            shares[family] = min(most, max(0.0, (score - _START) / _SPAN))
    told = sum(share * (FAMILIES[family].person + FAMILIES[family].clinical) for family, share in shares.items())
    shares["elsewhere"] = _pooled(pages, merged) - _POOL_TOLD * told / _POOLED
    return {family: share for family, share in shares.items() if share > 0}


__all__ = ["FAMILIES", "OF_NOBODY", "Family", "looks_like_code", "read_marker", "starts_line", "weigh"]
