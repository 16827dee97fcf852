"""Tables that stand in text: columns kept apart by blanks, tabs or strokes, records of fixed width, a person a line.

Owns turning lines into rows of cells, so that tables.py can judge what was printed, pasted into a mail or written by
old software as it judges a sheet. Takes text, returns tables; judges nothing. One pass over bounded lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import re2

from agent.detection.linear import spans
from agent.detection.loops import survey
from agent.detection.rounds import beds

_MOST = 2_000_000  # characters
_LINES = 20_000
_WIDEST = 1_000  # characters of a line
_LEAST = 3  # lines
_CELLS = 3
_TABLES = 200
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
# what holds a birth date or a number is among this, a sign unknown to Latin-1 being perhaps a digit: looked for at once
_DATED = re2.compile(
    rb"[0-9?][-/.][0-9?]{1,2}[-/.][0-9?]{2}|[0-9]{2}[0-9?]{2}-[0-9?]{2}-[0-9?]{2}"
    rb"|[1-478](?: ?[0-9?]){4} ?(?:[0-9?]{2}|2[AB])(?: ?[0-9?]){6} ?/?[0-9?]{2}"
)
_SHAPES = 200  # lines looked at
_CLASSES = bytes([0 if chr(code) == " " else 1 if chr(code).isdigit() else 2 for code in range(256)])
_BITS = bytes([1, 2, 4, *range(3, 256)])
_FIRST = 12  # records that tell prose from a table
_ENDS = " \t\r\n\f\x1a"  # old software ends a file with a sign of its own
_LINE_ENDS = tuple(sign + "\n" for sign in _ENDS if sign != "\n")
_BLANK_ENDS = tuple(sign.encode("ascii") for sign in _ENDS if sign != "\n")
_STEP = 1 << 16  # bytes in which lines are counted together
_GAPS = _LEAST * (_CELLS - 1)  # as many as the shortest table has
_NEAR = 60  # characters between a name and what goes with it
_FOLLOWING = 2  # lines that still belong to the person above

Rows = list[tuple[str, ...]]


def tables_in(text: str) -> list[list[Rows]]:
    """Ways to read the lines of ``text`` as tables, each with its tables; empty for prose. What two ways tell of one
    person is the same person: persons are counted in one of them.
    """
    try:
        plain = _first_lines(text[:_MOST].encode("latin-1"))
    except UnicodeEncodeError:
        return _among(_lines(text), text)
    count, longest, ended, gaps, figures, records, widest, wide = survey(plain)
    if ended or longest > _WIDEST or plain[-1:] in _BLANK_ENDS:
        return _among(_lines(text), text)
    if count < _LEAST:
        return []
    fixed = widest >= _FIXED and records >= _LEAST and wide >= 0.95 * records
    if gaps < _GAPS and not fixed and not figures:
        return [[]]  # prose, as one look tells: nothing stands in columns, nobody is numbered or dated
    return _among(text[: len(plain)].split("\n"), text, plain, fixed=fixed, figures=figures)


def _first_lines(plain: bytes) -> bytes:
    """The lines that are looked at, without the line end behind them."""
    left, place = _LINES, 0
    while (here := plain.count(b"\n", place, place + _STEP)) < left:
        left -= here
        place += _STEP
        if place >= len(plain):
            return plain
    for _ in range(left):
        place = plain.index(b"\n", place) + 1
    return plain[: place - 1]


def _among(
    lines: list[str], text: str, plain: bytes | None = None, *, fixed: bool = True, figures: bool = True
) -> list[list[Rows]]:
    """The ways to read ``lines``; ``plain`` are they in Latin-1. ``fixed``: they may be of one width; ``figures``:
    there is one, or a sign that may be one.
    """
    if len(lines) < _LEAST:
        return []
    spaced = text.count("  ") + text.count("\t") + text.count("|") >= _GAPS
    blocks = [rows for block in (_blocks(lines) if spaced else ()) if (rows := _columns(block))][:_TABLES]
    found = [blocks]
    if fixed and (rows := _fixed(lines)):
        found.append([rows])
    if figures:
        plain = plain if plain is not None else "\n".join(lines).encode("latin-1", "replace")
        found += [[rows] for rows in (_persons(lines, plain), beds(lines, plain)) if rows]
    return found


def _lines(text: str) -> list[str]:
    """The lines of a text without blanks at their ends, each cut to what is looked at."""
    lines = text[:_MOST].split("\n", _LINES)[:_LINES]
    if any(end in text for end in _LINE_ENDS) or lines[-1].endswith(tuple(_ENDS)) or max(map(len, lines)) > _WIDEST:
        return [line.rstrip(_ENDS)[:_WIDEST] for line in lines]
    return lines  # nearly every text: nothing to take away


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Runs of lines that all have several cells; one line without may stand between."""
    block: list[str] = []
    missed = 0
    for line in (*lines, "", ""):
        if ("  " in line or "\t" in line or "|" in line) and len(_GAP.findall(line.strip())) >= _CELLS - 1:
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
    records = list(filter(str.strip, lines))
    widths = [*map(len, records)]
    width = max(widths, default=0)
    if width < _FIXED or len(records) < _LEAST:
        return []
    if len([each for each in widths if 2 * each >= width]) < 0.95 * len(records):
        return []
    if not _may_be_cut(records[:_FIRST], width):
        return []
    body = [line.ljust(width) for line in records]
    columns = [bytes(column) for column in zip(*map(_shape, body[:_SHAPES]), strict=True)]
    cuts = [0, *(at for at in range(1, width) if _parts(columns[at - 1], columns[at], body, at)), width]
    if len(cuts) <= _CELLS:
        return []
    return [tuple(line[a:b].strip() for a, b in pairwise(cuts)) for line in body]


