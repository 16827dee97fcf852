"""The formats as other software writes them: character sets, line ends, labels, marks of a test, lost envelopes."""

import pytest

from agent.detection.structured.xmltree import is_closed, parse
from tests.unit.detection.structured.reading import is_cut, judge, told, verdict

NIR = "279035121518989"
MEDECIN = ["91327919", "RAMBERT", "ODILE", "89 rue des Lilas", "", "49000 ANGERS", "12/03/1979", NIR, "8740709701", "26/08/2025", "LBM01 LABO", "1078 Dr Yves CAMUSET", ""]  # fmt: skip
LAB = [
    "Glycémie à jeun élevée",
    "****LAB****",
    "RES|Glycémie|GLY|N|1.67|g/L|0.70|1.10|H|F",
    "****FIN****",
    "****FINFICHIER****",
]
HPRIM = ("medical", "hprim", True, 1)


def changed(lines, **new):
    """``line7="x"``: the seventh line, counted from 1, becomes x."""
    return [new.get(f"line{number}", line) for number, line in enumerate(lines, 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp850", "mac_roman", "utf-16"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_hprim_medecin_in_its_character_sets_and_line_ends(encoding, end):
    assert told(end.join([*MEDECIN, *LAB]).encode(encoding), "hpr") == HPRIM


@pytest.mark.parametrize(
    "new",
    [
        {"line2": "LEF&Egrave;VRE"},
        {"line2": "Nom : RAMBERT", "line3": "Prénom : ODILE", "line7": "Né(e) le : 12/03/1979"},
        {"line7": "19790312"},
        {"line7": "1979-03-12"},
        {"line7": "12/03/79"},
        {"line8": ""},
    ],
)
def test_hprim_medecin_headers(new):
    assert told("\n".join([*changed(MEDECIN, **new), *LAB]), "hpr") == HPRIM


@pytest.mark.parametrize("birth", ["ANGERS", "19791312", "32/03/1979"])
def test_a_header_without_a_birth_date_names_nobody(birth):
    assert not judge("\n".join([*changed(MEDECIN, line7=birth), *LAB]), "hpr").identified


SANTE = "H|~^\\&|1.HPR||LAB37~LABO||ORU|||MED120~DR X||{}|H2.2~C|202609020930\rP|1|4888||787|RAMBERT~ODILE|RAMBERT|19790312|F\rOBX|1|NM|HB||9.6\rL|1\r"  # fmt: skip


def test_hprim_sante_marks_its_tests_and_may_be_cut():
    assert told(SANTE.format("P"), "hpr") == HPRIM
    assert [judge(SANTE.format(mode), "hpr").test_data for mode in "PTD"] == [False, True, True]
    assert is_cut(SANTE.format("P").partition("\r")[0], "hpr")
    assert verdict(SANTE.format("P").partition("\r")[0].replace("|ORU|", "|ERR|"), "hpr") == "not_medical"


XDT = [("8000", "6310"), ("8100", "00228"), ("9218", "02.10"), ("3000", "7"), ("3101", "Müller-Lüdenscheidt"), ("3102", "Jürgen"), ("3103", "01101945")]  # fmt: skip


def xdt(fields, encoding):
    lines = ((name.encode(), text.encode(encoding)) for name, text in fields)
    return b"".join(b"%03d%s%s\r\n" % (len(text) + 9, name, text) for name, text in lines)


@pytest.mark.parametrize("encoding", ["cp437", "iso8859_15", "utf-8", "cp1252"])
def test_xdt_counts_bytes_in_every_character_set(encoding):
    assert told(xdt(XDT, encoding), "gdt") == ("medical", "xdt", True, 1)
    assert told(b"\xef\xbb\xbf" * (encoding == "utf-8") + xdt(XDT, encoding), "gdt") == ("medical", "xdt", True, 1)
    wrong = b"".join(b"999" + line[3:] + b"\n" for line in xdt(XDT, encoding).splitlines())
    assert verdict(wrong, "gdt") == "not_medical"


def test_xdt_heads_and_treatments_of_the_same_patient():
    assert is_cut(xdt(XDT[:2], "ascii"), "gdt")
    closed = [("8000", "con0"), ("9103", "01042026"), ("9106", "1"), ("0201", "1234567"), ("8000", "con9")]
    assert verdict(xdt(closed, "ascii"), "con") == "not_medical"
    assert is_cut(xdt(closed[:-1], "ascii"), "con")
    visits = [*XDT, ("8000", "6200"), ("3000", "7"), ("6205", "Angina")]
    assert told(xdt(visits, "cp437"), "bdt")[3] == 1
    reserved = [(name, "Mustermann" if name == "3101" else text) for name, text in XDT]
    assert judge(xdt(reserved, "cp437"), "gdt").test_data


def test_a_kmehr_folder_without_a_patient_is_still_one():
    folder = '<folder xmlns="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><transaction/></folder>'
    assert told(folder, "xml") == ("medical", "kmehr", False, 1)
    schema = '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"/>'
    assert verdict(schema, "xsd") == "not_medical"


def test_a_page_with_times_and_a_quoted_message_is_no_log():
    message = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\nPID|1||731||CHEVALLIER^MARGOT||19790312|F\n"
    page = (
        "2026-03-12 10:15:00 the meeting began\n" + message + "Then we spoke about the interface and its tests.\n" * 12
    )
    assert verdict(page) == "not_medical"


def test_entities_stay_as_they_are():
    declared = '<!DOCTYPE x [<!ENTITY a "expanded">]><x><b>&a;</b></x>'
    root = parse(declared.encode())
    assert root is not None
    assert [node.name for node in root.walk()] == ["x", "b"]
    assert "expanded" not in root.say("b")
    many = "<!DOCTYPE x [" + "".join(f'<!ENTITY a{n} "b">' for n in range(100)) + "]><x/>"
    assert parse(many.encode()) is None


@pytest.mark.parametrize("tail", ["</x>", "</n:x >\n", "</x><!-- end -->", "<x a='1'/>"])
def test_a_closed_document(tail):
    assert is_closed(b"<x><b/>" + tail.encode(), "x")
    assert is_closed(("<x><b/>" + tail).encode("utf-16-le"), "x")


@pytest.mark.parametrize("tail", ["", "</b>", "</xy>", "<x>", "&lt;/x&gt;"])
def test_a_document_that_breaks_off(tail):
    assert not is_closed(b"<x><b>" + tail.encode(), "x")
