"""Tables that stand in text: columns kept apart by blanks, tabs or strokes, records of fixed width, a person a line.

Owns turning lines into rows of cells, so that tables.py can judge what was printed, pasted into a mail or written by
old software as it judges a sheet. Takes text, returns tables; judges nothing. One pass over bounded lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

_MOST = 2_000_000  # characters
_LINES = 20_000
_WIDEST = 1_000  # characters of a line
_LEAST = 3  # lines
_CELLS = 3
_GAP = re.compile(r"\t| *\| *| {2,}")
_CELL = re.compile(r"[^\s|](?:[^\s|]| (?! )(?!\|))*")
_SLACK = 1  # columns by which the beginning of a cell may be off
_FIXED = 24  # characters: the shortest record of fixed width
_DAY = re.compile(r"(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_UPPER = r"[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ'’-]+"
_LOWER = r"[A-ZÀ-ÖØ-Þ][a-zß-ÿ'’]+(?:-[A-ZÀ-ÖØ-Þ]?[a-zß-ÿ]+)*"
_PERSON = re.compile(
    rf"(?:{_UPPER} )(?:{_UPPER} ){{0,3}}{_LOWER}|{_LOWER} {_UPPER}"
    rf"|(?:M|Mr|Mme|Mlle|Mrs|Ms|Herr|Frau|Hr|Fr|Sig|Sig\.ra|Sr|Sra|Dhr|Mw|Mevr)\.? {_LOWER}(?: {_LOWER})?"
    rf"|{_LOWER},? {_LOWER}"
)
_BORN = re.compile(r"(?<!\d)(?:[0-3]?\d[-/.][01]?\d[-/.](?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d-[01]\d-[0-3]\d)(?!\d)")
_NIR = re.compile(r"(?<!\d)[1-478] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?/?\d\d(?!\d)")
_ENDS = " \t\r\n\f\x1a"  # old software ends a file with a sign of its own
_NEAR = 60  # characters between a name and what goes with it
_FOLLOWING = 2  # lines that still belong to the person above

Rows = list[tuple[str, ...]]


def tables_in(text: str) -> list[Rows]:
    """Every table found in the lines of ``text``; empty for prose."""
    lines = [line.rstrip(_ENDS)[:_WIDEST] for line in text[:_MOST].split("\n", _LINES)[:_LINES]]
    if len(lines) < _LEAST:
        return []
    found = [rows for block in _blocks(lines) if (rows := _columns(block))]
    for rows in (_fixed(lines), _persons(lines)):
        if rows:
            found.append(rows)
    return found


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Runs of lines that all have several cells; one line without may stand between."""
    block: list[str] = []
    missed = 0
    for line in (*lines, "", ""):
        if len(_GAP.findall(line.strip())) >= _CELLS - 1:
            block.append(line)
            missed = 0
            continue
        missed += bool(block)
        if missed > 1:
            if len(block) >= _LEAST:
                yield block
            block, missed = [], 0


def _columns(block: list[str]) -> Rows:
    """Cells by tabs or strokes where there are any, else by where they begin."""
    for sign in ("\t", "|"):
        if sum(sign in line for line in block) * 10 >= len(block) * 8:
            return [tuple(cell.strip() for cell in line.strip("| ").split(sign)) for line in block if _is_row(line)]
    starts = Counter(found.start() for line in block for found in _CELL.finditer(line))
    stops: list[int] = []
    for place in sorted(starts):
        near = sum(starts[place + off] for off in range(-_SLACK, _SLACK + 1))
        if near * 2 >= len(block) and (not stops or place - stops[-1] > 2 * _SLACK):
            stops.append(place)
    if len(stops) < _CELLS:
        return [tuple(cell for cell in _GAP.split(line.strip()) if cell) for line in block]
    return [_placed(line, stops) for line in block]


def _is_row(line: str) -> bool:
    return any(char.isalnum() for char in line)  # no line of dashes


def _placed(line: str, stops: list[int]) -> tuple[str, ...]:
    cells = [""] * len(stops)
    for found in _CELL.finditer(line):
        column = max((at for at, stop in enumerate(stops) if stop <= found.start() + _SLACK), default=0)
        cells[column] = f"{cells[column]} {found[0]}".strip()
    return tuple(cells)


def _fixed(lines: Sequence[str]) -> Rows:
    """Records of one width: a column ends where blanks end, or a number does, in all of them."""
    records = [line for line in lines if line.strip()]
    width = max(map(len, records), default=0)
    if width < _FIXED or len(records) < _LEAST or sum(len(line) * 2 >= width for line in records) < 0.95 * len(records):
        return []
    body = [line.ljust(width) for line in records]
    shapes = [bytes(_class(char) for char in line) for line in body[:200]]
    cuts = [0, *(at for at in range(1, width) if _parts(shapes, body, at)), width]
    if len(cuts) <= _CELLS:
        return []
    return [tuple(line[a:b].strip() for a, b in zip(cuts, cuts[1:], strict=False)) for line in body]


def _class(char: str) -> int:
    return 0 if char == " " else 1 if char.isdigit() else 2


def _parts(shapes: list[bytes], body: list[str], at: int) -> bool:
    """Whether a column begins at ``at``: behind a blank in every record, or behind a number, or at or behind a date."""
    before = {shape[at - 1] for shape in shapes}
    after = {shape[at] for shape in shapes}
    if before == {0}:
        return sum(shape[at] != 0 for shape in shapes) * 10 >= len(shapes) * 6
    if before == {1} and after == {2}:
        return True
    return 0 not in after and 1 in after and all(_DAY.match(line, at) for line in body[:20])


def _persons(lines: Sequence[str]) -> Rows:
    """Lines that hold a name with a birth date or a number: (name, birth date, number, the rest)."""
    rows: list[list[str]] = []
    since = 0
    for line in lines:
        found = _person(line)
        if found is not None:
            rows.append(found)
            since = 0
        elif rows and line.strip() and since < _FOLLOWING:
            rows[-1][3] += " " + line.strip()
            since += 1
        else:
            since = _FOLLOWING
    return [tuple(row) for row in rows] if len(rows) >= _LEAST else []


def _person(line: str) -> list[str] | None:
    number = _NIR.search(line)
    name = _PERSON.search(line) if number is not None or _BORN.search(line) is not None else None
    if name is None:
        return None
    born = _BORN.search(line, name.end(), name.end() + _NEAR)
    if born is None and number is None:
        return None
    rest = line[max(each.end() for each in (name, born, number) if each) :]
    return [name[0], born[0] if born else "", number[0] if number else "", f"{line[: name.start()]} {rest}"]
