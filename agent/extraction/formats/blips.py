"""Pictures in old Office documents (« blips », MS-ODRAW 2.2.23) and in RTF: noted, or read, as in the new formats.

A scan that was pasted into a letter paper is the letter. A record is known by its whole head, kind and instance, so
that compressed pixels are not taken for one; where RTF keeps a picture twice, the copy for old readers is left out.
"""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Iterator

from agent.document import Area
from agent.extraction.formats.base import Job
from agent.extraction.formats.package import MOST_PICTURES, POOR_CHARS, note_picture

_BITMAPS = {0xF01D: (0x46A, 0x6E2), 0xF02A: (0x46A, 0x6E2), 0xF01E: (0x6E0,), 0xF01F: (0x7A8,), 0xF029: (0x6E4,)}
_METAFILES = {0xF01A: (0x3D4,), 0xF01B: (0x216,), 0xF01C: (0x542,)}
# by the first four bytes of a record: how many bytes stand between its head and the picture
_BEFORE = {
    struct.pack("<HH", (instance + second) << 4, kind): 16 + 16 * second + more
    for kinds, more in ((_BITMAPS, 1), (_METAFILES, 34))
    for kind, instances in kinds.items()
    for instance in instances
    for second in (0, 1)  # checksums: one, or another one besides
}
_HEADS = re.compile(b"|".join(re.escape(head) for head in _BEFORE))
_PICT = re.compile(rb"(\\nonshppict[ \r\n]*\{?)?\\pict\b")
_SAID = re.compile(  # of a picture, before it: words, and groups of properties
    rb"(?:[\r\n\t ]|\\\*|\\(?!bin\d)[a-z]{1,32}-?\d{0,10}|"
    rb"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,400}+\}){0,400}+\}){0,400}+\}){0,400}+"
)
_DIGITS = re.compile(rb"[0-9a-fA-F\r\n\t ]{400,}+")
_RAW = re.compile(rb"\\bin(\d{1,9}) ?")


def note_blips(job: Job, stream: bytes) -> None:
    """The pictures in a stream of a DOC or PPT."""
    _note(job, _blips(stream))


def note_rtf(job: Job, data: bytes) -> None:
    """The pictures of an RTF document, written as hexadecimal digits or as they are."""
    _note(job, _written(job, data))


def _note(job: Job, pictures: Iterator[bytes]) -> None:
    shown = (len(part.text) for part in job.document.parts if part.spot.area is not Area.PROPERTIES)
    poor = sum(shown) < POOR_CHARS
    for number, data in enumerate(pictures):
        if number >= MOST_PICTURES:
            job.document.truncated = True
            return
        job.budget.part()
        job.budget.inflate(len(data))
        note_picture(job, data, poor=poor)


def _blips(stream: bytes) -> Iterator[bytes]:
    at = 0
    while match := _HEADS.search(stream, at):
        start = match.end() + 4
        end = start + int.from_bytes(stream[match.end() : start], "little")
        at = match.end()
        if start + _BEFORE[match[0]] < end <= len(stream):
            yield stream[start + _BEFORE[match[0]] : end]
            at = end


def _written(job: Job, data: bytes) -> Iterator[bytes]:
    at = 0
    while match := _PICT.search(data, at):
        job.budget.tick()
        at = match.end() + len((_SAID.match(data, match.end()) or (b"",))[0])
        if raw := _RAW.match(data, at):
            at = raw.end() + int(raw[1])
            found = data[raw.end() : at]
        elif digits := _DIGITS.match(data, at):
            at = digits.end()
            figures = digits[0].translate(None, b"\r\n\t ")
            found = binascii.unhexlify(figures[: len(figures) // 2 * 2])
        else:
            continue
        if found and not match[1]:
            yield found
