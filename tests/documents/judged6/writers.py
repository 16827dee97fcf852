"""Writers of office files, pages, mail, tables and images from a light markup; the same bytes each time.

One line is one paragraph. ``# `` and ``## `` (and ``### ``) begin headings, ``- `` a list's item, ``> `` what stands right, ``= `` what is
centred, ``| a | b`` a table's row, ``@head`` and ``@foot`` a page's header and footer, ``---`` alone a new page;
``**bold**`` is bold. ``{p}`` and ``{n}`` are the page's number and how many there are.
"""

from __future__ import annotations

import datetime
import email.message
import email.policy
import io
import random
import re
import zipfile
import zlib
from html import escape

WHEN = (2025, 3, 14, 8, 30, 0)
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def archive(members: dict[str, bytes | str], stored: tuple[str, ...] = ()) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return sink.getvalue()


# ---------------------------------------------------------------- the markup


def blocks(text: str) -> tuple[list[tuple[str, object]], list[str], list[str]]:
    """Blocks (sort, content), header lines and footer lines."""
    body: list[tuple[str, object]] = []
    heads: list[str] = []
    feet: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line.startswith("@head "):
            heads.append(line[6:])
        elif line.startswith("@foot "):
            feet.append(line[6:])
        elif line.strip() == "---":
            body.append(("page", ""))
        elif line.startswith("|"):
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if body and body[-1][0] == "table":
                body[-1][1].append(cells)  # type: ignore[attr-defined]
            else:
                body.append(("table", [cells]))
        else:
            for mark, sort in (("### ", "h2"), ("## ", "h2"), ("# ", "h1"), ("- ", "item"), ("> ", "right"), ("= ", "centre")):
                if line.startswith(mark):
                    body.append((sort, line[len(mark) :]))
                    break
            else:
                body.append(("text", line))
    return body, heads, feet


def spans(line: str) -> list[tuple[str, bool]]:
    """Pieces of a line and whether each is bold; the marks of italics go."""
    pieces = [(part, n % 2 == 1) for n, part in enumerate(line.split("**")) if part]
    return [(re.sub(r"\*([^*]+)\*", r"\1", part), bold) for part, bold in pieces]


# ---------------------------------------------------------------- DOCX


def _runs(line: str, chance: random.Random | None) -> str:
    """Runs of a line; with ``chance`` cut where an editor's history would have cut them."""
    out = ""
    for part, bold in spans(line):
        pieces = [part]
        if chance and len(part) > 30:
            cut = sorted({chance.randrange(1, len(part)) for _ in range(chance.randrange(0, 3))})
            pieces = [part[a:b] for a, b in zip([0, *cut], [*cut, len(part)], strict=True)]
        for piece in pieces:
            if chance and chance.random() < 0.2:
                out += '<w:proofErr w:type="spellStart"/>'
            texts = "<w:tab/>".join(f'<w:t xml:space="preserve">{escape(t, False)}</w:t>' for t in piece.split("\t"))
            out += f"<w:r><w:rPr>{'<w:b/>' if bold else ''}<w:lang w:val=\"fr-FR\"/></w:rPr>{texts}</w:r>"
    return out


def _field(line: str) -> str:
    """A header's or footer's line, its page numbers as Word's fields."""
    out = ""
    for part in re.split(r"(\{[pn]\})", line):
        if part in ("{p}", "{n}"):
            name = "PAGE" if part == "{p}" else "NUMPAGES"
            out += f'<w:fldSimple w:instr=" {name} "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        elif part:
            out += _runs(part, None)
    return f"<w:p>{out}</w:p>"


