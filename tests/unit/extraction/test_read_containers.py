"""Containers and closed formats: what is inside is read, what cannot be is named, and neither is ever « clean »."""

from __future__ import annotations

import base64
import gzip
import io
import lzma
import random
import zlib

import libarchive
import pytest
from PIL import Image

from agent.detection.detector import detect
from agent.document import Document, Format, Problem
from agent.extraction.formats.closed import is_even_noise
from agent.extraction.formats.iwork import unsnappy
from agent.extraction.limits import Budget, Limits, Stop
from agent.extraction.reader import read_bytes
from agent.extraction.samples import dicom_file, element
from agent.findings import Judgement
from tests import invented
from tests.unit.extraction import made_documents as made

LETTER = invented.LETTER
PLAIN = LETTER.encode()
MENU = invented.MENU
NOISE = random.Random(7).randbytes  # noqa: S311


def read(data: bytes, extension: str = "", **limits: int) -> Document:
    return read_bytes(data, extension, Budget(Limits(soft_seconds=30, **limits)))


def nodes(document: Document) -> list[Document]:
    return [document] + [node for child in document.children for node in nodes(child)]


def archive(format_: str, filter_: str | None, tmp_path) -> bytes:
    path = tmp_path / "a"
    with libarchive.file_writer(str(path), format_, filter_) as out:
        out.add_file_from_memory("a.txt", len(PLAIN), PLAIN)
    return path.read_bytes()


PATIENTS = [["nom", "prenom", "date_naissance", "diagnostic"]] + [
    [name, given, f"195{place}-03-12", "hypertension"]
    for place, (name, given) in enumerate(
        [("VASSEUR", "Jean"), ("RAMBERT", "Odile"), ("THÉVENOT", "Zoé"), ("PRADEL", "Luc")]
    )
]
_COLUMNS = [("NOM", "C", 20), ("PRENOM", "C", 15), ("DATNAIS", "D", 8), ("DIAG", "C", 20)]
_RECORDS = [[row[0], row[1], row[2].replace("-", ""), row[3]] for row in PATIENTS[1:]]
_RUNS = "".join(
    "<w:p>" + "".join(f"<w:r><w:t>{line[at : at + 7]}</w:t></w:r>" for at in range(0, len(line), 7)) + "</w:p>"
    for line in LETTER.splitlines()
)
_CELLS = "".join(
    "<Row>" + "".join(f'<Cell><Data ss:Type="String">{c}</Data></Cell>' for c in row) + "</Row>" for row in PATIENTS
)
_FLAT = "".join(
    "<table:table-row>"
    + "".join(f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in row)
    + "</table:table-row>"
    for row in PATIENTS
)
_PARAGRAPHS = "".join(f"<text:p>{line}</text:p>" for line in LETTER.splitlines())
_OPENDOCUMENT = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="t" xmlns:table="b"'
_EXCEL = "urn:schemas-microsoft-com:office:spreadsheet"

