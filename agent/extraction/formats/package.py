"""What OOXML and ODF packages share: reading a part under the budget, and what is embedded in them as children."""

from __future__ import annotations

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats.base import Job, extension_of
from agent.extraction.formats.zipdir import Member, read_member
from agent.extraction.limits import KIB, Stop
from agent.extraction.sniff import HEAD, sniff

_PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "emf", "wmf", "webp", "svm", "wdp", "ico"})
_SCAN_BYTES = 30 * KIB  # a smaller picture is a logo
_READ_BYTES = 4 * KIB  # a picture of less holds no text worth reading, where pictures are read
POOR_CHARS = 200  # a document with less text whose picture is large is a scan
MOST_PICTURES = 200  # of one document
_NO_DOCUMENT = frozenset({Format.IMAGE, Format.UNKNOWN, Format.EMPTY, Format.AUDIO_VIDEO, Format.FONT, Format.GZIP})
_EMBEDDED = Spot(Area.ATTACHMENT)


def part(job: Job, member: Member) -> bytes:
    """The bytes of one part, or nothing when it cannot be read (the document then says why)."""
    job.budget.part()
    try:
        data, complete = read_member(job.source, member, job.budget, job.budget.limits.member_bytes)
    except Stop as stop:
        job.fail(stop.problem)
        if stop.problem is Problem.TIMED_OUT:
            raise
        return b""
    if not complete:
        job.document.truncated = True
        job.fail(Problem.TOO_LARGE)
    return data


def picture(member: Member) -> bool:
    """Whether a part is a picture by its name; a wrong name costs a look (``note_pictures``)."""
    return extension_of(member.name) in _PICTURES


def embed(job: Job, member: Member) -> None:
    """Read an embedded file as a child."""
    data = part(job, member)
    if data:
        job.child(data, extension_of(member.name), _EMBEDDED)


def note_pictures(job: Job, pictures: list[Member], *, poor: bool | None = None) -> None:
    """Pictures are read where a reader came with the budget. Where none did they are noted: a logo says nothing, but a
    large one in a document with hardly any text is a scan.

    ``poor`` says whether the document has hardly any text, where that is not plain from its own parts.
    """
    if poor is None:
        poor = sum(len(piece.text) for piece in job.document.parts) < POOR_CHARS
    for member in pictures[:MOST_PICTURES]:
        job.budget.part()
        if _is_disguised(job, member):
            embed(job, member)
            continue
        scan = poor and member.size > _SCAN_BYTES
        if job.budget.pictures is not None and member.size > _READ_BYTES:
            _read_picture(job, member, scan=scan)
            continue
        node = Document(Format.IMAGE, size=member.size, extension=extension_of(member.name))
        node.problem = Problem.IMAGE if scan else None
        job.adopt(node, _EMBEDDED)


def note_picture(job: Job, data: bytes, *, poor: bool) -> None:
    """The same for one picture at hand, that nothing but the document names."""
    scan = poor and len(data) > _SCAN_BYTES
    if job.budget.pictures is not None and len(data) > _READ_BYTES and sniff(data[:HEAD]) is Format.IMAGE:
        child = job.child(data, spot=_EMBEDDED)
        if child.problem is Problem.IMAGE and not scan:
            child.problem = None
        return
    job.adopt(Document(Format.IMAGE, size=len(data), problem=Problem.IMAGE if scan else None), _EMBEDDED)


def _is_disguised(job: Job, member: Member) -> bool:
    """A document that bears the name of a picture."""
    try:
        head, _complete = read_member(job.source, member, job.budget, HEAD)
    except Stop as stop:
        if stop.problem is Problem.TIMED_OUT:
            raise
        return False
    return sniff(head) not in _NO_DOCUMENT


def _read_picture(job: Job, member: Member, *, scan: bool) -> None:
    data = part(job, member)
    if not data:
        return
    child = job.child(data, extension_of(member.name), _EMBEDDED)
    if child.problem is Problem.IMAGE and not scan:
        child.problem = None  # of a kind that nobody reads, and no more than an ornament
