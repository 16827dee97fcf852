"""One file → one ``Document``: sniffs, hands over to the reader of the format, and turns every failure into a problem.

Imported by the worker alone. Takes a descriptor that somebody else owns and reads it by position; opens nothing, writes
nothing, starts nothing. After ``warm_up`` everything works without the file system.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from agent.document import Document, Format, Problem
from agent.extraction.formats import (
    appended,
    archive,
    binary,
    compressed,
    delimited,
    dicom,
    flatxml,
    html,
    image,
    jsontext,
    mail,
    ole,
    pdf,
    rtf,
    text,
    zipped,
)
from agent.extraction.formats.base import ATTACHMENT, Job
from agent.extraction.limits import Budget, Limits, Stop
from agent.extraction.sniff import HEAD, faces, sniff
from agent.extraction.source import BytesSource, DescriptorSource, Source

_READERS: dict[Format, Callable[[Job], None]] = {
    Format.EMPTY: binary.read_nothing,
    Format.TEXT: text.read,
    Format.HL7V2: text.read,
    Format.CSV: delimited.read,
    Format.XML: flatxml.read,
    Format.HTML: html.read,
    Format.JSON: jsontext.read,
    Format.NDJSON: jsontext.read,
    Format.EML: mail.read,
    Format.MBOX: mail.read_mailbox,
    Format.RTF: rtf.read,
    Format.PDF: pdf.read,
    Format.DICOM: dicom.read,
    Format.ZIP: zipped.read,
    Format.OLE: ole.read,
    Format.TAR: archive.read,
    Format.SEVENZIP: archive.read,
    Format.RAR: archive.read,
    Format.GZIP: compressed.read,
    Format.BZIP2: compressed.read,
    Format.XZ: compressed.read,
    Format.AGE: binary.read_age,
    Format.IMAGE: image.read,
    Format.SIGNAL: binary.read_header,
    Format.RESEARCH: binary.read_header,
    Format.SQLITE: binary.read_database,
    Format.UNKNOWN: binary.read_unknown,
    Format.AUDIO_VIDEO: binary.read_media,
    Format.EXECUTABLE: binary.read_media,
    Format.FONT: binary.read_media,
}
_TEXTS = frozenset(
    {
        Format.TEXT, Format.HL7V2, Format.CSV, Format.XML, Format.HTML, Format.JSON, Format.NDJSON, Format.EML,
        Format.MBOX, Format.RTF,
    }
)  # fmt: skip


def read_document(fd: int, extension: str, size: int, budget: Budget) -> Document:
    """Read an open file of ``size`` bytes (0: as large as the system says). ``extension`` is a hint without the dot.

    Never raises for what the file holds: what could not be read is a ``problem`` on its node.
    """
    try:
        source = DescriptorSource(fd, size, budget)
    except Stop as stop:
        return Document(Format.UNKNOWN, size=size, problem=stop.problem)
    return _read(source, extension, budget, 0)


def read_bytes(data: bytes, extension: str, budget: Budget, depth: int = 0) -> Document:
    """The same for bytes in memory; ``depth`` counts the containers around them."""
    return _read(BytesSource(data), extension, budget, depth)


def _read(source: Source, extension: str, budget: Budget, depth: int) -> Document:
    document = Document(Format.UNKNOWN, size=source.size, extension=extension.lower().lstrip(".")[:16])
    job = Job(source, document, budget, depth, _read)
    _try(job, None)
    if document.format is Format.DICOM:
        _other_faces(job)
    elif document.format in _TEXTS:
        _appended(job)
    return document


def _appended(job: Job) -> None:
    """A text ends where its reader stops to understand it: behind it an archive may stand, as behind a program."""
    for read in (appended.read_zip, appended.read_packed):
        _guarded(job, read)


def _other_faces(job: Job) -> None:
    """A DICOM file may begin as anything and end as a ZIP archive: what another program sees in it is a child."""
    formats = [*faces(job.head, job.document.extension), Format.ZIP]
    for format_ in dict.fromkeys(formats):
        if format_ is Format.ZIP and not job.head.startswith(b"PK") and not _ends_as_zip(job):
            continue
        child = Document(format_, size=job.source.size, extension=job.document.extension)
        _try(Job(job.source, child, job.budget, job.depth + 1, _read), format_)
        if child.parts or child.children or child.problem:
            job.adopt(child, ATTACHMENT)


def _ends_as_zip(job: Job) -> bool:
    try:
        return appended.ends_as_zip(job)
    except Stop as stop:
        job.fail(stop.problem)
        return False


def _try(job: Job, format_: Format | None) -> None:
    """Read as ``format_``, or as what it looks like."""

    def read(job: Job) -> None:
        job.budget.tick()
        job.head = job.source.pread(HEAD, 0)
        job.document.format = format_ or sniff(job.head, job.document.extension)
        _READERS[job.document.format](job)

    _guarded(job, read)


def _guarded(job: Job, read: Callable[[Job], None]) -> None:
    """Whatever goes wrong becomes the document's problem."""
    try:
        read(job)
    except Stop as stop:
        job.fail(stop.problem)
    except MemoryError:
        job.fail(Problem.TOO_LARGE)
    except RecursionError:
        job.fail(Problem.TOO_DEEP)
    except Exception:  # whatever a hostile file provokes in a library is that file's problem, not ours
        job.fail(Problem.CORRUPT)


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """A module that is not loaded yet cannot be, meanwhile: what merely would use it does without."""
    known = name in sys.modules
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # as the import system has it
    try:
        yield
    finally:
        if not known:
            del sys.modules[name]


def warm_up() -> None:
    """Read one tiny document of every format, so that nothing is left to import once files cannot be opened."""
    import codecs
    import sqlite3  # noqa: F401

    import libarchive  # noqa: F401 - loaded for later
    import python_calamine  # noqa: F401

    with _absent("requests"):  # by which pydicom fetches examples; it costs a third of its import
        import pydicom  # noqa: F401

    from agent.extraction.formats.charset import CODECS
    from agent.extraction.samples import samples

    for name in CODECS:
        codecs.lookup(name)
    budget = Budget(replace(Limits(), soft_seconds=60.0))
    for extension, data in samples():
        _read(BytesSource(data), extension, budget, 0)
