"""DICOM headers as JSON, as XML and as printed by tools: the same answer as for the file; a dictionary is no header."""

from __future__ import annotations

import json

import pytest

from agent.detection.detector import detect
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes
from agent.findings import Findings, Judgement, Kind

CT = "1.2.840.10008.5.1.4.1.1.2"
MODEL = {
    "00080060": {"vr": "CS", "Value": ["CT"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Rambert^Odile"}]},
    "00100020": {"vr": "LO", "Value": ["4711"]},
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
}


def judged(data: object, extension: str = "json") -> Findings:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return detect(read_bytes(raw, extension, Budget(Limits(soft_seconds=30))))


def other(name: str, number: str) -> dict:
    return {
        **MODEL,
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]},
        "00100020": {"vr": "LO", "Value": [number]},
    }


XML = (
    "<NativeDicomModel xmlns='http://dicom.nema.org/PS3.19/models/NativeDICOM'><DicomAttribute tag='00080060' vr='CS'><Value "
    "number='1'>CT</Value></DicomAttribute><DicomAttribute tag='00100010' vr='PN'><PersonName number='1'><Alphabetic>"
    "<FamilyName>Rambert</FamilyName><GivenName>Odile</GivenName></Alphabetic></PersonName></DicomAttribute>"
    "<DicomAttribute tag='00100020' vr='LO'><Value number='1'>4711</Value></DicomAttribute></NativeDicomModel>"
)
DCMTK = (
    "<file-format><data-set><element tag='0008,0060' vr='CS'>CT</element><element tag='0010,0010' vr='PN'>Rambert^Odile"
    "</element><element tag='0010,0020' vr='LO'>4711</element></data-set></file-format>"
)
DUMP = (
    "# Dicom-Data-Set\n(0008,0016) UI =CTImageStorage    #  26, 1 SOPClassUID\n(0008,0060) CS [CT]   #   2, 1 Modality\n"
    "(0010,0010) PN [Rambert^Odile]   #  14, 1 PatientName\n(0010,0020) LO [4711]   #   4, 1 PatientID\n"
)
PRINTED = (
    "(0008, 0060) Modality                            CS: 'CT'\n(0010, 0010) Patient's Name                      PN: 'Rambert^Odile'\n"
    "(0010, 0020) Patient ID                          LO: '4711'\n"
)
SAME = {
    "json": MODEL, "list": [MODEL], "server's answer": {"instances": [MODEL, MODEL]},
    "orthanc": {"0008,0060": {"Name": "Modality", "Value": "CT"}, "0010,0010": {"Name": "PatientName", "Value": "RAMBERT^ODILE"},
                "0010,0020": {"Name": "PatientID", "Value": "4711"}},
    "simplified": {"Modality": "CT", "PatientName": "RAMBERT^ODILE", "PatientID": "4711", "StudyInstanceUID": "1.2.3"},
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_json_model(name):
    found = judged(SAME[name])
    assert (found.judgement, found.kind, found.identified, found.patients) == (Judgement.MEDICAL, Kind.DICOM, True, 1)


@pytest.mark.parametrize(("text", "extension"), [(XML, "xml"), (DCMTK, "xml"), (DUMP, "txt"), (PRINTED, "txt")])
def test_xml_and_what_viewers_print(text, extension):
    found = judged(text.encode(), extension)
    assert (found.judgement, found.kind, found.identified, found.patients) == (Judgement.MEDICAL, Kind.DICOM, True, 1)


def test_a_list_of_studies_counts_its_patients():
    found = judged([MODEL, other("Vasseur^Jean", "12"), other("Vasseur^Jean", "12"), other("Petit^Anne", "13")])
    assert found.patients == 3
    assert judged((DUMP + DUMP.replace("Rambert^Odile", "Vasseur^Jean")).encode(), "txt").patients == 2


def test_a_data_dictionary_is_no_header():
    dictionary = {
        "00100010": {"tag": "(0010,0010)", "vr": "PN", "name": "PatientName"},
        "00080060": {"vr": "CS", "name": "Modality"},
    }
    assert judged(dictionary).judgement is Judgement.NOT_MEDICAL
    spec = "(0010,0010) Patient's Name PN 1\n(0010,0020) Patient ID LO 1\n(0010,0030) Patient's Birth Date DA 1\n"
    assert judged(spec.encode(), "txt").judgement is Judgement.NOT_MEDICAL
    assert judged({"Modality": "MR", "Manufacturer": "x", "EchoTime": 0.003}).judgement is Judgement.NOT_MEDICAL
    assert judged({"Modality": "MR", "StudyInstanceUID": "1.2.3"}).judgement is Judgement.NOT_MEDICAL  # a query


def test_animals_and_removed_identities_are_told_here_too():
    assert judged({**MODEL, "00102201": {"vr": "LO", "Value": ["Canine"]}}).judgement is Judgement.NOT_MEDICAL
    nobody = {**MODEL, "00100010": {"vr": "PN"}, "00100020": {"vr": "LO"}, "00120062": {"vr": "CS", "Value": ["YES"]}}
    found = judged(nobody)
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, False)
