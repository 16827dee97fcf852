"""Archives that stand behind something else: behind a program that unpacks them, a script, a text. What shows the front
does not see them; the programs that open archives do.

They are looked for where those programs look (APPNOTE 4.1.9, 7zFormat.txt, RAR 5.0 technical note): a ZIP by the
record at its end, 7z and RAR by the first header in the beginning of the file. A mark alone is chance, so its checksum
must hold.
"""

from __future__ import annotations

from zlib import crc32

from agent.document import Document, Format
from agent.extraction.formats import zipped
from agent.extraction.formats.base import ATTACHMENT, Job
from agent.extraction.formats.zipdir import read_directory
from agent.extraction.limits import MIB, Stop
from agent.extraction.source import Behind

ZIP_TAIL = 66_000  # bytes: the end record of an archive and the longest comment behind it
_END_OF_ZIP = b"PK\x05\x06"
_ENTRY, _LOCATOR = b"PK\x01\x02", b"PK\x06\x07"
_SEARCHED = 8 * MIB  # of the front, as 7-Zip does; nobody writes a longer one
_MARKS = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
_MOST_MARKS = 1_000  # of either: they are two bytes longer than chance brings about
_LONGEST_HEADER = 4_096  # bytes of the first header of a RAR archive


def ends_as_zip(job: Job) -> bool:
    """Whether the end record of a ZIP archive stands where it may. Raises ``Stop``."""
    return _END_OF_ZIP in job.source.pread(ZIP_TAIL, max(0, job.source.size - ZIP_TAIL))


def read_zip(job: Job) -> None:
    """An archive at the end becomes a child: what it is by its members, a Word document or a folder of files."""
    if not _has_directory(job) or read_directory(job.source, job.budget).broken:
        return
    child = Document(Format.ZIP, size=job.source.size)
    inner = Job(job.source, child, job.budget, job.depth + 1, job.recurse, job.head)
    try:
        zipped.read(inner)
    except Stop as stop:
        inner.fail(stop.problem)
    if child.parts or child.children or child.problem:
        job.adopt(child, ATTACHMENT)


def _has_directory(job: Job) -> bool:
    """Whether the last end record speaks of a directory that is there: a program about archives names the mark too."""
    start = max(0, job.source.size - ZIP_TAIL)
    tail = job.source.pread(ZIP_TAIL, start)
    at = tail.rfind(_END_OF_ZIP)
    if at < 0:
        return False
    if tail[max(0, at - 20) :].startswith(_LOCATOR):  # ZIP64: sizes stand elsewhere
        return True
    place = start + at - int.from_bytes(tail[at + 12 : at + 16], "little")
    return place >= 0 and job.source.pread(4, place) == _ENTRY


def read_packed(job: Job) -> None:
    """The first 7z or RAR archive behind the beginning becomes a child. Raises ``Stop``."""
    front = job.source.pread(_SEARCHED, 0)
    for mark, extension in _MARKS.items():
        at = _first(job, front, mark)
        if at > 0:
            job.child_of(Behind(job.source, at), extension, ATTACHMENT)


def _first(job: Job, front: bytes, mark: bytes) -> int:
    """Where the first archive with this mark begins; -1 when there is none."""
    at = front.find(mark, 1)
    for _ in range(_MOST_MARKS):
        if at < 0 or _holds(front[at : at + 32 + _LONGEST_HEADER]):
            return at
        at = front.find(mark, at + 1)
    job.document.truncated = True
    return -1


def _holds(begin: bytes) -> bool:
    """Whether the first header of an archive that begins like this has the checksum it says."""
    if begin.startswith(b"7z"):
        return len(begin) >= 32 and crc32(begin[12:32]) == int.from_bytes(begin[8:12], "little")
    if begin[6:8] == b"\x01\0":  # RAR 5: checksum, size as a number of seven bits a byte, header
        size, at = _number(begin, 12)
        whole = begin[12 : at + size]
        return len(whole) == at + size - 12 > 1 and crc32(whole) == int.from_bytes(begin[8:12], "little")
    header = begin[9 : 7 + int.from_bytes(begin[12:14], "little")]
    return header[:1] == b"\x73" and crc32(header) & 0xFFFF == int.from_bytes(begin[7:9], "little")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of at most three bytes, and where it ends."""
    value = 0
    for place in range(3):
        byte = data[at + place] if at + place < len(data) else 0
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, at + place + 1
    return value, at + 3
