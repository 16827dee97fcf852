"""How many documents were judged when, from the records of a request. Pure.

Today's page adds up these numbers instead of reading a day of records, which is millions for a large fleet. They are
made where records are checked, so nothing is decoded for it: two fields are looked for by their bytes. Those cannot
lie within a text (they are no UTF-8), so an honest record is never miscounted; a laptop that lies may, as it may in
the fields themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from agent.audit.names import CODE_OF
from agent.audit.record import Kind
from collector.store.base import SLOT_S, Row, Tally

_SLOT_US = SLOT_S * 1_000_000
_TRANSFER = Kind.TRANSFER.value
_HELD = frozenset(("block", "encrypt", "justify"))


def _bytes_of(name: str, value: str) -> tuple[bytes, bytes]:
    """A field as it lies in a record of version 2, and of version 1."""
    packed = msgspec.msgpack.encode({CODE_OF.get(name, name): value})[1:]
    return packed, msgspec.json.encode({name: value})[1:-1]


_MEDICAL, _OLD_MEDICAL = _bytes_of("judgement", "medical")
_AGAIN, _OLD_AGAIN = _bytes_of("pictures", "read")  # the second look at a document that was counted


def tally(rows: Iterable[Row]) -> tuple[Tally, ...]:
    """The transfers among ``rows``, by quarter of an hour of the laptop's clock."""
    counts: dict[int, list[int]] = {}
    for row in rows:
        if row[3] != _TRANSFER:
            continue
        public, slot = row[7], row[2] // _SLOT_US
        found = counts.get(slot)
        if found is None:
            found = counts[slot] = [0, 0, 0]
        old = public[:1] == b"{"
        found[0] += (_OLD_AGAIN if old else _AGAIN) not in public
        found[1] += (_OLD_MEDICAL if old else _MEDICAL) in public
        found[2] += row[5] in _HELD
    return tuple(Tally(slot, *numbers) for slot, numbers in counts.items())
