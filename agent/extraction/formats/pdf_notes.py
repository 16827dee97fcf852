"""What lies over the pages of a PDF: comments, and the values of form fields.

A field's value mostly stands with its widget on the page, but may stand with a parent of it (ISO 32000-1, 12.7.3.2):
always where a field is shown twice, and where several values are chosen. Only the library's own model of the form knows
those. Nothing that a form would do is done: no script runs, no page is told that it was opened.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from agent.document import Spot
from agent.extraction.formats.base import Job
from agent.extraction.limits import MIB

_WIDGET = 20  # FPDF_ANNOT_WIDGET
_LONGEST = 1 * MIB  # bytes of one value or comment
_MOST_OPTIONS = 200  # of one list to choose from
_TAGS = re.compile("<[^<>]*>")


@contextmanager
def form_of(pdf: Any) -> Iterator[Any]:
    """The library's model of the document's form, or None where it has none."""
    from pypdfium2 import raw

    model = None
    settings = raw.FPDF_FORMFILLINFO(version=2)  # must live as long as the model
    if raw.FPDF_GetFormType(pdf) != raw.FORMTYPE_NONE:
        model = raw.FPDFDOC_InitFormFillEnvironment(pdf, settings)
    try:
        yield model or None
    finally:
        if model:
            raw.FPDFDOC_ExitFormFillEnvironment(model)


def read_notes(job: Job, page: Any, spot: Spot, form: Any) -> None:
    """Add the comments and field values of one page, which are no part of its own text."""
    from pypdfium2 import raw

    count, most = raw.FPDFPage_GetAnnotCount(page), job.budget.limits.annotations
    job.document.truncated |= count > most
    lines: list[str] = []
    for index in range(min(count, most)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        job.budget.tick()
        try:
            if raw.FPDFAnnot_GetSubtype(annotation) == _WIDGET:
                lines.append(_field(job, annotation, form))
            else:
                lines.append(_entry(job, annotation, b"Contents") or _TAGS.sub(" ", _entry(job, annotation, b"RC")))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    job.text("\n".join(line for line in lines if line), spot)


def _field(job: Job, annotation: Any, form: Any) -> str:
    """« name: value »; empty where nothing was filled in."""
    from pypdfium2 import raw

    name, value = _entry(job, annotation, b"T"), _entry(job, annotation, b"V")
    if form and not value:
        value = _chosen(job, annotation, form) or _string(job, raw.FPDFAnnot_GetFormFieldValue, form, annotation)
        name = name or _string(job, raw.FPDFAnnot_GetFormFieldName, form, annotation)
    return f"{name}: {value}" if value else ""


def _chosen(job: Job, annotation: Any, form: Any) -> str:
    """The values chosen from a list that lets several be: the library's one value is the first of them."""
    from pypdfium2 import raw

    count = raw.FPDFAnnot_GetOptionCount(form, annotation)
    job.document.truncated |= count > _MOST_OPTIONS
    taken = (i for i in range(min(count, _MOST_OPTIONS)) if raw.FPDFAnnot_IsOptionSelected(form, annotation, i))
    return "\n".join(_string(job, raw.FPDFAnnot_GetOptionLabel, form, annotation, index) for index in taken)


def _entry(job: Job, annotation: Any, key: bytes) -> str:
    from pypdfium2 import raw

    return _string(job, raw.FPDFAnnot_GetStringValue, annotation, key)


def _string(job: Job, ask: Callable[..., int], *of: Any) -> str:
    """What the library answers to ``ask``: UTF-16 with its end, all of it or, where it is too long, nothing."""
    size = ask(*of, None, 0)
    if size > _LONGEST:
        job.document.truncated = True
    if not 2 < size <= _LONGEST:
        return ""
    job.budget.inflate(size)
    buffer = ctypes.create_string_buffer(size)
    ask(*of, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")
