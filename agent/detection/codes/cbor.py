"""A reader of CBOR, bounded: what a signed certificate needs and no more.

Source: RFC 8949. Takes bytes from a hostile code, returns plain Python values; tags are read over. Lengths are checked
against the bytes that are there, so nothing is reserved for what a header merely claims. Raises ``BadCborError`` alone.
"""

from __future__ import annotations

import struct
from typing import Any

MAX_DEPTH = 16
MAX_ITEMS = 5_000
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_BREAK = object()


class BadCborError(ValueError):
    """The bytes are no CBOR, are cut, or exceed a bound."""


def decode(data: bytes) -> Any:
    """The first value in ``data``; what follows it is left alone. Map keys must be numbers, text or bytes."""
    value = _Reader(data).value(0)
    if value is _BREAK:
        raise BadCborError
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0
        self._items = 0

    def value(self, depth: int) -> Any:
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            raise BadCborError
        first = self._take(1)[0]
        major, info = first >> 5, first & 31
        if major == 7:
            return self._simple(info)
        if info == 31:
            return self._open(major, depth)
        return self._sized(major, self._number(info), depth)

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._place:
            raise BadCborError
        self._place += count
        return self._data[self._place - count : self._place]

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise BadCborError
        return int.from_bytes(self._take(1 << (info - 24)), "big")

    def _sized(self, major: int, count: int, depth: int) -> Any:
        if major <= 1:
            return count if major == 0 else -1 - count
        if major == 2:
            return self._take(count)
        if major == 3:
            return self._take(count).decode("utf-8", "replace")
        if major == 6:
            return self.value(depth + 1)
        if count > MAX_ITEMS:
            raise BadCborError
        if major == 4:
            return [self._inner(depth) for _ in range(count)]
        return dict(self._pair(depth) for _ in range(count))

    def _open(self, major: int, depth: int) -> Any:
        """An array, map or string of no stated length, up to its break."""
        if major not in {2, 3, 4, 5}:
            raise BadCborError
        found: list[Any] = []
        while (value := self.value(depth + 1)) is not _BREAK:
            found.append((self._key(value), self._inner(depth)) if major == 5 else value)
        if major == 4:
            return found
        if major == 5:
            return dict(found)
        wanted = bytes if major == 2 else str
        if not all(isinstance(piece, wanted) for piece in found):
            raise BadCborError
        return wanted().join(found)

    def _inner(self, depth: int) -> Any:
        value = self.value(depth + 1)
        if value is _BREAK:
            raise BadCborError
        return value

    def _pair(self, depth: int) -> tuple[Any, Any]:
        return self._key(self._inner(depth)), self._inner(depth)

    @staticmethod
    def _key(value: Any) -> int | str | bytes:
        if not isinstance(value, int | str | bytes):
            raise BadCborError
        return value

    def _simple(self, info: int) -> Any:
        if info == 31:
            return _BREAK
        if info in _FLOATS:
            return struct.unpack(_FLOATS[info], self._take(1 << (info - 24)))[0]
        if info == 24:
            self._take(1)
        elif info > 24:
            raise BadCborError
        return {20: False, 21: True}.get(info)
