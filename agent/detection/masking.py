"""Samples for a person's own screen: our own lexicon words as they are, everything from the document masked.

Takes values, returns at most 48 characters. Identities show their shape and no more; the sample of a clinical finding
is made of lexicon entries, which are ours and not the document's.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from agent.detection.lexicon import entries

LIMIT = 48  # characters of a sample, as in agent.findings


def words(found: Iterable[bytes]) -> str:
    """A few lexicon entries, in a stable order, cut to the limit. What is none of ours is a word of the document, and a
    surname may look like a disease: it is left out.
    """
    text = ""
    for entry in sorted(_ours().intersection(found)):
        added = f"{text}, {entry.decode('ascii', 'replace')}" if text else entry.decode("ascii", "replace")
        if len(added) > LIMIT:
            break
        text = added
    return text


@lru_cache(maxsize=1)
def _ours() -> frozenset[bytes]:
    return frozenset(entry.text for entry in entries())


def name(value: bytes) -> str:
    """«gautier nicolas» → «G••• N•••»: initials only, because lengths and initials together often tell a name."""
    parts = value.decode("ascii", "replace").split()[:3]
    return " ".join(f"{part[:1].upper()}•••" for part in parts)[:LIMIT]


def date(value: str) -> str:
    """«1958-12-28» → «195•-••-••»: the decade."""
    return f"{value[:3]}•-••-••"