def docx(text: str, layout: dict[str, str], seed: int) -> bytes:
    chance = random.Random(seed) if "split" in layout else None
    body, heads, feet = blocks(text)
    styles = {"h1": "Titre1", "h2": "Titre2", "item": "Paragraphedeliste"}
    out = ""
    for sort, content in body:
        if sort == "table":
            rows = "".join("<w:tr>" + "".join(f'<w:tc><w:tcPr><w:tcW w:w="0" w:type="auto"/></w:tcPr><w:p>{_runs(c, None)}</w:p></w:tc>' for c in row) + "</w:tr>" for row in content)  # type: ignore[attr-defined]
            out += f'<w:tbl><w:tblPr><w:tblStyle w:val="Grilledutableau"/></w:tblPr>{rows}</w:tbl>'
        elif sort == "page":
            out += '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
        else:
            props = f'<w:pStyle w:val="{styles[sort]}"/>' if sort in styles else ""
            if sort == "item":
                props += '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
            if sort in ("right", "centre"):
                props += f'<w:jc w:val="{"right" if sort == "right" else "center"}"/>'
            out += f'<w:p w:rsidR="00{seed:06X}"><w:pPr>{props}</w:pPr>{_runs(str(content), chance)}</w:p>'
    links, extra, section = "", {}, ""
    for number, (sort, lines) in enumerate((("header", heads), ("footer", feet)), 10):
        if lines:
            tag = "hdr" if sort == "header" else "ftr"
            extra[f"word/{sort}1.xml"] = f'{XML}<w:{tag} xmlns:w="{WORD}">{"".join(map(_field, lines))}</w:{tag}>'
            links += f'<Relationship Id="rId{number}" Type="{RELS}/{sort}" Target="{sort}1.xml"/>'
            section += f'<w:{sort}Reference w:type="default" r:id="rId{number}"/>'
    title = escape(layout.get("title", ""))
    members = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        + "".join(f'<Override PartName="/{name}" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.{"header" if "header" in name else "footer"}+xml"/>' for name in extra)
        + "</Types>",
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{RELS}/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="{PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>',
        "docProps/core.xml": f'{XML}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{title}</dc:title><dc:creator>{escape(layout.get("author", ""))}</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">2025-03-14T08:30:00Z</dcterms:created></cp:coreProperties>',
        "word/_rels/document.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{RELS}/styles" Target="styles.xml"/>{links}</Relationships>',
        "word/styles.xml": f'{XML}<w:styles xmlns:w="{WORD}"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="{layout.get("font", "Calibri")}"/><w:sz w:val="22"/></w:rPr></w:rPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" w:styleId="Titre1"><w:name w:val="heading 1"/><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Titre2"><w:name w:val="heading 2"/><w:rPr><w:b/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Paragraphedeliste"><w:name w:val="List Paragraph"/></w:style><w:style w:type="table" w:styleId="Grilledutableau"><w:name w:val="Table Grid"/></w:style></w:styles>',
        "word/document.xml": f'{XML}<w:document xmlns:w="{WORD}" xmlns:r="{RELS}"><w:body>{out}<w:sectPr>{section}<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1417" w:bottom="1417" w:left="1417"/></w:sectPr></w:body></w:document>',
        **extra,
    }
    return archive(members)


# ---------------------------------------------------------------- ODT and RTF

ODF = " ".join(f'xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for p, n in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"), ("fo", "xsl-fo-compatible"), ("meta", "meta")))


def _odf_line(line: str) -> str:
    done = "".join(f'<text:span text:style-name="{"T1" if bold else "T2"}">{escape(part, False)}</text:span>' for part, bold in spans(line))
    done = done.replace("\t", "<text:tab/>").replace("{p}", "<text:page-number>1</text:page-number>").replace("{n}", "<text:page-count>1</text:page-count>")
    return re.sub(r" {2,}", lambda m: f' <text:s text:c="{len(m[0]) - 1}"/>', done)


def odt(text: str, layout: dict[str, str], seed: int) -> bytes:
    body, heads, feet = blocks(text)
    out = ""
    for n, (sort, content) in enumerate(body):
        if sort == "table":
            rows = "".join("<table:table-row>" + "".join(f'<table:table-cell office:value-type="string"><text:p>{_odf_line(c)}</text:p></table:table-cell>' for c in row) + "</table:table-row>" for row in content)  # type: ignore[attr-defined]
            out += f'<table:table table:name="Tableau{n}"><table:table-column table:number-columns-repeated="{max(map(len, content))}"/>{rows}</table:table>'  # type: ignore[arg-type]
        elif sort == "page":
            out += '<text:p text:style-name="Saut"><text:soft-page-break/></text:p>'
        elif sort in ("h1", "h2"):
            out += f'<text:h text:outline-level="{sort[1]}">{_odf_line(str(content))}</text:h>'
        elif sort == "item":
            out += f"<text:list><text:list-item><text:p>{_odf_line(str(content))}</text:p></text:list-item></text:list>"
        else:
            name = {"right": "P2", "centre": "P3"}.get(sort, "P1")
            out += f'<text:p text:style-name="{name}">{_odf_line(str(content))}</text:p>'
    margins = "".join(f"<style:{tag}>" + "".join(f"<text:p>{_odf_line(x)}</text:p>" for x in lines) + f"</style:{tag}>" for tag, lines in (("header", heads), ("footer", feet)) if lines)
    mime = "application/vnd.oasis.opendocument.text"
    return archive(
        {
            "mimetype": mime,
            "META-INF/manifest.xml": f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3"><manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/><manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/></manifest:manifest>',
            "styles.xml": f'<?xml version="1.0" encoding="UTF-8"?><office:document-styles {ODF} office:version="1.3"><office:styles/><office:automatic-styles><style:page-layout style:name="Mpm1"/></office:automatic-styles><office:master-styles><style:master-page style:name="Standard" style:page-layout-name="Mpm1">{margins}</style:master-page></office:master-styles></office:document-styles>',
            "content.xml": f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODF} office:version="1.3"><office:automatic-styles><style:style style:name="T1" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style></office:automatic-styles><office:body><office:text>{out}</office:text></office:body></office:document-content>',
        },
        ("mimetype",),
    )


