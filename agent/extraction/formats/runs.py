"""Printable runs in bytes that no reader understands: what a person would see of them in a hex viewer.

Pure. Finds runs of 8-bit (cp1252) and UTF-16LE characters, in order. Used for old Office files, executables' cousins,
databases and broken containers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# letters, digits and signs of cp1252, without the rarely written C1 half
_NARROW = rb"[\x09\x0a\x0d\x20-\x7e\x80\x85\x8a\x8c\x8e\x91-\x97\x9a\x9c\x9e\xa0-\xff]"
_WIDE = (
    rb"(?:[\x09\x0a\x0d\x20-\x7e\x8a\x8c\x9a\x9c\xa0-\xff]\x00"
    rb"|[\x13\x14\x18\x19\x1c\x1d\x22\x26\xac]\x20|[\x52\x53]\x01)"
)
_HIGH = re.compile(r"[À-ÿ]{3,}")  # no word has three accented letters in a row; offsets and times of binary files do
_ODD = re.compile(r"[^A-Za-z0-9\s.,;:'()/+-]")
_LETTER = re.compile(r"[A-Za-zÀ-ÿ]")
_WRITTEN = re.compile(  # small, Capital, CAPITALS or inOneWord; possessive: nothing is tried twice
    r"(?<![A-Za-zÀ-ÿ])(?:(?:[A-ZÀ-Þ]?[a-zß-ÿ]{2,}+)++|[A-ZÀ-Þ]{3,}+)(?![A-Za-zÀ-ÿ])"
)


class _Runs(NamedTuple):
    """Which runs count: ``pattern`` (wide, narrow), characters at least, what a narrow one holds, what is noise."""

    pattern: re.Pattern[bytes]
    fewest: int
    sound: re.Pattern[bytes]
    noise: Callable[[str], bool]


def _is_noise(text: str) -> bool:
    """A sign in four that prose hardly has, or letters of which less than half are in words as people write them: so
    instructions and offsets look.
    """
    if 4 * len(_ODD.findall(text)) > len(text):
        return True
    written = sum(len(word) for word in _WRITTEN.findall(text) if len(word) > 2)
    return 2 * written < len(_LETTER.findall(text))


_DOCUMENT = _Runs(
    re.compile(rb"(" + _WIDE + rb"{4,})|(" + _NARROW + rb"{4,})"), 4,
    re.compile(rb"[A-Za-z\xc0-\xff]{2}|\d{2}"), lambda _: False,
)  # fmt: skip
_BINARY = _Runs(
    re.compile(rb"((?:[\x20-\x7e\xa0-\xff]\x00){6,})|([\x09\x0a\x0d\x20-\x7e\xc0-\xff]{6,})"), 6,
    re.compile(rb"[A-Za-z]{3}|\d{3}"), _is_noise,
)  # fmt: skip


def document_runs(data: bytes, limit: int) -> str:
    """Text of an old Office stream, at most ``limit`` characters; short runs count, formatting noise stays out."""
    return _join(_DOCUMENT, data, limit)


def binary_runs(data: bytes, limit: int) -> str:
    """Text of bytes of no known format: longer runs only, with a word or a number in them."""
    return _join(_BINARY, data, limit)


def _join(runs: _Runs, data: bytes, limit: int) -> str:
    kept: list[str] = []
    left = limit
    for match in runs.pattern.finditer(data):
        for piece in _pieces(runs, *match.groups()):
            kept.append(piece[:left])
            left -= len(piece) + 1
            if left <= 0:
                return "\n".join(kept)
    return "\n".join(kept)


def _pieces(runs: _Runs, wide: bytes | None, narrow: bytes | None) -> Iterator[str]:
    """A run without what no writing has, in pieces; nothing is decoded that says nothing."""
    if narrow is not None and not runs.sound.search(narrow):
        return
    text = narrow.decode("cp1252", "replace") if narrow is not None else (wide or b"").decode("utf-16-le", "replace")
    for piece in _HIGH.split(text):
        if len(piece) >= runs.fewest and runs.sound.search(piece.encode("cp1252", "replace")) and not runs.noise(piece):
            yield piece
