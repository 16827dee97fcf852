"""Blocks → a PDF that can be read aloud: real text, tagged by what it is, with a language and a title. Makes bytes.

PDF 1.7 (ISO 32000-1) of its own few lines: standard fonts (not embedded, so it is no PDF/UA), no script, no link, no
file attached. Every text passes ``_shown``: a character that the fonts have not got, a control character, a change of
direction is written as its number, so a hostile name can neither hide nor reach the syntax of the file.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from agent.dossier.blocks import Block, Heading, NewPage, Paragraph, Points, Table

_WIDTH, _HEIGHT = 595, 842  # points: A4
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 545, 790, 60
_SIZES = {1: 18, 2: 13, 3: 11}
_BODY, _CELL = 10, 8
_LEADING = 1.35
_CELL_LINES = 40  # a cell that is higher is cut, and shows it
_ASCII = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 "
    "584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584"
)
_WIDTHS = {chr(32 + at): int(width) for at, width in enumerate(_ASCII.split())}
_WIDE = {"—": 1000, "…": 1000, "œ": 944, "Œ": 1000, "«": 556, "»": 556, "€": 556, "’": 222, "é": 556, "–": 556}
_BOLD = 1.09  # bold letters are wider by less than this


def _shown(text: str) -> str:
    r"""``text`` with everything that Windows-1252 has not got, or that is not printable, as ``\uNNNN``."""
    text = unicodedata.normalize("NFC", text.replace("\u202f", "\u00a0").replace("\u2011", "-"))
    return "".join(each if _has(each) else f"\\u{ord(each):04x}" for each in text)


def _has(character: str) -> bool:
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return False
    try:
        return bool(character.encode("cp1252"))
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=1024)
def _units(character: str) -> int:
    """The width of a character in thousandths of the font's size."""
    known = _WIDTHS.get(character) or _WIDE.get(character)
    return known or _WIDTHS.get(unicodedata.normalize("NFD", character)[0], 600)


def _width(text: str, size: float, bold: bool) -> float:
    return sum(map(_units, text)) * size / 1000 * (_BOLD if bold else 1)


def _wrap(text: str, size: float, room: float, bold: bool) -> list[str]:
    """Lines that fit into ``room`` points; words that are longer are cut."""
    lines, line, used = [], "", 0.0
    blank = _width(" ", size, bold)
    for word in _shown(text).split(" "):
        for part in _cut(word, size, room, bold):
            wide = _width(part, size, bold)
            if line and used + blank + wide > room:
                lines.append(line)
                line, used = part, wide
            elif line:
                line, used = f"{line} {part}", used + blank + wide
            else:
                line, used = part, wide
    return [*lines, line]


def _cut(word: str, size: float, room: float, bold: bool) -> list[str]:
    """A word in pieces of at most ``room`` points."""
    if _width(word, size, bold) <= room:
        return [word]
    parts, begin, used = [], 0, 0.0
    for at, character in enumerate(word):
        wide = _width(character, size, bold)
        if used + wide > room and at > begin:
            parts.append(word[begin:at])
            begin, used = at, 0.0
        used += wide
    return [*parts, word[begin:]]


@dataclass(slots=True)
class _Element:
    """A part of the structure: what a reader aloud walks through."""

    tag: str
    parent: int  # index in the list of elements; -1: the document
    children: list[str] = field(default_factory=list)  # as they stand in /K
    page: int = -1


@dataclass(slots=True)
class _Page:
    content: list[bytes] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)  # number of marked content → element