def rtf(text: str, layout: dict[str, str], seed: int) -> bytes:
    """As a word processor writes it; layout ``unicode`` escapes by code point, else by byte of code page 1252."""

    def quoted(line: str) -> str:
        out = ""
        for ch in line:
            if ch in "\\{}":
                out += "\\" + ch
            elif ch == "\t":
                out += "\\tab "
            elif ord(ch) < 128:
                out += ch
            elif "unicode" in layout:
                out += f"\\u{ord(ch)}?"
            else:
                try:
                    out += f"\\'{ch.encode('cp1252')[0]:02x}"
                except UnicodeEncodeError:
                    out += f"\\u{ord(ch)}?"
        return out

    def line_of(line: str) -> str:
        return "".join(f"{{\\b {quoted(p)}}}" if bold else quoted(p) for p, bold in spans(line)).replace("\\{p\\}", "{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}").replace("\\{n\\}", "1")

    body, heads, feet = blocks(text)
    out = ["{\\rtf1\\ansi\\ansicpg1252\\deff0\\deflang1036{\\fonttbl{\\f0\\froman\\fcharset0 Times New Roman;}{\\f1\\fswiss\\fcharset0 Arial;}}", "{\\colortbl;\\red0\\green0\\blue0;\\red0\\green0\\blue128;}", "{\\*\\generator Riched20 10.0.19041}\\viewkind4\\uc1"]
    for tag, lines in (("header", heads), ("footer", feet)):
        if lines:
            out.append(f"{{\\{tag} \\pard\\qc\\fs16 " + "\\par ".join(map(line_of, lines)) + "\\par}")
    for sort, content in body:
        if sort == "table":
            for row in content:  # type: ignore[attr-defined]
                wide = "".join(f"\\cellx{(n + 1) * 9000 // len(row)}" for n in range(len(row)))
                out.append(f"\\trowd\\trgaph70{wide}\\pard\\intbl " + "".join(f"{line_of(c)}\\cell " for c in row) + "\\row")
        elif sort == "page":
            out.append("\\page")
        else:
            style = {"h1": "\\pard\\sb240\\b\\fs32 ", "h2": "\\pard\\sb120\\b\\fs24 ", "right": "\\pard\\qr\\fs22 ", "centre": "\\pard\\qc\\fs22 ", "item": "\\pard\\fi-360\\li720\\fs22\\bullet\\tab "}.get(sort, "\\pard\\sa60\\f1\\fs22 ")
            end = "\\b0\\par" if sort in ("h1", "h2") else "\\par"
            out.append(style + line_of(str(content)) + end)
    return ("\r\n".join(out) + "\r\n}\r\n").encode("ascii")


# ---------------------------------------------------------------- PDF

_WIDE = {c: 278 for c in " !,./:;ftI[]\\|"} | {c: 222 for c in "ijl'’"} | {c: 333 for c in "()-r\"`"} | {c: 500 for c in "cksvxyzJç"} | {c: 667 for c in "ABEKPSVXYÀÉÈÊ"} | {c: 722 for c in "CDHNRUwÇ"} | {c: 778 for c in "GOQ"} | {c: 833 for c in "mM"} | {c: 611 for c in "FTZ"} | {"W": 944, "@": 1015, "%": 889, "—": 1000, "…": 1000, "•": 350}


