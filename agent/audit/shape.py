"""Whether the fields of a record that was read stand in their one form: names by their codes, digests apart, numbers
within bounds, keys in their order. Pure; ``record`` asks after decoding, with values that come from outside.

Records of one kind have the same names and types: what these allow is remembered. Values are looked at each time.
docs/formats/audit-log.md, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from agent.audit.names import CODE_OF, DIGESTS, NAME_OF

MAX_KEY = 64  # characters
MAX_INTEGER = (1 << 53) - 1  # beyond it JSON readers of other languages round
RESERVED = frozenset(("i", "t", "m", "b", "k", "p"))
DIGEST_CODES = frozenset(CODE_OF[name] for name in DIGESTS)
_MAX_SHAPES = 512
_SHAPES: dict[tuple[tuple[str, ...], tuple[type, ...], tuple[str, ...]], _Known] = {}
_INNER_SHAPES: dict[tuple[tuple[str, ...], tuple[type, ...]], _Inner] = {}


def digest_of(value: str) -> str | bytes:
    """Hexadecimal digits as bytes; any other text as it is."""
    if 8 <= len(value) <= 64 and value.isalnum():
        try:
            data = bytes.fromhex(value)
        except ValueError:
            return value
        return data if data.hex() == value else value
    return value


def are_apart(fields: dict[str, Any], digests: Mapping[str, bytes]) -> bool:
    """Whether digests, and only they, stand among the digests, and every name is written by its code."""
    shape = (tuple(fields), tuple(map(type, fields.values())), tuple(digests))
    known = _SHAPES.get(shape) or _learn(shape)
    for code in known.numbers:
        if not -MAX_INTEGER <= fields[code] <= MAX_INTEGER:
            return False
    if known.texts and any(type(digest_of(fields[code])) is bytes for code in known.texts):
        return False
    for code in known.nested:
        if not _is_named_below(fields[code]):
            return False
    return known.right


class _Known(NamedTuple):
    """What the names and types of a record's fields allow: ``numbers`` are fields that hold one, ``texts`` those that
    could be digests, ``nested`` those that hold others.
    """

    right: bool
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    nested: tuple[str, ...]


def _learn(shape: tuple[tuple[str, ...], tuple[type, ...], tuple[str, ...]]) -> _Known:
    """Remembered, for records of one kind are of the same shape; what ``shape`` says decides, and nothing else."""
    names, types, digests = shape
    known = _Known(
        DIGEST_CODES.issuperset(digests)
        and not set(digests) & set(names)
        and all(map(_is_name, names))
        and _is_rising(names)
        and _is_rising(digests),
        tuple(code for code, kind in zip(names, types, strict=True) if kind is int),
        tuple(code for code, kind in zip(names, types, strict=True) if kind is str and code in DIGEST_CODES),
        tuple(code for code, kind in zip(names, types, strict=True) if kind in {dict, list}),
    )
    if len(_SHAPES) < _MAX_SHAPES:  # a hostile log may have any number of them
        _SHAPES[shape] = known
    return known


class _Inner(NamedTuple):
    """The same of a map within a field."""

    right: bool
    numbers: tuple[str, ...]
    nested: tuple[str, ...]


def _learn_inner(shape: tuple[tuple[str, ...], tuple[type, ...]]) -> _Inner:
    names, types = shape
    known = _Inner(
        all(map(_is_name, names)) and _is_rising(names),
        tuple(code for code, kind in zip(names, types, strict=True) if kind is int),
        tuple(code for code, kind in zip(names, types, strict=True) if kind in {dict, list}),
    )
    if len(_INNER_SHAPES) < _MAX_SHAPES:
        _INNER_SHAPES[shape] = known
    return known


def _is_named_below(value: Any) -> bool:
    """The same for a map or list within a field, and that its numbers are within their bounds."""
    if type(value) is list:
        return all(_is_fit(each) for each in value)
    shape = (tuple(value), tuple(map(type, value.values())))
    known = _INNER_SHAPES.get(shape) or _learn_inner(shape)
    for code in known.numbers:
        if not -MAX_INTEGER <= value[code] <= MAX_INTEGER:
            return False
    return known.right and (not known.nested or all(_is_named_below(value[code]) for code in known.nested))


def _is_fit(value: Any) -> bool:
    """An item of a list."""
    kind = type(value)
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    return kind not in {dict, list} or _is_named_below(value)


def _is_rising(names: Sequence[str]) -> bool:
    """Whether the keys of a map are in the order of their bytes, each once."""
    coded = [name.encode() for name in names]
    return all(first < second for first, second in pairwise(coded))


def _is_name(code: str) -> bool:
    return code in NAME_OF or (code >= "a" and len(code) <= MAX_KEY and code not in CODE_OF and code not in RESERVED)
