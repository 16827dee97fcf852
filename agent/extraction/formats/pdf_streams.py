"""Whether the streams of a PDF can be decompressed: the PDF library mends silently, and shows an empty page instead.

Pure over bytes, and independent of the file's tables, which may be what is broken. Only streams that can hold what a
page says are looked at (ISO 32000-1, 7.3.8 and 7.4.4): not pictures, fonts, colour profiles and descriptions.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from agent.extraction.limits import MIB, Budget

_TAIL = 2048  # bytes at the end in which the table's place is given
_DICTIONARY = 1500  # bytes before a stream: no dictionary that matters is longer
_MOST = 32 * MIB  # decompressed, of all streams together
_STEP = MIB
_STREAM = re.compile(rb"(?<!end)stream(?:\r?\n|\r)")
_FIRST_FILTER = re.compile(rb"/F(?:ilter)?\s*\[?\s*/(\w+)")
_APART = re.compile(rb"/(?:Subtype\s*/(?:Image|XML|Type1C|CIDFontType0C|OpenType)|Length1|FunctionType|N\s+[134]\b)")
_PLACE = re.compile(rb"startxref\s+(\d{1,12})\s")
_TABLE = re.compile(rb"\s*(?:xref\s|\d+\s+\d+\s+obj)")
_SHOWS_TEXT = re.compile(rb"[)\]>]\s*(?:Tj|TJ|'|\")(?=\s|\Z)")
_ASCII = bytes(range(9, 14)) + bytes(range(32, 127))
_KNOWN = (b"FlateDecode", b"Fl")


@dataclass(slots=True)
class Streams:
    """``readable`` and ``broken`` count streams; ``says`` is true when a readable one shows text."""

    readable: int = 0
    broken: int = 0
    says: bool = False

    @property
    def mostly_broken(self) -> bool:
        """More than a quarter cannot be read: with less, what the other pages say is judged."""
        return 4 * self.broken > self.broken + self.readable


def survey(data: bytes, budget: Budget) -> Streams:
    """Try every stream, up to a bound. One that cannot be looked into counts as readable and saying; an end without
    a beginning is a broken stream.
    """
    beginnings = sum(1 for _ in _STREAM.finditer(data))
    found = Streams(broken=max(0, data.count(b"endstream") - beginnings))
    at = 0
    left = _MOST
    for match in _STREAM.finditer(data):
        if match.start() < at or left <= 0:
            continue
        head = data[max(0, match.start() - _DICTIONARY) : match.start()]
        head = head[head.rfind(b"obj") + 3 :]
        if _APART.search(head):
            continue
        filter_ = _FIRST_FILTER.search(head)
        if filter_ and filter_[1] not in _KNOWN:
            found.readable, found.says = found.readable + 1, True
            continue
        if not filter_:
            body = data[match.end() : data.find(b"endstream", match.end())]
            found.readable, found.says = found.readable + 1, found.says or _may_say(body)
            continue
        used, given, says = _inflate(data, match.end(), left, budget)
        left -= given
        if used:
            at = used
            found.readable, found.says = found.readable + 1, found.says or says
        else:
            found.broken += 1
    return found


def _may_say(body: bytes) -> bool:
    """Whether a stream without a filter shows text, or is under a filter that its dictionary does not name any more."""
    return bool(_SHOWS_TEXT.search(body)) or len(body.translate(None, _ASCII)) * 10 > len(body)


def _inflate(data: bytes, start: int, most: int, budget: Budget) -> tuple[int, int, bool]:
    """(where the compressed bytes end or 0 when they are broken, how many came out, whether they show text)."""
    machine, given, says = zlib.decompressobj(), 0, False
    at = start
    try:
        while not machine.eof and given < most:
            pending = machine.unconsumed_tail
            if not pending:
                pending = data[at : at + _STEP]
                at += len(pending)
                if not pending:
                    return 0, given, says
            piece = machine.decompress(pending, _STEP)
            given += len(piece)
            says = says or bool(_SHOWS_TEXT.search(piece))
            budget.tick()
    except zlib.error:
        return 0, given, says
    return at - len(machine.unused_data) - len(machine.unconsumed_tail), given, says


def is_anchored(data: bytes) -> bool:
    """Whether the end says where the table of objects is, and something like it is there."""
    places = _PLACE.findall(data[-_TAIL:])
    return bool(places) and _TABLE.match(data, int(places[-1])) is not None