def width(text: str, size: float, font: str) -> float:
    if font == "courier":
        return len(text) * 0.6 * size
    return sum(_WIDE.get(c, 556) for c in text) * size / 1000 * (0.92 if font == "times" else 1)


def _wrapped(line: str, room: float, size: float, font: str) -> list[str]:
    if font == "courier" and width(line, size, font) <= room:
        return [line]
    out, current = [], ""
    for word in line.split(" "):
        trial = f"{current} {word}" if current else word
        if current and width(trial, size, font) > room:
            out.append(current)
            current = word
        else:
            current = trial
    return [*out, current]


def _layout(text: str, layout: dict[str, str]) -> list[list[tuple[float, float, float, bool, str]]]:
    """Pages of pieces (x, y, size, bold, text)."""
    font = layout.get("font", "helvetica")
    size = float(layout.get("size", "10"))
    step = size * float(layout.get("lead", "1.35"))
    left, right, top, bottom = 62.0, 533.0, 782.0 if "@head" not in text else 740.0, 70.0
    body, heads, feet = blocks(text)
    pages: list[list[tuple[float, float, float, bool, str]]] = [[]]
    y = top

    def put(x: float, text: str, size: float = size, bold: bool = False) -> None:
        if text:
            pages[-1].append((x, y, size, bold, text))

    def down(by: float) -> None:
        nonlocal y
        y -= by
        if y < bottom:
            pages.append([])
            y = top

    for sort, content in body:
        if sort == "page":
            pages.append([])
            y = top
            continue
        if sort == "table":
            count = max(len(row) for row in content)  # type: ignore[attr-defined]
            longest = [max((width(r[n], size, font) for r in content if n < len(r)), default=0.0) for n in range(count)]  # type: ignore[attr-defined]
            total = sum(longest) + 10 * count
            ratio = min(1.0, (right - left) / total)
            edges = [left + sum((w + 10) * ratio for w in longest[:n]) for n in range(count + 1)]
            for row in content:  # type: ignore[attr-defined]
                cells = [_wrapped(c.replace("**", ""), edges[n + 1] - edges[n] - 4, size, font) for n, c in enumerate(row)]
                for k in range(max(map(len, cells))):
                    for n, lines in enumerate(cells):
                        if k < len(lines):
                            put(edges[n], lines[k], bold="**" in row[n])
                    down(step)
            continue
        line = str(content)
        bold = sort in ("h1", "h2") or (line.startswith("**") and line.endswith("**"))
        plain = line.replace("**", "") if font == "courier" else "".join(part for part, _ in spans(line))
        here = size * {"h1": 1.5, "h2": 1.15}.get(sort, 1)
        if sort in ("h1", "h2"):
            down(step * 0.5)
        indent = left + (12 if sort == "item" else 0)
        if sort == "item":
            put(left, "•" if "dash" not in layout else "-")
        if not plain.strip():
            down(step * 0.7)
            continue
        lead = re.match(r" *", plain)[0]  # type: ignore[index]
        for k, piece in enumerate(_wrapped(plain, right - indent, here, font)):
            x = indent
            if sort == "right":
                x = right - width(piece, here, font)
            elif sort == "centre":
                x = (left + right - width(piece, here, font)) / 2
            elif k == 0 and font != "courier":
                x += width(lead, here, font)
                piece = piece.lstrip(" ")
            put(x, piece, here, bold)
            down(step * here / size)
    total = len(pages)
    for number, page in enumerate(pages, 1):
        for k, line in enumerate(heads):
            text = line.replace("{p}", str(number)).replace("{n}", str(total)).replace("**", "")
            page.insert(k, (left, 805 - 11 * k, 8.5, "**" in line, text))
        for k, line in enumerate(feet):
            text = line.replace("{p}", str(number)).replace("{n}", str(total)).replace("**", "")
            page.append(((left + right - width(text, 7.5, font)) / 2, 50 - 10 * k, 7.5, False, text))
    return pages


def _escaped(data: bytes) -> bytes:
    return b"(" + data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b")"


