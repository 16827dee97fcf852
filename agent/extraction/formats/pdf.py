"""PDF by pdfium: text of the pages, form fields and annotations, document information, and attached files as children.

pdfium is C++ and reads hostile input, which is why this runs in the sandboxed worker only. Pages beyond the limit
are sampled.
A page whose only content is a picture is a scan: it is drawn and read where a reader of pictures came with the budget;
where none did, the document says so.
"""

from __future__ import annotations

import ctypes
from typing import Any

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction import pictures
from agent.extraction.formats import behind, pdf_hidden
from agent.extraction.formats.base import PROPERTIES, Job
from agent.extraction.formats.pdf_letters import is_garbled
from agent.extraction.formats.pdf_notes import form_of, read_notes
from agent.extraction.formats.pdf_scans import read_scans
from agent.extraction.formats.pdf_streams import is_anchored, survey
from agent.extraction.limits import MIB, Limits, Stop
from agent.extraction.source import SourceFile

_BARE = 1024  # bytes: a file of less has no content to lose with its table
_IN_MEMORY = 64 * MIB  # a larger file is read through callbacks, in which an error has no way out
_POOR_CHARS = 16  # a page with less text than this may be a scan
_SCAN_SHARE = 0.05  # of a page without text, covered by pictures: more than a logo
_STAMP_CHARS = 120  # what a scanning program or a fax writes on a page that is otherwise one picture
_LAYER_CHARS = 800  # with more, a page that is one picture was read when it was scanned
_WHOLE_SHARE = 0.75
_PASSWORD_ERROR, _SECURITY_ERROR = 4, 5
_IMAGE, _FORM, _PATH = 3, 5, 2  # FPDF_PAGEOBJ_*
_MAX_OBJECTS = 2000
_MAX_ATTACHMENTS = 200
_INFO = ("Title", "Author", "Subject", "Keywords")


def read(job: Job) -> None:
    """Format.PDF."""
    source = _read(job)
    if isinstance(source, bytes):
        behind.adopt(job, source, behind.end_of_pdf(source))
        pdf_hidden.earlier(job, source, _read)


def _read(job: Job) -> bytes | None:
    """The last state of the file; its bytes, unless it is too large to be looked through."""
    import pypdfium2
    from pypdfium2 import raw

    source: Any = job.whole() if job.source.size <= _IN_MEMORY else SourceFile(job.source, job.budget)
    try:
        pdf = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in {_PASSWORD_ERROR, _SECURITY_ERROR}
        raise Stop(Problem.ENCRYPTED if locked else Problem.CORRUPT) from None
    try:
        _information(job, pdf)
        pdf_hidden.read(job, pdf, source if isinstance(source, bytes) else b"")
        _attachments(job, pdf)
        with form_of(pdf) as form:
            shown = _pages(job, pdf, form)
        if job.document.problem is None:
            plain = raw.FPDF_GetSecurityHandlerRevision(pdf) < 0  # otherwise the streams are ciphertext
            _doubt(job, source if plain and isinstance(source, bytes) else b"", shown=shown)
    finally:
        pdf.close()
    return source if isinstance(source, bytes) else None


def _doubt(job: Job, data: bytes, *, shown: bool) -> None:
    """The library mends what it can and is silent about the rest: an empty page may be one that it could not read.

    ``data`` is empty when it cannot be looked at; pages that show nothing are then not believed.
    """
    try:
        streams = survey(data, job.budget)
    except Stop:
        if not shown:
            raise
        return  # what the pages say was read in time
    unsaid = streams.broken and not streams.says  # what is shown is the beginning of what could not be read
    lost = streams.says or not data or (len(data) > _BARE and not is_anchored(data))
    if streams.mostly_broken or unsaid or (lost and not shown):
        job.fail(Problem.CORRUPT)


def _information(job: Job, pdf: Any) -> None:
    values = (pdf.get_metadata_value(key) for key in _INFO)
    job.text("\n".join(value for value in values if value), PROPERTIES)


def _attachments(job: Job, pdf: Any) -> None:
    from pypdfium2 import PdfiumError, raw

    count = pdf.count_attachments()
    job.document.truncated |= count > _MAX_ATTACHMENTS
    for index in range(min(count, _MAX_ATTACHMENTS)):
        attachment = pdf.get_attachment(index)
        size = ctypes.c_ulong()
        raw.FPDFAttachment_GetFile(attachment, None, 0, size)
        spot = Spot(Area.ATTACHMENT, index + 1)
        if size.value > job.budget.limits.member_bytes:
            job.adopt(Document(Format.UNKNOWN, size=size.value, problem=Problem.TOO_LARGE), spot)
            continue
        job.budget.inflate(size.value)
        try:
            data = bytes(attachment.get_data())
        except PdfiumError:
            continue  # an attachment without bytes
        job.child(data, spot=spot, name=attachment.get_name())