MEDICAL = {
    "winmail.dat, text": made.tnef(LETTER),
    "winmail.dat, html": made.tnef(html="<html><body><p>" + LETTER.replace("\n", "<br>") + "</p></body></html>"),
    "winmail.dat, attachment": made.tnef(attachment=invented.docx(LETTER)),
    "signed": made.cms(b"\x07\x02", PLAIN),
    "signed, in pieces": made.cms(b"\x07\x02", PLAIN, pieces=100),
    "compressed": made.cms(b"\x09\x10\x01\x09", zlib.compress(PLAIN)),
    "zlib": zlib.compress(PLAIN),
    "lzma": lzma.compress(PLAIN, format=lzma.FORMAT_ALONE),
    **{f"lzma -{preset}": lzma.compress(PLAIN, format=lzma.FORMAT_ALONE, preset=preset) for preset in (0, 1, 2, 3, 8)},
    "pages": made.zipped({"Index/Document.iwa": made.iwa(LETTER), "preview.jpg": b"\xff\xd8\xff\xe0" + NOISE(60_000)}),
    "xps": made.zipped({"[Content_Types].xml": "<Types/>", "Documents/1/Pages/1.fpage": "<FixedPage>"
                        + "".join(f'<Glyphs UnicodeString="{line}"/>' for line in LETTER.splitlines() if line) + "</FixedPage>"}),
    "visio": made.zipped({"[Content_Types].xml": "<Types/>", "visio/pages/page1.xml": "<PageContents>"
                          + "".join(f"<Shape><Text>{line}</Text></Shape>" for line in LETTER.splitlines()) + "</PageContents>"}),
    "flat text": f'<?xml version="1.0"?><office:document {_OPENDOCUMENT} office:mimetype="application/vnd.oasis.opendocument.text">'
                 f"<office:body><office:text>{_PARAGRAPHS}</office:text></office:body></office:document>".encode(),
    "word 2003": '<?xml version="1.0"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml">'
                 f"<w:body>{_RUNS}</w:body></w:wordDocument>".encode(),
    "flat opc": '<?xml version="1.0"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage"><pkg:part>'
                f"<pkg:xmlData><w:body>{_RUNS}</w:body></pkg:xmlData></pkg:part></pkg:package>".encode(),
    "one note": b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d" + bytes(500) + LETTER.encode("utf-16-le"),
    "works": made.compound({("CONTENTS",): b"CHNKWKS" + bytes(500) + LETTER.encode("utf-16-le")}),
    "sqlite with a file": made.sqlite([["a"], ["b"]], blob=invented.docx(LETTER)),
}  # fmt: skip


@pytest.mark.parametrize("name", MEDICAL)
def test_what_is_inside_is_read(name):
    extension = "pages" if name == "pages" else ""
    found = detect(read(MEDICAL[name], extension))
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, True)