class _Glyphs:
    """Codes of a font of two bytes, by order of appearance, and the map that says them back."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def code(self, text: str) -> bytes:
        return b"<" + "".join(f"{self.codes.setdefault(c, len(self.codes) + 3):04X}" for c in text).encode() + b">"

    def map(self) -> bytes:
        lines = [f"<{n:04X}> <{c.encode('utf-16-be').hex().upper()}>" for c, n in self.codes.items()]
        parts = [lines[n : n + 100] for n in range(0, len(lines), 100)]
        middle = "\n".join(f"{len(p)} beginbfchar\n" + "\n".join(p) + "\nendbfchar" for p in parts)
        return f"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def /CMapName /Adobe-Identity-UCS def /CMapType 2 def 1 begincodespacerange <0000> <FFFF> endcodespacerange\n{middle}\nendcmap CMapName currentdict /CMap defineresource pop end end".encode()

    def widths(self) -> bytes:
        return b"[" + b" ".join(f"{n} [{_WIDE.get(c, 556)}]".encode() for c, n in self.codes.items()) + b"]"


def _shown(pieces: list[tuple[float, float, float, bool, str]], mode: str, font: str, glyphs: _Glyphs) -> bytes:
    """A page's content stream: by whole lines, by kerned ones, by words each at its place, or by codes of glyphs."""
    out = [b"0 g"]
    for x, y, size, bold, text in pieces:
        name = b"/F2" if bold else b"/F1"
        coded = (lambda s: glyphs.code(s)) if mode == "cid" else (lambda s: _escaped(s.encode("cp1252", "replace")))
        if mode == "word":
            here = x
            for word in text.split(" "):
                if word:
                    out.append(b"BT %s %.1f Tf 1 0 0 1 %.2f %.2f Tm %s Tj ET" % (name, size, here, y, coded(word)))
                here += width(word + " ", size, font) * (1.09 if bold else 1)
        elif mode == "tj":
            parts = re.findall(r".{1,4}", text)
            kerned = b"".join(coded(p) + b"%d" % (len(p) * 3 - 8) for p in parts)
            out.append(b"BT %s %.1f Tf %.2f %.2f Td [%s] TJ ET" % (name, size, x, y, kerned))
        else:
            out.append(b"BT %s %.1f Tf %.2f %.2f Td %s Tj ET" % (name, size, x, y, coded(text)))
    return b"\n".join(out)


def _stream(data: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), more, packed)


def _file(objects: list[bytes], info: dict[str, str]) -> bytes:
    """The file of these objects; the first is the catalogue and the last gets the document's properties."""
    pairs = b"".join(b"/%s %s" % (k.encode(), _escaped(v.encode("cp1252", "replace"))) for k, v in info.items())
    objects = [*objects, b"<<" + pairs + b">>"]
    out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, data in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"trailer\n<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(objects), start)


def pdf(text: str, layout: dict[str, str], seed: int) -> bytes:
    if "scan" in layout:
        return scan(text, layout, seed)
    mode, font = layout.get("mode", "line"), layout.get("font", "helvetica")
    glyphs = _Glyphs()
    pages = [_shown(p, mode, font, glyphs) for p in _layout(text, layout)]
    names = {"helvetica": ("Helvetica", "Helvetica-Bold"), "times": ("Times-Roman", "Times-Bold"), "courier": ("Courier", "Courier-Bold")}[font]
    fonts: list[bytes] = []
    if mode == "cid":
        fonts = [b"<</Type/Font/Subtype/Type0/BaseFont/ABCDEE+Calibri/Encoding/Identity-H/DescendantFonts[5 0 R]/ToUnicode 6 0 R>>"] * 2
        more = [
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEE+Calibri/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 7 0 R/DW 556/W %s>>" % glyphs.widths(),
            _stream(glyphs.map()),
            b"<</Type/FontDescriptor/FontName/ABCDEE+Calibri/Flags 32/FontBBox[-503 -313 1240 1026]/ItalicAngle 0/Ascent 952/Descent -269/CapHeight 644/StemV 80>>",
        ]
    else:
        fonts = [b"<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>" % n.encode() for n in names]
        more = []
    base = [b"<</Type/Catalog/Pages 2 0 R>>", b"", *fonts, *more]
    first = len(base) + 1
    kids = b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(pages)))
    base[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))
    for n, content in enumerate(pages):
        base.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.32 841.92]/Contents %d 0 R/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>>>" % (first + 2 * n + 1))
        base.append(_stream(content))
    info = {"Producer": layout.get("producer", "Microsoft: Print To PDF"), "Title": layout.get("title", ""), "CreationDate": "D:20250314083000+01'00'"}
    return _file(base, info)


