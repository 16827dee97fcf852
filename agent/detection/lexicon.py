"""The lexicon: what the data files say, as values.

Owns the reading of ``data/*.tsv`` (``group<TAB>entry | entry | …``; groups are ``name[:detail[:strength]]``) and the
list of entries with dense numbers. The matcher gets the numbered patterns, the rules get the entries back by number.
The files are part of the package and trusted; a malformed line is a programming error and raises ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from agent.detection.fold import fold_term, fold_terms
from agent.detection.loops.plain import ENDINGS

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


class Entry(NamedTuple):  # there are tens of thousands: built faster than a data class
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


_Uses = tuple[tuple[str, str], ...]
_Line = tuple[str, str, str]  # group, detail, language
_SHORT = 5  # letters: a shorter entry tolerates no ending


def parse(content: str, language: str) -> list[tuple[bytes, str, str, str]]:
    """(folded entry, group, detail, language) of one data file; entries that fold to nothing are refused."""
    return [(text, *line) for line, texts in _lines(content, language) for text in texts]


def _lines(content: str, language: str) -> Iterator[tuple[_Line, list[bytes]]]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        group, tab, entries = line.partition("\t")
        if not tab:
            raise ValueError(f"{language}: line {number} has no tab")
        name, _, detail = group.partition(":")
        if name not in _PRIORITY:
            raise ValueError(f"{language}: line {number}: unknown group {name}")
        texts = fold_terms(entries, " | ")
        if not all(texts):
            raise ValueError(f"{language}: line {number} has an empty entry")
        yield (name, detail, language), texts


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """All entries, numbered by position; built once a process."""
    folder = resources.files("agent.detection") / "data"
    read: dict[bytes, tuple[_Line, ...]] = {}  # the lines an entry stands in: nearly always one
    for name in _FILES:
        for line, texts in _lines((folder / f"{name}.tsv").read_text("utf-8"), name):
            alone = (line,)
            for text in texts:
                known = read.setdefault(text, alone)
                if known is not alone:
                    read[text] = (*known, line)
    return tuple([_entry(text, *_of_lines(lines)) for text, lines in read.items()])


def _entry(text: bytes, uses: _Uses, languages: tuple[str, ...], counted: bool, anchor: bool) -> Entry:
    return Entry(text, uses, languages, anchor or len(text) < _SHORT or _becomes_a_name(text, uses), counted)


def _becomes_a_name(text: bytes, uses: _Uses) -> bool:
    """«Romane» is no novel, «Yasmine» no contraceptive."""
    if uses[0][0] not in {"against", "drug"} or b" " in text:
        return False
    return any(text + ending in given() for ending in ENDINGS)


@lru_cache(maxsize=4096)
def _of_lines(lines: tuple[_Line, ...]) -> tuple[_Uses, tuple[str, ...], bool, bool]:
    """What the entries that stand in ``lines`` share: uses, languages, whether they are counted, or anchors."""
    uses = tuple(sorted(dict.fromkeys(line[:2] for line in lines), key=lambda use: _PRIORITY.index(use[0])))
    languages = tuple(dict.fromkeys(line[2] for line in lines))
    counted = all(use[0] in COUNTED for use in uses) or all(_says_once(*use) for use in uses)
    return uses, languages, counted, any(use[0] == "anchor" for use in uses)


def _says_once(group: str, detail: str) -> bool:
    """A marker that speaks against wherever it stands; those of strength ``h`` only do as a heading."""
    return group == "against" and detail.rpartition(":")[2].lower() != "h"


@lru_cache(maxsize=1)
def medicines() -> frozenset[bytes]:
    """Folded names of medicines, of one word."""
    return frozenset(entry.text for entry in entries() if b" " not in entry.text and entry.has("drug"))


@lru_cache(maxsize=1)
def words() -> frozenset[bytes]:
    """All folded entries of one word but for the anchors: none of them is a family name beyond doubt."""
    return frozenset(entry.text for entry in entries() if b" " not in entry.text and not entry.has("anchor"))


@lru_cache(maxsize=1)
def given() -> frozenset[bytes]:
    """Folded given names that are common where the laptops are (``data/given.txt``)."""
    return _names("given.txt")


@lru_cache(maxsize=1)
def family() -> frozenset[bytes]:
    """Folded family names that pages say so often that they look like words (``data/family.txt``); by far not all."""
    return _names("family.txt")


def _names(file: str) -> frozenset[bytes]:
    content = (resources.files("agent.detection") / "data" / file).read_text("utf-8")
    return frozenset(fold_term(name) for line in content.splitlines() if line[:1] != "#" for name in line.split())


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
