"""CRC-32 of any piece of some bytes, at a cost that does not grow with the piece. Pure.

Whoever forges a thousand headers, each with a length of 100 KB, would otherwise have each of those pieces read. CRC-32
is linear: what a checksum becomes when zeros follow is an exclusive or of what its bits become, and so the checksum of
a piece follows from those of what ends before it and with it.
"""

from __future__ import annotations

from functools import cache
from zlib import crc32

_STEP = 256  # bytes from one remembered checksum to the next
_ZEROS = bytes(_STEP)
_Table = tuple[tuple[int, ...], ...]


class Checksums:
    """Of pieces of ``data``, each of at most 1 MB."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._known = [0]  # of the first 0, 256, 512 … bytes: as far as somebody asked

    def of(self, start: int, stop: int) -> int:
        """What ``crc32`` says of ``data[start:stop]``."""
        return self._until(stop) ^ _followed(self._until(start), stop - start)

    def _until(self, stop: int) -> int:
        known, steps = self._known, stop // _STEP
        while len(known) <= steps:
            end = len(known) * _STEP
            known.append(crc32(self._data[end - _STEP : end], known[-1]))
        return crc32(self._data[steps * _STEP : stop], known[steps])


def _followed(checksum: int, zeros: int) -> int:
    """What a difference between two checksums becomes when as many bytes of zeros follow on both."""
    steps, rest = divmod(zeros, _STEP)
    high, low = divmod(steps, 64)
    for table in (_table(64 * _STEP * high), _table(_STEP * low)):
        first, second, third, fourth = table
        checksum = (
            first[checksum & 0xFF]
            ^ second[checksum >> 8 & 0xFF]
            ^ third[checksum >> 16 & 0xFF]
            ^ fourth[checksum >> 24]
        )
    # crc32 inverts before and after: an exclusive or with what it says of zeros alone takes that out again
    return crc32(_ZEROS[:rest], checksum) ^ crc32(_ZEROS[:rest])


@cache
def _table(zeros: int) -> _Table:
    """What each value of each of the four bytes becomes, the lowest first; 128 such tables at most."""
    nothing = bytes(zeros)
    bits = [crc32(nothing, 1 << bit) ^ crc32(nothing) for bit in range(32)]
    tables = []
    for lowest in range(0, 32, 8):
        table = [0]
        for bit in bits[lowest : lowest + 8]:
            table += [value ^ bit for value in table]
        tables.append(tuple(table))
    return tuple(tables)
