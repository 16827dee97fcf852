"""Samples for a person's own screen: our own lexicon words as they are, everything from the document masked.

Takes values, returns at most 48 characters. Identities show their shape and no more; the sample of a clinical finding
is made of lexicon entries, which are ours and not the document's.
"""

from __future__ import annotations

from collections.abc import Iterable

LIMIT = 48  # characters of a sample, as in agent.findings


def words(entries: Iterable[bytes]) -> str:
    """A few lexicon entries, in a stable order, cut to the limit."""
    text = ""
    for entry in sorted(entries):
        added = f"{text}, {entry.decode('ascii', 'replace')}" if text else entry.decode("ascii", "replace")
        if len(added) > LIMIT:
            break
        text = added
    return text


def name(value: bytes) -> str:
    """«gautier nicolas» → «G•••••• N••••••»: initials and lengths."""
    parts = value.decode("ascii", "replace").split()[:3]
    return " ".join(part[:1].upper() + "•" * min(len(part) - 1, 8) for part in parts)[:LIMIT]


def date(value: str) -> str:
    """«1958-12-28» → «1958-••-••»."""
    return value[:4] + "-••-••"
