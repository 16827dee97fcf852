"""Which kind of clinical document a text is: laboratory, prescription, imaging, certificate, or a note.

Takes what the pages gathered, returns a ``Kind``. The kind never changes the judgement; it serves policy and people.
"""

from __future__ import annotations

from agent.detection.evidence import Evidence
from agent.findings import Kind

_MANY_VALUES = 4  # laboratory values that make a report without a title
_ORDER = (Kind.CERTIFICATE, Kind.IMAGING_REPORT, Kind.LAB_REPORT, Kind.PRESCRIPTION, Kind.CLINICAL_NOTE)


def kind_of(evidence: Evidence) -> Kind:
    """The heading decides; without one, what most of the content is."""
    titled = [kind for kind in _ORDER if evidence.titles.get(kind)]
    narrow = [kind for kind in titled if kind is not Kind.CLINICAL_NOTE]
    if narrow and Kind.CLINICAL_NOTE not in titled:
        return max(narrow, key=lambda kind: evidence.titles[kind])
    if titled:
        return Kind.CLINICAL_NOTE
    if len(evidence.lab_values) >= _MANY_VALUES and len(evidence.lab_values) > len(evidence.terms):
        return Kind.LAB_REPORT
    if evidence.mentions.get(Kind.IMAGING_REPORT) and {b"indication", b"technique"} & evidence.sections:
        return Kind.IMAGING_REPORT
    if len(evidence.dosed) > 1 and len(evidence.terms) <= len(evidence.dosed):
        return Kind.PRESCRIPTION
    return Kind.CLINICAL_NOTE
