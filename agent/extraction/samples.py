"""One tiny invented document of every format: what the worker reads once before it gives up the right to open files.

Pure. The point is not the text but the code paths: every library, codec and table that a reader needs later is
loaded by then.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator


def samples() -> Iterator[tuple[str, bytes]]:
    """(extension, bytes) of each sample."""
    yield "txt", "Un texte sans rien de médical.\n".encode("cp1252")
    yield "txt", "Un texte large.\n".encode("utf-16")
    yield "csv", b"a;b;c\n1;2;3\n4;5;6\n"
    yield "xml", b'<?xml version="1.0" encoding="ISO-8859-1"?><a b="c\xe9"><d>e</d><!-- f --></a>'
    yield "html", b"<html><head><title>t</title><meta charset=utf-8></head><body><p>u<!-- v --></p></body></html>"
    yield "json", b'{"a": [1, 2.5, "\\u00e9", null]}'
    yield "hl7", b"MSH|^~\\&|A|B|C|D|20260101||ACK|1|P|2.5\rMSA|AA|1\r"
    yield "rtf", b"{\\rtf1\\ansi\\ansicpg1252 a\\'e9{\\header b}\\par}"
    yield "eml", _mail()
    yield "pdf", _pdf()
    for names in (
        ("word/document.xml",),
        ("xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"),
        ("ppt/slides/slide1.xml",),
    ):
        yield "zip", _zip(("[Content_Types].xml", *names))
    for family in ("text", "spreadsheet"):
        yield "zip", _zip(("content.xml", "styles.xml"), f"application/vnd.oasis.opendocument.{family}")
    archive = _zip(("a.txt",))
    yield from (
        ("zip", archive),
        ("gz", gzip.compress(b"a\n")),
        ("bz2", bz2.compress(b"a\n")),
        ("xz", lzma.compress(b"a\n")),
    )
    yield "tar", _tar()
    yield "dcm", dicom_sample()
    yield "doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    yield "bin", bytes(range(256)) * 4


def _mail() -> bytes:
    return (
        b"From: a@example.org\r\nTo: b@example.org\r\nSubject: =?iso-8859-1?Q?=E9t=E9?=\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=E9t=E9\r\n--x\r\nContent-Type: text/html\r\n\r\n"
        b"<p>a</p>\r\n"
        b"--x\r\nContent-Disposition: attachment; filename*=utf-8''%C3%A9.txt\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
        b"YQ==\r\n--x--\r\n"
    )


def _pdf() -> bytes:
    page = b"BT /F1 12 Tf 20 50 Td (Sample) Tj ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%sendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)


def _zip(names: tuple[str, ...], mimetype: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "<a><p>b</p></a>")
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("é.txt")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"a\n"))
    return out.getvalue()


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """One DICOM element, Explicit VR Little Endian (PS3.5 7.1.2)."""
    value += (b"\0" if vr in {b"UI", b"OB", b"UN"} else b" ") * (len(value) % 2)
    tag = group.to_bytes(2, "little") + number.to_bytes(2, "little") + vr
    if vr in {b"SQ", b"OB", b"OW", b"UN", b"UT", b"UC"}:
        return tag + b"\0\0" + len(value).to_bytes(4, "little") + value
    return tag + len(value).to_bytes(2, "little") + value


def dicom_file(
    elements: bytes, syntax: bytes = b"1.2.840.10008.1.2.1", sop: bytes = b"1.2.840.10008.5.1.4.1.1.7"
) -> bytes:
    """A DICOM file (PS3.10 7.1) with the given data set."""
    meta = (
        element(2, 1, b"OB", b"\0\1")
        + element(2, 2, b"UI", sop)
        + element(2, 3, b"UI", b"1.2.3.4")
        + element(2, 0x10, b"UI", syntax)
    )
    return bytes(128) + b"DICM" + element(2, 0, b"UL", len(meta).to_bytes(4, "little")) + meta + elements


def dicom_sample() -> bytes:
    """A DICOM header with one element of each kind of value, and a sequence."""
    item = element(8, 0x0104, b"LO", b"meaning")
    items = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    return dicom_file(
        element(8, 0x0005, b"CS", b"ISO_IR 100")
        + element(8, 0x0016, b"UI", b"1.2.840.10008.5.1.4.1.1.7")
        + element(8, 0x0020, b"DA", b"20260101")
        + element(8, 0x0030, b"TM", b"101010.123")
        + element(0x10, 0x10, b"PN", b"NOBODY^NOT")
        + element(0x10, 0x1010, b"AS", b"050Y")
        + element(0x10, 0x1030, b"DS", b"70.5")
        + element(0x20, 0x13, b"IS", b"1")
        + element(0x28, 0x10, b"US", b"\1\0")
        + element(0x40, 0xA043, b"SQ", items)
        + element(0x40, 0xA160, b"UT", b"text")
        + element(0x7FE0, 0x10, b"OW", b"\0\0")
    )
