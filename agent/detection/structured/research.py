"""Research data: NIfTI, NRRD, VCF, BAM, CRAM. Health data of nobody named; kept apart from documents about patients.

Magics: NIfTI-1/2 headers (NIMH), VCF 4.x and SAM specifications (GA4GH). The extraction has already judged the bytes;
here they are checked again, and what could name a person is looked at.
"""

from __future__ import annotations

import re

from agent.detection.structured.base import LIKELY, Recognised
from agent.findings import Finding, FindingType, Kind

_MAGICS = (b"NRRD000", b"##fileformat=VCFv", b"BAM\x01", b"CRAM", b"BCF\x02")
_NIFTI = re.compile(rb"n(?:\+|i)[12]\0")


def recognise_research(raw: bytes) -> Recognised | None:
    """Judge the first bytes; None when the magic is of none of these."""
    nifti = raw[344:348] in {b"n+1\0", b"ni1\0"} or bool(_NIFTI.match(raw[4:8]))
    if not (nifti or raw.startswith(_MAGICS)):
        return None
    return Recognised(
        kind=Kind.RESEARCH,
        patient_data=False,
        identified=False,
        deidentified=True,
        items=(Finding(FindingType.DEIDENTIFIED),),
        confidence=LIKELY,
    )
