"""Hostile JSON into Python values, bounded in depth; and a bounded walk over them that never recurses."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 128
MAX_NODES = 1_000_000
_NEAR_END = 4_000_000  # a cut within so long a string is met by documents that carry others
# possessive, and an open string runs to the end: linear on any input
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{\]}]")
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]},]', re.DOTALL)
_CLOSING = {b"{": b"}", b"[": b"]"}


def depth(raw: bytes) -> int:
    """The deepest nesting of brackets outside strings. Linear in the bytes; needs no parser."""
    level = deepest = 0
    for match in _BRACKETS.finditer(_STRING.sub(b'""', raw)):
        level += 1 if match[0] in {b"[", b"{"} else -1
        if level > deepest:
            deepest = level
            if deepest > MAX_DEPTH:
                break
    return deepest


def load(raw: bytes) -> Any:
    """The value, or None when the bytes are no JSON or nest deeper than MAX_DEPTH. Never raises."""
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[3:]
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and depth(raw) > MAX_DEPTH:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(raw.decode("cp1252", "replace")) if b"\x00" not in raw else None
    except (ValueError, RecursionError):
        return None


def salvage(raw: bytes) -> Any:
    """The value of JSON that was cut: what stands before the cut, its open brackets closed. None when nothing is left,
    or it is broken otherwise.
    """
    open_: list[bytes] = []
    end, closing = 0, b""
    for match in _TOKENS.finditer(raw):
        token = match[0]
        if token in _CLOSING:
            open_.append(_CLOSING[token])
            if len(open_) > MAX_DEPTH:
                return None
            end = match.end()
        elif token == b"," and open_:
            end = match.start()
        elif open_ and token == open_[-1]:
            open_.pop()
            end = match.end()
        else:
            continue
        closing = b"".join(reversed(open_)) if end > len(raw) - _NEAR_END else b""
    return load(raw[:end] + closing) if closing else None


def objects(value: Any, max_depth: int = MAX_DEPTH) -> Iterator[dict[str, Any]]:
    """Every object in the value down to ``max_depth``, outer before inner, at most MAX_NODES steps."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    steps = 0
    while stack and steps < MAX_NODES:
        node, level = stack.pop()
        steps += 1
        if isinstance(node, dict):
            yield node
        if level < max_depth and isinstance(node, dict | list):
            inner = node.values() if isinstance(node, dict) else node
            stack.extend((child, level + 1) for child in reversed(list(inner)) if isinstance(child, dict | list))


def listed(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty list, anything else as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def said(value: Any) -> str:
    """A string or number as text, anything else as ""."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
