"""File names as a person may see them on a terminal: no control character, no escape, no trick with direction."""

from __future__ import annotations

import os
import unicodedata

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(name: bytes | str, limit: int = 200) -> str:
    r"""``name`` with what is unprintable as ``\xNN`` or ``\uNNNN``, cut in the middle beyond ``limit`` characters."""
    text = os.fsdecode(name) if isinstance(name, bytes) else name
    shown = "".join(character if _safe(character) else _escape(character) for character in text)
    if len(shown) > limit:
        half = (limit - 1) // 2
        shown = f"{shown[:half]}…{shown[-half:]}"
    return shown


def _safe(character: str) -> bool:
    return character == " " or unicodedata.category(character) not in _UNSAFE


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
