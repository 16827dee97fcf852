"""Pictures: what is written *about* them (descriptions, comments) is read. What they show is read where a reader of
pictures came with the budget; where none did, that is said.

A picture too small to hold a page of readable text is no problem within a document; a small one alone can still be a
strip of a screen or a code. An icon is neither, and nobody waits for it.
"""

from __future__ import annotations

import re
import zlib

from agent.document import Area, Code, Problem, Spot
from agent.extraction.formats import behind
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.charset import decode
from agent.extraction.formats.runs import binary_runs
from agent.extraction.pictures import PictureReader, Sight

_SMALLEST_PAGE = 300  # pixels on the shorter side: below, no page of text is readable
_ICON = 64  # pixels on the longer side: eight words at most, and no module of a code of a patient's data is left
_ICON_BYTES = 20_000  # more than its pixels need: something else is in it
_HEAD = 64 * 1024
_ABOUT = 8 * 1024  # where descriptions stand in the usual formats
_RUN_CHARS = 20_000
_WORDS = re.compile(r"[^\W\d_]{3,40}[ ,^:'’-]+[^\W_]{2,}")  # at least two words: anything else in a picture is noise
_PNG_TEXT = re.compile(rb"zTXt[^\0]{1,79}\0\0|iTXt[^\0]{1,79}\0\x01\0[^\0]{0,40}\0[^\0]{0,200}\0")
_MOST_TEXTS = 20
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG start-of-frame markers


def read(job: Job) -> None:
    """Format.IMAGE."""
    data = job.source.pread(_HEAD, 0)
    try:
        if _is_icon(data, job.source.size):
            job.document.looked = True
        elif job.budget.pictures is not None:
            _read_pixels(job, job.budget.pictures)
        elif _may_hold_a_page(data):
            job.fail(Problem.IMAGE)
    finally:  # also of a picture that cannot be decoded
        lines = binary_runs(data[:_ABOUT], _RUN_CHARS).split("\n")
        job.text("\n".join(line for line in lines if _WORDS.search(line)), PROPERTIES)
        _packed(job, data)
        _behind(job)


def _packed(job: Job, head: bytes) -> None:
    """Descriptions that a PNG keeps compressed (zTXt and iTXt, PNG 3rd edition, 11.3.3)."""
    if not head.startswith(b"\x89PNG"):
        return
    for number, match in enumerate(_PNG_TEXT.finditer(head)):
        machine = zlib.decompressobj()
        try:
            shown = machine.decompress(head[match.end() :], _RUN_CHARS)
        except zlib.error:
            continue
        job.budget.inflate(len(shown))
        job.text(decode(shown), PROPERTIES)
        if number >= _MOST_TEXTS:
            return


def _behind(job: Job) -> None:
    if job.source.size <= job.budget.limits.member_bytes:
        data = job.source.pread(job.source.size, 0)
        behind.adopt(job, data, behind.end_of_picture(data))


def _may_hold_a_page(head: bytes) -> bool:
    size = dimensions(head)
    return size is None or min(size) >= _SMALLEST_PAGE


def _is_icon(head: bytes, size: int) -> bool:
    found = dimensions(head)
    return found is not None and min(found) > 0 and max(found) <= _ICON and size <= _ICON_BYTES


def _read_pixels(job: Job, reader: PictureReader) -> None:
    for number, sight in reader.read(job.whole(), job.budget.picture_page):
        job.document.looked = True
        take(job, sight, number)
        if sight.problem is not None:
            job.fail(sight.problem)
    job.document.truncated = job.document.truncated or reader.skipped


def take(job: Job, sight: Sight, number: int) -> None:
    """Add what was read of page ``number``. What could not be read is for the caller to say."""
    spot = Spot(Area.PICTURE, number)
    job.text(sight.text, spot)
    job.document.codes.extend(Code(code.symbology, code.data, code.text, spot) for code in sight.codes)


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of PNG, GIF, BMP and JPEG; None where they are not plain to see."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data.startswith(b"GIF8") and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data.startswith(b"BM") and len(data) >= 26:
        return int.from_bytes(data[18:22], "little"), abs(int.from_bytes(data[22:26], "little", signed=True))
    return _jpeg(data) if data.startswith(b"\xff\xd8") else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 if marker in {0x01, 0xFF} else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
