"""What lies inside containers: the part is mutated, then packed as it must be, so that mutations get past checksums."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable

from tests import invented
from tests.fuzz import seeds
from tests.fuzz.target import Check, Target, must
from tests.fuzz.targets.extraction import nodes
from tests.unit.extraction import made_documents as made

_LINES = [line for line in invented.LETTER.splitlines() if line]
_DOCUMENT = made.word_part(invented.LETTER, "document").encode()
_SHEET = f"<worksheet><sheetData>{seeds.SHEET}<row><c t='s'><v>0</v></c><c s='1'><v>44197</v></c></row></sheetData></worksheet>"
_STRINGS = "<sst><si><t>Mme Odette VERNICOURT</t></si><si><r><t>HTA</t></r></si></sst>"
_STYLES = '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
_ODS = (
    "<office:document-content xmlns:office='o' xmlns:text='t' xmlns:table='b'><office:body><table:table>"
    "<table:table-row table:number-rows-repeated='2'><table:table-cell table:number-columns-repeated='3'><text:p>HTA"
    "</text:p></table:table-cell></table:table-row></table:table></office:body></office:document-content>"
)
_ODT = (
    "<office:document-content xmlns:office='o' xmlns:text='t'><office:body><text:p>HTA<text:s text:c='2'/>a<text:tab/>"
    "<text:note><text:p>b</text:p></text:note></text:p><text:list><text:list-item/></text:list></office:body>"
    "</office:document-content>"
)
_SLIDE = "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>Mme Odette VERNICOURT</a:t></a:r><a:br/></a:p><a:tbl/></p:sld>"
_MARK = b"\x1e\x1e"  # between the pieces of an input
_XML_WORDS = (
    b"<row>", b"<c t='s'>", b"<v>", b"</v></c>", b"<is><t>", b"r='ZZZZ9999999'", b"r='XFD1048576'", b"s='99999999999'",
    b"table:number-columns-repeated='999999999'", b"table:number-rows-repeated='-1'", b"<text:s text:c='99999999'/>",
    b"<w:p>", b"<w:t>", b"<w:br/>", b"<!DOCTYPE a [<!ENTITY b 'cc'>]>", b"&b;", b"&#x110000;", b"<![CDATA[", b"]]>", _MARK,
)  # fmt: skip


def _reads(pack: Callable[[bytes], tuple[str, bytes]], formats: frozenset[str]) -> Callable[[], Check]:
    def prepare() -> Check:
        from agent.extraction.limits import Budget
        from agent.extraction.reader import read_bytes, warm_up

        warm_up()

        def check(data: bytes) -> None:
            extension, content = pack(data)
            document = read_bytes(content, extension, Budget())
            known = document.format.value in formats or content[128:132] == b"DICM"  # which goes before all
            must(known, "a part does not change what the container is")
            for node in nodes(document):
                must(sum(len(part.text) for part in node.parts) <= 7_000_000, "text is bounded")
                must(all(len(table) <= 5_000 for table in node.tables), "rows are bounded")

        return check

    return prepare


def _stored(members: dict[str, bytes | str]) -> bytes:
    return made.zipped(members, zipfile.ZIP_STORED)


def _docx(data: bytes) -> tuple[str, bytes]:
    return "docx", _stored({"[Content_Types].xml": "<Types/>", "word/document.xml": data})


def _xlsx(data: bytes) -> tuple[str, bytes]:
    sheet, strings, styles = (*data.split(_MARK, 2), b"", b"")[:3]
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook><sheets><sheet name='P'/></sheets></workbook>",
        "xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings, "xl/styles.xml": styles,
    }  # fmt: skip
    return "xlsx", _stored(members)


def _xlsb(data: bytes) -> tuple[str, bytes]:
    sheet, strings, workbook = (*data.split(_MARK, 2), b"", b"")[:3]
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>", "xl/workbook.bin": workbook, "xl/worksheets/sheet1.bin": sheet,
        "xl/sharedStrings.bin": strings,
    }  # fmt: skip
    return "xlsb", _stored(members)


def _ods(data: bytes) -> tuple[str, bytes]:
    return "ods", _stored({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": data})


def _odt(data: bytes) -> tuple[str, bytes]:
    return "odt", _stored({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": data})


def _pptx(data: bytes) -> tuple[str, bytes]:
    slide, note = (*data.split(_MARK, 1), b"")[:2]
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": slide,
        "ppt/notesSlides/notesSlide1.xml": note,
    }  # fmt: skip
    return "pptx", _stored(members)


def _streams(data: bytes, *paths: str) -> bytes:
    pieces = data.split(_MARK, len(paths) - 1)
    return made.compound({tuple(path.split("/")): piece for path, piece in zip(paths, pieces, strict=False)})


def _doc(data: bytes) -> tuple[str, bytes]:
    return "doc", _streams(data, "WordDocument", "1Table")


def _xls(data: bytes) -> tuple[str, bytes]:
    return "xls", _streams(data, "Workbook")


def _msg(data: bytes) -> tuple[str, bytes]:
    attachment = "__attach_version1.0_#00000000/__substg1.0_"
    return "msg", _streams(
        data, "__substg1.0_0037001F", "__properties_version1.0", "__substg1.0_10090102", "__substg1.0_10130102",
        attachment + "3707001F", attachment + "37010102",
    )  # fmt: skip


def _pdf(data: bytes) -> tuple[str, bytes]:
    content, page, extra = (*data.split(_MARK, 2), b"", b"")[:3]
    return "pdf", made.pdf([content], page=page, extra={900: extra or b"<<>>"})


def _word_streams() -> bytes:
    text = invented.LETTER.encode("cp1252")
    pieces = struct.pack("<2L", 0, len(text)) + struct.pack("<HLH", 0, 0x40000000 | 2048, 0)
    clx = b"\x02" + struct.pack("<L", len(pieces)) + pieces
    main = bytearray(1024)
    main[0:2], main[10:12] = b"\xec\xa5", b"\0\x02"
    main[0x1A2:0x1AA] = struct.pack("<2L", 0, len(clx))
    return bytes(main) + text + _MARK + clx


def _workbook() -> bytes:
    start = (0x0809, struct.pack("<4H2L", 0x0600, 0x0005, 0, 0, 0, 0))
    name, cells = b"Feuil1", []
    for row, line in enumerate(_LINES[:5]):
        body = line.encode("utf-16-le")
        cells.append((0x0204, struct.pack("<3HHB", row, 0, 0, len(line), 1) + body))
    place = len(made.biff(start)) + 4 + 8 + len(name) + 4
    head = made.biff(start, (0x0085, struct.pack("<LBBBB", place, 0, 0, len(name), 0) + name), (0x000A, b""))
    return head + made.biff((0x0809, struct.pack("<4H2L", 0x0600, 0x0010, 0, 0, 0, 0)), *cells, (0x000A, b""))


def _binary_sheet() -> bytes:
    def record(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + bytes([len(body)]) + body

    text = "HTA".encode("utf-16-le")
    row = record(0, struct.pack("<LLHHBL", 0, 0, 0, 0, 0, 0))
    cell = record(7, struct.pack("<LLL", 0, 0, 0)) + record(6, struct.pack("<LLL", 1, 0, 3) + text)
    number = record(2, struct.pack("<LLL", 2, 0, 0x40590000)) + record(5, struct.pack("<LLd", 3, 0, 44197.0))
    item = record(19, b"\0" + struct.pack("<L", 3) + text)
    return row + cell + number + _MARK + item + _MARK + bytes([0x9C, 1, 12]) + struct.pack("<LLL", 0, 1, 3) + text


_SUBJECT = "Compte rendu".encode("utf-16-le")
_PACKED_RTF = struct.pack("<LL4sL", 24, 20, b"LZFu", 0) + b"\x00{\\rtf1 a\x01\x00\x0d{\\b}"
_PIECES = (_SUBJECT, bytes(32), _PACKED_RTF, b"<html>HTA</html>", "a.pdf".encode("utf-16-le"), b"%PDF-1.4")
_MSG = _MARK.join(_PIECES)
_PDF = (
    made.shown("Mme Odette VERNICOURT, HTA") + _MARK + b"/Annots[<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(HTA)>>]"
    + _MARK + b"<</Type/Filespec/F(a.txt)/EF<</F 901 0 R>>>>"
)  # fmt: skip
_PDF_WORDS = (
    b"BT", b"ET", b"Tj", b"TJ", b"(HTA)", b"/F1 12 Tf", b"Do", b"q", b"Q", b"cm", b"BI", b"ID", b"EI", b"<</", b">>",
    b"/Annots[", b"/Contents", b"/Rect[", b"/Parent 2 0 R", b"/Kids[10 0 R]", b"/Rotate", b"/UserUnit 1e38", b"900 0 R", _MARK,
)  # fmt: skip

_XLSX = f"{_SHEET}{_MARK.decode()}{_STRINGS}{_MARK.decode()}{_STYLES}".encode()
_CASES: tuple[tuple[str, Callable[[bytes], tuple[str, bytes]], list[bytes], str, tuple[bytes, ...]], ...] = (
    ("docx-part", _docx, [_DOCUMENT, b"<w:document/>"], "docx", _XML_WORDS),
    ("xlsx-parts", _xlsx, [_XLSX, _SHEET.encode()], "xlsx", _XML_WORDS),
    ("xlsb-parts", _xlsb, [_binary_sheet()], "xlsx", (_MARK, b"\x80\x80\x80\x80", b"\xff\xff\xff\x7f")),
    ("odt-part", _odt, [_ODT.encode()], "odt", _XML_WORDS),
    ("pptx-parts", _pptx, [_SLIDE.encode() + _MARK + _SLIDE.encode()], "pptx", (*_XML_WORDS, b"<a:t>", b"<a:p>")),
    ("ods-part", _ods, [_ODS.encode()], "ods", _XML_WORDS),
    ("doc-streams", _doc, [_word_streams()], "doc", (_MARK, b"\xec\xa5", b"\x02", b"\x01\xff\xff")),
    ("xls-stream", _xls, [_workbook()], "xls", (b"\x09\x08", b"\x3c\0", b"\xfc\0", b"\x0a\0\0\0", b"\xff\xff")),
    ("msg-streams", _msg, [_MSG], "msg", (_MARK, b"LZFu", b"MELA", b"{\\rtf1")),
    ("pdf-objects", _pdf, [_PDF, made.shown("a")], "pdf", _PDF_WORDS),
)
TARGETS = tuple(
    Target(
        name, f"whatever a part of a {kind} file holds, the file is a bounded Document of that format",
        lambda inputs=inputs: inputs, _reads(pack, frozenset({kind})), words=words, cpu_s=4.0, memory_mib=400,
    )
    for name, pack, inputs, kind, words in _CASES
)  # fmt: skip
