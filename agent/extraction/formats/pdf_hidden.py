"""What a PDF holds beside its pages: XFA form data, bookmarks, an XMP description, and the state before it was changed.

A change is appended to a PDF (ISO 32000-1, 7.5.6): what was taken off a page is still in the file that leaves.
"""

from __future__ import annotations

import ctypes
import html
import re
from collections.abc import Callable
from itertools import islice
from typing import Any

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.limits import Stop
from agent.extraction.source import BytesSource

_MOST_PACKETS, _PACKET_BYTES = 32, 4 * 1024 * 1024
_MOST_BOOKMARKS = 500
_MOST_EARLIER = 2  # states before the last one
_TAGS = re.compile(r"<[^<>]*>")
_XMP = re.compile(rb"<x:xmpmeta[^>]{0,300}>(.{1,65536}?)</x:xmpmeta>", re.DOTALL)
_END = b"%%EOF"


def read(job: Job, pdf: Any, data: bytes) -> None:
    """Add what stands beside the pages. ``data`` is the whole file, or empty when it is too large to look through."""
    _forms(job, pdf)
    titles = (item.get_title() for item in islice(pdf.get_toc(max_depth=4), _MOST_BOOKMARKS))
    job.text("\n".join(title for title in titles if title), PROPERTIES)
    for match in islice(_XMP.finditer(data), 4):
        _marked_up(job, match[1])


def _forms(job: Job, pdf: Any) -> None:
    """The packets of an XFA form: names as in the template, values as in the data."""
    from pypdfium2 import raw

    for index in range(min(raw.FPDF_GetXFAPacketCount(pdf), _MOST_PACKETS)):
        size = ctypes.c_ulong()
        raw.FPDF_GetXFAPacketContent(pdf, index, None, 0, size)
        if not 0 < size.value <= _PACKET_BYTES:
            continue
        job.budget.inflate(size.value)
        buffer = ctypes.create_string_buffer(size.value)
        if raw.FPDF_GetXFAPacketContent(pdf, index, buffer, size.value, size):
            _marked_up(job, buffer.raw)


def _marked_up(job: Job, data: bytes) -> None:
    shown = html.unescape(_TAGS.sub("\n", data.decode("utf-8", "replace")))
    job.text("\n".join(line.strip() for line in shown.split("\n") if line.strip()), PROPERTIES)


def earlier(job: Job, data: bytes, read_state: Callable[[Job], object]) -> None:
    """The states before changes were appended, as children read by ``read_state``. A linearised file ends twice and
    was changed once less. Pictures of earlier states are not read: the pages that show them mostly still do.
    """
    ends = [match.end() for match in re.finditer(_END, data)][:-1]
    if b"/Linearized" in data[:1024]:
        ends = ends[1:]
    pictures, job.budget.pictures = job.budget.pictures, None
    try:
        for number, end in enumerate(reversed(ends[-_MOST_EARLIER:]), 1):
            _state(job, data[:end], Spot(Area.ATTACHMENT, number), read_state)
    finally:
        job.budget.pictures = pictures


def _state(job: Job, data: bytes, spot: Spot, read_state: Callable[[Job], object]) -> None:
    job.budget.inflate(len(data))
    node = Document(Format.PDF, size=len(data), extension="pdf")
    try:
        read_state(Job(BytesSource(data), node, job.budget, job.depth + 1, job.recurse, job.head))
    except Stop as stop:
        if stop.problem in {Problem.TIMED_OUT, Problem.TOO_LARGE, Problem.TOO_MANY_PARTS}:
            raise
    node.problem = None  # what cannot be read of it is in the last state as well, or never was a document
    node.children = [child for child in node.children if child.problem is None]
    if node.parts or node.children:
        job.adopt(node, spot)
