"""Pictures: what is written *about* them (descriptions, comments) is read; what they show is not, and that is said.

A picture too small to hold a page of readable text is no problem to anybody.
"""

from __future__ import annotations

import re

from agent.document import Problem
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.runs import binary_runs

_SMALLEST_PAGE = 300  # pixels on the shorter side: below, no page of text is readable
_HEAD = 64 * 1024
_ABOUT = 8 * 1024  # where descriptions stand in the usual formats
_RUN_CHARS = 20_000
_WORDS = re.compile(r"[^\W\d_]{3,40}[ ,^:'’-]+[^\W_]{2,}")  # at least two words: anything else in a picture is noise
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG start-of-frame markers


def read(job: Job) -> None:
    """Format.IMAGE."""
    data = job.source.pread(_HEAD, 0)
    lines = binary_runs(data[:_ABOUT], _RUN_CHARS).split("\n")
    job.text("\n".join(line for line in lines if _WORDS.search(line)), PROPERTIES)
    size = dimensions(data)
    if size is None or min(size) >= _SMALLEST_PAGE:
        job.fail(Problem.IMAGE)


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
