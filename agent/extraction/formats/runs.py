"""Printable runs in bytes that no reader understands: what a person would see of them in a hex viewer.

Pure. Finds runs of 8-bit (cp1252) and UTF-16LE characters, in order. Used for old Office files, executables' cousins,
databases and broken containers.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# letters, digits and signs of cp1252, without the rarely written C1 half
_NARROW = rb"[\x09\x0a\x0d\x20-\x7e\x80\x85\x8a\x8c\x8e\x91-\x97\x9a\x9c\x9e\xa0-\xff]"
_WIDE = (
    rb"(?:[\x09\x0a\x0d\x20-\x7e\x8a\x8c\x9a\x9c\xa0-\xff]\x00"
    rb"|[\x13\x14\x18\x19\x1c\x1d\x22\x26\xac]\x20|[\x52\x53]\x01)"
)
_RUNS = re.compile(rb"(" + _WIDE + rb"{4,})|(" + _NARROW + rb"{4,})")
_ASCII_RUNS = re.compile(rb"((?:[\x20-\x7e\xa0-\xff]\x00){6,})|([\x09\x0a\x0d\x20-\x7e\xc0-\xff]{6,})")
_HIGH = re.compile(r"[À-ÿ]{3,}")  # no word has three accented letters in a row; offsets and times of binary files do
_WORD = re.compile(r"[A-Za-z]{3}|\d{3}")
_ODD = re.compile(r"[^A-Za-z0-9\s.,;:'()/+-]")
_SOUND = re.compile(r"[A-Za-zÀ-ÿ]{2}|\d{2}")  # two letters or digits in a row: less is noise


def document_runs(data: bytes, limit: int) -> str:
    """Text of an old Office stream, at most ``limit`` characters; short runs count, formatting noise stays out."""
    return _join(_RUNS, 4, data, limit)


def binary_runs(data: bytes, limit: int) -> str:
    """Text of bytes of no known format: longer runs only."""
    return _join(_ASCII_RUNS, 6, data, limit, _is_noise)


def _is_noise(text: str) -> bool:
    """Nothing like a word or a number, or a sign in four that prose hardly has: so instructions and offsets look."""
    return not _WORD.search(text) or 4 * len(_ODD.findall(text)) > len(text)


def _join(
    pattern: re.Pattern[bytes], fewest: int, data: bytes, limit: int, noise: Callable[[str], bool] = lambda _: False
) -> str:
    kept: list[str] = []
    left = limit
    for match in pattern.finditer(data):
        wide, narrow = match.groups()
        text = wide.decode("utf-16-le", "replace") if wide else narrow.decode("cp1252", "replace")
        for piece in _HIGH.split(text):
            if len(piece) < fewest or not _SOUND.search(piece) or noise(piece):
                continue
            kept.append(piece[:left])
            left -= len(piece) + 1
            if left <= 0:
                return "\n".join(kept)
    return "\n".join(kept)