def sample(count: int, limits: Limits) -> list[int]:
    """0-based numbers of the pages to read: all, or the first, the last and some between, in order."""
    if count <= limits.pages:
        return list(range(count))
    first, last = limits.pages_first, limits.pages_last
    gap = (count - first - last) / (limits.pages_between + 1)
    between = {first + int(gap * step) for step in range(1, limits.pages_between + 1)}
    return sorted({*range(first), *between, *range(count - last, count)})


def _pages(job: Job, pdf: Any, form: Any) -> bool:
    """Read the pages; whether any of them shows anything."""
    from pypdfium2 import PdfiumError, raw

    count = len(pdf)
    before = len(job.document.parts)
    chosen = sample(count, job.budget.limits)
    job.document.truncated = job.document.truncated or len(chosen) < count
    scans: list[int] = []
    stamped: list[int] = []
    shown = False
    for index in chosen:
        job.budget.part()
        try:
            page = pdf.get_page(index)
        except PdfiumError:
            job.fail(Problem.CORRUPT)
            continue
        try:
            length = _page(job, page, Spot(Area.PAGE, index + 1), form)
            if length < 0 or _is_scan(page, length):
                scans.append(index + 1)
            elif _STAMP_CHARS <= length < _LAYER_CHARS and _picture_share(page, drawn=False) >= _WHOLE_SHARE:
                stamped.append(index + 1)
            shown = shown or raw.FPDFPage_CountObjects(page) > 0
        finally:
            page.close()
    unread = read_scans(job, pdf, scans) if job.budget.pictures else dict.fromkeys(scans, Problem.IMAGE)
    _say_scans(job, unread, len(chosen))
    _look_behind(job, pdf, stamped)
    return shown or len(job.document.parts) > before


def _say_scans(job: Job, unread: dict[int, Problem], pages: int) -> None:
    """Mostly unread scans: the document is one. A few: they are children that could not be read."""
    if unread and 2 * len(unread) >= pages:
        for problem in unread.values():
            job.fail(problem)
        return
    for number, problem in unread.items():
        job.adopt(Document(Format.IMAGE, problem=problem), Spot(Area.PAGE, number))


def _look_behind(job: Job, pdf: Any, pages: list[int]) -> None:
    """Pages of one picture with some text over it: a long stamp on a scan, or a slide. They are read where they can be,
    a few of many; where not, they hang there as pictures that nobody read.
    """
    few = [pages[index] for index in pictures.chosen(len(pages))]
    unread = read_scans(job, pdf, few) if job.budget.pictures else dict.fromkeys(few, Problem.IMAGE)
    for number, problem in unread.items():
        job.adopt(Document(Format.IMAGE, problem=problem), Spot(Area.PAGE, number))


def _page(job: Job, page: Any, spot: Spot, form: Any) -> int:
    """Read one page; how many characters its text has, or -1 when only a reader of pictures can tell which."""
    layer = page.get_textpage()
    try:
        text = layer.get_text_range(errors="replace")
    finally:
        layer.close()
    text = text.replace("\r\n", "\n").replace("\ufffe", "-\n").replace("\0", "")
    length = len(text.strip())
    job.text(text, spot)
    read_notes(job, page, spot, form)
    return -1 if length >= _POOR_CHARS and is_garbled(text) else length


def _is_scan(page: Any, length: int) -> bool:
    """Whether what a page with ``length`` characters shows is a picture."""
    if length >= _STAMP_CHARS:
        return False
    if length >= _POOR_CHARS:
        return _picture_share(page, drawn=False) >= _WHOLE_SHARE
    return _picture_share(page, drawn=True) >= _SCAN_SHARE


def _picture_share(page: Any, *, drawn: bool) -> float:
    """The share of the page that pictures cover; all of it when ``drawn`` outlines may be letters, and are many."""
    area = page.get_width() * page.get_height()
    if area <= 0:
        return 0.0
    covered, outlines = 0.0, 0
    for number, item in enumerate(page.get_objects(max_depth=3)):
        if number >= _MAX_OBJECTS:
            break
        if item.type == _IMAGE:
            left, bottom, right, top = item.get_bounds()
            covered += max(0.0, right - left) * max(0.0, top - bottom)
        elif item.type == _PATH:
            outlines += 1
    return 1.0 if drawn and outlines > 300 else covered / area