class _Drawing:
    def __init__(self, footer: str) -> None:
        self.pages: list[_Page] = []
        self.elements: list[_Element] = []
        self._footer = footer
        self.y = 0.0
        self.new_page()

    def new_page(self) -> None:
        self.pages.append(_Page())
        self.y = _TOP
        text = _shown(f"{self._footer} - {len(self.pages)}")
        self.artifact([_line(_LEFT, 36, "F1", 7, text)])

    def element(self, tag: str, parent: int = -1) -> int:
        self.elements.append(_Element(tag, parent))
        return len(self.elements) - 1

    def room_for(self, height: float) -> None:
        if self.y - height < _BOTTOM:
            self.new_page()

    def put(self, element: int, x: float, y: float, lines: Sequence[str], size: float, bold: bool) -> None:
        """Lines of one element, one below the other, as one piece of marked content."""
        page, number = self.pages[-1], len(self.pages[-1].owners)
        page.owners.append(element)
        drawn = [
            _line(x, y - size - at * size * _LEADING, "F2" if bold else "F1", size, line + " ")
            for at, line in enumerate(lines)  # the blank parts the last word of a line from the next
        ]
        tag = self.elements[element].tag.encode()
        page.content.append(b"/%s << /MCID %d >> BDC\n%s\nEMC" % (tag, number, b"\n".join(drawn)))
        self.elements[element].children.append(f"<< /Type /MCR /Pg PAGE{len(self.pages) - 1} /MCID {number} >>")

    def text(self, element: int, text: str, size: float, bold: bool = False, indent: float = 0) -> None:
        lines = _wrap(text, size, _RIGHT - _LEFT - indent, bold)
        step = size * _LEADING
        while lines:
            self.room_for(step)
            fits = max(1, int((self.y - _BOTTOM) / step))
            self.put(element, _LEFT + indent, self.y, lines[:fits], size, bold)
            self.y -= step * len(lines[:fits])
            lines = lines[fits:]

    def row(self, table: int, cells: Sequence[str], widths: Sequence[float], head: Sequence[str] = ()) -> None:
        """One row; ``head`` is drawn again, for the eye alone, when the row begins a page. Without it this is it."""
        wrapped = _cells(cells, widths, bold=not head)
        if self.y - _height(wrapped) < _BOTTOM:
            self.new_page()
            if head:
                self._across(_cells(head, widths, bold=True), widths, -1, bold=True)
        self._across(wrapped, widths, self.element("TR", table), bold=not head)

    def _across(self, wrapped: Sequence[Sequence[str]], widths: Sequence[float], row: int, *, bold: bool) -> None:
        x = float(_LEFT)
        for lines, width in zip(wrapped, widths, strict=True):
            if row >= 0:
                self.put(self.element("TH" if bold else "TD", row), x, self.y, lines, _CELL, bold)
            else:
                self.artifact([_line(x, self.y - _CELL * (1 + at * _LEADING), "F2", _CELL, line)
                               for at, line in enumerate(lines)])  # fmt: skip
            x += width * (_RIGHT - _LEFT)
        self.y -= _height(wrapped)
        self.artifact([b"0.4 w 0.6 G %d %.1f m %d %.1f l S" % (_LEFT, self.y + 1, _RIGHT, self.y + 1)])

    def artifact(self, drawn: Sequence[bytes]) -> None:
        """What a reader aloud leaves out."""
        self.pages[-1].content.append(b"/Artifact BMC\n" + b"\n".join(drawn) + b"\nEMC")


def _cells(cells: Sequence[str], widths: Sequence[float], *, bold: bool) -> list[list[str]]:
    wrapped = [_wrap(c, _CELL, w * (_RIGHT - _LEFT) - 6, bold) for c, w in zip(cells, widths, strict=True)]
    return [lines if len(lines) <= _CELL_LINES else [*lines[: _CELL_LINES - 1], "…"] for lines in wrapped]


def _height(wrapped: Sequence[Sequence[str]]) -> float:
    return max(map(len, wrapped)) * _CELL * _LEADING + 4


def _line(x: float, y: float, font: str, size: float, text: str) -> bytes:
    escaped = text.encode("cp1252").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
    return b"BT /%s %.1f Tf %.1f %.1f Td (%s) Tj ET" % (font.encode(), size, x, y, escaped)


def pdf(blocks: Sequence[Block], *, title: str, language: str, footer: str) -> bytes:
    """The PDF of ``blocks``; ``footer`` stands on each page with its number. The same blocks give the same bytes."""
    drawing = _Drawing(footer)
    for block in blocks:
        _draw(drawing, block)
    return _file(list(_objects(drawing, _shown(title), language)))


def _draw(drawing: _Drawing, block: Block) -> None:
    if isinstance(block, NewPage):
        drawing.new_page()
    elif isinstance(block, Heading):
        size = _SIZES[block.level]
        drawing.y -= size * 0.8
        drawing.room_for(size * 5)  # never alone at the end of a page
        drawing.text(drawing.element(f"H{block.level}"), block.text, size, bold=True)
        drawing.y -= 4
    elif isinstance(block, Paragraph):
        drawing.text(drawing.element("P"), block.text, _BODY, bold=block.strong)
        drawing.y -= 6
    elif isinstance(block, Points):
        _draw_points(drawing, block)
    else:
        _draw_table(drawing, block)


