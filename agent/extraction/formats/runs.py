"""Printable runs in bytes that no reader understands: what a person would see of them in a hex viewer.

Pure. Finds runs of 8-bit (cp1252) and UTF-16LE characters, in order. Used for old Office files, executables' cousins,
databases and broken containers.
"""

from __future__ import annotations

import re

# letters, digits and signs of cp1252, without the rarely written C1 half
_NARROW = rb"[\x09\x0a\x0d\x20-\x7e\x80\x85\x8a\x8c\x8e\x91-\x97\x9a\x9c\x9e\xa0-\xff]"
_WIDE = (
    rb"(?:[\x09\x0a\x0d\x20-\x7e\x8a\x8c\x9a\x9c\xa0-\xff]\x00"
    rb"|[\x13\x14\x18\x19\x1c\x1d\x22\x26\xac]\x20|[\x52\x53]\x01)"
)
_RUNS = re.compile(rb"(" + _WIDE + rb"{4,})|(" + _NARROW + rb"{4,})")
_ASCII_RUNS = re.compile(rb"((?:[\x20-\x7e\xa0-\xff]\x00){6,})|([\x09\x0a\x0d\x20-\x7e\xc0-\xff]{6,})")
_SOUND = re.compile(r"[A-Za-zÀ-ÿ]{2}|\d{2}")  # two letters or digits in a row: less is noise


def document_runs(data: bytes, limit: int) -> str:
    """Text of an old Office stream, at most ``limit`` characters; short runs count, formatting noise stays out."""
    return _join(_RUNS, data, limit)


def binary_runs(data: bytes, limit: int) -> str:
    """Text of bytes of no known format: longer runs only."""
    return _join(_ASCII_RUNS, data, limit)


def _join(pattern: re.Pattern[bytes], data: bytes, limit: int) -> str:
    kept: list[str] = []
    left = limit
    for match in pattern.finditer(data):
        wide, narrow = match.groups()
        text = wide.decode("utf-16-le", "replace") if wide else narrow.decode("cp1252", "replace")
        if not _SOUND.search(text):
            continue
        kept.append(text[:left])
        left -= len(text) + 1
        if left <= 0:
            break
    return "\n".join(kept)
