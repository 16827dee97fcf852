"""HL7 v2: patients in every dress of the format; acknowledgements, animals and quotations are not patients."""

import pytest

from agent.detection.structured import Recognised, recognise
from agent.document import Document, Format, Part
from agent.findings import FindingType, Kind

HEADER = "MSH|^~\\&|LABO|CH|DPI|CH|20250210||ORU^R01|165785|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8"
PID = "PID|1||66529378^^^CH&1.2.250.1.999&ISO^PI~279035121518989^^^ASIP&1.2.250.1.213.1.4.8&ISO^INS||RAMBERT^Odile^^^^^L||19790312|F"
OBX = "OBX|1|NM|GLUC^Glycémie^L||2.40|g/L|0,70 - 1,10|H|||F"


def message(*segments: str, header: str = HEADER) -> bytes:
    return "\r".join([header, *segments, ""]).encode()


def judged(raw: bytes, format_: Format = Format.HL7V2) -> Recognised | None:
    return recognise(Document(format_, size=len(raw), raw=raw))


def types(result: Recognised) -> set[FindingType]:
    return {item.type for item in result.items}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\x0b", " \n", "FHS|^~\\&|A\rBHS|^~\\&|A\r"])
@pytest.mark.parametrize("format_", [Format.HL7V2, Format.TEXT, Format.CSV])
def test_a_result_names_its_patient(end, before, format_):
    result = judged((before + end.join([HEADER, PID, OBX])).encode(), format_)
    assert result is not None
    assert (result.kind, result.patient_data, result.identified, result.test_data) == (Kind.HL7V2, True, True, False)
    assert len(result.persons) == 1
    assert {FindingType.STRUCTURED_PATIENT, FindingType.STRUCTURED_CLINICAL, FindingType.INS} <= types(result)
    assert result.confidence > 0.99


def test_windows_1252_bytes_and_parts_without_raw():
    text = f"{HEADER}\r{PID}\r{OBX}".replace("Odile", "Éloïse")
    assert judged(text.encode("cp1252")).identified
    assert recognise(Document(Format.TEXT, parts=[Part(text)])).identified


def test_odd_separators():
    text = "MSH*+:!%*LAB**DPI**20250210**ADT+A01*1*P*2.5\rPID*1**4711+++CH**RAMBERT+Odile**19790312*F"
    result = judged(text.encode())
    assert result.identified
    assert len(result.persons) == 1


def test_several_messages_count_distinct_patients():
    other = PID.replace("RAMBERT", "VASSEUR")
    raw = b"\x0b" + message(PID, OBX) + b"\x1c\x0d\x0b" + message(other) + b"\x1c\x0d\x0b" + message(PID) + b"\x1c\x0d"
    assert len(judged(raw).persons) == 2


def test_a_log_of_messages_is_one_but_a_page_that_quotes_one_is_not():
    log = b"2025-02-10 09:30:00 RECV " + message(PID, OBX) + b"\n2025-02-10 09:31:00 RECV " + message(PID, OBX)
    assert judged(log, Format.TEXT).patient_data
    page = "Le message commence par un segment.\n" * 12 + f"{HEADER}\n{PID}" + "\nSuite du texte.\n" * 12
    assert judged(page.encode(), Format.TEXT) is None
    code = 'msg = (\n    "MSH|^~\\\\&|A|B\\r"\n    "PID|1||4711||RAMBERT^Odile\\r"\n)\n'
    assert judged(code.encode(), Format.TEXT) is None


@pytest.mark.parametrize(
    "raw",
    [
        message("MSA|AA|165785", header=HEADER.replace("ORU^R01", "ACK")),
        message("MFI|LOC", "MFE|MAD", header=HEADER.replace("ORU^R01", "MFN^M02")),
        message("PID|1||||", header=HEADER.replace("ORU^R01", "ACK")),
    ],
)
def test_the_format_without_a_patient(raw):
    result = judged(raw)
    assert (result.patient_data, result.identified, result.persons) == (False, False, frozenset())
    assert types(result) == {FindingType.DEFINITION}


def test_clinical_segments_without_identity_are_still_patient_data():
    result = judged(message("PID|1||||", OBX))
    assert result.patient_data
    assert not result.identified


def test_a_demographic_query_is_patient_data():
    assert judged(message("QPD|IHE PDQ|1|@PID.5.1^RAMBERT~@PID.7^19790312")).patient_data


def test_test_messages_say_so():
    assert judged(message(PID, header=HEADER.replace("|P|2.5", "|T|2.5"))).test_data
    assert judged(message(PID, header=HEADER.replace("|P|2.5", "|D^A|2.5"))).test_data
    assert judged(message(PID.replace("1.4.8&", "1.4.10&"))).test_data
    assert judged(message(PID.replace("RAMBERT^Odile", "PAT-TROIS^DOMINIQUE"))).test_data
    assert not judged(message(PID)).test_data


def test_an_animal_is_no_patient_but_a_filled_up_message_is():
    animal = "PID|1||CHIP1||RAMBERT^Rex||20141014|M" + "|" * 27 + "388490000^Canis^SCT"
    assert judged(message(animal)).patient_data is False
    assert types(judged(message(animal))) == {FindingType.VETERINARY}
    human = "PID|1||CHIP1||RAMBERT^Rex||20141014|M||2106-3" + "|" * 25 + "388490000^Canis^SCT"
    assert judged(message(human)).patient_data


def test_placeholder_names_identify_nobody():
    result = judged(message("PID|1||||ANONYMOUS^ANON||19790101|F", OBX))
    assert result.patient_data
    assert not result.identified


def test_the_xml_encoding():
    body = (
        '<ADT_A01 xmlns="urn:hl7-org:v2xml"><MSH><MSH.11><PT.1>{mode}</PT.1></MSH.11></MSH><PID><PID.3><CX.1>4711</CX.1></PID.3>'
        "<PID.5><XPN.1><FN.1>Rambert</FN.1></XPN.1><XPN.2>Odile</XPN.2></PID.5><PID.7><TS.1>19790312</TS.1></PID.7></PID></ADT_A01>"
    )
    real = judged(body.format(mode="P").encode(), Format.XML)
    assert (real.kind, real.identified, real.test_data) == (Kind.HL7V2, True, False)
    assert judged(body.format(mode="T").encode(), Format.XML).test_data
    schema = b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v2xml"><xs:element name="PID.5"/></xs:schema>'
    assert judged(schema, Format.XML).patient_data is False
    ack = b'<ACK xmlns="urn:hl7-org:v2xml"><MSH/><MSA><MSA.1>AA</MSA.1></MSA></ACK>'
    assert judged(ack, Format.XML).patient_data is False


def test_neither_names_nor_numbers_show_in_a_representation():
    result = judged(message(PID, OBX))
    assert result.persons
    for word in ("RAMBERT", "Odile", "66529378", "279035121518989"):
        assert word not in repr(result)