def _draw_points(drawing: _Drawing, block: Points) -> None:
    whole = drawing.element("L")
    for item in block.items:
        one = drawing.element("LI", whole)
        drawing.room_for(_BODY * _LEADING)
        drawing.put(drawing.element("Lbl", one), _LEFT, drawing.y, ["•"], _BODY, bold=False)
        drawing.text(drawing.element("LBody", one), item, _BODY, indent=12)
        drawing.y -= 2
    drawing.y -= 4


def _draw_table(drawing: _Drawing, block: Table) -> None:
    table = drawing.element("Table")
    drawing.room_for(4 * _CELL * _LEADING)
    drawing.row(table, block.head, block.widths)
    for row in block.rows:
        drawing.row(table, row, block.widths, block.head)
    drawing.y -= 6


# ---- the objects of the file: 1 catalog, 2 pages, 3 structure, 4 its parents, 5 about it, then pages, then elements

_FIXED = 5


def _objects(drawing: _Drawing, title: str, language: str) -> Iterator[bytes]:
    pages, elements = drawing.pages, drawing.elements
    page_of = [_FIXED + 1 + 2 * at for at in range(len(pages))]
    element_of = [_FIXED + 1 + 2 * len(pages) + at for at in range(len(elements))]
    yield (
        b"<< /Type /Catalog /Pages 2 0 R /StructTreeRoot 3 0 R /MarkInfo << /Marked true >> /Lang %s "
        b"/ViewerPreferences << /DisplayDocTitle true >> >>" % _string(language)
    )
    yield b"<< /Type /Pages /Kids [%s] /Count %d >>" % (_refs(page_of), len(pages))
    tops = [number for number, each in zip(element_of, elements, strict=True) if each.parent < 0]
    document = _FIXED + 1 + 2 * len(pages) + len(elements)
    yield b"<< /Type /StructTreeRoot /K [%d 0 R] /ParentTree 4 0 R /ParentTreeNextKey %d >>" % (document, len(pages))
    parents = b" ".join(b"%d [%s]" % (at, _refs([element_of[e] for e in page.owners])) for at, page in enumerate(pages))
    yield b"<< /Nums [%s] >>" % parents
    yield b"<< /Title %s /Producer (Serment) >>" % _string(title)
    fonts = b" ".join(
        b"/F%d << /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % (number, name)
        for number, name in ((1, b"Helvetica"), (2, b"Helvetica-Bold"))
    )
    for at, page in enumerate(pages):
        yield (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /StructParents %d /Tabs /S "
            b"/Resources << /Font << %s >> >> >>" % (_WIDTH, _HEIGHT, page_of[at] + 1, at, fonts)
        )
        data = zlib.compress(b"\n".join(page.content), 9)
        yield b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data)
    below: dict[int, list[int]] = {}
    for at, each in enumerate(elements):
        below.setdefault(each.parent, []).append(element_of[at])
    for at, each in enumerate(elements):
        parent = element_of[each.parent] if each.parent >= 0 else document
        yield _element(each, parent, below.get(at, []), page_of)
    yield b"<< /Type /StructElem /S /Document /P 3 0 R /K [%s] >>" % _refs(tops)


def _element(each: _Element, parent: int, below: Sequence[int], page_of: Sequence[int]) -> bytes:
    marked = " ".join(each.children)
    for word in {word for word in marked.split() if word.startswith("PAGE")}:
        marked = marked.replace(word + " ", f"{page_of[int(word[4:])]} 0 R ")
    kids = marked.encode() + (b" " if marked and below else b"") + _refs(below)
    extra = b" /A << /O /Table /Scope /Column >>" if each.tag == "TH" else b""
    return b"<< /Type /StructElem /S /%s /P %d 0 R /K [%s]%s >>" % (each.tag.encode(), parent, kids, extra)


def _refs(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def _string(text: str) -> bytes:
    return b"<" + (b"\xfe\xff" + text.encode("utf-16-be")).hex().encode() + b">"


def _file(objects: Sequence[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(out),
    )
    return bytes(out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer)
