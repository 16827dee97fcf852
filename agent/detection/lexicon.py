"""The lexicon: what the data files say, as values.

Owns the reading of ``data/*.tsv`` (``group<TAB>entry | entry | …``; groups are ``name[:detail[:strength]]``) and the
list of entries with dense numbers. The matcher gets the numbered patterns, the rules get the entries back by number.
The files are part of the package and trusted; a malformed line is a programming error and raises ``ValueError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from agent.detection.fold import fold_term, fold_terms

LANGUAGES = ("fr", "en", "de", "it", "es", "nl", "pt")
_FILES = (*LANGUAGES, "drugs", "analytes", "negatives", "anchors")
_PRIORITY = (
    "anchor",
    "title",
    "analyte",
    "drug",
    "vital",
    "section",
    "against",
    "letter",
    "narrative",
    "phrase",
    "term",
)


COUNTED = frozenset(("letter", "narrative", "phrase", "term"))  # groups of which distinct entries are counted


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase. ``uses`` are its (group, detail) pairs: «poids» is a vital sign in French and no drug.

    ``whole`` says that no plural ending is tolerated: short words and anchors. ``counted`` says that all its uses only
    count once a page, wherever it stands: the second time it says nothing new.
    """

    text: bytes
    uses: tuple[tuple[str, str], ...]
    languages: tuple[str, ...]
    whole: bool
    counted: bool = False

    def has(self, group: str) -> bool:
        """True when one of the uses is of ``group``."""
        return any(name == group for name, _ in self.uses)


def parse(content: str, language: str) -> list[tuple[bytes, str, str, str]]:
    """(folded entry, group, detail, language) of one data file; entries that fold to nothing are refused."""
    found = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        group, tab, entries = line.partition("\t")
        if not tab:
            raise ValueError(f"{language}: line {number} has no tab")
        name, _, detail = group.partition(":")
        if name not in _PRIORITY:
            raise ValueError(f"{language}: line {number}: unknown group {name}")
        for folded in fold_terms(entries, " | "):
            if not folded:
                raise ValueError(f"{language}: line {number} has an empty entry")
            found.append((folded, name, detail, language))
    return found


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """All entries, numbered by position; built once a process."""
    folder = resources.files("agent.detection") / "data"
    uses: dict[bytes, dict[tuple[str, str], None]] = {}
    languages: dict[bytes, dict[str, None]] = {}
    for name in _FILES:
        for text, group, detail, language in parse((folder / f"{name}.tsv").read_text("utf-8"), name):
            uses.setdefault(text, {})[(group, detail)] = None
            languages.setdefault(text, {})[language] = None
    return tuple(
        Entry(
            text,
            tuple(sorted(found, key=lambda use: _PRIORITY.index(use[0]))),
            tuple(languages[text]),
            whole=len(text) < 5 or any(group == "anchor" for group, _ in found),
            counted=all(group in COUNTED for group, _ in found),
        )
        for text, found in uses.items()
    )


@lru_cache(maxsize=1)
def columns() -> dict[bytes, str]:
    """Folded header word of a table → role of its column (``data/columns.tsv``); the first role named wins."""
    content = (resources.files("agent.detection") / "data" / "columns.tsv").read_text("utf-8")
    found: dict[bytes, str] = {}
    for line in content.splitlines():
        role, tab, words = line.partition("\t")
        if tab and not line.startswith("#"):
            for word in words.split(" | "):
                found.setdefault(fold_term(word), role)
    return found
