"""Archives: ZIP by our own directory reader, TAR, 7z, RAR and the rest by libarchive, member by member, in memory only.

Each member becomes a child; its name is judged as text there. Pictures, sounds, programs and fonts are known by
their first
bytes and not decompressed further. Nothing is ever written out.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats.base import Job, extension_of
from agent.extraction.formats.package import POOR_CHARS, note_pictures, picture
from agent.extraction.formats.program import carries_more
from agent.extraction.formats.zipdir import Directory, Member, read_member
from agent.extraction.limits import Stop
from agent.extraction.sniff import HEAD, sniff
from agent.extraction.source import SourceFile

_BLOCK = 64 * 1024
_HEAD_IS_ENOUGH = frozenset(
    {Format.AUDIO_VIDEO, Format.EXECUTABLE, Format.FONT, Format.RESEARCH, Format.SIGNAL}
)  # the rest is sound, code, shapes or samples
_ONE_DOCUMENT = re.compile(
    rb"application/(?:epub\+zip|vnd\.oasis\.opendocument|vnd\.sun\.xml|x-krita)|image/openraster"
)
_SHOWN = re.compile(r"\.(?:x?html?|fpage|iwa|apxl)\Z|(?:\A|/)(?:content|index|page\d+)\.xml\Z")  # not what describes it
_PREVIEW = re.compile(r"(?:docprops/)?thumbnails?[/.]")  # of its first page, which is read itself
_WORD = re.compile(r"[^\W\d_]{2,}")
_LOCKED = ("encrypt", "passphrase", "password")
_EMPTY_ARCHIVE = 32  # bytes: a 7z or RAR archive without members is no longer
_IN_MEMORY = 64 << 20  # a larger file is read through callbacks, in which an error has no way out


def read_zip(job: Job, directory: Directory) -> None:
    """Format.ZIP: an archive that is no office document."""
    _comment(job, directory.comment)
    if any(_is_package(job, member) for member in directory.members):  # EPUB and its like: pictures belong to the text
        _package(job, directory)
        return
    for number, member in enumerate(directory.members, 1):
        if not member.directory:
            _zip_member(job, member, Spot(Area.MEMBER, number))


def _is_package(job: Job, member: Member) -> bool:
    """The part by which EPUB, OpenDocument's cousins, XPS and Visio (OPC), and Pages, Numbers, Keynote are known. Other
    kinds that name themselves, such as signed documents (ASiC), are archives: each of their members stands for itself.
    """
    if member.name == "mimetype":
        try:
            return _ONE_DOCUMENT.match(read_member(job.source, member, job.budget, 200)[0]) is not None
        except Stop:
            return False  # its reader says why
    return member.name in {"[content_types].xml", "index/document.iwa", "index.zip", "index.xml", "index.apxl"}


def _package(job: Job, directory: Directory) -> None:
    members = [member for member in directory.members if not member.directory]
    pictures = [member for member in members if picture(member)]
    told, pages = 0, []
    for number, member in enumerate(members, 1):
        if picture(member):
            continue
        _zip_member(job, member, Spot(Area.MEMBER, number))
        if _SHOWN.search(member.name):
            told += _told(job.document.children[-1])
            pages.append(job.document.children[-1])
    before = len(job.document.children)
    note_pictures(job, [member for member in pictures if not _PREVIEW.match(member.name)], poor=told < POOR_CHARS)
    note_pictures(job, [member for member in pictures if _PREVIEW.match(member.name)], poor=False)
    noted = job.document.children[before:]
    longest = max((page for page in pages if page.format is Format.HTML), key=_told, default=None)
    if longest is not None and _told(longest) >= POOR_CHARS:
        longest.children += noted  # they illustrate its text, and may be looked at later
        del job.document.children[before:]
    else:
        for child in noted:
            child.looked = child.looked or child.problem is None  # the text is in the parts beside


def _told(page: Document) -> int:
    """Characters of words in what a page shows: its name, numbers, outlines and addresses are none."""
    beside = {Area.MEMBER, Area.PROPERTIES} if page.format is Format.HTML else {Area.MEMBER}
    lines = (line for part in page.parts if part.spot.area not in beside for line in part.text.split("\n"))
    return sum(len(word) for line in lines if "/" not in line for word in _WORD.findall(line))


def _comment(job: Job, comment: bytes) -> None:
    if len(comment) > 3:
        job.text(comment.decode("cp1252", "replace"), Spot(Area.PROPERTIES))


def _zip_member(job: Job, member: Member, spot: Spot) -> None:
    job.budget.tick()
    data, problem = b"", None
    complete = True
    try:
        data, complete = read_member(job.source, member, job.budget, HEAD)
        if not complete and not _is_enough(job, data, member.size, extension_of(member.title)):
            data, complete = read_member(job.source, member, job.budget, job.budget.limits.member_bytes)
    except Stop as stop:
        problem = stop.problem
    _adopt(job, data, member.title, spot, complete=complete, problem=problem)


def _is_enough(job: Job, head: bytes, size: int, extension: str = "") -> bool:
    """Whether the beginning of a member of ``size`` bytes tells all. A program that carries something is read whole,
    as long as that leaves room for what is no program.
    """
    format_ = sniff(head[:HEAD], extension)
    if format_ is Format.EXECUTABLE and carries_more(head, size):
        return size > min(job.budget.limits.member_bytes, job.budget.inflated_left // 4)
    return format_ in _HEAD_IS_ENOUGH


def _adopt(job: Job, data: bytes, name: str, spot: Spot, *, complete: bool, problem: Problem | None) -> None:
    """Judge what was got of a member; what is missing makes it undecidable unless its kind cannot hold a document."""
    if problem is Problem.ENCRYPTED or (problem and not data):
        job.budget.part()
        node = Document(sniff(data, extension_of(name)) if data else Format.UNKNOWN, extension=extension_of(name))
        node.problem = problem
        job.adopt(node, spot, name)
        return
    child = job.child(data, spot=spot, name=name)
    if problem:
        child.problem = problem
    elif not complete and child.format not in _HEAD_IS_ENOUGH:
        child.truncated = True
        if child.format not in {Format.TEXT, Format.CSV, Format.IMAGE} and child.problem in {None, Problem.CORRUPT}:
            child.problem = Problem.TOO_LARGE


def read(job: Job) -> None:
    """Format.TAR, SEVENZIP, RAR, and whatever else libarchive lists."""
    import libarchive
    from libarchive.exception import ArchiveError

    try:
        if job.source.size <= _IN_MEMORY:
            opened = libarchive.memory_reader(job.whole())
        else:
            opened = libarchive.stream_reader(SourceFile(job.source, job.budget), block_size=_BLOCK)
        with opened as entries:
            count = _entries(job, entries)
    except ArchiveError as error:
        raise Stop(problem_of(error)) from None
    if not count and job.document.format in {Format.SEVENZIP, Format.RAR} and job.source.size > _EMPTY_ARCHIVE:
        raise Stop(Problem.CORRUPT)  # the library believes a header that says « nothing follows »


def read_stream(job: Job, filter_name: str, start: int = 0) -> None:
    """One stream from ``start`` on that libarchive's ``filter_name`` unpacks (zstd, lz4, compress, lzip): what it holds
    is a child.
    """
    import libarchive
    from libarchive.exception import ArchiveError

    pieces: list[bytes] = []
    complete = True
    try:
        with libarchive.memory_reader(job.whole()[start:], format_name="raw", filter_name=filter_name) as entries:
            for entry in entries:
                complete = _fill(job, entry, pieces)
    except ArchiveError as error:
        job.fail(problem_of(error))
    if pieces:
        _adopt(job, b"".join(pieces), "", Spot(Area.MEMBER), complete=complete, problem=None)
    else:
        job.fail(Problem.CORRUPT)


def problem_of(error: Exception) -> Problem:
    """Libarchive says in words only that something is encrypted."""
    message = str(error).lower()
    if any(word in message for word in _LOCKED):
        return Problem.ENCRYPTED
    return Problem.UNSUPPORTED if "unsupported" in message or "unrecognized" in message else Problem.CORRUPT


def _entries(job: Job, entries: Any) -> int:
    """Read every member; how many there were, folders included."""
    number = 0
    for number, entry in enumerate(entries, 1):
        job.budget.tick()
        job.budget.element()
        if (entry.isreg and entry.size != 0) or (entry.size and not entry.isdir):  # ar(1) notes no type of file
            _entry(job, entry, Spot(Area.MEMBER, number))
    return number


def _entry(job: Job, entry: Any, spot: Spot) -> None:
    from libarchive import ffi
    from libarchive.exception import ArchiveError

    name = _name(entry)
    pieces: list[bytes] = []
    complete, problem = True, None
    if ffi.libarchive.archive_entry_is_encrypted(ctypes.c_void_p(entry._entry_p)):
        # for RAR the library would hand out the ciphertext
        _adopt(job, b"", name, spot, complete=False, problem=Problem.ENCRYPTED)
        return
    try:
        complete = _fill(job, entry, pieces)
    except ArchiveError as error:
        problem = problem_of(error)
    if problem is Problem.CORRUPT and any(child.problem is Problem.ENCRYPTED for child in job.document.children):
        problem = Problem.ENCRYPTED  # after one encrypted member libarchive loses its way
    _adopt(job, b"".join(pieces), name, spot, complete=complete, problem=problem)


def _fill(job: Job, entry: Any, pieces: list[bytes]) -> bool:
    """Collect a member's bytes; False when its kind needs no more, or it is too large."""
    size, limit = 0, job.budget.limits.member_bytes
    blocks: Iterator[bytes] = entry.get_blocks(_BLOCK)
    for block in blocks:
        job.budget.inflate(len(block))
        if not pieces and _is_enough(job, block, entry.size or 0):
            pieces.append(block[:HEAD])
            return False
        pieces.append(block)
        size += len(block)
        if size > limit:
            return False
    return True


def _name(entry: Any) -> str:
    try:
        name = entry.pathname
    except (UnicodeError, ValueError):
        return ""
    return name if isinstance(name, str) else ""
