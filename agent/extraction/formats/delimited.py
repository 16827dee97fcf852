"""CSV and its cousins: rows of cells, as a table and as text. The separator is told by the lines themselves."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from itertools import islice

from agent.extraction.formats import inside, text
from agent.extraction.formats.base import Job

_SEPARATORS = ";\t,|"
_FIELD = 131_072
_BLOCK = 256  # rows that are charged together
_LONGER = 10  # times the rows of a sheet: rows of plain text cost little, and a list of patients is to be counted


def read(job: Job) -> None:
    """Format.CSV."""
    data = text.take(job)
    job.document.raw = data[: job.budget.limits.raw_bytes]
    job.doubt(data)
    pieces = text.pieces(job, data)
    for piece in pieces:
        job.text(piece)
    rows = _rows(job, pieces[0])
    if rows:
        job.document.tables.append(rows)
    text.children(job, data)
    long = (cell for row in rows for cell in row if len(cell) >= inside.SHORTEST)
    inside.adopt(job, filter(inside.is_document, long))


def _rows(job: Job, body: str) -> list[tuple[str, ...]]:
    limits = job.budget.limits
    csv.field_size_limit(_FIELD)
    most, widest = limits.rows * _LONGER, limits.columns
    rows: list[tuple[str, ...]] = []
    body = body.removeprefix("sep=;\n").removeprefix("sep=,\n").replace("\0", "")
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=_separator(body))
    more = True
    while more and len(rows) <= most:
        block: list[list[str]] = []
        with suppress(csv.Error):  # a cell beyond all measure: the text above holds it, and rows before it are kept
            block.extend(islice(reader, _BLOCK))
        more = len(block) == _BLOCK
        job.budget.element(sum(map(len, block)))
        rows += [tuple(row[:widest]) for row in block if any(row)]
    if len(rows) > most:
        job.document.truncated = True
    return rows[:most]


def _separator(body: str) -> str:
    """The separator that gives most lines the same number of cells, and then the most cells."""
    lines = [line for line in body[:20_000].splitlines() if line.strip()][:30]
    best, best_score = ";", 0.0
    for separator in _SEPARATORS:
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        score = usual and counts.count(usual) / len(lines) + min(usual, 50) / 1000
        if score > best_score:
            best, best_score = separator, score
    return best
