"""HL7 v2 where it does not stand alone: logs, frames, damaged headers, queries, integration engines' XML, cut messages."""

import pytest

from tests.unit.detection.structured.reading import is_cut, judge, told, verdict

HEADER = "MSH|^~\\&|GAM|CHU-X|DPI|CHU-X|20260312101500||{type}|0001|{mode}|2.5^FRA^2.11"
PATIENT = "PID|1||000731^^^CHU-X&750712184&N^PI||{name}||{birth}|F"
VISIT = "PV1|1|I|CARDIO^101^1"
MEDICAL = ("medical", "hl7v2", True, 1)


def adt(sep="\r", *, name="CHEVALLIER^MARGOT", birth="19790312", mode="P", kind="ADT^A01"):
    return sep.join(
        [HEADER.format(type=kind, mode=mode), "EVN||2026", PATIENT.format(name=name, birth=birth), VISIT, "ZBE|55^GAM"]
    )


ACK = "MSH|^~\\&|DPI|CHU|GAM|CHU|20260312||ACK^A01|22|P|2.5\rMSA|AA|0001"
STAMP = "2026-03-12 10:15:0{} DEBUG [mirth-7] "


def test_a_log_of_frames_counts_its_patients():
    second = adt(name="DUVIVIER^PAUL", birth="19500102")
    log = f"{STAMP.format(0)}recv\n\x0b{adt()}\x1c\r\n{STAMP.format(1)}sent\n\x0b{ACK}\x1c\r\n{STAMP.format(2)}\x0b{second}\x1c\r\n"
    assert told(log, "log") == ("medical", "hl7v2", True, 2)


@pytest.mark.parametrize("written", ["\\r", "\\n", "\\x0d", "<CR>", "[CR]", "^M", "&#xd;"])
def test_a_message_on_one_line_of_a_log(written):
    log = f"{STAMP.format(0)}received: {adt(written)}\n{STAMP.format(1)}done\n{STAMP.format(2)}poll\n"
    assert told(log, "log") == MEDICAL


def test_a_log_of_acknowledgements_or_a_quoting_page_is_about_nobody():
    escaped = ACK.replace("\r", "\\r")
    assert verdict(f"{STAMP.format(0)}sent: {escaped}\n{STAMP.format(1)}done\n", "log") == "not_medical"
    guide = "# Guide\n\nA message begins so:\n\n" + adt("\n") + "\n\n" + "The receiver answers with a message.\n" * 20
    assert verdict(guide, "md") == "not_medical"
    code = 'class T {\n  static String M = "' + adt("\\r") + '";\n  void run() {\n    print(M);\n  }\n}\n'
    assert verdict(code, "java") == "not_medical"
    assert verdict("PID|Patient identification\nPV1|Patient visit\nOBX|Observation\nMSH|Header\n") == "not_medical"


def test_damaged_headers_and_lost_ones():
    assert told(adt().replace("MSH|^~\\&|", "MSH|^~|"), "hl7") == MEDICAL
    assert told(adt().replace("MSH|^~\\&|", "MSH|^~\\&"), "hl7") == MEDICAL
    assert told(adt().partition("\r")[2], "hl7") == MEDICAL
    assert verdict("EVN|A01|2026\rPID|1||||||\rPV1|1|I\r", "hl7") == "not_medical"


@pytest.mark.parametrize("mode", ["T", "D"])
def test_training_and_debugging_are_test_data(mode):
    assert judge(adt(mode=mode), "hl7").test_data
    assert not judge(adt(), "hl7").test_data


@pytest.mark.parametrize(
    "kind", ["ORM^O01", "ORU^R01", "MDM^T02", "SIU^S12", "BAR^P01", "DFT^P03", "VXU^V04", "RDE^O11"]
)
def test_a_message_cut_before_its_patient_is_undecidable(kind):
    whole = adt(kind=kind)
    for end in (whole.index("|0001"), whole.index("EVN") + 3, whole.index("PID") + 7):
        assert is_cut(whole[:end], "hl7")
    assert told(whole[: whole.index("PV1")], "hl7") == MEDICAL


@pytest.mark.parametrize("kind", ["ACK^A01", "MFN^M02", "MFK^M01", "QRY^Q01", "NMD^N02"])
def test_types_without_a_patient_are_about_nobody(kind):
    assert verdict(HEADER.format(type=kind, mode="P") + "\rMSA|AA|1\r", "hl7") == "not_medical"
    assert verdict(HEADER.format(type=kind, mode="P"), "hl7") == "not_medical"


def test_an_empty_patient_is_nobody():
    assert verdict(HEADER.format(type="ADT^A08", mode="P") + "\rEVN|A08\rPID|||||||||||||\r", "hl7") == "not_medical"


def test_whom_an_old_query_asks_for():
    query = HEADER.format(type="QRY^A19", mode="P") + "\rQRD|2026|R|I|Q1|||1^RD|{}|DEM"
    assert told(query.format("8812^OKONKWO^ADA"), "hl7") == MEDICAL
    assert verdict(query.format("ALL"), "hl7") == "not_medical"


ENGINE = "<HL7Message><MSH><MSH.9><MSH.9.1>ORU</MSH.9.1></MSH.9><MSH.11><MSH.11.1>{mode}</MSH.11.1></MSH.11></MSH>{body}</HL7Message>"
PERSON = (
    "<PID><PID.3><PID.3.1>8812</PID.3.1></PID.3><PID.5><PID.5.1>Okonkwo</PID.5.1><PID.5.2>Ada</PID.5.2></PID.5></PID>"
)


def test_the_xml_of_integration_engines():
    assert told(ENGINE.format(mode="P", body=PERSON), "xml") == MEDICAL
    assert judge(ENGINE.format(mode="T", body=PERSON), "xml").test_data
    assert verdict(ENGINE.format(mode="P", body="<MSA><MSA.1>AA</MSA.1></MSA>"), "xml") == "not_medical"
    assert is_cut(ENGINE.format(mode="P", body=PERSON).partition("<PID>")[0], "xml")
