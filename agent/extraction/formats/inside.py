"""Documents that stand as strings inside others: a CDA in a CDATA section, HL7 v2 in JSON, RTF in a cell of an export.

Pure over strings, but for ``adopt``, which makes children of them. A string is a document by how it begins; web pages
and ordinary text are none, so that a news feed has no children.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.extraction.formats.base import Job

SHORTEST = 40  # characters
MOST = 1_000  # such strings of one document; the rest stays text
_LOOK = 600  # characters in which the beginning tells
_START = re.compile(
    r"\s{0,20}(?:<\?xml\s|\{\\rtf1?[\\\s]|(?:MSH|FHS|BHS)[|#!$]|H\|[~\\]\^|"
    r"<(?:\w{1,20}:)?(?:ClinicalDocument|kmehrmessage|DistributionEnvelope|SubmitObjectsRequest)[\s>]|"
    r"<[A-Za-z][^<>]{0,400}xmlns(?::\w{1,20})?=[\"'](?!http://www\.w3\.org/(?:1999/xhtml|2000/svg))|"
    r"[\[{][\s\[{]{0,40}\"[^\"]{1,40}\"\s{0,4}:.{0,400}\"resourceType\"|\{\s{0,40}\"resourceType\"|\d{3}8000\d{4}[\r\n])",
    re.DOTALL,
)


def is_document(value: str) -> bool:
    """Whether a string begins as a document of its own."""
    if len(value) < SHORTEST or value[:1] not in _FIRST:
        return False
    return _START.match(value[:_LOOK]) is not None


def holds_data(value: str) -> bool:
    """Whether a string is JSON again, or a page with a table: an answer that was logged, a cell of an export. It stays
    text as well, for what is told around it belongs to it.
    """
    return len(value) >= SHORTEST and value[:1] in _DATA_FIRST and _DATA.match(value[:_LOOK]) is not None


_DATA = re.compile(r"\s{0,20}(?:\{\s{0,40}\"|\[\s{0,40}\{\s{0,40}\"|<(?:!doctype html|html|table)\b)", re.IGNORECASE)
_DATA_FIRST = frozenset("<{[ \t\r\n")
_FIRST = frozenset("<{[MFBH0123456789 \t\r\n")


def adopt(job: Job, values: Iterable[str]) -> None:
    """Every one of these strings becomes a child, within the budget of the whole tree. Raises ``Stop``."""
    limit = job.budget.limits.member_bytes
    for number, value in enumerate(values):
        if number >= MOST:
            job.document.truncated = True
            return
        data = value.encode("utf-8", "replace")[:limit]
        data = re.sub(rb"\A(\s*<\?xml[^>]{0,100}?)encoding\s*=\s*[\"'][^\"']{0,40}[\"']", rb"\1", data, count=1)
        job.budget.inflate(len(data))
        job.child(data)
