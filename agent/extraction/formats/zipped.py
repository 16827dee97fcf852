"""Everything that is a ZIP: finds out whether it is an office document or an archive, and hands it to its reader."""

from __future__ import annotations

from collections.abc import Callable

from agent.document import Format, Problem
from agent.extraction.formats import archive, behind, odf, ooxml
from agent.extraction.formats.base import Job
from agent.extraction.formats.zipdir import Directory, Member, read_directory, read_member
from agent.extraction.limits import Stop
from agent.extraction.sniff import zip_format
from agent.extraction.source import BytesSource

_TAIL, _END_RECORD = 66_000, 22  # bytes: the longest comment with the record before it; that record (APPNOTE 4.3.16)
_SMALL = 2 << 20  # read at once: one call is cheaper than one per member
_READERS: dict[Format, Callable[[Job, Directory], None]] = {
    Format.ZIP: archive.read_zip,
    Format.DOCX: ooxml.read,
    Format.XLSX: ooxml.read,
    Format.PPTX: ooxml.read,
    Format.ODT: odf.read,
    Format.ODS: odf.read,
    Format.ODP: odf.read,
}


def read(job: Job) -> None:
    """Format.ZIP as sniffed; the document's format becomes what it is."""
    if job.source.size <= _SMALL and not isinstance(job.source, BytesSource):
        job.source = BytesSource(job.source.pread(job.source.size, 0))
    directory = read_directory(job.source, job.budget)
    if directory.broken:
        job.fail(Problem.CORRUPT)
    job.document.format = zip_format([member.name for member in directory.members], _mimetype(job, directory))
    _READERS[job.document.format](job, directory)
    tail = job.source.pread(_TAIL, max(0, job.source.size - _TAIL))
    behind.adopt(job, tail, tail.rfind(b"PK\x05\x06") + _END_RECORD)  # the archive's comment, and what was appended


def _mimetype(job: Job, directory: Directory) -> bytes:
    for member in directory.members[:50]:
        if member.name == "mimetype":
            return _quietly(job, member)
    return b""


def _quietly(job: Job, member: Member) -> bytes:
    try:
        return read_member(job.source, member, job.budget, 200)[0]
    except Stop:
        return b""
