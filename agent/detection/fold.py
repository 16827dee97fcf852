"""Folding: any text → one byte a letter, three aligned views that the matcher and the rules read.

Owns the normalisation of what a document may do to a word without changing what a person reads: accents, ligatures,
soft hyphens, odd spaces, Cyrillic and Greek look-alikes, full-width letters, words broken at a line end (disguise.py
undoes the rarer tricks). Takes one string, returns a frozen value; must not look anything up and must not keep
anything.

Unicode normalisation is never called on a whole text: it runs at 17 MB/s. One pass to Latin-1 with an error handler
for what is left over, and byte tables, run at several hundred MB/s.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from agent.detection.disguise import readable
from agent.detection.letters import FOREIGN, SPECIAL
from agent.detection.loops import FIGURES, MARKED, ROUGH, Views

_COMMON = ("’", "œ", "–", "…", "\u202f", "•")  # worth a replace of their own: frequent in French text
_BLANKS = re.compile(rb"  +")
_BROKEN_WORD = re.compile(rb"-\n(?<=[a-z]-\n)(?=[a-z])")  # the literal first: it is searched for, the rest tested


def _case_kept_table() -> bytes:
    table = bytearray(range(256))
    for code in range(256):
        char = chr(code)
        if code >= 0xC0 and char not in "×÷":
            table[code] = ord(unicodedata.normalize("NFD", char)[0].encode("latin-1")) & 0x7F or code
        elif code < 0x20 and char != "\n":
            table[code] = 0x20
    table[ord("\f")] = table[ord("\v")] = 0x0A
    for source, target in {"\xa0": " ", "ß": "s", "Æ": "E", "æ": "e", "Ø": "O", "ø": "o", "µ": "u", "Ð": "D", "ð": "d",
                           "Þ": "T", "þ": "t", "ª": "a", "«": '"', "»": '"', "·": ".", "´": "'",
                           "²": "2", "³": "3", "¹": "1"}.items():  # fmt: skip
        table[ord(source)] = ord(target)
    return bytes(table)


_CASE_KEPT = _case_kept_table()
_WORDS_ONLY = bytes(code if chr(code).isalnum() and code < 128 else 0x20 for code in range(256))
_WORDS_BY_LINE = bytes(0x0A if code == 0x0A else letter for code, letter in enumerate(_WORDS_ONLY))
_DELETED = b"\xad\xb0\xba\r\x00"  # soft hyphen, degree and ordinal signs («n° SS» and «T°» are «n ss» and «t»)
_views = Views(_CASE_KEPT, _DELETED, _WORDS_ONLY)


class Folded(NamedTuple):
    """Three views of one text with the same offsets, each beginning and ending with a separator.

    ``cased``: letters without accents, case kept, lines kept, runs of blanks collapsed. ``lines``: the same in lower
    case. ``words``: lower case letters and digits only, everything else a space.
    """

    cased: bytes
    lines: bytes
    words: bytes
    figures: bool = True  # False: there is none, whatever needs one need not be looked for


def fold(text: str) -> Folded:
    """Fold ``text`` in linear time. Offsets are those of the folded text, not of ``text``."""
    return fold_page(text)[1]


def fold_page(text: str) -> tuple[str, Folded]:
    """``text`` as a person reads it (``disguise.readable``), and its views. A text in which nothing can be disguised is
    not searched for it: the pass that makes the views sees that.
    """
    try:
        plain = _common(text).encode("latin-1")
    except UnicodeEncodeError:
        text = readable(text)
        return text, fold_readable(text)
    cased, lines, words, told = _views.of(plain)
    if told & MARKED and (clear := readable(text)) is not text:
        return clear, fold_readable(clear)
    return text, _viewed(cased, lines, words, told)


def words_of(cased: bytes) -> bytes:
    """The view ``words`` of a piece of the view ``cased``."""
    return cased.lower().translate(_WORDS_ONLY)


def fold_readable(text: str) -> Folded:
    """The same for a text that ``readable`` has been over."""
    return _viewed(*_views.of(_encode(text)))


def _viewed(cased: bytes, lines: bytes, words: bytes, told: int) -> Folded:
    if told & ROUGH:
        cased = _collapse(cased)
        lines = cased.lower()
        words = lines.translate(_WORDS_ONLY)
    return Folded(cased, lines, words, told & FIGURES > 0)


def _encode(text: str) -> bytes:
    return _common(text).encode("latin-1", FOREIGN)


def _common(text: str) -> str:
    if not text.isascii():
        for char in _COMMON:
            text = text.replace(char, SPECIAL.get(char, " "))
    return text


def _collapse(data: bytes) -> bytes:
    if b"  " in data:
        data = _BLANKS.sub(b" ", data)
    data = data.replace(b" \n", b"\n").replace(b"\n ", b"\n")
    if b"(" in data:
        data = data.replace(b"(e)", b"e").replace(b"(s)", b"s")  # «né(e) le», «patient(s)»
    return _BROKEN_WORD.sub(b"", data) if b"-\n" in data else data


def fold_term(term: str) -> bytes:
    """A lexicon entry as it looks in the view ``words``: single spaces, none at the ends."""
    return b" ".join(_encode(term).translate(_CASE_KEPT, _DELETED).lower().translate(_WORDS_ONLY).split())


def fold_terms(line: str, separator: str) -> list[bytes]:
    """``fold_term`` of each piece of ``line``, in one go: the lexicon has thousands. ``separator`` is plain ASCII."""
    smooth = _encode(line).translate(_CASE_KEPT, _DELETED).lower()
    pieces = b"\n".join(piece.replace(b"\n", b" ") for piece in smooth.split(separator.encode("ascii")))
    words = _BLANKS.sub(b" ", pieces.translate(_WORDS_BY_LINE))
    return words.replace(b" \n", b"\n").replace(b"\n ", b"\n").strip(b" ").split(b"\n")
