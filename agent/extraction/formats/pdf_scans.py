"""The scanned pages of a PDF: drawn by pdfium, read by the reader of pictures that came with the budget.

The first pages and the last ones; those between are left out, and the document is then not read in full.
"""

from __future__ import annotations

import math
from typing import Any

from agent.document import Problem
from agent.extraction.formats.base import Job
from agent.extraction.formats.image import take
from agent.extraction.limits import Stop
from agent.extraction.pictures import chosen

_DOTS = 200 / 72  # pixels a point: 200 dots per inch
_LONG_SIDE = 2400  # pixels at most; an A4 page at 200 dots per inch has 2339
_SMALL_PAGE = 300  # points: a page of less may be any size on paper
_SMALL_SIDE = 1600  # pixels for the long side of such a page


def read_scans(job: Job, pdf: Any, scans: list[int]) -> dict[int, Problem]:
    """Read the 1-based pages ``scans`` of ``pdf`` into the document; the pages that could not be read, and why."""
    wanted = chosen(len(scans))
    unread: dict[int, Problem] = {}
    for index in wanted:
        number = scans[index]
        try:
            problem = _read(job, pdf, number)
        except Stop as stop:
            problem = stop.problem
        if problem is not None:
            unread[number] = problem
    job.document.truncated = job.document.truncated or len(wanted) < len(scans)
    if scans:
        job.document.parts.sort(key=lambda part: part.spot.number)  # what was read of pixels among the other pages
    return unread


def _read(job: Job, pdf: Any, number: int) -> Problem | None:
    job.budget.picture_page()
    if job.budget.pictures is None:
        return Problem.IMAGE
    sight = job.budget.pictures.look(*_draw(pdf, number))
    take(job, sight, number)
    return sight.problem


def _draw(pdf: Any, number: int) -> tuple[bytes, int, int]:
    """Gray pixels, width and height of a page. Raises ``Stop``."""
    from pypdfium2 import PdfiumError

    page = None
    try:
        page = pdf.get_page(number - 1)
        bitmap = page.render(scale=_scale(*page.get_size()), grayscale=True)
        return _packed(bitmap)
    except (PdfiumError, ValueError, OverflowError):
        raise Stop(Problem.CORRUPT) from None
    finally:
        if page is not None:
            page.close()


def _scale(width: float, height: float) -> float:
    longest = max(width, height)
    if not math.isfinite(longest) or longest <= 0:
        raise Stop(Problem.CORRUPT)
    return _SMALL_SIDE / longest if longest < _SMALL_PAGE else min(_DOTS, _LONG_SIDE / longest)


def _packed(bitmap: Any) -> tuple[bytes, int, int]:
    """The rows of a bitmap without what fills them up."""
    width, height, stride = bitmap.width, bitmap.height, bitmap.stride
    data = bytes(bitmap.buffer)
    bitmap.close()
    if stride != width:
        data = b"".join(data[at : at + width] for at in range(0, height * stride, stride))
    return data, width, height
