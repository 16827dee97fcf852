"""Plain text, and everything that stays readable as plain text: HL7 v2, logs, exports of old practice software.

Hands over the text as it is, the raw bytes for the recognisers of structured formats, and what hides in it as base64.
"""

from __future__ import annotations

import re

from agent.document import Area, Problem, Spot
from agent.extraction.embedded import runs
from agent.extraction.formats import cards, latex, sql
from agent.extraction.formats.base import Job
from agent.extraction.formats.charset import decode, encoding_of

_ARMOUR = b"-----BEGIN PGP MESSAGE-----"
_STRESSED = re.compile(r"(?<![\w*])\*\*(?=\w)([^*\n]{1,200})(?<=\S)\*\*(?![\w*])")
_APART = re.compile(
    r"(?<=\d) ?\| ?(?=(?:[unpmkµμ]?(?:mol|g|UI|IU|U|L|l)|10\^\d|[GTM]|mm|ml|mL|f[Ll]|%)(?:/|%|\b)[^|\n]{0,10}\|)"
)
_LONGER = 10  # times the rows of a sheet, as for delimited text
_WIDE = ("utf-16", "utf-32")


def read(job: Job) -> None:
    """Format.TEXT and Format.HL7V2."""
    data = take(job)
    job.document.raw = data[: job.budget.limits.raw_bytes]
    job.doubt(data)
    shown = pieces(job, data)
    for piece in shown:
        job.text(latex.plain(piece) if latex.is_source(piece) else plain(piece))
    _read_tables(job, shown)
    if _ARMOUR in data[:65536]:
        job.fail(Problem.ENCRYPTED)
    children(job, data)


def plain(piece: str) -> str:
    """The text as it is meant to be read: without the stars of Markdown around words and the backslashes of a dump or a
    calendar, and with a figure and its unit in one cell where a laboratory wrote them in two (``CRP|48.2|mg/L``).
    """
    if "**" in piece:
        piece = _STRESSED.sub(r"\1", piece)
    if "\\" in piece and sql.has_rows(piece):
        piece = sql.unescaped(piece)
    if "BEGIN:V" in piece[:40] and cards.is_one(piece):
        return cards.plain(piece)
    return _APART.sub(" ", piece) if "|" in piece else piece


def _read_tables(job: Job, shown: list[str]) -> None:
    most = job.budget.limits.rows * _LONGER
    for piece in filter(sql.has_rows, shown):
        for table in sql.read_tables(piece, most):
            job.document.truncated |= len(table) >= most
            job.budget.element(sum(len(row) for row in table))
            job.budget.tick()
            job.document.tables.append(table)


def take(job: Job) -> bytes:
    """All bytes, or the head and the tail of a long text (then the document is marked as cut, and the tail follows a
    line end).
    """
    limits = job.budget.limits
    size, keep = job.source.size, limits.text_head_bytes + limits.text_tail_bytes
    if size <= keep:
        return job.source.pread(size, 0)
    job.document.truncated = True
    start = size - limits.text_tail_bytes
    start -= start % 4  # within the characters of wide encodings
    head = job.source.pread(limits.text_head_bytes, 0)
    return head + job.source.pread(size - start, start)


def pieces(job: Job, data: bytes, declared: str = "") -> list[str]:
    """The text of ``data``; head and tail apart when they were apart."""
    if not job.document.truncated or not _is_cut(job, data):
        return [decode(data, declared)]
    cut = job.budget.limits.text_head_bytes
    encoding = encoding_of(data[:cut])
    errors = "serment-cp1252" if encoding == "utf-8" else "replace"
    return [data[:cut].decode(encoding, errors).removeprefix("\ufeff"), data[cut:].decode(encoding, errors)]


def _is_cut(job: Job, data: bytes) -> bool:
    # data may also be something that a container handed over whole
    return job.budget.limits.text_head_bytes < len(data) < job.source.size


def children(job: Job, data: bytes) -> None:
    """Every document that hides in ``data`` as base64 becomes a child."""
    limit = min(job.budget.limits.member_bytes, job.budget.inflated_left)
    for run in runs(data, limit):
        job.budget.inflate(len(run.data))
        job.child(run.data, spot=Spot(Area.ATTACHMENT))
