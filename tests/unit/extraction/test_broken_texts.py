"""Texts of a format that were cut or damaged are « corrupt »; what people and programs write carelessly is not."""

from __future__ import annotations

import json
import random
import zlib

import pytest

from agent.document import Format, Problem
from agent.extraction.formats.pdf_letters import is_garbled
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes
from tests import invented
from tests.unit.extraction import made_documents as made
from tests.unit.extraction.made_documents import LETTER

RECORD = json.dumps({"resourceType": "Patient", "name": [{"family": "Vernicourt"}], "text": LETTER}, indent=1).encode()
CDA = b'<?xml version="1.0"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>CR</title><a>HTA</a></ClinicalDocument>'
MAIL = (
    b"From: a@b.fr\nTo: c@d.fr\nSubject: CR\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=XX\n\n--XX\n"
    b"Content-Type: text/plain\n\nBonjour, voici.\n--XX\nContent-Type: text/csv\nContent-Transfer-Encoding: base64\n\n"
    b"bm9tO2RkbgpBOzAxLzAxLzE5NTAKQjswMi8wMi8xOTYw\n--XX--\n"
)
PAGE = b"<html><head><title>A</title></head><body><div><p>un</p><p>deux</p></div><p>trois</p></body></html>"
HOLE = bytes(600)


def problem(data: bytes, extension: str = "") -> Problem | None:
    return read_bytes(data, extension, Budget()).problem


@pytest.mark.parametrize(
    ("extension", "data"),
    [
        ("json", RECORD[:-30]), ("json", RECORD[:60]), ("json", RECORD[:8]), ("json", RECORD.replace(b'"name": [', b'"name: [')),
        ("json", RECORD.replace(b"},", b"}#,").replace(b"],", b"]#,")), ("ndjson", b'{"a": 1}\n{"b": 2}\n{"c": [1, "x'),
        ("xml", CDA[:-20]), ("xml", CDA[:90]), ("xml", CDA.replace(b"</title>", b"</tit")), ("xml", CDA.replace(b"HTA", b"H\x02A")),
        ("eml", MAIL[:-30]), ("eml", MAIL[:70]), ("eml", MAIL.replace(b"bm9tO2", b"bm\x8atO2")), ("eml", MAIL.replace(b"bm9tO2", b"b*m9tO")),
        ("eml", MAIL.replace(b"boundary=XX", b"boundary=XY")),
        ("html", PAGE[:-32]), ("html", PAGE[:-16]), ("html", PAGE[:-40]),
        ("txt", LETTER.encode()[:-9] + HOLE), ("csv", b"a;b;c\n" * 900 + HOLE + b"a;b;c\n"), ("html", PAGE + HOLE),
        ("rtf", b"{\\rtf1 a" + b" b" * 3000 + HOLE + b"}"), ("eml", MAIL[:-4] + HOLE), ("txt", b"un mot " * 30 + HOLE + b"un mot " * 30),
    ],
)  # fmt: skip
def test_what_was_damaged_is_corrupt(extension: str, data: bytes) -> None:
    assert problem(data, extension) is Problem.CORRUPT


@pytest.mark.parametrize(
    ("extension", "data"),
    [
        ("json", RECORD), ("json", b'// settings\n{"a": 1}'), ("json", b'{"a": 1, // one\n "b": [1, 2,], /* two */ "c": "x // y",}'),
        ("json", b'{"a": {{ value }}, "b": 1}'), ("log", b"[2026-01-01 10:00] start {\n[2026-01-01 10:01] end"),
        ("log", b'{"level": "info"}\nplain line\n{"level": "info"}\n'), ("json", b'{"a": NaN}'), ("json", b'["INFO"] a [b'),
        ("xml", CDA), ("xml", CDA.replace(b"HTA", b"a & b < c")), ("xml", b"<?xml version='1.0'?><a>1</a><a>2</a>"),
        ("xml", b"<a><b>fragment</b><c>"), ("xml", CDA.replace(b"HTA", b"&nbsp;")), ("xml", CDA.replace(b"<a>", b"<a <%= x %>>")),
        ("html", b"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n<DT><H3>A</H3>\n<DT><A HREF='x'>B</A>\n</DL><p>"),
        ("eml", MAIL), ("eml", MAIL[: MAIL.index(b"--XX")]), ("eml", MAIL.replace(b"--XX--\n", b"")), ("eml", MAIL.replace(b"NjA", b"NjA\n\n___\nliste@b.fr\nA+B").replace(b"--XX--", b"--XX--")),
        ("html", PAGE), ("html", PAGE.replace(b"</body></html>", b"")), ("html", b"<html><body><p>un<p>deux<li>x"), ("html", b"<p>un</p><p>de"),
        ("txt", b"a text with a mark\0 in it " * 9), ("txt", "é".encode("utf-16") * 900),
        ("txt", LETTER.encode() + b"\n" + HOLE), ("mha", b"ObjectType = Image\nElementDataFile = LOCAL\n" + HOLE),
    ],
)  # fmt: skip
def test_what_was_written_carelessly_is_not(extension: str, data: bytes) -> None:
    assert problem(data, extension) is None