def scan(text: str, layout: dict[str, str], seed: int) -> bytes:
    """Pages that are pictures, as a copier sends them: 200 dots an inch, slightly turned, with specks.

    Needs the fonts DejaVu Sans and DejaVu Sans Bold; OSError without them.
    """
    from PIL import Image, ImageDraw, ImageFont

    chance = random.Random(seed)
    pages = _layout(text, layout)
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(b"%d 0 R" % (3 + 3 * n) for n in range(len(pages))), len(pages))]
    scale = 200 / 72
    for number, pieces in enumerate(pages):
        image = Image.new("L", (1654, 2339), 255)
        draw = ImageDraw.Draw(image)
        for x, y, size, bold, line in pieces:
            name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
            draw.text((x * scale, (842 - y - size) * scale), line, 0, ImageFont.truetype(name, size * scale * 0.88))
        image = image.rotate(chance.uniform(-0.5, 0.5), fillcolor=255)
        for _ in range(120):
            image.putpixel((chance.randrange(1654), chance.randrange(2339)), 0)
        bits = image.point(lambda v: 255 if v > 140 else 0).convert("1")
        at = 3 + 3 * number
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</XObject<</I %d 0 R>>>>>>" % (at + 1, at + 2))
        objects.append(_stream(b"q 595 0 0 842 0 0 cm /I Do Q"))
        objects.append(_stream(bits.tobytes(), b"/Type/XObject/Subtype/Image/Width 1654/Height 2339/ColorSpace/DeviceGray/BitsPerComponent 1"))
    return _file(objects, {"Producer": "KONICA MINOLTA bizhub C258", "Title": "SKM_C25825031408300"})


# ---------------------------------------------------------------- pages, tables


def html(text: str, layout: dict[str, str], seed: int) -> bytes:
    """A page of the markup; one that is a page already comes as it is."""
    if text.lstrip().startswith("<"):
        return text.encode()
    body, heads, feet = blocks(text)
    out = "".join(f"<div class=top>{escape(x)}</div>\n" for x in heads)
    for sort, content in body:
        if sort == "table":
            out += "<table border=1>" + "".join("<tr>" + "".join(f"<td>{_bold(c)}</td>" for c in row) + "</tr>\n" for row in content) + "</table>\n"  # type: ignore[attr-defined]
        elif sort != "page" and str(content):
            tag = {"h1": "h1", "h2": "h2", "item": "li"}.get(sort, "p")
            out += f"<{tag}>{_bold(str(content))}</{tag}>\n"
    out += "".join(f"<footer>{escape(x)}</footer>\n" for x in feet)
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{escape(layout.get("title", ""))}</title><style>body{{font-family:Arial;max-width:50em}}td{{padding:2px 8px}}</style></head><body>\n{out}</body></html>\n'.encode()


def _bold(line: str) -> str:
    return "".join(f"<b>{escape(p)}</b>" if bold else escape(p) for p, bold in spans(line))


