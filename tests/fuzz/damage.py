"""What happens to files: cut short, a bad sector, a flipped bit, the end lost. Bytes and a seeded generator in, others out.

``DAMAGES`` name every kind; each answers None when it does not apply to the file. The bytes by which a format is known
(sixteen, of DICOM 132) stay: a file without them is another file.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_STREAM = re.compile(rb"\bstream\r?\n")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n){4,}")
Damage = Callable[[bytes, random.Random], bytes | None]


def kept(data: bytes) -> int:
    """How many bytes at the beginning stay."""
    return 132 if data[128:132] == b"DICM" else 16


def _place(data: bytes, by: random.Random) -> int:
    return by.randrange(kept(data), max(kept(data) + 1, len(data)))


def _cut(share: float | None) -> Damage:
    def damage(data: bytes, by: random.Random) -> bytes | None:
        at = max(kept(data), int(len(data) * (by.uniform(0.05, 0.98) if share is None else share)))
        return data[:at] if at < len(data) else None

    return damage


def _last(count: int) -> Damage:
    """The end is missing: the last block of a copy that was broken off."""
    return lambda data, by: data[:-count] if len(data) > 4 * count else None


def _flip(count: int) -> Damage:
    def damage(data: bytes, by: random.Random) -> bytes:
        broken = bytearray(data)
        for _ in range(count):
            broken[min(_place(data, by), len(data) - 1)] ^= 1 << by.randrange(8)
        return bytes(broken)

    return damage


def _blank(length: int, value: int) -> Damage:
    def damage(data: bytes, by: random.Random) -> bytes | None:
        if len(data) < 2 * length:
            return None
        at = min(_place(data, by), len(data) - length)
        return data[:at] + bytes([value]) * length + data[at + length :]

    return damage


def _lose(length: int) -> Damage:
    def damage(data: bytes, by: random.Random) -> bytes | None:
        at = _place(data, by)
        return data[:at] + data[at + length :] if len(data) >= 2 * length else None

    return damage


def _hole(data: bytes, by: random.Random) -> bytes:
    """All from one place on reads as zeros: a file of which only the beginning was written back."""
    at = _place(data, by)
    return data[:at] + bytes(len(data) - at)


def _directory(data: bytes, by: random.Random) -> bytes | None:
    """The central directory of a ZIP archive, or the cross-references of a PDF, are gone."""
    mark = b"PK\x01\x02" if data.startswith(b"PK") else b"startxref" if data.startswith(b"%PDF") else b""
    at = data.find(mark) if data.startswith(b"PK") else data.rfind(mark)
    return data[:at] if mark and at > kept(data) else None


def _entries(data: bytes, by: random.Random) -> bytes | None:
    """The end record of a ZIP archive says that there is nothing in it."""
    at = data.rfind(b"PK\x05\x06")
    return data[: at + 8] + bytes(4) + data[at + 12 :] if data.startswith(b"PK") and at > 0 else None


def _deflated(data: bytes, by: random.Random) -> bytes | None:
    """A compressed stream is damaged near its beginning, everything around it is whole."""
    if data.startswith(b"PK"):
        starts = [match.end() + 40 for match in re.finditer(rb"PK\x03\x04", data)]
    else:
        starts = [match.end() + 6 for match in _STREAM.finditer(data)] if data.startswith(b"%PDF") else []
    broken = bytearray(data)
    for at in starts:
        broken[at : at + 4] = b"\xff\xff\xff\xff"[: len(broken[at : at + 4])]
    return bytes(broken) if starts else None


def _encoded(data: bytes, by: random.Random) -> bytes | None:
    """A base64 part of a mail is cut in its middle."""
    found = list(_BASE64.finditer(data[:4_000_000]))
    if not found:
        return None
    start, end = by.choice(found).span()
    return data[: (start + end) // 2]


DAMAGES: dict[str, Damage] = {
    "cut at a quarter": _cut(0.25), "cut at half": _cut(0.5), "cut at nine tenths": _cut(0.9), "cut anywhere": _cut(None),
    "last block missing": _last(512), "last bytes missing": _last(20), "a bit": _flip(1), "thirty bits": _flip(30),
    "a sector of zeros": _blank(512, 0), "a page of zeros": _blank(4096, 0), "a sector of ones": _blank(512, 255),
    "a sector lost": _lose(512), "zeros to the end": _hole, "directory lost": _directory, "directory empty": _entries,
    "compressed streams": _deflated, "base64 cut": _encoded,
}  # fmt: skip
