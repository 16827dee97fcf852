"""Whether a text is the document of one patient, and by what that one is known when nothing but a name is said.

Takes what the pages show, returns a yes or no and a key for counting; keys never leave the process.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.detection.evidence import Evidence
from agent.detection.judged import NAMED, distinct


def is_of_one(pages: Sequence[Evidence], births: frozenset[str], numbers: frozenset[str]) -> bool:
    """Whether birth dates, numbers and labels name one person: lists of such a document are of acts and readings. The
    same name behind each label is what heads every sheet of a printed document.
    """
    labels = sum(page.patients for page in pages)
    alike = len(frozenset[bytes]().union(*(page.labelled for page in pages))) <= 1
    return len(births) <= 1 and len(numbers) <= 1 and (alike or labels <= len(pages)) and bool(births or numbers)


def one(pages: Sequence[Evidence]) -> frozenset[str]:
    """The one patient of a text without birth date and number: by name, where it names nobody else."""
    said = frozenset[bytes]().union(*(page.names for page in pages))
    names = distinct(f"{NAMED}{name.decode('ascii', 'replace')}" for name in said)
    return names if len(names) == 1 else frozenset(("one",))
