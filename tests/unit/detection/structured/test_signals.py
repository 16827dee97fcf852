"""Signals and research data: whom a header names, what is anonymous, what is of nobody."""

from __future__ import annotations

import struct

import pytest

from agent.detection.detector import detect
from agent.detection.structured import Recognised, recognise
from agent.document import Document, Format
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes
from agent.findings import Findings, Judgement, Kind


def judged(data: bytes, extension: str = "") -> Findings:
    return detect(read_bytes(data, extension, Budget(Limits(soft_seconds=30))))


def signal(raw: bytes) -> Recognised:
    result = recognise(Document(Format.SIGNAL, raw=raw))
    assert result is not None
    return result


def edf(
    patient: bytes, version: bytes = b"0       ", moment: bytes = b"01.02.2610.20.30", label: bytes = b"EEG Fp1"
) -> bytes:
    head = version + patient.ljust(80) + b"Startdate 01-FEB-2026 X X X".ljust(80) + moment + b"512     " + b"".ljust(44)
    return head + b"10      1       1   " + label.ljust(16) + b" " * 240 + bytes(1000)


def scp(family: bytes, given: bytes, number: bytes) -> bytes:
    values = ((0, family + b"\0"), (1, given + b"\0"), (2, number + b"\0"), (5, struct.pack("<HBB", 1979, 3, 12)))
    tags = b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in values) + b"\xff\0\0"
    one = bytes(16) + tags
    size = 16 + 12 * 10
    places = [(0, size, 7), (1, len(one), 7 + size), *((number_, 0, 0) for number_ in range(2, 12))]
    zero = bytes(2) + struct.pack("<HIBB", 0, size, 20, 20) + b"SCPECG"
    body = zero + b"".join(struct.pack("<HII", *place) for place in places) + one
    return bytes(2) + struct.pack("<I", 6 + len(body)) + body


def ishne() -> bytes:
    head = b"ISHNE1.0" + bytes(20) + b"Odile".ljust(40, b"\0") + b"Rambert".ljust(40, b"\0") + b"4711".ljust(20, b"\0")
    return head + struct.pack("<5h", 2, 1, 12, 3, 1979) + bytes(400)


def mfer(name: bytes = b"Rambert Odile") -> bytes:
    def tag(number: int, value: bytes) -> bytes:
        return bytes([number, len(value)]) + value

    head = b"@ MFR Standard 12 leads ECG".ljust(34) + tag(1, b"\1") + tag(0x81, name) + tag(0x82, b"4711")
    return head + tag(0x83, bytes(3) + struct.pack("<HBB", 1979, 3, 12)) + b"\x1e\x84\0\0\1\0" + bytes(300)


def micromed() -> bytes:
    data = bytearray(640)
    data[:31], data[64:71], data[86:91] = b"* MICROMED  Brain-Quick file * ", b"RAMBERT", b"ODILE"
    data[106:109] = bytes([3, 12, 79])
    return bytes(data)


def nihon_kohden() -> bytes:
    return b"EEG-1100A V01.00".ljust(0x4F, b"\0") + b"RAMBERT ODILE".ljust(32, b"\0") + bytes(1500)


NAMED = {
    "edf+": (edf(b"MCH-0234567 F 12-MAR-1979 Rambert_Odile"), Kind.EEG),
    "edf, free text": (edf(b"RAMBERT Odile 12/03/1979"), Kind.EEG),
    "edf, spaces for zeros": (edf(b"MCH F 12-MAR-1979 Rambert_Odile", moment=b" 1.02.26 9:20:30"), Kind.EEG),
    "edf of an ecg": (edf(b"MCH F 12-MAR-1979 Rambert_Odile", label=b"ECG I"), Kind.ECG),
    "bdf": (edf(b"X F 12-MAR-1979 Rambert_Odile", b"\xffBIOSEMI"), Kind.EEG),
    "scp": (scp(b"Rambert", b"Odile", b"4711"), Kind.ECG),
    "scp, latin-1": (scp("Thévenot".encode("latin-1"), b"Odile", b""), Kind.ECG),
    "ishne": (ishne(), Kind.ECG),
    "mfer": (mfer(), Kind.ECG),
    "gdf 2": (b"GDF 2.11" + b"4711 Rambert_Odile".ljust(66) + bytes(400), Kind.EEG),
    "micromed": (micromed(), Kind.EEG),
    "nihon kohden": (nihon_kohden(), Kind.EEG),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_signal_names_its_patient(name):
    data, kind = NAMED[name]
    found = judged(data)
    assert (found.judgement, found.kind, found.identified, found.patients, found.problem) == (
        Judgement.MEDICAL,
        kind,
        True,
        1,
        None,
    )


def test_names_and_birth_dates_are_read_from_where_they_stand():
    for raw in (scp(b"Rambert", b"Odile", b"4711"), ishne(), micromed()):
        assert signal(raw).persons == {"RAMBERT|ODILE|19790312"}
    assert signal(scp("Thévenot".encode("latin-1"), b"Odile", b"")).persons == {"THEVENOT|ODILE|19790312"}
    assert signal(mfer()).persons == {"RAMBERT ODILE||19790312"}


@pytest.mark.parametrize(
    "data",
    [edf(b"X X X X"), edf(b""), edf(b"X X X X", b"\xffBIOSEMI"), scp(b"", b"", b""), mfer(b"")[:40] + bytes(300),
     b"GDF 2.11" + b"X X".ljust(66) + bytes(400), scp(b"Rambert", b"Odile", b"4711")[:100]],
)  # fmt: skip
def test_a_signal_of_nobody_named_is_medical_and_unidentified(data):
    found = judged(data)
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, False)


