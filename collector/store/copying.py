"""Rows of events as PostgreSQL's binary COPY format. Pure; a third of what the driver needs for it row by row.

PostgreSQL's documentation, COPY, « Binary Format »: a signature, then for each row the number of its fields and each
field's length and bytes (-1: NULL), then -1. Numbers are big-endian; text is UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from collector.store.base import Row

_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_NUMBERS = struct.Struct(">hiqiqiq")  # nine fields; device, idx, t
_NUMBER = struct.Struct(">iq")
_LENGTH = struct.Struct(">i")


def packed(rows: Iterable[Row]) -> bytes:
    """The whole stream for ``rows``. A zero byte in a text is left out: PostgreSQL has no text with one."""
    pieces = [_HEAD]
    add, length = pieces.append, _LENGTH.pack
    for device, idx, t, kind, channel, decision, of, public, private in rows:
        add(_NUMBERS.pack(9, 8, device, 8, idx, 8, t))
        for word in (kind, channel, decision):
            data = word.encode("utf-8").replace(b"\0", b"")
            add(length(len(data)))
            add(data)
        add(_NULL if of is None else _NUMBER.pack(8, of))
        add(length(len(public)))
        add(public)
        if private is None:
            add(_NULL)
        else:
            add(length(len(private)))
            add(private)
    add(_END)
    return b"".join(pieces)
