"""Small deterministic mutators: bytes and a seeded generator in, other bytes out."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_BYTES = (0, 1, 9, 10, 13, 32, 34, 39, 47, 58, 60, 64, 91, 92, 123, 127, 128, 192, 254, 255)
_NUMBERS = (0, 1, 7, 127, 128, 255, 256, 4095, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
_WRITTEN = (
    b"0", b"-1", b"1", b"255", b"65536", b"2147483647", b"4294967296", b"9223372036854775808", b"1e999", b"-0.0",
    b"99999999999999999999999999", b"NaN", b"0x41", b"\xd9\xa3",
)  # fmt: skip
_DIGITS = re.compile(rb"\d+")
_Operation = Callable[["Mutator", bytearray], None]


class Mutator:
    """One stream of mutations. The same seed, corpus and words give the same inputs on every machine."""

    def __init__(self, seed: int, corpus: Sequence[bytes], words: Sequence[bytes], max_bytes: int) -> None:
        self.random = random.Random(seed)
        self._corpus, self._words, self._max = corpus, words, max_bytes

    def next(self) -> bytes:
        """A seed after one to eight mutations, mostly few."""
        data = bytearray(self.random.choice(self._corpus))
        for _ in range(min(self.random.randint(1, 8), self.random.randint(1, 8))):
            self.random.choice(_OPERATIONS)(self, data)
        return bytes(data[: self._max])

    def place(self, data: bytearray) -> int:
        return self.random.randint(0, len(data))

    def stretch(self, data: bytearray, longest: int = 256) -> tuple[int, int]:
        start = self.place(data)
        return start, min(len(data), start + self.random.randint(1, longest))

    def word(self) -> bytes:
        if self._words and self.random.random() < 0.7:
            return self.random.choice(self._words)
        return self.random.choice(_WRITTEN)

    def other(self) -> bytes:
        return self.random.choice(self._corpus)


def _flip(by: Mutator, data: bytearray) -> None:
    if data:
        data[by.random.randrange(len(data))] ^= 1 << by.random.randrange(8)


def _set(by: Mutator, data: bytearray) -> None:
    if data:
        data[by.random.randrange(len(data))] = by.random.choice(_BYTES)


def _insert(by: Mutator, data: bytearray) -> None:
    at = by.place(data)
    data[at:at] = by.word()


def _overwrite(by: Mutator, data: bytearray) -> None:
    at, word = by.place(data), by.word()
    data[at : at + len(word)] = word


def _delete(by: Mutator, data: bytearray) -> None:
    start, end = by.stretch(data)
    del data[start:end]


def _blank(by: Mutator, data: bytearray) -> None:
    start, end = by.stretch(data, 64)
    data[start:end] = bytes([by.random.choice((0, 0, 255, 32))]) * (end - start)


def _cut(by: Mutator, data: bytearray) -> None:
    del data[by.place(data) :]


def _copy(by: Mutator, data: bytearray) -> None:
    start, end = by.stretch(data)
    piece, at = data[start:end], by.place(data)
    data[at:at] = piece


def _repeat(by: Mutator, data: bytearray) -> None:
    """Nesting and floods: a short piece many times."""
    start, end = by.stretch(data, 24)
    room = max(0, by._max - len(data)) // max(1, end - start)
    data[start:start] = data[start:end] * min(room, by.random.choice((8, 300, 1200, 5000)))


def _flood(by: Mutator, data: bytearray) -> None:
    word, at = by.word(), by.place(data)
    data[at:at] = word * min(max(0, by._max - len(data)) // max(1, len(word)), by.random.choice((8, 300, 5000)))


def _number(by: Mutator, data: bytearray) -> None:
    size = by.random.choice((1, 2, 4, 8))
    value = by.random.choice(_NUMBERS) & ((1 << 8 * size) - 1)
    at = by.place(data)
    data[at : at + size] = value.to_bytes(size, by.random.choice(("little", "big")))


def _written(by: Mutator, data: bytearray) -> None:
    found = [match.span() for match, _ in zip(_DIGITS.finditer(data), range(500), strict=False)]
    if found:
        start, end = by.random.choice(found)
        data[start:end] = by.random.choice(_WRITTEN)


def _splice(by: Mutator, data: bytearray) -> None:
    other = by.other()
    start = by.random.randint(0, len(other))
    data[by.place(data) :] = other[start : start + by._max]


def _borrow(by: Mutator, data: bytearray) -> None:
    other = bytearray(by.other())
    start, end = by.stretch(other)
    at = by.place(data)
    data[at:at] = other[start:end]


_OPERATIONS: tuple[_Operation, ...] = (
    _flip, _flip, _set, _set, _insert, _overwrite, _delete, _blank, _cut, _copy, _repeat, _flood, _number, _number,
    _written, _written, _splice, _borrow,
)  # fmt: skip