DEMOGRAPHICS = {
    "muse": "<RestingECG><PatientDemographics><PatientID>4711</PatientID><PatientLastName>RAMBERT</PatientLastName>"
    "<PatientFirstName>ODILE</PatientFirstName></PatientDemographics></RestingECG>",
    "philips": "<restingecgdata xmlns='http://www3.medical.philips.com'><patient><generalpatientdata><patientid>4711</patientid>"
    "<name><lastname>Rambert</lastname><firstname>Odile</firstname></name></generalpatientdata></patient></restingecgdata>",
    "cardiosoft": "<CardiologyXML><PatientInfo><PID>4711</PID><Name><FamilyName>Rambert</FamilyName><GivenName>Odile"
    "</GivenName></Name></PatientInfo></CardiologyXML>",
    "schiller": "<examdescript><patdata><lastname>Rambert</lastname><firstname>Odile</firstname></patdata></examdescript>",
    "mortara": "<ECG ACQUISITION_TIME='2026'><SUBJECT LAST_NAME='Rambert' FIRST_NAME='Odile' ID='4711'/></ECG>",
    "sapphire": "<sapphire xmlns='urn:ge:sapphire:dcar_1'><dcarRecord><patientInfo><name><family V='Rambert'/><given "
    "V='Odile'/></name></patientInfo></dcarRecord></sapphire>",
    "spirometer": "<SpirometryExport><Patients><Patient ID='4711'><LastName>Rambert</LastName><FirstName>Odile</FirstName>"
    "</Patient></Patients></SpirometryExport>",
    "aecg": "<AnnotatedECG xmlns='urn:hl7-org:v3'><subject><trialSubject><id extension='S01'/><subjectDemographicPerson>"
    "<name>Rambert</name></subjectDemographicPerson></trialSubject></subject></AnnotatedECG>",
}


@pytest.mark.parametrize("name", DEMOGRAPHICS)
def test_an_examination_in_xml_names_its_patient(name):
    found = judged(b"<?xml version='1.0'?>" + DEMOGRAPHICS[name].encode(), "xml")
    assert (found.judgement, found.identified, found.patients) == (Judgement.MEDICAL, True, 1)


def test_a_subject_of_a_trial_is_a_number():
    xml = DEMOGRAPHICS["aecg"].replace("Rambert", "").encode()
    found = judged(xml, "xml")
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, False)


def test_settings_of_a_device_are_nobodys():
    assert (
        judged(b"<ecgConfig><filter>50Hz</filter><name>default</name></ecgConfig>", "xml").judgement
        is Judgement.NOT_MEDICAL
    )


def analyze() -> bytes:
    data = bytearray(348)
    data[:4], data[38:39] = struct.pack("<i", 348), b"r"
    return bytes(data)


_BASES = b"GATTTGGGGTTCAAAGCAGTATCGATCAAATAG"
RESEARCH = {
    "nifti": struct.pack("<i", 348).ljust(344, b"\0") + b"n+1\0" + bytes(200_000),
    "analyze": analyze(),
    "nrrd": b"NRRD0004\ntype: short\n\n" + bytes(1000),
    "metaimage": b"ObjectType = Image\nNDims = 3\nElementDataFile = LOCAL\n" + bytes(1000),
    "minc1": b"CDF\x01\0\0\0\0patient" + bytes(100) + b"MINC" + bytes(300),
    "minc2": b"\x89HDF\r\n\x1a\n" + bytes(100) + b"minc-2.0" + bytes(300),
    "bids": b"participant_id\tage\tsex\nsub-01\t34\tF\nsub-02\t45\tM\n",
    "vcf": b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n1\t123\t.\tA\tG\n",
    "cram": b"CRAM\x03\0" + bytes(100),
    "fastq": b"@S1\n" + _BASES + b"\n+\n" + b"I" * len(_BASES) + b"\n@S2\n" + _BASES + b"\n+\n" + b"I" * len(_BASES) + b"\n",
    "sam": b"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:ref\tLN:45\n",
    "23andme": b"# This data file generated by 23andMe at: Wed\r\n# rsid\tchromosome\tposition\tgenotype\r\nrs1\t1\t82154\tAA\r\n",
    "genotypes": b"RSID,CHROMOSOME,POSITION,RESULT\r\n\"rs1\",\"1\",\"82154\",\"AA\"\r\n",
    "brainvision": b"Brain Vision Data Exchange Header File Version 1.0\r\n[Common Infos]\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", RESEARCH)
def test_research_data_has_a_kind_of_its_own(name):
    found = judged(RESEARCH[name])
    assert (found.judgement, found.kind, found.identified, found.problem) == (
        Judgement.NOT_MEDICAL,
        Kind.RESEARCH,
        False,
        None,
    )


def test_a_text_about_a_research_format_is_not_of_it():
    for text in (
        "A VCF file begins with ##fileformat=VCFv4.2, then #CHROM.",
        "ObjectType says what it is.",
        "@S1 is a name\nGAT\n",
    ):
        assert judged(text.encode()).kind is Kind.OTHER


def test_a_philips_header_may_name_its_patient():
    par = b"# === DATA DESCRIPTION FILE ======\n#\n.    Patient name                       :   %s\n.    Protocol name  :   T1\n"
    assert judged(par % b"Rambert Odile").identified
    assert judged(par % b"").kind is Kind.RESEARCH