@pytest.mark.parametrize(
    ("format_", "filter_"),
    [("raw", "zstd"), ("ustar", "zstd"), ("ustar", "lz4"), ("ustar", "compress"), ("ustar", "lzip"), ("cpio", None),
     ("iso9660", None), ("xar", None), ("warc", None), ("7zip", None)],
)  # fmt: skip
def test_archives_of_other_programs(format_, filter_, tmp_path):
    data = archive(format_, filter_, tmp_path)
    assert detect(read(data)).judgement is Judgement.MEDICAL
    cut = detect(read(data[: len(data) * 2 // 3]))
    assert cut.judgement is not Judgement.NOT_MEDICAL


@pytest.mark.parametrize("filter_", ["zstd", "lz4"])
def test_a_stream_behind_a_frame_to_be_skipped(filter_, tmp_path):
    data = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"\1\2\3\4" + archive("raw", filter_, tmp_path)
    assert detect(read(data)).judgement is Judgement.MEDICAL


def test_an_archive_whose_members_have_no_type():
    """As ar(1) makes them by default: a mode, and no word on what it is."""
    letter = LETTER.encode()
    data = b"!<arch>\n" + b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"lettre.txt/", 0, 0, 0, 0o644, len(letter)) + letter
    assert detect(read(data)).judgement is Judgement.MEDICAL


TABLES = {
    "sqlite": made.sqlite(PATIENTS),
    "sqlite with a journal": b"".join((made.sqlite(PATIENTS)[:18], b"\2\2", made.sqlite(PATIENTS)[20:])),
    "dbase": made.dbase(_COLUMNS, _RECORDS),
    "excel 2003": f'<?xml version="1.0"?><Workbook xmlns="{_EXCEL}" xmlns:ss="{_EXCEL}"><Worksheet ss:Name="P"><Table>{_CELLS}</Table></Worksheet></Workbook>'.encode(),
    "flat sheet": f'<?xml version="1.0"?><office:document {_OPENDOCUMENT} office:mimetype="application/vnd.oasis.opendocument.spreadsheet">'
                  f'<office:body><office:spreadsheet><table:table table:name="P">{_FLAT}</table:table></office:spreadsheet></office:body></office:document>'.encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_patients_in_tables_are_counted(name):
    found = detect(read(TABLES[name]))
    assert (found.judgement, found.identified, found.patients) == (Judgement.MEDICAL, True, len(_RECORDS))


@pytest.mark.parametrize("encoding", ["cp850", "cp1252"])
def test_letters_of_a_dbase_table_that_names_no_code_page(encoding):
    assert read(made.dbase(_COLUMNS, _RECORDS, encoding)).tables[0][3] == (
        "THÉVENOT",
        "Zoé",
        "1952-03-12",
        "hypertension",
    )


def test_a_table_of_other_things_is_not_medical():
    stock = made.dbase([("REF", "C", 10), ("PRIX", "N", 8)], [[f"A{n}", str(n)] for n in range(9)])
    places = made.sqlite(
        [["id", "url", "title"], *[[str(n), f"https://example.org/{n}", "Accueil"] for n in range(20)]]
    )
    for data in (stock, places):
        assert detect(read(data)).judgement is Judgement.NOT_MEDICAL


def test_a_sheet_that_says_which_cell_comes_next():
    rows = '<Row><Cell ss:Index="3"><Data>c</Data></Cell><Cell ss:Index="99999"><Data>d</Data></Cell></Row>'
    book = f'<Workbook xmlns="{_EXCEL}" xmlns:ss="{_EXCEL}"><Worksheet><Table>{rows}</Table></Worksheet></Workbook>'
    assert read(book.encode(), "xml").tables == [[("", "", "c", "d")]]


_END = b"\0" * 700
PROBLEMS = {
    "outlook store": (b"!BDN" + NOISE(20_000), Problem.UNSUPPORTED),
    "wordperfect": (b"\xffWPC\x10\0\0\0" + NOISE(300) + _END, Problem.UNSUPPORTED),
    "access": (b"\0\1\0\0Standard Jet DB\0" + NOISE(300) + _END, Problem.UNSUPPORTED),
    "filemaker": (b"\0\1\0\0\0\2\0\1\0\5\0\2\0\2\xc0HBAM7" + NOISE(8000), Problem.UNSUPPORTED),
    "parquet": (b"PAR1" + NOISE(300) + _END, Problem.UNSUPPORTED),
    "spss": (b"$FL2@(#) SPSS DATA FILE" + _END, Problem.UNSUPPORTED),
    "matlab": (b"MATLAB 5.0 MAT-file, Platform".ljust(124) + b"\0\1IM" + _END, Problem.UNSUPPORTED),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + _END, Problem.UNSUPPORTED),
    "postscript": (b"%!PS-Adobe-3.0\n%%Pages: 1\n", Problem.UNSUPPORTED),
    "postscript in ASCII": (
        b"%!PS-Adobe-3.0\n" + b"/Helvetica findfont 12 scalefont setfont\n" * 90,
        Problem.UNSUPPORTED,
    ),
    "postscript behind a mark": (b"\x04%!PS-Adobe-3.0\r\n" + b"0 0 moveto (abc) show\n" * 90, Problem.UNSUPPORTED),
    "postscript behind a line end": (b"\r\n%!PS-Adobe-3.0\r\n" + b"0 0 moveto (a) show\n" * 90, Problem.UNSUPPORTED),
    "printer in ASCII": (b"@PJL SET COPIES=1\n" * 90, Problem.UNSUPPORTED),
    "printer": (b"\x1b%-12345X@PJL ENTER LANGUAGE=PCL\n", Problem.UNSUPPORTED),
    "virtual disk": (b"conectix" + _END, Problem.UNSUPPORTED),
    "file system": (
        b"\xeb\x3c\x90MSDOS5.0" + bytes(43) + b"FAT12   " + bytes(448) + b"\x55\xaa" + bytes(2000),
        Problem.UNSUPPORTED,
    ),
    "backup": (b"ANDROID BACKUP\n5\n1\nnone\n" + NOISE(200), Problem.UNSUPPORTED),
    "visio 2003": (made.compound({("VisioDocument",): b"Visio (TM) Drawing\r\n" + NOISE(9000)}), Problem.UNSUPPORTED),
    "rights management": (made.compound({("\tDRMContent",): NOISE(9000)}), Problem.ENCRYPTED),
    "enveloped": (made.cms(b"\x07\x03", NOISE(600)), Problem.ENCRYPTED),
    "pgp": (b"\x85\x01\x0c\x03" + NOISE(3000), Problem.ENCRYPTED),
    "gpg -c": (b"\x8c\x0d\x04\x09\x03\x02" + NOISE(3000), Problem.ENCRYPTED),
    "pgp, armoured": (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n", Problem.ENCRYPTED),
    "luks": (b"LUKS\xba\xbe" + NOISE(3000), Problem.ENCRYPTED),
    "no mark at all": (NOISE(40_960), Problem.ENCRYPTED),
    "second volume": (NOISE(200_000), Problem.ENCRYPTED),
    "first volume": (made.seven_zip({"a.txt": PLAIN})[:150], Problem.CORRUPT),
    "winmail.dat, cut": (made.tnef(attachment=invented.docx(LETTER))[:400], Problem.CORRUPT),
    "signed, cut": (made.cms(b"\x07\x02", PLAIN)[:90], Problem.CORRUPT),
    "sqlite, cut": (made.sqlite(PATIENTS)[:5000], Problem.CORRUPT),
    "dbase, cut": (made.dbase(_COLUMNS, _RECORDS)[:250], Problem.CORRUPT),
    "zlib, cut": (zlib.compress(PLAIN)[:200], Problem.CORRUPT),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_cannot_be_read_is_named(name):
    data, problem = PROBLEMS[name]
    found = detect(read(data))
    assert (found.judgement, found.problem) == (Judgement.UNDECIDABLE, problem)


SCAN = b"\xff\xd8\xff\xe0" + NOISE(60_000)
_EPUB = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": f"<c>{'a description of the container ' * 20}</c>",
}
_XPS = {"[Content_Types].xml": "<Types>" + '<Default Extension="fpage" ContentType="x/fixedpage"/>' * 20 + "</Types>"}


@pytest.mark.parametrize(
    "members",
    [
        _EPUB | {"p1.xhtml": "<html><body><img src='i.jpg'/></body></html>"},
        _XPS | {"Documents/1/Pages/1.fpage": "<FixedPage><Path Data='M0,0L793,0 793,1122 0,1122z'/></FixedPage>"},
        {"mimetype": "application/vnd.etsi.asic-e+zip", "META-INF/signatures.xml": f"<s>{'signed by somebody ' * 20}</s>"},
        {"mimetype": "x", "readme.txt": MENU * 2},
    ],
)  # fmt: skip
def test_a_scan_is_a_scan_in_every_package(members):
    found = detect(read(made.zipped(members | {"i.jpg": SCAN})))
    assert (found.judgement, found.problem) == (Judgement.UNDECIDABLE, Problem.IMAGE)


def test_a_picture_in_a_book_may_be_looked_at_later():
    chapter = f"<html><body><p>{MENU * 2}</p></body></html>"
    found = detect(read(made.zipped(_EPUB | {"p1.xhtml": chapter, "i.jpg": SCAN})))
    assert (found.judgement, found.unread_pictures) == (Judgement.NOT_MEDICAL, True)


ORDINARY = {
    "drawing with a preview": made.zipped(_XPS | {"docProps/thumbnail.emf": SCAN, "visio/pages/page1.xml": "<p>a</p>"}),
    "program": b"\x7fELF" + NOISE(9000),
    "font": b"\0\1\0\0\0\x0c\0\x80\0\3\0\x40DSIG" + NOISE(9000),
    "sound": b"FORM\0\1\2\3AIFFCOMM" + NOISE(9000),
    "film": b"\0\0\0\x20ftypisom" + NOISE(9000),
    "solid": bytes(80) + b"\2\0\0\0" + bytes(100),
    "detached signature": made.cms(b"\x07\x02", None),
    "numbers": bytes(range(256)) * 400 + bytes(5000),
    "vcard": b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jean Vasseur\r\nEND:VCARD\r\n",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_files_are_left_alone(name):
    assert detect(read(ORDINARY[name])).judgement is Judgement.NOT_MEDICAL


@pytest.mark.parametrize("seed", range(40))
def test_bytes_without_a_word_say_nothing_of_anybody(seed):
    """Letters that happen to stand together in a program or a picture are no abbreviations of a ward."""
    data = b"\0TEST" + random.Random(seed).randbytes(3900)  # noqa: S311
    assert detect(read(data)).judgement is Judgement.NOT_MEDICAL


def test_a_letter_among_such_bytes_is_found():
    data = b"\0TEST" + NOISE(3000) + LETTER.encode("cp1252") + NOISE(3000)
    assert detect(read(data)).judgement is Judgement.MEDICAL


@pytest.mark.parametrize(("side", "more", "expected"), [
    (64, 0, Judgement.NOT_MEDICAL), (65, 0, Judgement.UNDECIDABLE), (32, 30_000, Judgement.UNDECIDABLE),
])  # fmt: skip
def test_an_icon_holds_no_page(side, more, expected):
    """A strip of a screen can be as low, and what is larger than its pixels need holds something else."""
    file = io.BytesIO()
    Image.new("RGB", (side, 16), "teal").save(file, "PNG")
    assert detect(read(file.getvalue() + bytes(more), "png")).judgement is expected


KEY = b"\x99\x02\x0d\x04\x60\xef\x43\x21\x01" + NOISE(519)


@pytest.mark.parametrize("ring", [KEY + b"\xb4\x10Debian <d@e.org>", b"\xc6\xc1\x4d" + KEY[3:] + b"\xcd\x03a@b"])
def test_a_ring_of_public_keys_is_not_encrypted(ring):
    assert detect(read(ring + NOISE(600), "gpg")).judgement is Judgement.NOT_MEDICAL


@pytest.mark.parametrize("other", [KEY + b"\x85\x01", KEY[:3] + b"\x09" + KEY[4:] + b"\xb4", KEY, NOISE(1500)])
def test_what_only_begins_like_a_key_is(other):
    assert detect(read(other + NOISE(600) * (other is not KEY), "gpg")).problem is Problem.ENCRYPTED


def test_noise_is_told_from_what_is_only_binary():
    assert is_even_noise(NOISE(8192))
    assert not is_even_noise(NOISE(1024))  # too little to tell
    assert not is_even_noise(NOISE(4000) + bytes(200) + NOISE(4000))
    assert not is_even_noise(bytes(range(128)) * 64)


def test_a_large_volume_of_numbers_is_known_by_its_head():
    volume = (348).to_bytes(4, "little").ljust(344, b"\0") + b"n+1\0" + bytes(60 << 20)
    document = read(gzip.compress(volume, 1))
    assert {node.problem for node in nodes(document)} == {None}
    assert document.children[0].format is Format.RESEARCH


@pytest.mark.parametrize(
    ("limits", "data", "problem"),
    [
        (
            {"depth": 2},
            made.zipped({"a.zip": made.zipped({"b.zip": made.zipped({"c.txt": LETTER})})}),
            Problem.TOO_DEEP,
        ),
        ({"parts": 5}, made.zipped({f"{n}.txt": "bonjour" for n in range(9)}), Problem.TOO_MANY_PARTS),
        ({"member_bytes": 1000}, made.zipped({"a.xml": "<a>" + "b" * 9000 + "</a>"}), Problem.TOO_LARGE),
        ({"inflated_bytes": 5000}, made.zipped({f"{n}.txt": "bonjour " * 500 for n in range(9)}), Problem.TOO_LARGE),
        ({"inflated_bytes": 5000}, zlib.compress(b"bonjour " * 5000), Problem.TOO_LARGE),
        ({"member_bytes": 5000}, zlib.compress(b"bonjour " * 5000), Problem.TOO_LARGE),
        ({"member_bytes": 5000}, made.cms(b"\x09\x10\x01\x09", zlib.compress(b"bonjour " * 5000)), Problem.TOO_LARGE),
        ({"parts": 1}, made.tnef("bonjour"), Problem.TOO_MANY_PARTS),
        ({"rows": 3}, made.dbase([("REF", "C", 10)], [["a"]] * 9), Problem.TOO_LARGE),
        ({"rows": 3}, made.sqlite([["ref"], *[["a"]] * 9]), Problem.TOO_LARGE),
        ({"read_bytes": 600, "whole_bytes": 600}, made.sqlite([["ref"], *[["a"]] * 9]), Problem.TOO_LARGE),
    ],
)
def test_each_limit_says_what_it_is(limits, data, problem):
    found = detect(read(data, **limits))
    assert (found.judgement, found.problem) == (Judgement.UNDECIDABLE, problem)


def test_a_database_that_wants_to_run_something_is_only_read():
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("create table a(b)")
    connection.execute("insert into a values('x')")
    connection.execute(
        "create view patients as with recursive n(i) as (select 1 union all select i+1 from n) select i from n"
    )
    connection.commit()
    document = read(connection.serialize())
    assert [rows for rows in document.tables] == [[("b",), ("x",)]]
    assert document.problem is None


def test_snappy():
    plain = b"abcabcabcabcabcabcabcabc"
    assert unsnappy(b"\x18" + b"\x08abc" + bytes([(21 - 1) << 2 | 2]) + b"\x03\x00", 100) == plain
    for broken in (b"", b"\xff\xff\xff\xff\xff", b"\x18\x08abc", b"\x05\x01\x09", b"\x7f" * 20):
        with pytest.raises(Stop):
            unsnappy(broken, 1000)


def test_a_directory_of_a_disc_counts_its_patients():
    def item(body: bytes) -> bytes:
        return b"\xfe\xff\x00\xe0" + len(body).to_bytes(4, "little") + body

    def record(kind: bytes, *more: bytes) -> bytes:
        return item(element(4, 0x1430, b"CS", kind) + b"".join(more))

    people = [(b"RAMBERT^ODILE", b"1"), (b"VASSEUR^JEAN", b"2"), (b"PRADEL^LUC", b"3")]
    records = b"".join(
        record(b"PATIENT", element(0x10, 0x10, b"PN", name), element(0x10, 0x20, b"LO", number))
        + record(b"STUDY")
        + record(b"IMAGE")
        for name, number in people
    )
    data = dicom_file(element(4, 0x1220, b"SQ", records), sop=b"1.2.840.10008.1.3.10")
    found = detect(read(data))
    assert (found.judgement, found.identified, found.patients) == (Judgement.MEDICAL, True, 3)


@pytest.mark.parametrize("stray", [b"\n", b"\r\n", bytes(128)])
def test_bytes_in_front_of_a_dicom_file(stray):
    data = dicom_file(element(8, 0x60, b"CS", b"CT") + element(0x10, 0x10, b"PN", b"RAMBERT^ODILE"))
    found = detect(read(stray + data))
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, True)


def test_a_database_of_an_office_suite_is_read_by_its_members():
    assert read(made.odf("base", "<a/>", database__script="create table a")).format is Format.ZIP


def mail(kind: str, data: bytes, name: str = "smime.p7m") -> bytes:
    head = f"From: a@example.org\r\nTo: b@example.org\r\nSubject: CR\r\nMIME-Version: 1.0\r\nContent-Type: {kind}; name={name}\r\n"
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)


def test_signed_mail_is_read_and_enveloped_mail_is_told():
    """By the bytes: the parameter that says which it is may be missing."""
    signed, enveloped = made.cms(b"\x07\x02", PLAIN), made.cms(b"\x07\x03", NOISE(600))
    for kind in (
        "application/pkcs7-mime; smime-type=signed-data",
        "application/x-pkcs7-mime",
        "application/octet-stream",
    ):
        assert detect(read(mail(kind, signed), "eml")).judgement is Judgement.MEDICAL
        found = detect(read(mail(kind.replace("signed", "enveloped"), enveloped), "eml"))
        assert (found.judgement, found.problem) == (Judgement.UNDECIDABLE, Problem.ENCRYPTED)
    winmail = mail("application/ms-tnef", made.tnef(attachment=invented.docx(LETTER)), "winmail.dat")
    assert detect(read(winmail, "eml")).judgement is Judgement.MEDICAL


def test_the_preview_of_an_ordinary_document_is_no_scan():
    recipe = "Recette de la tarte aux pommes. Éplucher les pommes, les couper en quartiers, étaler la pâte. " * 5
    data = made.zipped({"Index/Document.iwa": made.iwa(recipe), "preview.jpg": b"\xff\xd8\xff\xe0" + NOISE(60_000)})
    found = detect(read(data, "pages"))
    assert (found.judgement, found.problem) == (Judgement.NOT_MEDICAL, None)