def _may_be_cut(records: Sequence[str], width: int) -> bool:
    """Whether the first records leave room for enough columns, which more records only make fewer: prose does not."""
    if _DAY.search(records[0]):
        return True
    seen = 0
    for line in records:  # what stands in each column, of all of them together, one bit a sort of sign
        seen |= int.from_bytes(_shape(line.ljust(width)).translate(_BITS), "little")
    columns = seen.to_bytes(width, "little")
    return columns.count(1, 0, width - 1) + columns.count(b"\2\4") >= _CELLS - 1


def _shape(line: str) -> bytes:
    """0 for a blank, 1 for a digit, 2 for anything else, for each character."""
    try:
        return line.encode("latin-1").translate(_CLASSES)
    except UnicodeEncodeError:
        return bytes([0 if char == " " else 1 if char.isdigit() else 2 for char in line])


def _parts(before: bytes, after: bytes, body: list[str], at: int) -> bool:
    """Whether a column begins at ``at``: behind a blank in every record, or behind a number, or at or behind a date.
    ``before`` and ``after`` are the shapes of all records there.
    """
    if 0 in before:
        if 1 not in before and 2 not in before:
            return (len(after) - after.count(0)) * 10 >= len(after) * 6
    elif 2 not in before and 0 not in after and 1 not in after:
        return True
    return 0 not in after and 1 in after and all(_DAY.match(line, at) for line in body[:20])


def _persons(lines: Sequence[str], plain: bytes) -> Rows:
    """Lines that hold a name with a birth date or a number: (name, birth date, number, the rest). ``plain`` are the
    lines in Latin-1, to be searched.
    """
    dated = _dated(plain)
    if len(dated) < _LEAST:
        return []
    rows: list[list[str]] = []
    since = 0
    for number, line in enumerate(lines):
        found = _person(line) if number in dated else None
        if found is not None:
            rows.append(found)
            since = 0
        elif rows and line.strip() and since < _FOLLOWING:
            rows[-1][3] += " " + line.strip()
            since += 1
        else:
            since = _FOLLOWING
    return [tuple(row) for row in rows] if len(rows) >= _LEAST else []


def _dated(plain: bytes) -> set[int]:
    """The lines that may hold a birth date or a number, found in one linear search."""
    found: set[int] = set()
    line = seen = 0
    for start, _ in spans(_DATED, plain):
        line += plain.count(b"\n", seen, start)
        seen = start
        found.add(line)
    return found


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
