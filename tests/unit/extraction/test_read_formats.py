"""One small document of every format: its text, its structure, and what is inside it."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import os
import tempfile
import zlib
from pathlib import Path

import pytest

from agent.document import Area, Document, Format, Problem, Spot
from agent.extraction.formats.program import carries_more
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes, read_document
from agent.extraction.samples import dicom_file, element
from tests.unit.extraction import made_documents as made
from tests.unit.extraction.made_documents import LETTER

PATIENT = "TESTEUR"
IMAGE = b"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>stream\n\x80\nendstream"
FULL_PAGE = b"q 600 0 0 800 0 0 cm /I Do Q"


def read(data: bytes, extension: str = "", limits: Limits | None = None) -> Document:
    return read_bytes(data, extension, Budget(limits or Limits(soft_seconds=30)))


def nodes(document: Document) -> list[Document]:
    return [document] + [node for child in document.children for node in nodes(child)]


def text_of(document: Document, area: Area | None = None) -> str:
    return "\n".join(p.text for node in nodes(document) for p in node.parts if area in {None, p.spot.area})


def test_a_descriptor_is_read_by_position_and_left_as_it_was():
    with tempfile.TemporaryFile() as file:
        file.write(made.docx())
        file.flush()
        os.lseek(file.fileno(), 7, os.SEEK_SET)
        size = os.fstat(file.fileno()).st_size
        document = read_document(file.fileno(), "docx", size, Budget(Limits(soft_seconds=30)))
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 7
    assert (document.format, document.size, document.problem) == (Format.DOCX, size, None)
    assert PATIENT in text_of(document)


def test_a_descriptor_that_cannot_be_read_is_unreadable():
    reading, writing = os.pipe()
    try:
        document = read_document(writing, "txt", 100, Budget(Limits(soft_seconds=30)))
    finally:
        os.close(reading)
        os.close(writing)
    assert document.problem is Problem.UNREADABLE


PLAIN = [
    ("txt", LETTER.encode("cp1252"), Format.TEXT),
    ("csv", f"nom;texte;date\nA;{LETTER};1\nB;c;2\n".encode(), Format.CSV),
    ("rtf", b"{\\rtf1\\ansi\\ansicpg1252 " + LETTER.encode("cp1252").replace(b"\xe9", b"\\'e9") + b"}", Format.RTF),
    ("html", f"<html><body><p>{LETTER}</p></body></html>".encode(), Format.HTML),
    ("xml", f"<?xml version='1.0'?><a><b>{LETTER}</b></a>".encode(), Format.XML),
    ("xml", f"<?xml version='1.0' encoding='windows-1252'?><a>{LETTER}</a>".encode("cp1252"), Format.XML),
    ("xml", f"<?xml version='1.0' encoding='UTF-16'?><a>{LETTER}</a>".encode("utf-16"), Format.XML),
    ("json", json.dumps({"text": LETTER}).encode(), Format.JSON),
    ("ndjson", (json.dumps({"text": LETTER}) + "\n" + json.dumps({"b": 1}) + "\n").encode(), Format.NDJSON),
    ("hl7", b"MSH|^~\\&|A|B\rOBX|1|TX|||" + LETTER.encode(), Format.HL7V2),
    ("eml", f"From: a@b\nTo: c@d\nSubject: x\n\n{LETTER}".encode(), Format.EML),
    ("mbox", f"From a Mon Jan  1 00:00:00 2026\nFrom: a@b\nSubject: x\n\n{LETTER}\n".encode(), Format.MBOX),
    ("pdf", made.pdf([made.shown(LETTER)]), Format.PDF),
    ("docx", made.docx(), Format.DOCX),
    ("xlsx", made.xlsx(f'<row><c t="inlineStr"><is><t>{LETTER}</t></is></c></row>'), Format.XLSX),
    (
        "pptx",
        made.zipped(
            {
                "[Content_Types].xml": "",
                "ppt/slides/slide1.xml": f"<a><a:p><a:t>{LETTER}</a:t></a:p></a>".replace("<a>", "<a xmlns:a='x'>"),
            }
        ),
        Format.PPTX,
    ),
    ("odt", made.odf("text", f"<text:p>{LETTER}</text:p>"), Format.ODT),
    (
        "ods",
        made.odf(
            "spreadsheet",
            f"<table:table><table:table-row><table:table-cell><text:p>{LETTER}</text:p></table:table-cell></table:table-row></table:table>",
        ),
        Format.ODS,
    ),
    ("odp", made.odf("presentation", f"<text:p>{LETTER}</text:p>"), Format.ODP),
    ("doc", made.doc(LETTER), Format.DOC),
    ("doc", made.doc(LETTER, narrow=False), Format.DOC),
    ("xls", made.xls([[LETTER]]), Format.XLS),
    (
        "ppt",
        made.compound({("PowerPoint Document",): b"\x0f\0" + LETTER.encode("utf-16-le"), ("Current User",): bytes(20)}),
        Format.PPT,
    ),
    ("msg", made.msg("x", LETTER), Format.MSG),
    ("pub", made.compound({("Quill",): LETTER.encode("utf-16-le")}), Format.OLE),
    ("zip", made.zipped({"a.txt": LETTER}), Format.ZIP),
    ("tar", made.tar({"a.txt": LETTER.encode()}), Format.TAR),
    ("gz", gzip.compress(LETTER.encode()), Format.GZIP),
    ("bz2", bz2.compress(LETTER.encode()), Format.BZIP2),
    ("xz", lzma.compress(LETTER.encode()), Format.XZ),
    ("tgz", gzip.compress(made.tar({"a.txt": LETTER.encode()})), Format.GZIP),
    ("7z", made.seven_zip({"a.txt": LETTER.encode()}), Format.SEVENZIP),
    ("rar", made.rar(b"a.txt", LETTER.encode()), Format.RAR),
    ("db", made.sqlite([["texte"], [LETTER]]), Format.SQLITE),
    ("bin", b"\x00\x01\x02\x03\xfe" + bytes(60) + LETTER.encode("cp1252"), Format.UNKNOWN),
]


@pytest.mark.parametrize(
    ("extension", "data", "expected"), PLAIN, ids=[f"{e}-{n}" for n, (e, _, _) in enumerate(PLAIN)]
)
def test_each_format_gives_its_text(extension: str, data: bytes, expected: Format):
    document = read(data, extension)
    assert document.format is expected
    assert [node.problem for node in nodes(document)] == [None] * len(nodes(document))
    assert PATIENT in text_of(document)
    assert "12/03/1950" in text_of(document)


@pytest.mark.parametrize(
    ("extension", "data", "expected"), PLAIN, ids=[f"{e}-{n}" for n, (e, _, _) in enumerate(PLAIN)]
)
def test_a_wrong_extension_changes_nothing(extension: str, data: bytes, expected: Format):
    if expected in {Format.CSV, Format.NDJSON}:
        pytest.skip("plain text: the extension is part of the evidence")
    document = read(data, "jpg")
    assert document.format is expected
    assert PATIENT in text_of(document)


def test_a_member_is_read_and_its_name_is_text():
    document = read(made.zipped({"dossier/Jeanne INVENTEE.docx": made.docx()}))
    (child,) = document.children
    assert (child.format, child.extension, child.spot) == (Format.DOCX, "docx", Spot(Area.MEMBER, 1))
    assert child.parts[0].text == "dossier/Jeanne INVENTEE.docx"
    assert child.parts[0].spot.area is Area.MEMBER


def test_word_every_part_is_read():
    document = read(
        made.docx(
            "corps",
            word__header1_xml=made.word_part("entête"),
            word__footer1_xml=made.word_part("pied", "ftr"),
            word__comments_xml=made.word_part("remarque", "comments"),
            word__footnotes_xml=made.word_part("renvoi", "footnotes"),
            docProps__core_xml="<c><title>un titre</title><creator>Dr Alix Exemple</creator></c>",
            customXml__item1_xml="<r><nom>caché</nom></r>",
        )
    )
    for word in ("corps", "entête", "pied", "remarque", "renvoi", "un titre", "Alix", "caché"):
        assert word in text_of(document), word
    assert "entête" in text_of(document, Area.HEADER)
    assert "un titre" in text_of(document, Area.PROPERTIES)


def test_word_deleted_text_text_boxes_and_descriptions_are_read():
    body = (
        (
            "a</w:t></w:r></w:p><w:p><w:del><w:r><w:delText>supprimé</w:delText></w:r></w:del></w:p>"
            "<w:p><w:r><w:pict><v:textbox><w:txbxContent><w:p><w:r><w:t>cadre</w:t></w:r></w:p></w:txbxContent></v:textbox>"
            '</w:pict><wp:docPr id="1" descr="radio du thorax"/></w:r></w:p><w:p><w:r><w:t>z'
        )
        .replace("v:textbox", "w:textbox")
        .replace("wp:docPr", "w:docPr")
    )
    text = text_of(read(made.docx(body)))
    assert all(word in text for word in ("supprimé", "cadre", "radio du thorax"))


def test_word_runs_join_and_cells_share_a_line():
    body = (
        "TES</w:t></w:r><w:r><w:t>TEUR</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>Poids</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>70 kg</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p><w:r><w:t>fin"
    )
    lines = text_of(read(made.docx(body))).split("\n")
    assert lines[:2] == ["TESTEUR", "Poids\t70 kg"]


def test_office_part_names_with_backslashes_and_odd_case():
    data = made.zipped({"[CONTENT_TYPES].XML": "", "Word\\Document.XML": made.word_part(LETTER, "document")})
    document = read(data)
    assert document.format is Format.DOCX
    assert PATIENT in text_of(document)


def test_office_formatting_is_skipped_by_type_and_not_by_name():
    hidden = made.word_part(LETTER, "document")
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.{}+xml"
    for type_, expected in (("styles", False), ("document.main", True)):
        types = f'<Types><Override PartName="/word/styles.xml" ContentType="{kind.format(type_)}"/></Types>'
        document = read(
            made.zipped({"[Content_Types].xml": types, "word/document.xml": "<a/>", "word/styles.xml": hidden})
        )
        assert (PATIENT in text_of(document)) is expected


def test_office_embedded_files_are_children():
    document = read(
        made.docx("x", **{"word__embeddings__feuille.xlsx": made.xlsx(f'<row><c t="str"><v>{LETTER}</v></c></row>')})
    )
    (child,) = document.children
    assert child.format is Format.XLSX
    assert PATIENT in text_of(child)


def test_office_a_pasted_scan_is_said_and_a_logo_is_not():
    scan, logo = os.urandom(60_000), os.urandom(3_000)
    poor = read(made.docx("", word__media__image1_jpeg=scan).replace(b"image1_jpeg", b"image1.jpeg"))
    rich = read(made.docx(LETTER * 5, word__media__image1_jpeg=logo).replace(b"image1_jpeg", b"image1.jpeg"))
    assert [child.problem for child in poor.children] == [Problem.IMAGE]
    assert [child.problem for child in rich.children] == [None]


@pytest.mark.parametrize(
    "paste",
    [
        lambda text, scan: made.doc(text, data=bytes(68) + made.blip(scan)),
        lambda text, scan: made.rtf(text, b"{\\pict{\\*\\blipuid " + b"0f" * 16 + b"}\\jpegblip\\picw1654 " + scan.hex().encode()),
        lambda text, scan: made.rtf(text, b"{\\pict\\jpegblip\\picwgoal9000\n" + scan.hex().encode()),
        lambda text, scan: made.rtf(text, b"{\\pict\\jpegblip \\bin%d %s" % (len(scan), scan)),
    ],
)  # fmt: skip
def test_a_scan_in_an_old_document_is_said_and_an_illustration_is_not(paste):
    scan = b"\xff\xd8\xff\xe0" + os.urandom(60_000)
    (child,) = read(paste("Veuillez trouver ci-joint.", scan)).children
    assert (child.format, child.problem, child.size) == (Format.IMAGE, Problem.IMAGE, len(scan))
    (child,) = read(paste(LETTER * 5, scan)).children
    assert (child.format, child.problem) == (Format.IMAGE, None)


def test_rtf_a_picture_that_is_kept_twice_is_one():
    shown = b"{\\*\\shppict{\\pict\\pngblip " + b"89504e47" * 9_000 + b"}}"
    twin = b"{\\nonshppict{\\pict\\wmetafile8 " + b"01000900" * 9_000 + b"}"
    assert len(read(made.rtf("Bonjour", shown + twin)).children) == 1


def test_rtf_a_path_is_no_picture():
    assert "fin" in text_of(read(b"{\\rtf1\\ansi C:\\\\bin960 est le dossier, fin}"))


def test_sheet_cells_are_rows_with_dates_as_iso():
    styles = (
        '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    )
    sheet = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="inlineStr"><is><t>NIR</t></is></c></row>'
        '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" s="1"><v>18334</v></c><c r="C2" s="2"><v>18334.5</v></c>'
        '<c r="D2"><v>2.79035121518989E14</v></c></row>'
    )
    strings = "<si><t>Nom</t></si><si><r><t>Né</t></r><r><t> le</t></r></si><si><t>TESTEUR</t><rPh><t>x</t></rPh></si><si><t>effacé</t></si>"
    document = read(made.xlsx(sheet, strings, styles))
    assert document.tables == [
        [("Nom", "Né le", "", "NIR"), ("TESTEUR", "1950-03-12", "1950-03-12 12:00", "279035121518989")]
    ]
    assert "TESTEUR\t1950-03-12" in text_of(document, Area.SHEET)
    assert "effacé" in text_of(document, Area.PROPERTIES)
    assert "Patients" in text_of(document, Area.PROPERTIES)


def test_sheet_all_sheets_are_read_the_hidden_ones_too():
    data = made.zipped(
        {
            "[Content_Types].xml": "",
            "xl/workbook.xml": '<workbook><sheets><sheet name="a"/><sheet name="b" state="veryHidden"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": '<s><row><c t="str"><v>un</v></c></row></s>',
            "xl/worksheets/sheet2.xml": '<s><row><c t="str"><v>deux</v></c></row></s>',
            "xl/comments1.xml": "<comments><t>une remarque</t></comments>",
            "xl/pivotCache/pivotCacheDefinition1.xml": '<d><s v="valeur gardée"/></d>',
        }
    )
    document = read(data)
    assert document.tables == [[("un",)], [("deux",)]]
    assert "une remarque" in text_of(document)
    assert "valeur gardée" in text_of(document)


def test_opendocument_sheets_are_rows_with_dates_as_iso():
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    date = '<table:table-cell office:date-value="1950-03-12"><text:p>12/03/50</text:p></table:table-cell>'
    gap = '<table:table-cell table:number-columns-repeated="2"/>'
    rows = f"<table:table-row>{cell.format('A')}{gap}{cell.format('B')}</table:table-row><table:table-row>{cell.format('C')}{date}</table:table-row>"
    document = read(made.odf("spreadsheet", f'<table:table table:name="Liste">{rows}</table:table>'))
    assert document.tables == [[("A", "", "", "B"), ("C", "1950-03-12")]]
    assert "Liste" in text_of(document, Area.PROPERTIES)


def test_opendocument_headers_and_properties_are_read():
    parts = {"styles_xml": "<s xmlns:text='t'><text:p>entête</text:p></s>", "meta_xml": "<m><title>titre</title></m>"}
    document = read(made.odf("text", "<text:p>corps</text:p>", **parts))
    assert "entête" in text_of(document, Area.HEADER)
    assert "titre" in text_of(document, Area.PROPERTIES)


def test_old_sheets_are_rows():
    document = read(made.xls([["Nom", "Né le"], ["TESTEUR", "12/03/1950"]]))
    assert document.tables == [[("Nom", "Né le"), ("TESTEUR", "12/03/1950")]]


def test_outlook_message_parts():
    document = read(made.msg("Sujet", "Corps", ("Lettre de Mme X.docx", made.docx())))
    assert document.fields["subject"] == "Sujet"
    assert document.fields["from"] == "Dr Alix Exemple"
    assert text_of(document, Area.SUBJECT) == "Sujet"
    (child,) = document.children
    assert (child.format, child.spot.area) == (Format.DOCX, Area.ATTACHMENT)
    assert "Lettre de Mme X.docx" in text_of(child, Area.MEMBER)


def test_mail_parts():
    data = (
        b"From: =?utf-8?q?Dr_Alix_=C3=89xemple?= <a@exemple.fr>\r\nTo: b@exemple.fr\r\nSubject: =?iso-8859-1?Q?R=E9sultats?=\r\n"
        b'\tde Mme X\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="=_1"\r\n\r\npreamble\r\n--=_1\r\n'
        b"Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nN=E9e le =\r\n12/03/1950\r\n--in\r\nContent-Type: text/html\r\n\r\n"
        b"<b>gras</b>\r\n--in--\r\n--=_1\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename*0*=utf-8''L%C3%A9a; filename*1*=%20X.docx\r\n\r\n"
        + base64.encodebytes(made.docx())
        + b"--=_1--\r\n"
    )
    document = read(data)
    assert document.fields["subject"] == "Résultats de Mme X"
    assert document.fields["from"] == "Dr Alix Éxemple <a@exemple.fr>"
    assert text_of(document, Area.SUBJECT) == "Résultats de Mme X"
    assert "Née le 12/03/1950" in text_of(document, Area.BODY)
    assert "gras" in text_of(document, Area.BODY)
    (child,) = document.children
    assert child.format is Format.DOCX
    assert text_of(child, Area.MEMBER) == "Léa X.docx"


def test_mail_a_small_picture_may_be_a_page():
    """A page of a fax is smaller than many a logo: what is not plainly too small to be one waits to be looked at."""
    head = "From: a@exemple.fr\nTo: b@exemple.fr\nMIME-Version: 1.0\nMessage-ID: <1@x>\nContent-Type: image/tiff; name=f.tif\n"
    fax = b"II*\0\x08\0\0\0" + bytes(14_000)
    mail = head + "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(fax).decode()
    (child,) = read(mail.encode()).children
    assert (child.format, child.problem) == (Format.IMAGE, Problem.IMAGE)


def test_outlook_a_body_that_is_there_twice_is_read_once():
    assert read(made.msg("x", LETTER, html=f"<html><body><p>{LETTER}</p></body></html>".encode())).children == []


def test_mail_within_mail():
    inner = f"From: a@b\r\nTo: c@d\r\nSubject: transmis\r\n\r\n{LETTER}".encode()
    data = b"From: a@b\r\nTo: c@d\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    (child,) = read(data).children
    assert (child.format, child.fields["subject"]) == (Format.EML, "transmis")


def test_web_page_hidden_places():
    data = (
        b"<html><head><title>titre</title><meta name=description content='une description'></head><body><!-- une remarque -->"
        b"<p>A<p>B<img alt='une radio' src='data:text/plain;base64,"
        + base64.b64encode(LETTER.encode())
        + b"'><table><tr><td>c1</td><td>c2</td></tr></table><script>var code</script></body></html>"
    )
    document = read(data)
    for word in ("titre", "une description", "une remarque", "une radio"):
        assert word in text_of(document, Area.PROPERTIES), word
    assert text_of(document, Area.BODY).split("\n")[:3] == ["A", "B", "c1\tc2"]
    assert "var code" not in text_of(document)
    assert PATIENT in text_of(document.children[0])


def test_xml_gives_labelled_lines_attributes_and_raw():
    data = b'<?xml version="1.0"?><p><nom>DUPONT</nom><ne value="19500312"/><texte>un <b>mot</b> gras</texte></p>'
    document = read(data)
    assert document.raw == data
    assert "nom: DUPONT" in text_of(document, Area.BODY)
    assert "19500312" in text_of(document, Area.FIELD)


def test_xml_with_a_document_inside():
    data = (
        b'<?xml version="1.0"?><a><text representation="B64">'
        + base64.encodebytes(made.pdf([made.shown(LETTER)]))
        + b"</text></a>"
    )
    (child,) = read(data).children
    assert child.format is Format.PDF
    assert PATIENT in text_of(child)


def test_hl7_with_a_document_inside():
    data = (
        b"MSH|^~\\&|A|B\rOBX|1|ED|x||^APPLICATION^PDF^Base64^"
        + base64.b64encode(made.pdf([made.shown(LETTER)]))
        + b"||\r"
    )
    document = read(data)
    assert document.raw == data
    assert PATIENT in text_of(document.children[0])


def test_json_names_stay_with_values():
    document = read(b'{"patient": {"nom": "DUPONT", "ids": [1, "x"]}, "vide": null}')
    assert text_of(document).split("\n") == ["nom: DUPONT", "ids: 1", "ids: x"]


def test_csv_rows():
    document = read('Nom;Né le\n"DUPONT; Jean";12/03/1950\n;\n'.encode("cp1252"), "csv")
    assert document.tables == [[("Nom", "Né le"), ("DUPONT; Jean", "12/03/1950")]]


def test_rtf_headers_information_and_objects():
    ole1 = (
        b"\x01\x05\0\0\x02\0\0\0\x04\0\0\0pkg\0\0\0\0\0\0\0\0\0"
        + (len(made.docx())).to_bytes(4, "little")
        + made.docx()
    )
    data = (
        b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\info{\\title un titre}}{\\header Mme ent\\'eate\\par}"
        b"corps \\u233?t\\u-10179?\\u-8704? \\{x\\}{\\*\\generator bruit}{\\object{\\*\\objdata "
        + ole1.hex().encode()
        + b"}}\\par}"
    )
    document = read(data)
    assert "Mme entête" in text_of(document, Area.BODY)
    assert "corps ét" in text_of(document, Area.BODY)
    assert "{x}" in text_of(document, Area.BODY)
    assert "un titre" in text_of(document, Area.PROPERTIES)
    assert "bruit" not in text_of(document)
    assert "Arial" not in text_of(document)
    assert document.children[0].format is Format.DOCX
    text_of(document).encode()  # no lone surrogates


def test_pdf_attachments_forms_and_notes():
    letter = LETTER.encode()
    attached = {
        900: b"<</Names[(a.txt)901 0 R]>>",
        901: b"<</Type/Filespec/F(a.txt)/UF(a.txt)/EF<</F 902 0 R>>>>",
        902: b"<</Type/EmbeddedFile/Length %d>>stream\n%s\nendstream" % (len(letter), letter),
        903: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(nom)/V(DUPONT)/Rect[0 0 100 20]>>",
        904: b"<</Type/Annot/Subtype/Text/Contents(Note en marge)/Rect[0 0 9 9]>>",
        905: b"<</Title(un titre)>>",
    }
    root = b"/Names<</EmbeddedFiles 900 0 R>>/AcroForm<</Fields[903 0 R]>>"
    data = made.pdf(
        [made.shown("page")], root=root, extra=attached, page=b"/Annots[903 0 R 904 0 R]", trailer=b"/Info 905 0 R"
    )
    document = read(data)
    assert "nom: DUPONT" in text_of(document, Area.PAGE)
    assert "Note en marge" in text_of(document, Area.PAGE)
    assert "un titre" in text_of(document, Area.PROPERTIES)
    assert PATIENT in text_of(document.children[0])


def test_pdf_scans_are_said():
    picture = {"resources": b"/XObject<</I 900 0 R>>", "extra": {900: IMAGE}}
    assert read(made.pdf([FULL_PAGE], **picture)).problem is Problem.IMAGE
    assert (
        read(made.pdf([b"q 300 0 0 400 0 0 cm /I Do Q"], **picture)).problem is Problem.IMAGE
    )  # a quarter of the page
    assert read(made.pdf([b"q 120 0 0 80 0 0 cm /I Do Q"], **picture)).problem is None  # a logo
    mixed = read(made.pdf([made.shown(LETTER)] * 3 + [FULL_PAGE], **picture))
    assert mixed.problem is None
    assert [(child.format, child.problem, child.spot) for child in mixed.children] == [
        (Format.IMAGE, Problem.IMAGE, Spot(Area.PAGE, 4))
    ]
    assert read(made.pdf([made.shown(LETTER)])).children == []


def test_pdf_long_ones_are_sampled_and_say_so():
    document = read(
        made.pdf([made.shown(f"page numero {number} du document") for number in range(1, 101)]),
        limits=Limits(pages=20, soft_seconds=30),
    )
    pages = [part.spot.number for part in document.parts if part.spot.area is Area.PAGE]
    assert document.truncated
    assert len(pages) == 20
    assert pages[:10] == list(range(1, 11))
    assert pages[-5:] == [96, 97, 98, 99, 100]
    assert not read(made.pdf([made.shown("page de texte courant")] * 20)).truncated


DATA = (
    element(8, 5, b"CS", b"ISO_IR 100")
    + element(8, 0x60, b"CS", b"CT")
    + element(0x10, 0x10, b"PN", "TESTEUR^Éloïse".encode("latin-1"))
    + element(0x10, 0x20, b"LO", b"000123")
    + element(0x10, 0x30, b"DA", b"19500312")
)


def test_dicom_header_fields():
    document = read(dicom_file(DATA + element(0x7FE0, 0x10, b"OW", bytes(1000))))
    assert document.format is Format.DICOM
    assert document.problem is None
    assert document.fields["0010,0010"] == "TESTEUR^Éloïse"
    assert document.fields["0010,0030"] == "19500312"
    assert document.fields["0002,0010"] == "1.2.840.10008.1.2.1"
    assert PATIENT in text_of(document)


def test_dicom_without_preamble_and_deflated():
    assert read(DATA).fields["0010,0020"] == "000123"
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(DATA) + packer.flush()
    assert read(dicom_file(packed, b"1.2.840.10008.1.2.1.99")).fields["0010,0020"] == "000123"


def test_dicom_nested_values_and_payload():
    item = element(0x40, 0xA160, b"UT", b"opacity of the left lung")
    items = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    payload = made.pdf([made.shown(LETTER)])
    data = (
        DATA
        + element(0x40, 0xA730, b"SQ", items)
        + element(0x42, 0x11, b"OB", payload)
        + element(0x42, 0x12, b"LO", b"application/pdf")
    )
    document = read(dicom_file(data))
    assert "opacity of the left lung" in text_of(document)
    assert document.children[0].format is Format.PDF
    assert PATIENT in text_of(document.children[0])


def test_long_texts_keep_head_and_tail():
    limits = Limits(soft_seconds=30, text_head_bytes=1000, text_tail_bytes=1000)
    document = read(b"debut " + b"x " * 5000 + b"milieu " + b"x " * 5000 + b"fin", "txt", limits)
    assert document.truncated
    assert document.problem is None
    assert "debut" in text_of(document)
    assert "fin" in text_of(document)
    assert "milieu" not in text_of(document)


def test_text_beyond_the_budget_is_cut_and_said():
    document = read(made.docx("mot " * 5000), "docx", Limits(soft_seconds=30, text_chars=1000))
    assert document.truncated
    assert len(text_of(document)) == 1000


def test_pictures_too_small_for_a_page_are_no_problem():
    def png(width: int, height: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes(40)

    assert read(png(32, 32)).problem is None
    assert read(png(1200, 1600)).problem is Problem.IMAGE


def test_signals_keep_their_header():
    data = b"0       " + b"X M 12-MAR-1950 Nom_Invente".ljust(160) + b"01.01.2610.10.10256     ".ljust(88)
    document = read(data, "edf")
    assert (document.format, document.raw) == (Format.SIGNAL, data)
    assert "Nom_Invente" in text_of(document)


def test_an_archive_behind_a_program_is_read():
    document = read(b"\x7fELF" + bytes(5000) + made.zipped({"a.txt": LETTER}))
    assert document.format is Format.EXECUTABLE
    assert PATIENT in text_of(document)


@pytest.mark.parametrize(
    "data", [made.program(), made.program(signature=bytes(5000)), Path("/usr/bin/env").read_bytes()], ids=len
)
def test_a_program_that_carries_nothing_tells_so_in_its_beginning(data: bytes):
    assert not carries_more(data[:4096], len(data))
    assert carries_more(data[:4096], len(data) + 10_000)


def test_marks_of_archives_without_an_archive_are_words():
    """In an archive's beginning its checksum must hold; a text that is full of marks is said to be cut."""
    marks = b"7z\xbc\xaf\x27\x1c, Rar!\x1a\x07\0 PK\x05\x06\n"
    document = read(LETTER.encode() * 60 + marks, "txt")
    assert (document.children, document.problem, document.truncated) == ([], None, False)
    assert read(LETTER.encode() * 60 + marks * 2_000, "txt").truncated
    tool = read(b"\x7fELF" + bytes(5000) + b"PK\x05\x06" + bytes(range(60, 255)))  # that packs archives itself
    assert (tool.children, tool.problem) == ([], None)


