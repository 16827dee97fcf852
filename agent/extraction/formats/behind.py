"""What stands behind the end of a picture or a PDF, where the programs that show it do not look.

Pure but for ``adopt``. The end is found by the format's own structure (PNG 3rd edition, 5; JPEG, ISO 10918-1 B.1.1;
GIF89a, 23; BMP; PDF, ISO 32000-1 7.5.5), so that no signature is searched « somewhere » in compressed pixels. Only what
is a document by its first bytes is read: cameras append data of their own.
"""

from __future__ import annotations

from agent.document import Area, Format, Spot
from agent.extraction.formats.base import Job
from agent.extraction.formats.compressed import is_zlib
from agent.extraction.sniff import HEAD, sniff

_LEAST = 64  # bytes: less holds nothing
_DULL = frozenset({Format.UNKNOWN, Format.EMPTY, Format.IMAGE, Format.AUDIO_VIDEO, Format.EXECUTABLE, Format.FONT})
_PADDING = b"\0\r\n \xff"
_END_OF_PDF = b"%%EOF"


def adopt(job: Job, data: bytes, end: int) -> None:
    """Read what ``data`` holds from ``end`` on as a child, when it is a document. Raises ``Stop``."""
    rest = data[end:].lstrip(_PADDING) if 0 < end < len(data) else b""
    if len(rest) < _LEAST:
        return
    if sniff(rest[:HEAD]) in _DULL and not is_zlib(rest):
        return
    job.budget.inflate(len(rest))
    job.child(rest, spot=Spot(Area.ATTACHMENT))


def end_of_pdf(data: bytes) -> int:
    """Where the last end mark of a PDF stops; 0 when there is none."""
    at = data.rfind(_END_OF_PDF)
    return at + len(_END_OF_PDF) if at >= 0 else 0


def end_of_picture(data: bytes) -> int:
    """Where a PNG, JPEG, GIF or BMP ends; 0 when that is not plain to see."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _end_of_png(data)
    if data.startswith(b"\xff\xd8"):
        return _end_of_jpeg(data)
    if data.startswith(b"GIF8"):
        return _end_of_gif(data)
    return int.from_bytes(data[2:6], "little") if data.startswith(b"BM") else 0


def _end_of_png(data: bytes) -> int:
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            return at
    return 0


def _end_of_jpeg(data: bytes) -> int:
    """Segments up to the first scan, then the end mark, which entropy-coded data cannot contain."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            return at + 2
        at += 2 if 0xD0 <= marker <= 0xD7 or marker == 0x01 else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            found = data.find(b"\xff\xd9", at)
            return found + 2 if found >= 0 else 0
    return 0


def _end_of_gif(data: bytes) -> int:
    if len(data) < 13:
        return 0
    at = 13 + (3 << (1 + (data[10] & 7)) if data[10] & 0x80 else 0)
    while at < len(data):
        mark = data[at]
        if mark == 0x3B:
            return at + 1
        if mark == 0x21:
            at += 2
        elif mark == 0x2C and at + 10 <= len(data):
            flags = data[at + 9]
            at += 11 + (3 << (1 + (flags & 7)) if flags & 0x80 else 0)
        else:
            return 0
        at = _past_blocks(data, at)
    return 0


def _past_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1