def test_a_message_strewn_with_control_characters_is_still_a_message() -> None:
    document = read_bytes(MAIL.replace(b"voici", b"vo\x01\x02\x03\x04\x05\x06ici\0"), "eml", Budget())
    assert document.format is Format.UNKNOWN
    assert [child.format for child in document.children] == [Format.EML]
    assert any("nom;ddn" in part.text for part in document.children[0].parts)


def test_a_directory_entry_without_its_name_or_size_is_a_broken_archive() -> None:
    whole = made.zipped({"a.txt": LETTER})
    at = whole.find(b"PK\x01\x02")
    unnamed, unsized = bytearray(whole), bytearray(whole)
    unnamed[at + 28 : at + 30] = bytes(2)
    unsized[at + 16 : at + 28] = bytes(12)
    document = read_bytes(bytes(unnamed), "zip", Budget())
    assert document.problem is Problem.CORRUPT
    assert LETTER.split()[0] in document.children[0].parts[-1].text
    assert read_bytes(bytes(unsized), "zip", Budget()).children[0].problem is Problem.CORRUPT


def test_a_page_of_glyphs_without_letters_is_left_to_the_reader_of_pictures() -> None:
    content = b"BT /F1 12 Tf 40 700 Td (" + bytes([1, 2, 3, 4, 5, 6, 7, 14, 15, 16]) * 8 + b") Tj ET"
    assert problem(made.pdf([content]), "pdf") is Problem.IMAGE


def _shifted(text: str, by: int) -> bytes:
    """What a font whose glyphs are numbered from the blank, and that does not say which letters they are, makes of it."""
    return bytes(max(1, (byte + by) % 256) for byte in text.encode("latin-1", "replace") if byte not in b" \n()\\")


def _numbered(text: str) -> bytes:
    """The same where the glyphs, the blank among them, are numbered in no order."""
    signs = sorted(set(text.replace("\n", " ")))
    numbers = list(range(33, 33 + len(signs)))
    random.Random(1).shuffle(numbers)  # noqa: S311
    return bytes(numbers[signs.index(char)] for char in text.replace("\n", " "))


@pytest.mark.parametrize(
    "glyphs",
    [
        _shifted(invented.LETTER, -29),
        _shifted("".join(char for char in invented.LETTER if char.isalpha() and char.isascii()), -29),
        _numbered(invented.LETTER),
    ],
)
def test_a_page_of_other_letters_is_left_to_the_reader_of_pictures(glyphs: bytes) -> None:
    for sign in (b"\\", b"(", b")"):
        glyphs = glyphs.replace(sign, b"")
    content = b"BT /F1 12 Tf 40 700 Td (" + glyphs + b") Tj ET"
    assert problem(made.pdf([content]), "pdf") is Problem.IMAGE


@pytest.mark.parametrize(
    "text",
    [
        invented.LETTER,
        invented.MENU * 3,
        "FR76 3000 4000 0312 3456 7890 143 " * 20,
        'RJ45-C6A-FTP 24x M8x20 DIN912 A2-70 1/2" G3/4 ' * 20,
        "dGhpcyBpcyBhIGtleSBvZiBub2JvZHkgYXQgYWxsLCBvciBvZiBzb21lYm9keQ " * 6,
        "for (i = 0; i < n; i++) { a[i] = b[i] & 0xff; } // copy the bytes\n" * 10,
        "Strč prst skrz krk. Vlk zmrzl, zhltl hrst zrn. Příliš žluťoučký kůň úpěl ďábelské ódy. " * 5,
        "Пациент поступил в отделение кардиологии с болями за грудиной. " * 5,
        "12,5  7,31  140  4,2  98  0,9\n" * 40,
    ],
)
def test_letters_codes_and_figures_are_those_that_are_shown(text: str) -> None:
    assert not is_garbled(text)


def test_a_page_whose_only_text_cannot_be_unpacked_is_corrupt() -> None:
    whole = invented.pdf(invented.LETTER)
    at = whole.find(b"stream") + 7
    packed = zlib.compress(b"BT (CHU) Tj ET " + bytes(range(256)) * 4)
    broken = (
        whole[:at] + packed[:-9] + whole[at + len(packed) - 9 :] if len(whole) > at + len(packed) else whole[: at + 60]
    )
    assert problem(broken, "pdf") is Problem.CORRUPT