def xlsx(text: str, layout: dict[str, str], seed: int) -> bytes:
    """``@sheet name`` begins a sheet, a line is a row, ``|`` parts its cells; numbers and dates become such."""
    sheets: dict[str, list[list[str]]] = {}
    for line in text.strip("\n").split("\n"):
        if line.startswith("@sheet "):
            rows = sheets.setdefault(line[7:], [])
        else:
            rows.append([c.strip() for c in line.split("|")] if line.strip() else [])
    strings: dict[str, int] = {}

    def column(n: int) -> str:
        return (chr(64 + n // 26) if n >= 26 else "") + chr(65 + n % 26)

    def cell(value: str, r: int, c: int) -> str:
        at = f"{column(c)}{r}"
        day = re.fullmatch(r"(\d\d)[/.](\d\d)[/.](\d{4})", value)
        if not value:
            return ""
        if day and "textdates" not in layout:
            number = (datetime.date(int(day[3]), int(day[2]), int(day[1])) - datetime.date(1899, 12, 30)).days
            return f'<c r="{at}" s="1"><v>{number}</v></c>'
        if re.fullmatch(r"-?(0|[1-9]\d{0,8})([.,]\d+)?", value):
            return f'<c r="{at}"><v>{value.replace(",", ".")}</v></c>'
        return f'<c r="{at}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'

    parts = {}
    for n, rows in enumerate(sheets.values(), 1):
        data = "".join(f'<row r="{r}">' + "".join(cell(v, r, c) for c, v in enumerate(row)) + "</row>" for r, row in enumerate(rows, 1))
        parts[f"xl/worksheets/sheet{n}.xml"] = f'{XML}<worksheet xmlns="{SHEET}"><sheetData>{data}</sheetData></worksheet>'
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{sheet_type}.worksheet+xml"/>' for name in parts)
    return archive(
        {
            "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{sheet_type}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{sheet_type}.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="{sheet_type}.sharedStrings+xml"/>{overrides}</Types>',
            "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'{XML}<workbook xmlns="{SHEET}" xmlns:r="{RELS}"><sheets>' + "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)) + "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">' + "".join(f'<Relationship Id="rId{n}" Type="{RELS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1)) + f'<Relationship Id="rId90" Type="{RELS}/styles" Target="styles.xml"/><Relationship Id="rId91" Type="{RELS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            "xl/styles.xml": f'{XML}<styleSheet xmlns="{SHEET}"><fonts count="1"><font><sz val="11"/></font></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
            "xl/sharedStrings.xml": f'{XML}<sst xmlns="{SHEET}" count="{len(strings)}" uniqueCount="{len(strings)}">' + "".join(f'<si><t xml:space="preserve">{escape(s, False)}</t></si>' for s in strings) + "</sst>",
            **parts,
        }
    )


# ---------------------------------------------------------------- mail


def eml(text: str, layout: dict[str, str], seed: int) -> bytes:
    """Headers, an empty line, the text; ``@@html`` begins its other form, ``@@attach name`` an attachment in the markup."""
    top, _, rest = text.lstrip("\n").partition("\n\n")
    parts = re.split(r"^@@(html|attach [^\n]+)\n", rest, flags=re.M)
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    for line in top.split("\n"):
        name, _, value = line.partition(": ")
        message[name] = value
    message["MIME-Version"] = "1.0"
    way = layout.get("cte", "quoted-printable")
    message.set_content(parts[0].rstrip("\n") + "\n", cte=way)
    for what, content in zip(parts[1::2], parts[2::2], strict=True):
        if what == "html":
            message.add_alternative(content, subtype="html", cte=way)
            continue
        name = what[7:]
        end = name.rpartition(".")[2]
        if end in ("txt", "csv", "ics", "md"):
            message.add_attachment(content.encode(), "text", {"ics": "calendar", "csv": "csv"}.get(end, "plain"), filename=name)
            continue
        kinds = {"pdf": ("application", "pdf"), "docx": ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document"), "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"), "rtf": ("application", "rtf"), "odt": ("application", "vnd.oasis.opendocument.text")}
        message.add_attachment(WRITERS[end](content, layout, seed), *kinds[end], filename=name)
    for n, part in enumerate(p for p in message.walk() if p.is_multipart()):
        part.set_boundary(f"----=_Part_{seed:05}_{n}")
    return message.as_bytes()


def dicom(text: str, layout: dict[str, str], seed: int) -> bytes:
    """``Keyword = value`` a line; without ``pixels`` in the layout the header alone."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    for line in text.strip().split("\n"):
        name, _, value = line.partition(" = ")
        setattr(data, name.strip(), value.strip())
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"1.2.826.0.1.3680043.8.498.{seed}.1"
    data.StudyInstanceUID, data.SeriesInstanceUID = f"1.2.826.0.1.3680043.8.498.{seed}.2", f"1.2.826.0.1.3680043.8.498.{seed}.3"
    if "pixels" in layout:
        data.Rows = data.Columns = 32
        data.SamplesPerPixel, data.PhotometricInterpretation, data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 1, "MONOCHROME2", 16, 12, 11, 0
        chance = random.Random(seed)
        data.PixelData = b"".join(chance.randrange(4096).to_bytes(2, "little") for _ in range(32 * 32))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, "1.2.826.0.1.3680043.8.498.1"
    data.file_meta = meta
    sink = io.BytesIO()
    data.save_as(sink, enforce_file_format=True)
    return sink.getvalue()


def plain(text: str, layout: dict[str, str], seed: int) -> bytes:
    """The text itself in the encoding and with the ends of lines that its author's software uses."""
    text = text.strip("\n") + "\n"
    ends = {"crlf": "\r\n", "cr": "\r"}
    for name, end in ends.items():
        if name in layout:
            text = text.replace("\n", end)
    return text.encode(layout.get("enc", "utf-8"))


WRITERS = {"docx": docx, "odt": odt, "rtf": rtf, "pdf": pdf, "html": html, "htm": html, "xlsx": xlsx, "eml": eml, "dcm": dicom}
