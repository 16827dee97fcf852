"""xDT, KMEHR, EDIFACT, signals in binary and XML, research data; and that no bytes make a recogniser raise."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection.structured import Recognised, recognise
from agent.document import Document, Format
from agent.findings import Kind


def judged(raw: bytes, format_: Format = Format.TEXT) -> Recognised | None:
    return recognise(Document(format_, size=len(raw), raw=raw))


def xdt(*fields: tuple[str, str], off: int = 0) -> bytes:
    return "".join(f"{len(content) + 9 + off:03d}{field}{content}\r\n" for field, content in fields).encode("cp1252")


GDT = (
    ("8000", "6310"),
    ("8100", "00120"),
    ("9218", "02.10"),
    ("3000", "4711"),
    ("3101", "Müller"),
    ("3102", "Käthe"),
    ("3103", "12031979"),
)


def test_xdt():
    result = judged(xdt(*GDT, ("6228", "Befund")))
    assert (result.kind, result.identified, result.persons) == (Kind.XDT, True, {"MULLER|KATHE|12031979"})
    assert judged(xdt(*GDT[:3], ("9901", "x"))).patient_data is False
    assert judged(xdt(*GDT, off=1)) is None
    assert judged(xdt(*GDT[1:])) is None
    assert (
        len(judged(xdt(*GDT, ("3000", "4712"), ("3101", "Schmitz"), ("3102", "Jan"), ("3103", "01011980"))).persons)
        == 2
    )


KMEHR = """<kmehrmessage xmlns="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><header/><folder><patient>
<id S="INSS">85073003328</id><firstname>Odile</firstname><familyname>Rambert</familyname><birthdate><date>1979-03-12</date></birthdate>
</patient><transaction/></folder></kmehrmessage>"""


def test_kmehr():
    result = judged(KMEHR.encode(), Format.XML)
    assert (result.kind, result.persons) == (Kind.KMEHR, {"RAMBERT|ODILE|19790312"})
    empty = b'<kmehrmessage xmlns="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><header/></kmehrmessage>'
    assert judged(empty, Format.XML).patient_data is False


def test_edifact():
    text = "UNA:+.? 'UNB+UNOA:1+500+600'UNH+1+MEDLAB:1'PID+1979:03:12+V+Rambert:::::O.+2'BEP:1:1:1+0+Hb+7.0++mmol/l'UNT+5+1'UNZ+1+1'"
    result = judged(text.encode())
    assert (result.kind, result.identified) == (Kind.EDIFACT, True)
    assert result.persons == {"RAMBERT|O|19790312"}
    assert judged(text.replace("MEDLAB", "INVOIC").encode()) is None


def edf(patient: str) -> bytes:
    return (
        f"0       {patient:<80}{'Startdate 02-MAR-2024 X X X':<80}02.03.2409.30.00512     EDF+C".encode("latin-1")
        + b" " * 300
    )


@pytest.mark.parametrize(
    ("patient", "identified"),
    [("4711 F 12-MAR-1979 Odile_Rambert", True), ("X X X X", False), ("", False), ("Rambert Odile", True)],
)
def test_edf(patient, identified):
    result = judged(edf(patient), Format.SIGNAL)
    assert result.patient_data
    assert result.identified is identified


def test_scp_ecg():
    section = b"".join(
        struct.pack("<BH", tag, len(value)) + value
        for tag, value in ((0, b"Rambert\0"), (1, b"Odile\0"), (2, b"4711\0"))
    )
    section += struct.pack("<BHHBB", 5, 4, 1979, 3, 12) + struct.pack("<BH", 255, 0)
    pointers = struct.pack("<HII", 0, 16 + 20, 7) + struct.pack("<HII", 1, 16 + len(section), 43)
    header = struct.pack("<HI", 0, 500) + struct.pack("<HHI", 0, 0, 36) + b"\x14\x14" + b"SCPECG"
    raw = header + pointers + b"\0" * 16 + section
    result = judged(raw, Format.SIGNAL)
    assert (result.kind, result.persons) == (Kind.ECG, {"RAMBERT|ODILE|19790312"})


def test_ishne():
    raw = b"ISHNE1.0" + b"\0" * 20 + b"Odile".ljust(40, b"\0") + b"Rambert".ljust(40, b"\0") + b"4711".ljust(20, b"\0")
    assert judged(raw, Format.SIGNAL).persons == {"RAMBERT|ODILE|"}


@pytest.mark.parametrize(
    ("text", "identified"),
    [
        (
            "<RestingECG><PatientDemographics><PatientID>4711</PatientID><PatientLastName>Rambert</PatientLastName></PatientDemographics></RestingECG>",
            True,
        ),
        (
            '<restingecgdata xmlns="http://www3.medical.philips.com"><patient><generalpatientdata><name><lastname>Rambert</lastname></name></generalpatientdata></patient></restingecgdata>',
            True,
        ),
        (
            '<AnnotatedECG xmlns="urn:hl7-org:v3"><x><trialSubject><id extension="S-001"/></trialSubject></x></AnnotatedECG>',
            False,  # a trial's subject number leads to nobody here
        ),
        ('<AnnotatedECG xmlns="urn:hl7-org:v3"><x/></AnnotatedECG>', False),
    ],
)
def test_ecg_in_xml(text, identified):
    result = judged(text.encode(), Format.XML)
    assert (result.kind, result.patient_data, result.identified) == (Kind.ECG, True, identified)


def test_research_data():
    for raw in (b"##fileformat=VCFv4.2\n", b"\x5c\x01\0\0" + b"\0" * 340 + b"n+1\0", b"NRRD0004\n"):
        result = judged(raw, Format.RESEARCH)
        assert (result.kind, result.patient_data, result.identified) == (Kind.RESEARCH, False, False)
    assert judged(b"this text says ##fileformat=VCFv somewhere", Format.TEXT) is None
    assert judged(b"nothing", Format.RESEARCH) is None


SEEDS = (
    KMEHR.encode(),
    xdt(*GDT),
    edf("X X X X"),
    b"MSH|^~\\&|A|B\rPID|1||4711||A^B\r",
    b'{"resourceType": "Patient", "name": [{}]}',
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_make_it_raise(data):
    raw = bytearray(data.draw(st.sampled_from(SEEDS) | st.binary(max_size=300)))
    for _ in range(data.draw(st.integers(0, 8))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for format_ in (Format.TEXT, Format.XML, Format.JSON, Format.SIGNAL, Format.HL7V2, Format.RESEARCH):
        recognise(Document(format_, raw=bytes(raw)))
    text = bytes(raw).decode("latin-1")
    recognise(Document(Format.DICOM, fields={"0010,0010": text, "0010,0020": text, "0012,0062": "YES"}))


@pytest.mark.parametrize(
    "raw", [b"\0" * 100_000, b"\n" * 300_000, b"|" * 300_000, b"'" * 300_000, b"H" * 300_000, b"MSH|^~\\&|" * 30_000]
)
def test_monotonous_bytes(raw):
    recognise(Document(Format.TEXT, raw=raw))
