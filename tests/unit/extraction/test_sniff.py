"""What bytes are, judged by the bytes."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.document import Format
from agent.extraction.samples import dicom_sample, element
from agent.extraction.sniff import HEAD, sniff, zip_format
from tests.unit.extraction import made_documents as made

BARE_DICOM = element(8, 5, b"CS", b"ISO_IR 100") + element(8, 0x60, b"CS", b"CT") + element(0x10, 0x10, b"PN", b"A^B")

CASES = [
    (b"", "", Format.EMPTY),
    (b"%PDF-1.4\n1 0 obj", "", Format.PDF),
    (b"\n\njunk\n%PDF-1.4\n1 0 obj", "", Format.PDF),
    (made.zipped({"a": b"b"}), "docx", Format.ZIP),
    (made.compound({("x",): b"y"}), "", Format.OLE),
    (gzip.compress(b"x"), "", Format.GZIP),
    (made.tar({"a": b"b"}), "", Format.TAR),
    (dicom_sample(), "", Format.DICOM),
    (b"II*\0" + dicom_sample()[4:], "tif", Format.DICOM),
    (b"PK\x03\x04" + dicom_sample()[4:], "zip", Format.DICOM),
    (BARE_DICOM, "", Format.DICOM),
    (b"MSH|^~\\&|A|B\rPID|1", "txt", Format.HL7V2),
    (b"\x0bMSH|^~\\&|A|B\rPID|1", "", Format.HL7V2),
    (b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|A", "", Format.HL7V2),
    (b"MSH#*+\\&#A#B\rPID#1", "", Format.HL7V2),
    (b'<?xml version="1.0"?><ClinicalDocument/>', "txt", Format.XML),
    ("<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16"), "", Format.XML),
    (b'<!-- x --><Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>', "", Format.XML),
    (b"<!DOCTYPE html><html>", "", Format.HTML),
    (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "xml", Format.HTML),
    (b"<!-- a --><!-- b --><html>", "", Format.HTML),
    (b'{"resourceType": "Patient"}', "", Format.JSON),
    (b'[{"a": 1}]', "txt", Format.JSON),
    (b'{"a": 1}\n{"a": 2}\n', "", Format.NDJSON),
    (b"[x] an item of a list\n[ ] another", "md", Format.TEXT),
    (b"<code_set_name> ISO-8859-5\n<escape_char> /\nCHARMAP\n<U0401> /xa1 IO\n<U0402> /xa2 DJE\n", "", Format.TEXT),
    (b'<rows b="1"><cell d="2"><e>', "", Format.XML),
    (b"{\\rtf1 x}", "doc", Format.RTF),
    (b"From: a@b\r\nTo: c@d\r\nSubject: e\r\n\r\nf", "", Format.EML),
    (b"Received: from x\r\nFrom: a@b\r\n\r\nf", "", Format.EML),
    (b"Nom: Dupont\nSujet: x\nDate: y\n\nz", "", Format.TEXT),
    (b"From a@b Mon Jan  1 00:00:00 2026\nFrom: a@b\n\nc", "", Format.MBOX),
    (b"a;b;c\n1;2;3\n4;5;6\n", "", Format.CSV),
    (b"un, deux, trois\nquatre, cinq, six\nsept, huit, neuf\n", "", Format.TEXT),
    (b"age-encryption.org/v1\n-> X25519", "", Format.AGE),
    (b"\x89PNG\r\n\x1a\n", "", Format.IMAGE),
    (b"SQLite format 3\0", "", Format.SQLITE),
    (b"\x7fELF\x02", "", Format.EXECUTABLE),
    (b"Use <b>, <br> and <p> sparingly.", "txt", Format.TEXT),
    (b"Use <b> and <br> sparingly.", "html", Format.TEXT),
    (b"Bonjour<br>a<br>b<p>c", "html", Format.HTML),
    (b"<main><p>a</p><p>b</p></main>", "", Format.HTML),
    (b"<main><p>a</p><p>b</p></main>", "xml", Format.XML),
    (b"<section><p>a</p><p>b</p></section>", "", Format.XML),
    (b"MZ is how this text begins", "", Format.TEXT),
    (bytes(16) + b"SCPECG\0\0", "", Format.SIGNAL),
    (b"0       " + b" " * 160 + b"01.01.2610.10.10256     ", "", Format.SIGNAL),
    (b"##fileformat=VCFv4.2\n", "", Format.RESEARCH),
    (b"a text about ##fileformat=VCFv4.2\n", "", Format.TEXT),
    (b"\x5c\x01\0\0" + bytes(340) + b"n+1\0", "", Format.RESEARCH),
    ("Éléonore\r\n".encode("cp850"), "", Format.TEXT),
    ("Éléonore\r\n".encode("utf-16-le"), "", Format.TEXT),
    (bytes(range(256)), "", Format.UNKNOWN),
]


@pytest.mark.parametrize(
    ("data", "extension", "expected"), CASES, ids=[f"{n}-{case[2]}" for n, case in enumerate(CASES)]
)
def test_the_bytes_decide(data: bytes, extension: str, expected: Format):
    assert sniff(data[:HEAD], extension) is expected


@pytest.mark.parametrize(
    ("names", "mimetype", "expected"),
    [
        (["[content_types].xml", "word/document2.xml"], b"", Format.DOCX),
        (["[content_types].xml", "xl/workbook.bin"], b"", Format.XLSX),
        (["_rels/.rels", "ppt/slides/slide1.xml"], b"", Format.PPTX),
        (["content.xml"], b"application/vnd.oasis.opendocument.spreadsheet-template", Format.ODS),
        (["content.xml", "meta-inf/manifest.xml"], b"", Format.ODT),
        (["word/document.xml"], b"", Format.ZIP),
        (["a.docx"], b"application/epub+zip", Format.ZIP),
    ],
)
def test_a_zip_is_split_by_its_members(names: list[str], mimetype: bytes, expected: Format):
    assert zip_format(names, mimetype) is expected


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=600), st.sampled_from(["", "docx", "eml", "csv", "xml", "ndjson"]))
def test_any_bytes_are_of_some_format(data: bytes, extension: str):
    assert isinstance(sniff(data, extension), Format)


@pytest.mark.parametrize("unit", [b" ", b"\n", b"<!--", b"<a ", b"MSH", b"{", b"a:\n", b"From ", b"a,", b"<!-- -->"])
def test_a_head_full_of_one_thing_is_judged_at_once(unit: bytes):
    """Patterns that try every way to cut such a head would need hours; the test would run into its limit."""
    assert sniff((unit * HEAD)[:HEAD]) in set(Format)


def test_a_text_that_begins_like_a_sound_is_a_text():
    assert sniff(b"FORMULE;NOM;NOTE\n1;Vernicourt;stable\n2;Autre;stable\n", "csv") is Format.CSV
    assert sniff(b"FORMULAIRE de liaison de l'hopital") is Format.TEXT
    assert sniff(b"FORM\0\1\2\3AIFFCOMM") is Format.AUDIO_VIDEO
