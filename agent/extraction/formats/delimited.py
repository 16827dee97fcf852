"""CSV and its cousins: rows of cells, as a table and as text. The separator is told by the lines themselves."""

from __future__ import annotations

import csv
import io

from agent.extraction.formats import inside, text
from agent.extraction.formats.base import Job

_SEPARATORS = ";\t,|"
_FIELD = 131_072
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
    inside.adopt(job, (cell for row in rows for cell in row if inside.is_document(cell)))


def _rows(job: Job, body: str) -> list[tuple[str, ...]]:
    limits = job.budget.limits
    csv.field_size_limit(_FIELD)
    rows: list[tuple[str, ...]] = []
    body = body.removeprefix("sep=;\n").removeprefix("sep=,\n").replace("\0", "")
    try:
        for row in csv.reader(io.StringIO(body, newline=""), delimiter=_separator(body)):
            if len(rows) >= limits.rows * _LONGER:
                job.document.truncated = True
                break
            job.budget.element(len(row))
            if any(row):
                rows.append(tuple(row[: limits.columns]))
    except csv.Error:
        pass  # a cell beyond all measure: the text above holds it
    return rows


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
