"""Files that hide a letter: renamed, re-encoded, wrapped, tucked into a corner of a format. Real bytes through the
readers and the detector; each hiding place is tried with the letter, which must be found, and with a menu, which must
not become medical. Needs no root.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import os
import quopri
import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from agent.detection.detector import detect
from agent.extraction.client import WorkerPool
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes, warm_up
from agent.findings import Findings, Judgement
from tests.invented import HL7, LETTER, MENU
from tests.unit.extraction import made_documents as made

Hide = Callable[[str], bytes]
_TYPES = {"[Content_Types].xml": "<Types/>"}
_MAIL = "From: a@exemple.fr\nTo: b@exemple.fr\nSubject: x\nMIME-Version: 1.0\nMessage-ID: <1@x>\n"
_OTHER = "Liste des fournitures : stylos, cahiers, agrafes."
_STYLES = (
    '<Override PartName="/word/document.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>'
)
_LONG_LIST = _OTHER * 500


def _lines(text: str, tag: str) -> str:
    """Every line of ``text`` in an element like ``<w:t>%s</w:t>``."""
    return "".join(tag % escape(line) for line in text.split("\n"))


def _attribute(text: str) -> str:
    return html.escape(text, quote=True).replace("\n", "&#10;")


def _docx(body: str = "", **parts: str | bytes) -> bytes:
    menu = f"<w:p><w:r><w:t>{_OTHER}</w:t></w:r></w:p>"
    members: dict[str, str | bytes] = {
        **_TYPES,
        "word/document.xml": f"<w:document {made.W}><w:body>{menu}{body}</w:body></w:document>",
    }
    return made.zipped(members | {name.replace("__", "/").replace("_dot_", "."): data for name, data in parts.items()})


def _word_lines(text: str) -> str:
    return _lines(text, "<w:p><w:r><w:t>%s</w:t></w:r></w:p>")


def _word_part(name: str) -> Hide:
    return lambda text: _docx(**{f"word__{name}_dot_xml": f"<w:x {made.W}>{_word_lines(text)}</w:x>"})


def _page(text: str, *, begin: bytes = b"BT /F1 12 Tf 40 700 Td") -> bytes:
    shown = (line.encode("cp1252").replace(b"(", b"").replace(b")", b"") for line in text.split("\n"))
    return begin + b" " + b" ".join(b"(" + line + b") Tj 0 -14 Td" for line in shown) + b" ET"


def _flat(text: str) -> bytes:
    return text.encode("cp1252").replace(b"(", b"").replace(b")", b"")


def _stream(data: bytes) -> bytes:
    return b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(zlib.compress(data)), zlib.compress(data))


_PLAIN_PAGE = _page(_OTHER)


def _changed_pdf(text: str) -> bytes:
    """A PDF whose page was overwritten by an appended change; the text is in the state before it."""
    old = made.pdf([_page(text)])
    place, previous = len(old), old[old.rindex(b"startxref") + 10 :].split()[0]
    new = b"11 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n" % (len(_PLAIN_PAGE), _PLAIN_PAGE)
    table = b"xref\n11 1\n%010d 00000 n \ntrailer<</Root 1 0 R/Size 12/Prev %s>>\n" % (place, previous)
    return old + new + table + b"startxref\n%d\n%%%%EOF\n" % (place + len(new))


def _database(rows: list[tuple[str | bytes, ...]]) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE t ({', '.join(f'c{number}' for number in range(len(rows[0])))})")
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    return connection.serialize()


def _choices_pdf(text: str) -> bytes:
    """A form with a list of which every line was chosen."""
    lines = b"".join(b"(" + _flat(line) + b")" for line in text.split("\n"))
    field = b"<</Type/Annot/Subtype/Widget/FT/Ch/Ff 2097152/T(a)/Rect[0 0 9 9]/V[" + lines + b"]/Opt[" + lines + b"]>>"
    return made.pdf([_PLAIN_PAGE], root=b"/AcroForm<</Fields[900 0 R]>>", page=b"/Annots[900 0 R]", extra={900: field})


def _fields_pdf(values: list[bytes]) -> bytes:
    """A form with one field for each value."""
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(f%d)/Rect[0 0 9 9]/V(%s)>>"
    extra = {900 + index: field % (index, value) for index, value in enumerate(values)}
    refs = b" ".join(b"%d 0 R" % number for number in extra)
    return made.pdf([_PLAIN_PAGE], root=b"/AcroForm<</Fields[%s]>>" % refs, page=b"/Annots[%s]" % refs, extra=extra)


def _attachments_pdf(texts: list[str]) -> bytes:
    extra, names = {}, b""
    for index, text in enumerate(texts):
        number = 900 + 2 * index
        extra[number] = b"<</Type/Filespec/F(%d.txt)/EF<</F %d 0 R>>>>" % (index, number + 1)
        extra[number + 1] = b"<</Length %d>>stream\n%s\nendstream" % (len(text.encode()), text.encode())
        names += b"(%03d)%d 0 R " % (index, number)
    return made.pdf([_PLAIN_PAGE], root=b"/Names<</EmbeddedFiles<</Names[%s]>>>>" % names, extra=extra)


def _ods(cells: str) -> bytes:
    return made.odf("spreadsheet", f"<table:table><table:table-row>{cells}</table:table-row></table:table>")


def _png(*chunks: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = chunk(b"IHDR", (8).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0")
    rows = chunk(b"IDAT", zlib.compress((b"\0" + b"\xff" * 8) * 8))
    body = b"".join(chunk(*each) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + head + body + rows + chunk(b"IEND", b"") + tail


def _jpeg(tail: bytes) -> bytes:
    segment = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\x12\x34\xff\0\x56" * 40
    return b"\xff\xd8" + segment + scan + b"\xff\xd9" + tail


def _gif(tail: bytes) -> bytes:
    return b"GIF89a\x08\0\x08\0\0\0\0" + b",\0\0\0\0\x08\0\x08\0\0\x02\x02\x4c\x01\0;" + tail


def _mixed(*parts: str) -> bytes:
    return (
        _MAIL
        + "Content-Type: multipart/mixed; boundary=B\n\n"
        + "".join(f"--B\n{part}\n" for part in parts)
        + "--B--\n"
    ).encode()


def _uuencoded(data: bytes) -> str:
    lines = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    return f"begin 644 a.docx\n{lines.decode()}`\nend\n"


def _page_of_html(inner: str) -> bytes:
    return f"<!DOCTYPE html><html><head><title>x</title></head><body><p>{_OTHER}</p>{inner}</body></html>".encode()


def _rtf(text: str, frame: str) -> bytes:
    body = "".join(char if ord(char) < 128 else f"\\u{ord(char)}?" for char in text.replace("\n", "\\par\n"))
    return ("{\\rtf1\\ansi " + _OTHER.replace("é", "e") + " " + frame.replace("@", body) + "}").encode()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _commented(archive: bytes, comment: bytes) -> bytes:
    """A ZIP archive with a comment behind its end record."""
    return archive[:-2] + len(comment).to_bytes(2, "little") + comment


def _dressed(text: str, before: str, after: str) -> bytes:
    code = _b64(text.encode())
    return "\n".join(before + code[at : at + 60] + after for at in range(0, len(code), 60)).encode()


def _sheet(text: str, row: str = "<row>") -> str:
    return _lines(text, row + '<c t="inlineStr"><is><t>%s</t></is></c></row>')


def _formatted_xlsx(text: str) -> bytes:
    """A column of ones, of which each is shown as the text of its number format."""
    lines = text.split("\n")
    codes = (
        f'<numFmt numFmtId="{200 + at}" formatCode="&quot;{_attribute(line)}&quot;"/>' for at, line in enumerate(lines)
    )
    styles = "".join(f'<xf numFmtId="{200 + at}"/>' for at in range(len(lines)))
    return made.xlsx(
        "".join(f'<row><c s="{at}"><v>1</v></c></row>' for at in range(len(lines))),
        styles=f"<styleSheet><numFmts>{''.join(codes)}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>",
    )


def _object_rtf(text: str) -> bytes:
    document = _docx(_word_lines(text))
    head = struct.pack("<LLL8sLLL", 0x501, 2, 8, b"Word.12\0", 0, 0, len(document))
    digits = (head + document).hex()
    pieces = "{\\*\\x}".join(digits[at : at + 100] for at in range(0, len(digits), 100))
    return f"{{\\rtf1\\ansi x {{\\object\\objemb{{\\*\\objdata {pieces}}}}}}}".encode()


def _declaring(body: str) -> bytes:
    return f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY eacute "&#233;">]><d>{body}</d>'.encode()


def _commented_xlsb(text: str) -> bytes:
    said = (made.xlsb_record(637, b"\0" + made.xlsb_string(line)) for line in text.split("\n"))
    return made.xlsb([[_OTHER]], notes=made.xlsb_record(628) + b"".join(said) + made.xlsb_record(629))


def _svg(text: str, tag: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg">{_lines(text, tag)}</svg>'.encode()


NAMES: dict[str, tuple[str, Hide]] = {
    f"{what} named .{extension}": (extension, hide)
    for what, hide in {
        "a text": str.encode,
        "a Word document": lambda text: _docx(_word_lines(text)),
        "a PDF": lambda text: made.pdf([_page(text)]),
        "an archive": lambda text: made.zipped({"a.bin": text}),
    }.items()
    for extension in ("", "jpg", "txt", "exe", "dcm", "mp3", "pdf.exe")
}
ENCODINGS: dict[str, tuple[str, Hide]] = {
    name: ("txt", lambda text, name=name: text.encode(name, "replace"))
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig", "utf-7", "cp850",
                 "mac_roman", "cp037", "cp500", "cp273")
}  # fmt: skip
WRAPPED: dict[str, tuple[str, Hide]] = {
    "zeros in front": ("txt", lambda text: bytes(5_000_000) + text.encode()),
    "blanks in front": ("txt", lambda text: b" " * 2_000_000 + text.encode()),
    "controls between": ("txt", lambda text: "\x01".join(text).encode()),
    "zeros between": ("txt", lambda text: "\0".join(text).encode("latin-1", "replace")),
    "deleted signs between": ("txt", lambda text: "\x7f".join(text).encode()),
    "archive in archive": ("zip", lambda text: made.zipped({"a.zip": made.zipped({"b.zip": made.zipped({"c": text})})})),
    "gzip twice": ("gz", lambda text: gzip.compress(gzip.compress(text.encode()))),
    "zlib": ("bin", lambda text: zlib.compress(text.encode())),
    "archive comment": ("zip", lambda text: _commented(made.zipped({"a.txt": _OTHER}), text.encode())),
    "behind an archive": ("zip", lambda text: made.zipped({"a.txt": _OTHER}) + text.encode()),
    "base64": ("txt", lambda text: base64.b64encode(text.encode())),
    "base64 in lines": ("txt", lambda text: base64.encodebytes(text.encode())),
    "base64 quoted": ("txt", lambda text: _dressed(text, "> ", "")),
    "base64 in a program": ("js", lambda text: _dressed(text, '  "', '" +')),
    "base64 twice": ("txt", lambda text: base64.b64encode(base64.b64encode(text.encode()))),
    "gzip in base64": ("txt", lambda text: base64.b64encode(gzip.compress(text.encode()))),
    "zlib in base64": ("txt", lambda text: base64.b64encode(zlib.compress(text.encode()))),
    "UTF-16 in base64": ("txt", lambda text: base64.b64encode(text.encode("utf-16-le"))),
    "hexadecimal": ("txt", lambda text: text.encode().hex().encode()),
    "hexadecimal of a database": ("sql", lambda text: f"INSERT INTO d VALUES (1, 0x{text.encode().hex()});".encode()),
    "base64 in JSON": ("json", lambda text: json.dumps({"file": _b64(text.encode())}).encode()),
    "JSON in JSON": ("json", lambda text: json.dumps({"a": json.dumps({"b": text})}).encode()),
    "long string of JSON": ("json", lambda text: json.dumps({"a": _LONG_LIST + text}).encode()),
    "long cell of a database": ("sqlite", lambda text: _database([(_LONG_LIST + text,)])),
    "far column of a database": ("sqlite", lambda text: _database([("",) * 299 + (text,)])),
    "bytes in a database": ("sqlite", lambda text: _database([(line.encode(),) for line in text.split("\n")])),
    "base64 in XML": ("xml", lambda text: f"<r><file>{_b64(made.pdf([_page(text)]))}</file></r>".encode()),
    "base64 in CSV": ("csv", lambda text: f"id;nom;doc\n1;x;{_b64(text.encode())}\n2;y;\n".encode()),
    "one row among many": ("csv", lambda text: ("n;produit\n" + "1;stylo\n" * 50_000 + '2;"' + text.replace("\n", " ").replace('"', "") + '"\n' + "3;cahier\n" * 50_000).encode()),
    "behind a PNG": ("png", lambda text: _png(tail=text.encode())),
    "archive behind a PNG": ("png", lambda text: _png(tail=made.zipped({"a.txt": text}))),
    "comment of a PNG": ("png", lambda text: _png((b"tEXt", b"Comment\0" + text.encode("latin-1", "replace")))),
    "packed comment of a PNG": ("png", lambda text: _png((b"zTXt", b"Comment\0\0" + zlib.compress(text.encode())))),
    "behind a JPEG": ("jpg", lambda text: _jpeg(text.encode())),
    "Word document behind a JPEG": ("jpg", lambda text: _jpeg(_docx(_word_lines(text)))),
    "gzip behind a JPEG": ("jpg", lambda text: _jpeg(gzip.compress(text.encode()))),
    "PDF behind a GIF": ("gif", lambda text: _gif(made.pdf([_page(text)]))),
    "behind a PDF": ("pdf", lambda text: made.pdf([_PLAIN_PAGE]) + text.encode()),
    "archive behind a PDF": ("pdf", lambda text: made.pdf([_PLAIN_PAGE]) + made.zipped({"a.txt": text})),
    "archive behind a text": ("txt", lambda text: _LONG_LIST.encode() + made.zipped({"a.txt": text})),
    "Word document behind a page": ("html", lambda text: _page_of_html(_OTHER * 100) + _docx(_word_lines(text))),
    "archive behind a mail": ("eml", lambda text: (_MAIL + "\n" + _LONG_LIST).encode() + made.zipped({"a.txt": text})),
    "archive behind an RTF": ("rtf", lambda text: _rtf(_LONG_LIST, "@") + made.zipped({"a.txt": text})),
    "7z behind a script": ("sh", lambda text: b"#!/bin/sh\n" + b"echo installation\n" * 500 + made.seven_zip({"a.txt": text.encode()})),
    "7z behind a line": ("7z", lambda text: _OTHER.encode() + made.seven_zip({"a.txt": text.encode()})),
    "RAR behind a page": ("txt", lambda text: (_OTHER * 80)[:4000].encode() + made.rar(b"a.txt", text.encode())),
    "7z behind a program": ("exe", lambda text: made.program(made.seven_zip({"a.txt": text.encode()}))),
    "RAR behind a program": ("exe", lambda text: made.program(made.rar(b"a.txt", text.encode()))),
    "archive in a signed program": ("exe", lambda text: made.program(made.zipped({"a.txt": text}), signature=bytes(range(256)) * 40)),
    "archive with a long comment in a program": ("exe", lambda text: made.program(_commented(made.zipped({"a.txt": text}), b"; script\r\n" * 300))),
    "program with an archive in an archive": ("zip", lambda text: made.zipped({"a.exe": made.program(made.zipped({"a.txt": text}), signature=bytes(range(256)) * 40)})),
    "program with a 7z in a TAR": ("tar", lambda text: made.tar({"a.exe": made.program(made.seven_zip({"a.txt": text.encode()}))})),
    "junk before a PDF": ("pdf", lambda text: b"x" * 500 + made.pdf([_page(text)])),
}  # fmt: skip
OFFICE: dict[str, tuple[str, Hide]] = {
    "hidden": ("docx", lambda text: _docx(_lines(text, "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>%s</w:t></w:r></w:p>"))),
    "deleted": ("docx", lambda text: _docx(_lines(text, "<w:p><w:del><w:r><w:delText>%s</w:delText></w:r></w:del></w:p>"))),
    "inserted": ("docx", lambda text: _docx(_lines(text, "<w:p><w:ins><w:r><w:t>%s</w:t></w:r></w:ins></w:p>"))),
    "letter by letter": ("docx", lambda text: _docx("".join("<w:p>" + "".join(f"<w:r><w:t>{escape(char)}</w:t></w:r>" for char in line) + "</w:p>" for line in text.split("\n")))),
    "text box": ("docx", lambda text: _docx(f"<w:p><w:r><w:pict><w:txbxContent>{_word_lines(text)}</w:txbxContent></w:pict></w:r></w:p>")),
    "alternative text": ("docx", lambda text: _docx(f'<w:p><w:drawing><wp:docPr xmlns:wp="wp" id="1" descr="{_attribute(text)}"/></w:drawing></w:p>')),
    "quoted by a field": ("docx", lambda text: _docx(f'<w:p><w:r><w:instrText>QUOTE "{escape(text)}"</w:instrText></w:r></w:p>')),
    "preset of a form field": ("docx", lambda text: _docx(f'<w:ffData><w:textInput><w:default w:val="{_attribute(text)}"/></w:textInput></w:ffData>')),
    "document variable": ("docx", lambda text: _docx(word__settings_dot_xml=f'<w:settings {made.W}><w:docVar w:name="x" w:val="{_attribute(text)}"/></w:settings>')),
    "custom XML": ("docx", lambda text: _docx(customXml__item1_dot_xml=f"<a><b>{escape(text)}</b></a>")),
    "attribute in custom XML": ("docx", lambda text: _docx(customXml__item1_dot_xml=f'<a b="{_attribute(text)}"/>')),
    "own property": ("docx", lambda text: _docx(docProps__custom_dot_xml=f"<P><p><v>{escape(text)}</v></p></P>")),
    "body said to be a style in a comment": ("docx", lambda text: made.zipped({"[Content_Types].xml": f"<Types><!-- {_STYLES} --></Types>", "word/document.xml": f"<w:document {made.W}><w:body>{_word_lines(text)}</w:body></w:document>"})),
    "body under a name of settings": ("docx", lambda text: made.zipped({**_TYPES, "word/document.xml": "<a/>", "word/printerSettings.xml": f"<w:document {made.W}><w:body>{_word_lines(text)}</w:body></w:document>"})),
    "empty fields behind the text": ("docx", lambda text: _docx(_lines(text, "<w:p><w:r><w:t>%s</w:t><w:instrText/></w:r></w:p>"))),
    "SmartArt": ("docx", lambda text: _docx(word__diagrams__data1_dot_xml='<d:m xmlns:d="d" xmlns:a="a">' + _lines(text, "<a:p><a:r><a:t>%s</a:t></a:r></a:p>") + "</d:m>")),
    "chart": ("docx", lambda text: _docx(word__charts__chart1_dot_xml='<c:s xmlns:c="c">' + _lines(text, "<c:pt><c:v>%s</c:v></c:pt>") + "</c:s>")),
    "foreign part": ("docx", lambda text: _docx(word__afchunk_dot_htm=f"<html><body>{escape(text)}</body></html>")),
    "picture that is none": ("docx", lambda text: _docx(word__media__image1_dot_png=_docx(_word_lines(text)))),
    "comment of the archive": ("docx", lambda text: _commented(_docx(), text.encode())),
    **{f"Word {name}": ("docx", _word_part(name)) for name in ("header1", "footer1", "footnotes", "endnotes", "comments")},
    "ODT deletion": ("odt", lambda text: made.odf("text", "<text:tracked-changes><text:deletion>" + _lines(text, "<text:p>%s</text:p>") + f"</text:deletion></text:tracked-changes><text:p>{_OTHER}</text:p>")),
    "ODT comment": ("odt", lambda text: made.odf("text", "<text:p>x<office:annotation>" + _lines(text, "<text:p>%s</text:p>") + "</office:annotation></text:p>")),
    "ODS comment on a date": ("ods", lambda text: _ods('<table:table-cell office:date-value="2026-03-12"><office:annotation>' + _lines(text, "<text:p>%s</text:p>") + "</office:annotation><text:p>12.3.</text:p></table:table-cell>")),
    "ODS date that is none": ("ods", lambda text: _ods('<table:table-cell office:date-value="2026-03-12">' + _lines(text, "<text:p>%s</text:p>") + "</table:table-cell>")),
    "ODS value that is not shown": ("ods", lambda text: _ods("".join(f'<table:table-cell office:string-value="{_attribute(line)}"/></table:table-row><table:table-row>' for line in text.split("\n")))),
    "ODS far column": ("ods", lambda text: _ods('<table:table-cell table:number-columns-repeated="400"/><table:table-cell>' + _lines(text, "<text:p>%s</text:p>") + "</table:table-cell>")),
    "ODS with other prefixes": ("ods", lambda text: made.zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<o:document-content xmlns:o='o' xmlns:t='t' xmlns:b='b'><o:body><b:table>" + _lines(text, "<b:table-row><b:table-cell><t:p>%s</t:p></b:table-cell></b:table-row>") + "</b:table></o:body></o:document-content>"})),
    "Excel 2003 far column": ("xml", lambda text: ('<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a"><Table>' + _lines(text, '<Row><Cell ss:Index="400"><Data>%s</Data></Cell></Row>') + "</Table></Worksheet></Workbook>").encode()),
    "ODT hidden": ("odt", lambda text: made.odf("text", f"<text:p>x</text:p><text:hidden-paragraph>{escape(text)}</text:hidden-paragraph>")),
    "speaker notes": ("pptx", lambda text: made.zipped({**_TYPES, "ppt/presentation.xml": "<p/>", "ppt/notesSlides/notesSlide1.xml": '<p:x xmlns:p="p" xmlns:a="a">' + _lines(text, "<a:p><a:t>%s</a:t></a:p>") + "</p:x>"})),
    "slide master": ("pptx", lambda text: made.zipped({**_TYPES, "ppt/presentation.xml": "<p/>", "ppt/slideMasters/slideMaster1.xml": '<p:x xmlns:p="p" xmlns:a="a">' + _lines(text, "<a:p><a:t>%s</a:t></a:p>") + "</p:x>"})),
    "tag of a slide": ("pptx", lambda text: made.zipped({**_TYPES, "ppt/presentation.xml": "<p/>", "ppt/tags/tag1.xml": f'<p:tagLst xmlns:p="p"><p:tag name="x" val="{_attribute(text)}"/></p:tagLst>'})),
    "hidden rows": ("xlsx", lambda text: made.xlsx(_sheet(text, '<row hidden="1">'))),
    "very hidden sheet": ("xlsx", lambda text: made.xlsx(_sheet(text), workbook='<workbook><sheets><sheet name="x" sheetId="1" state="veryHidden"/></sheets></workbook>')),
    "shown from right to left": ("docx", lambda text: _docx("".join(f'<w:p><w:bdo w:val="rtl"><w:r><w:t>{escape(line[::-1])}</w:t></w:r></w:bdo></w:p>' for line in text.split("\n")))),
    "formats of numbers": ("xlsx", _formatted_xlsx),
    "object in slides": ("ppt", lambda text: made.ppt(made.doc(text))),
    "RTF object in pieces": ("rtf", _object_rtf),
    "head of a sheet": ("xlsx", lambda text: made.xlsx(f"</sheetData><headerFooter><oddHeader>{escape(text)}</oddHeader></headerFooter><sheetData>")),
    "XLSB comment": ("xlsb", _commented_xlsb),
    "XLSB formatted cells": ("xlsb", lambda text: made.xlsb([[line] for line in text.split("\n")])),
    "XLSB far column": ("xlsb", lambda text: made.xlsb([[""] * 300 + [line] for line in text.split("\n")])),
    "RTF deleted": ("rtf", lambda text: _rtf(text, "{\\deleted @}")),
    "RTF hidden": ("rtf", lambda text: _rtf(text, "{\\v @}")),
    "RTF comment": ("rtf", lambda text: _rtf(text, "{\\*\\annotation @}")),
    "RTF header": ("rtf", lambda text: _rtf(text, "{\\header @}")),
    "RTF shape": ("rtf", lambda text: _rtf(text, "{\\shp{\\*\\shpinst{\\shptxt @}}}")),
    "RTF property": ("rtf", lambda text: _rtf(text, "{\\info{\\doccomm @}}")),
    "RTF unknown group": ("rtf", lambda text: _rtf(text, "{\\*\\zzz @}")),
}  # fmt: skip
PAGES: dict[str, tuple[str, Hide]] = {
    "from right to left": ("html", lambda text: _page_of_html("<bdo dir=rtl>" + "<br>".join(escape(line[::-1]) for line in text.split("\n")) + "</bdo>")),
    "page that begins with words": ("html", lambda text: (_OTHER + "<br>" + "".join("<br>" if char == "\n" else f"<span>{escape(char)}</span>" for char in text)).encode()),
    "page that begins with its main part": ("", lambda text: ("<main>" + "".join("<br>" if char == "\n" else f"<span>{escape(char)}</span>" for char in text) + "</main>").encode()),
    "display none": ("html", lambda text: _page_of_html(f'<div style="display:none">{escape(text)}</div>')),
    "comment": ("html", lambda text: _page_of_html(f"<!-- {text} -->")),
    "data attribute": ("html", lambda text: _page_of_html(f'<p data-x="{_attribute(text)}">')),
    "hidden input": ("html", lambda text: _page_of_html(f'<input type="hidden" value="{_attribute(text)}">')),
    "string of a script": ("html", lambda text: _page_of_html(f"<script>var x = {json.dumps(text, ensure_ascii=False)}</script>")),
    "end of a long script": ("html", lambda text: _page_of_html(f"<script>/*{'some code; ' * 3_000}*/ var x = {json.dumps(text, ensure_ascii=False)}</script>")),
    "end of the long JSON of a script": ("html", lambda text: _page_of_html(f'<script type="application/json">{json.dumps({"n": [7] * 9_000, "a": text})}</script>')),
    "JSON of a script": ("html", lambda text: _page_of_html(f'<script type="application/json">{json.dumps({"a": text})}</script>')),
    "base64 of a script": ("html", lambda text: _page_of_html(f'<script>var d = "{_b64(made.pdf([_page(text)]))}"</script>')),
    "template": ("html", lambda text: _page_of_html(f"<template>{escape(text)}</template>")),
    "frame": ("html", lambda text: _page_of_html(f'<iframe srcdoc="{_attribute(text)}"></iframe>')),
    "entities": ("html", lambda text: _page_of_html("".join(f"&#x{ord(char):x};" for char in text))),
    "span by span": ("html", lambda text: _page_of_html("".join("<br>" if char == "\n" else f"<span>{escape(char)}</span>" for char in text))),
    "data address": ("html", lambda text: _page_of_html(f'<a href="data:text/plain;base64,{_b64(text.encode())}">x</a>')),
    "SVG": ("svg", lambda text: _svg(text, "<text>%s</text>")),
    "SVG letter by letter": ("svg", lambda text: ('<svg xmlns="http://www.w3.org/2000/svg">' + "".join("<text>" + "".join(f"<tspan>{escape(char)}</tspan>" for char in line) + "</text>" for line in text.split("\n")) + "</svg>").encode()),
    "attributes of an XML with entities": ("xml", lambda text: _declaring(_lines(text, '<l v="%s"/>'))),
    "CDATA of an XML with entities": ("xml", lambda text: _declaring("<l><![CDATA[" + text + "]]></l>")),
    "comment in an XML with entities": ("xml", lambda text: _declaring(f"<!-- {text} --><l>{_OTHER}</l>")),
    "attributes of a broken XML": ("xml", lambda text: ("<d>" + _lines(text, "<l v='%s'/>") + f"<a>{_OTHER} & agrafes</a></d>").encode()),
    "mail in quoted-printable": ("eml", lambda text: (_MAIL + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(text.encode(), quotetabs=True).decode()).encode()),
    "page with elements closed at once": ("xhtml", lambda text: ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title><style/><script src="x"/></head><body>' + _lines(text, "<p>%s</p>") + "</body></html>").encode()),
    "page said to be EBCDIC": ("html", lambda text: _page_of_html(f'<meta charset="cp500"><p>{escape(text)}</p>')),
    "mail said to be EBCDIC": ("eml", lambda text: (_MAIL + "Content-Type: text/plain; charset=cp500\n\n" + text).encode()),
    "mail in UTF-7": ("eml", lambda text: (_MAIL + "Content-Type: text/plain; charset=utf-7\n\n").encode() + text.encode("utf-7")),
    "subject of a mail": ("eml", lambda text: ("From: a@exemple.fr\nTo: b@exemple.fr\nMIME-Version: 1.0\nSubject: " + "\n ".join(f"=?utf-8?B?{_b64(line.encode())}?=" for line in text.split("\n") if line) + "\n\nx").encode()),
    "before the parts of a mail": ("eml", lambda text: (_MAIL + f"Content-Type: multipart/mixed; boundary=B\n\n{text}\n--B\n\nx\n--B--\n").encode()),
    "after the parts of a mail": ("eml", lambda text: _mixed("\nx") + text.encode()),
    "attachment said to be a picture": ("eml", lambda text: _mixed("\nx", f"Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\n{_b64(text.encode())}")),
    "attachment in the old encoding": ("eml", lambda text: _mixed("\nx", f"Content-Type: application/octet-stream; name=a.docx\nContent-Transfer-Encoding: x-uuencode\n\n{_uuencoded(_docx(_word_lines(text)))}")),
    "message whose plain body is a stub": ("msg", lambda text: made.msg("x", "Ce message est au format HTML.", html=f"<html><body><p>{escape(text)}</p></body></html>".encode())),
    "mail in a mail": ("eml", lambda text: _mixed("\nx", f"Content-Type: message/rfc822\n\n{_MAIL}\n{text}")),
    "web archive": ("mht", lambda text: (_MAIL + "Content-Type: multipart/related; boundary=B\n\n--B\nContent-Type: text/html; charset=utf-8\n\n<p>" + escape(text).replace("\n", "<br>") + "\n--B--\n").encode()),
}  # fmt: skip
PDF: dict[str, tuple[str, Hide]] = {
    "outside the page": ("pdf", lambda text: made.pdf([_page(text, begin=b"BT /F1 12 Tf -4000 -7000 Td")])),
    "invisible": ("pdf", lambda text: made.pdf([_page(text, begin=b"BT 3 Tr /F1 12 Tf 40 700 Td")])),
    "white": ("pdf", lambda text: made.pdf([b"1 1 1 rg " + _page(text)])),
    "tiny": ("pdf", lambda text: made.pdf([_page(text, begin=b"BT /F1 0.1 Tf 40 700 Td")])),
    "letter-spaced": ("pdf", lambda text: made.pdf([_page("\n".join("  ".join(" ".join(word) for word in line.split()) for line in text.split("\n")))])),
    "hidden layer": ("pdf", lambda text: made.pdf([_PLAIN_PAGE + b" /OC /M BDC " + _page(text) + b" EMC"], resources=b"/Properties<</M 900 0 R>>", root=b"/OCProperties<</OCGs[900 0 R]/D<</OFF[900 0 R]>>>>", extra={900: b"<</Type/OCG/Name(x)>>"})),
    "form object": ("pdf", lambda text: made.pdf([b"/X Do"], resources=b"/XObject<</X 900 0 R>>", extra={900: b"<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F1 3 0 R>>>>/Length %d>>stream\n%s\nendstream" % (len(_page(text)), _page(text))})),
    "note": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], page=b"/Annots[900 0 R]", extra={900: b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(" + _flat(text) + b")>>"})),
    "rich note": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], page=b"/Annots[900 0 R]", extra={900: b"<</Type/Annot/Subtype/FreeText/Rect[0 0 9 9]/RC(<p>" + _flat(text) + b"</p>)>>"})),
    "field": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/AcroForm<</Fields[900 0 R]>>", page=b"/Annots[900 0 R]", extra={900: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/Rect[0 0 9 9]/V(" + _flat(text) + b")>>"})),
    "field shown by a part of it": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/AcroForm<</Fields[900 0 R]>>", page=b"/Annots[901 0 R]", extra={900: b"<</FT/Tx/T(a)/Kids[901 0 R]/V(" + _flat(text) + b")>>", 901: b"<</Type/Annot/Subtype/Widget/Parent 900 0 R/Rect[0 0 9 9]>>"})),
    "several choices": ("pdf", _choices_pdf),
    "long field": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/AcroForm<</Fields[900 0 R]>>", page=b"/Annots[900 0 R]", extra={900: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/Rect[0 0 9 9]/V(" + _flat(text) * 60 + b")>>"})),
    "XFA": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/AcroForm<</XFA 900 0 R/Fields[]>>", extra={900: _stream(f"<x><a>{escape(text)}</a></x>".encode())})),
    "information": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], extra={900: b"<</Subject(" + _flat(text) + b")>>"}, trailer=b"/Info 900 0 R")),
    "XMP": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/Metadata 900 0 R", extra={900: b"<</Type/Metadata/Subtype/XML/Length 9>>stream\n<x:xmpmeta><d>" + escape(text).encode() + b"</d></x:xmpmeta>\nendstream"})),
    "bookmark": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/Outlines 900 0 R", extra={900: b"<</First 901 0 R/Last 901 0 R/Count 1>>", 901: b"<</Title(" + _flat(text) + b")/Parent 900 0 R>>"})),
    "attachment": ("pdf", lambda text: made.pdf([_PLAIN_PAGE], root=b"/Names<</EmbeddedFiles<</Names[(a)900 0 R]>>>>", extra={900: b"<</Type/Filespec/F(a.txt)/EF<</F 901 0 R>>>>", 901: b"<</Type/EmbeddedFile/Length %d>>stream\n%s\nendstream" % (len(text.encode()), text.encode())})),
    "earlier state": ("pdf", _changed_pdf),
    "page of a book": ("pdf", lambda text: made.pdf([_PLAIN_PAGE] * 90 + [_page(text)] + [_PLAIN_PAGE] * 50)),
}  # fmt: skip
ALL = {
    f"{family}: {name}": case
    for family, cases in {"name": NAMES, "encoding": ENCODINGS, "wrapped": WRAPPED, "office": OFFICE, "page": PAGES, "PDF": PDF}.items()
    for name, case in cases.items()
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


def _judged(data: bytes, extension: str) -> Findings:
    return detect(read_bytes(data, extension, Budget()))


@pytest.mark.parametrize("name", ALL)
def test_a_hidden_letter_is_found(name: str) -> None:
    extension, hide = ALL[name]
    found = _judged(hide(LETTER), extension)
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, True)


@pytest.mark.parametrize("name", ALL)
def test_a_menu_in_the_same_place_is_not_medical(name: str) -> None:
    extension, hide = ALL[name]
    assert _judged(hide(MENU * 3), extension).judgement is not Judgement.MEDICAL


@pytest.mark.parametrize("extension", ["png", "txt", "docx", ""])
def test_a_message_under_any_name_is_a_message(extension: str) -> None:
    assert _judged(HL7.encode(), extension).kind == "hl7v2"


def test_what_is_only_sampled_is_never_called_harmless() -> None:
    """The letter stands where nobody looks: « not looked at » is the answer, not « not medical »."""
    book = made.pdf([_PLAIN_PAGE] * 170 + [_page(LETTER)] + [_PLAIN_PAGE] * 130)
    noise = (MENU * 40_000).encode()[: 6 << 20]
    form = _fields_pdf([b"stylos"] * 205 + [_flat(LETTER)])
    note = made.pdf(
        [_PLAIN_PAGE],
        page=b"/Annots[900 0 R]",
        extra={900: b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(" + _flat(LETTER) * 900 + b")>>"},
    )
    folder = _attachments_pdf(["stylos"] * 200 + [LETTER])
    for data, extension in (
        (book, "pdf"),
        (form, "pdf"),
        (note, "pdf"),
        (folder, "pdf"),
        (noise + LETTER.encode() + noise, "txt"),
    ):
        assert _judged(data, extension).judgement is Judgement.UNDECIDABLE


def test_the_worker_gives_the_same_answers(tmp_path: Path) -> None:
    """Nothing that undoing a disguise needs is out of reach inside the sandbox."""
    pool = WorkerPool(1)
    try:
        for number, (extension, hide) in enumerate(ALL.values()):
            path = tmp_path / f"{number}.bin"
            path.write_bytes(hide(LETTER))
            fd = os.open(path, os.O_RDONLY)
            try:
                found = pool.judge(fd, extension, path.stat().st_size)
            finally:
                os.close(fd)
            assert found.judgement is Judgement.MEDICAL, list(ALL)[number]
    finally:
        pool.close()