def test_a_workbook_whose_parts_bear_names_of_their_own_is_a_table():
    """The list of strings under the usual name is not the one that the workbook names."""
    words = "".join(f"<x:si><x:t>{word}</x:t></x:si>" for word in (PATIENT, "HTA"))
    relation = '<Relationship Id="r" Type="http://x/relationships/sharedStrings" Target="/lists/l.xml"/>'
    members = {
        "[Content_Types].xml": "<Types/>",
        "xl/book.xml": '<workbook><sheets><sheet name="Patients" sheetId="1"/></sheets></workbook>',
        "xl/_rels/book.xml.rels": f"<Relationships>{relation}</Relationships>",
        "xl/sharedStrings.xml": "<sst><si><t>stylo</t></si></sst>",
        "lists/l.xml": f"<x:sst xmlns:x='x'>{words}</x:sst>",
        "looks.dat": '<!-- <sst> --><styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        "feuille1.dat": '<?xml version="1.0"?><worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c>'
        '<c s="1"><v>18334</v></c></row></sheetData></worksheet>',
    }
    document = read(made.zipped(members), "xlsx")
    assert document.tables == [[(PATIENT, "HTA", "1950-03-12")]]
    assert "Patients" in text_of(document)


def test_formatted_cells_of_a_binary_workbook_are_cells():
    assert read(made.xlsb([[PATIENT, "HTA"]])).tables == [[(PATIENT, "HTA")]]


def _drawing(shapes: str, extra: str = "") -> bytes:
    """An SVG that refers to one shape after another."""
    uses = "".join(f"<use xlink:href='#g{ord(shape)}' x='{place}'/>" for place, shape in enumerate(shapes))
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{uses}{extra}</svg>'.encode()


def test_an_svg_that_draws_a_text_letter_by_letter_is_a_picture_of_it():
    assert read(_drawing(LETTER * 8), "svg").problem is Problem.IMAGE


@pytest.mark.parametrize(
    "data",
    [
        _drawing(LETTER),  # a few words
        _drawing("abcde" * 500 + "0123456789 mmol/l"),  # a plot
        _drawing("".join(map(chr, range(200, 1200)))[:190]),  # symbols of a map
        _drawing(LETTER * 8, f"<!-- {LETTER * 8} -->"),  # it says what it draws
        b'<svg xmlns="http://www.w3.org/2000/svg">' + b'<path d="M0 0L1 1"/>' * 900 + b"</svg>",
    ],
    ids=["words", "plot", "map", "told", "paths"],
)
def test_other_drawings_are_none(data: bytes):
    assert read(data, "svg").problem is None
