"""Bytes of any kind → a Document; and each reader on its own, without the net that catches its mistakes.

An input is one byte that chooses the extension, then the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.extraction.limits import Stop
from tests.fuzz import seeds
from tests.fuzz.target import Check, Target, must

if TYPE_CHECKING:
    from agent.document import Document

EXTENSIONS = (
    "", "txt", "csv", "xml", "html", "json", "ndjson", "hl7", "rtf", "eml", "mbox", "pdf", "zip", "docx", "xlsx",
    "pptx", "odt", "ods", "doc", "xls", "ppt", "msg", "tar", "gz", "tgz", "bz2", "xz", "7z", "rar", "dcm", "jpg", "bin",
    "ecg", "edf", "vcf", "db", "age", "hpr", "p7m", "xlsb", "gpg", "iso",
    "dbf", "dat", "iwa", "zst", "p7s", "mwf", "trc",
)  # fmt: skip
WORDS = (
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"%PDF-1.4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"endstream", b"obj",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<![CDATA[", b"<?xml version='1.0' encoding='UTF-16'?>", b"{\\rtf1",
    b"\\bin99999999 ", b"\\u-1?", b"\\'", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n", b"--x\r\n", b"--x--",
    b"Content-Transfer-Encoding: base64\r\n", b"message/rfc822", b"=?utf-8?B?", b"charset=utf-7", b"From ", b"DICM",
    b"\xfe\xff\x00\xe0", b"\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"SQ\0\0", b"[[[[", b'{"a":',
    b"MSH|^~\\&|", b"\xff\xfe", b"\xef\xbb\xbf", b"ustar\x0000", b"/ObjStm", b"/FlateDecode", b"/Kids[1 0 R]", b"/Encrypt",
    b"xl/worksheets/sheet1.xml", b"word/document.xml", b"mimetype", b"<a>", b"</a>", b"<!--", b"<script>",
)  # fmt: skip


def input_of(extension: str, data: bytes) -> bytes:
    """The input for a document."""
    return bytes([EXTENSIONS.index(extension) if extension in EXTENSIONS else 0]) + data


def split(data: bytes) -> tuple[str, bytes]:
    """The extension and the document of an input."""
    return EXTENSIONS[data[0] % len(EXTENSIONS)] if data else "", data[1:]


def nodes(document: Document) -> Iterator[Document]:
    """The whole tree."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children)


def _seeds() -> list[bytes]:
    return [input_of(extension, data) for extension, data in seeds.documents()]


def _whole() -> Check:
    from agent.document import Document, Problem
    from agent.extraction.limits import Budget, Limits
    from agent.extraction.reader import read_bytes, warm_up

    warm_up()
    limits = Limits()

    def check(data: bytes) -> None:
        extension, content = split(data)
        document = read_bytes(content, extension, Budget(limits))
        tree = list(nodes(document))
        must(isinstance(document, Document), "any bytes are a Document")
        must(len(tree) <= limits.parts + 1, "no more parts than the limit")
        must(all(node.problem is None or isinstance(node.problem, Problem) for node in tree), "problems are Problems")
        characters = 0
        for node in tree:
            for part in node.parts:
                characters += len(part.text)
                part.text.encode("utf-8")
            must(len(node.fields) <= limits.fields, "no more fields than the limit")
            must(all(len(row) <= limits.columns for table in node.tables for row in table), "columns are bounded")
        names = 1024 * len(tree)
        must(characters <= limits.text_chars + names, "no more text than the limit")

    return check


def _sniff() -> Check:
    from agent.document import Format
    from agent.extraction.sniff import HEAD, ole_format, sniff, zip_format

    def check(data: bytes) -> None:
        extension, content = split(data)
        must(isinstance(sniff(content[:HEAD], extension), Format), "any head has a Format")
        names = content[:400].decode("utf-8", "replace").lower().split("\n")
        must(isinstance(zip_format(names, content[:80]), Format), "any names have a Format")
        must(isinstance(ole_format(frozenset(names), extension), Format), "any names have a Format")

    return check


def _reader(formats: tuple[str, ...]) -> Callable[[], Check]:
    def prepare() -> Check:
        from agent.document import Document, Format
        from agent.extraction import reader
        from agent.extraction.formats.base import Job
        from agent.extraction.limits import Budget
        from agent.extraction.sniff import HEAD
        from agent.extraction.source import BytesSource

        reader.warm_up()
        chosen = tuple(Format(word) for word in formats)

        def check(data: bytes) -> None:
            extension, content = split(data)
            format_ = reader.sniff(content[:HEAD], extension)
            format_ = format_ if format_ in chosen else chosen[len(content) % len(chosen)]
            source, budget = BytesSource(content), Budget()
            document = Document(format_, size=len(content), extension=extension)
            job = Job(source, document, budget, 0, lambda *_given: Document(Format.UNKNOWN), head=content[:HEAD])
            reader._READERS[format_](job)

        return check

    return prepare


def _seeds_of(*formats: str) -> Callable[[], list[bytes]]:
    def made() -> list[bytes]:
        from agent.extraction.sniff import HEAD, sniff

        found = [
            input_of(extension, data)
            for extension, data in seeds.documents()
            if sniff(data[:HEAD], extension).value in formats
        ]
        return found or _seeds()

    return made


_READERS = {
    "read-text": ("text", "hl7v2", "csv"),
    "read-markup": ("xml", "html"),
    "read-json": ("json", "ndjson"),
    "read-mail": ("eml", "mbox"),
    "read-rtf": ("rtf",),
    "read-pdf": ("pdf",),
    "read-dicom": ("dicom",),
    "read-zip": ("zip",),
    "read-ole": ("ole",),
    "read-archive": ("tar", "7z", "rar"),
    "read-compressed": ("gzip", "bzip2", "xz"),
    "read-binary": ("unknown", "signal", "research", "sqlite", "image", "executable", "age"),
}
TARGETS = (
    Target(
        "extraction", "any bytes with any extension are a Document, within the limits, and nothing is raised",
        _seeds, _whole, words=WORDS, cpu_s=4.0, memory_mib=400,
    ),
    Target("sniff", "any head has a format, and nothing is raised", _seeds, _sniff, words=WORDS, cpu_s=1.0),
    *(
        Target(
            name, f"the reader of {', '.join(formats)} on its own raises nothing but Stop",
            _seeds_of(*formats), _reader(formats), tolerates=Stop, words=WORDS, cpu_s=4.0, memory_mib=400,
        )
        for name, formats in _READERS.items()
    ),
)  # fmt: skip
