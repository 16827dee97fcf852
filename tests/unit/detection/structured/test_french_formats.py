"""HPRIM in its three families, emergency messages, XDM packages and PMSI files."""

import json

import pytest

from agent.detection.structured import Recognised, recognise
from agent.document import Area, Document, Format, Part, Spot
from agent.findings import FindingType, Kind

NIR = "279035121518989"
MEDECIN = [
    "91327919", "RAMBERT", "ODILE", "89 rue des Lilas", "", "49000 ANGERS", "12/03/1979", f"{NIR[:13]} {NIR[13:]}", "8740709701",
    "26/08/2025", "LBM01      LABORATOIRE DES REMPARTS", "10783468274   Dr Yves CAMUSET", "",
]  # fmt: skip
LAB = ["****LAB****", "RES|TSH|TSH|N|4.67|mUI/L|0.27|4.20||F", "****FIN****"]
SANTE = [
    "H|~^\\&|00001.HPR||LAB37~LABO||ORU|||MED120~DR X||P|H2.2~C|202609020930",
    "P|1|48885580||787787|RAMBERT~ODILE|RAMBERT|19790312|F||12 RUE",
    "OBR|1||9962493|HEMO~Hémoglobine~L|R",
    "OBX|1|NM|HEMO~Hémoglobine~L||9.6|g/dL",
    "L|1||1|18",
]


def judged(text: str | bytes, format_: Format = Format.TEXT) -> Recognised | None:
    raw = text.encode("cp1252") if isinstance(text, str) else text
    return recognise(Document(format_, size=len(raw), raw=raw))


def types(result: Recognised) -> set[FindingType]:
    return {item.type for item in result.items}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_hprim_medecin(end):
    result = judged(end.join([*MEDECIN, *LAB, "****FINFICHIER****"]))
    assert (result.kind, result.patient_data, result.identified) == (Kind.HPRIM, True, True)
    assert result.persons == {"RAMBERT|ODILE|12031979"}


def test_hprim_medecin_without_markers_needs_its_whole_header():
    letter = ["Cher confrère,", "j'ai vu ce jour votre patiente."]
    assert judged("\n".join([*MEDECIN, *letter])).identified
    for index, wrong in ((6, "ANGERS"), (9, "demain"), (1, "{json: 1}")):
        assert judged("\n".join([*MEDECIN[:index], wrong, *MEDECIN[index + 1 :], *letter])) is None
    assert judged("\n".join([*MEDECIN[:5], "ANGERS", MEDECIN[6], "", *MEDECIN[8:], *letter])) is None


def test_hprim_medecin_several_reports_and_a_mail():
    second = [line.replace("RAMBERT", "VASSEUR") for line in MEDECIN]
    text = "\n".join([*MEDECIN, *LAB, *second, *LAB, "****FINFICHIER****"])
    assert len(judged(text).persons) == 2
    mail = Document(
        Format.EML, raw=b"From: x", parts=[Part("Bonjour", Spot(Area.SUBJECT)), Part(text, Spot(Area.BODY))]
    )
    assert recognise(mail).identified


def test_hprim_sante():
    result = judged("\r".join(SANTE))
    assert (result.kind, result.identified, result.persons) == (Kind.HPRIM, True, {"RAMBERT|ODILE|19790312"})
    assert judged("\r".join([SANTE[0], SANTE[-1]])).patient_data is False
    assert judged("H|~^\\&|une table|sans version\nligne") is None
    assert judged("Hello world, plain text") is None


def test_hprim_xml():
    text = (
        '<evenementsServeurActes xmlns="http://www.hprim.org/hprimXML"><enteteMessage modeTraitement="{mode}"/><evenementServeurActe>'
        "<patient><identifiant><emetteur><valeur>4711</valeur></emetteur></identifiant><personnePhysique><nomUsuel>VASSEUR</nomUsuel>"
        "<nomNaissance>RAMBERT</nomNaissance><prenoms><prenom>Odile</prenom></prenoms><dateNaissance><date>1979-03-12</date>"
        "</dateNaissance></personnePhysique></patient><actesCCAM/></evenementServeurActe></evenementsServeurActes>"
    )
    real = judged(text.format(mode="réel"), Format.XML)
    assert (real.kind, real.persons, real.test_data) == (Kind.HPRIM, {"RAMBERT|ODILE|19790312"}, False)
    assert judged(text.format(mode="test"), Format.XML).test_data
    ack = (
        '<acquittementsServeurActes xmlns="http://www.hprim.org/hprimXML"><enteteMessage/></acquittementsServeurActes>'
    )
    assert judged(ack, Format.XML).patient_data is False


CASE = {
    "createCaseHealth": {
        "caseId": "fr.health.samu000.DRFR15",
        "initialAlert": {"caller": {"detailedName": {"lastName": "Camuset"}}},
        "patient": [
            {
                "patientId": "p.1",
                "identity": {
                    "strictFeatures": {"birthDate": "1979-03-12", "sex": "F"},
                    "nonStrictFeatures": {"lastName": "Rambert", "firstName": "Odile"},
                },
            }
        ],
        "medicalNote": [{"freetext": "Douleur thoracique", "medicalNoteId": "n.1"}],
    }
}


def emergency(value) -> Recognised | None:
    return judged(json.dumps(value).encode(), Format.JSON)


def test_emergency_case():
    result = emergency(CASE)
    assert (result.kind, result.patient_data, result.identified) == (Kind.EMERGENCY, True, True)
    assert result.persons == {"RAMBERT|ODILE|19790312"}
    wrapped = {"content": [{"jsonContent": {"embeddedJsonContent": {"message": CASE}}}]}
    assert emergency(wrapped).identified


def test_emergency_without_a_name_or_without_a_patient():
    body = CASE["createCaseHealth"]
    unnamed = {**body, "patient": [{"patientId": "p.1", "detail": {"age": "P80Y"}}]}
    assert (
        emergency({"createCaseHealth": unnamed}).patient_data,
        emergency({"createCaseHealth": unnamed}).identified,
    ) == (True, False)
    nobody = {key: value for key, value in body.items() if key not in {"patient", "medicalNote"}}
    assert emergency({"createCaseHealth": nobody}).patient_data is False
    assert emergency({"resourcesInfo": {"caseId": "1", "resource": [{"name": "VLM4"}]}}).patient_data is False
    assert emergency({"createCaseHealth": {"properties": {"patient": {}}, "patient": {"type": "object"}}}) is None
    assert emergency({"error": {"message": "x"}}) is None


def test_emergency_xml():
    text = (
        '<interventionReport xmlns="urn:emergency:eda:1.9:interventionreport"><caseId>1</caseId><patient><lastName>Rambert</lastName>'
        "<firstName>Odile</firstName><birthDate>1979-03-12</birthDate></patient><evaluation><mainDiagnosis>O20</mainDiagnosis>"
        "</evaluation></interventionReport>"
    )
    assert judged(text, Format.XML).persons == {"RAMBERT|ODILE|19790312"}
    event = '<emsi xmlns="urn:emergency:eda:1.9:emsi"><CONTEXT><ID>1</ID></CONTEXT><EVENT><CASUALTIES/></EVENT></emsi>'
    assert judged(event, Format.XML).patient_data is False


METADATA = """<SubmitObjectsRequest xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><RegistryObjectList><ExtrinsicObject>
<Slot name="sourcePatientInfo"><ValueList><Value>PID-3|279035121518989^^^&amp;1.2.250.1.213.1.4.{oid}&amp;ISO^INS</Value>
<Value>PID-5|RAMBERT^Odile^^^</Value><Value>PID-7|19790312</Value></ValueList></Slot></ExtrinsicObject></RegistryObjectList>
</SubmitObjectsRequest>"""


def member(name: str, raw: bytes = b"") -> Document:
    return Document(Format.XML, raw=raw, parts=[Part(name, Spot(Area.MEMBER))])


def test_xdm_package():
    package = Document(
        Format.ZIP,
        children=[member("README.TXT"), member("IHE_XDM/SUBSET01/METADATA.XML", METADATA.format(oid=8).encode())],
    )
    result = recognise(package)
    assert (result.kind, result.identified, result.test_data) == (Kind.XDM, True, False)
    assert FindingType.INS in types(result)
    package.children[1].raw = METADATA.format(oid=10).encode()
    assert recognise(package).test_data
    assert recognise(Document(Format.ZIP, children=[member("a.txt"), member("METADATA.XML")])) is None
    broken = Document(
        Format.ZIP, children=[member("ihe_xdm\\subset01\\metadata.xml"), member("ihe_xdm\\subset01\\doc1.xml")]
    )
    assert recognise(broken).patient_data
    assert judged(METADATA.format(oid=8), Format.XML).kind is Kind.XDM


def vid_hosp(number: str, birth: str = "12031979") -> str:
    return f"{number}01 1{birth}2{'12345678901234567890'}V014490000123{' ' * 40}"


def test_pmsi_vid_hosp():
    lines = [vid_hosp("279035121518989"), vid_hosp("185052A00608441"), vid_hosp("279035121518989"), ""]
    result = judged("\r\n".join(lines))
    assert (result.kind, result.identified, len(result.persons)) == (Kind.PMSI, True, 2)
    assert FindingType.NIR in types(result)
    assert (
        judged("\n".join([lines[0], "une ligne de texte assez longue pour ne pas être un enregistrement du PMSI"]))
        is None
    )


def test_pmsi_rss_and_rhs():
    rss = "01B1230000"[:2] + "1234567" + "119" + "000" + "490000123" + "019" + "0" * 50 + "12031979" + "2" + "0" * 70
    result = judged(f"{rss}\n" * 3)
    assert result is not None
    assert result.kind is Kind.PMSI
    rhs = (
        " " * 10
        + "M1B"
        + "490000123"
        + "M0B"
        + "0" * 7
        + "12345678901234567890"
        + "0" * 13
        + "01092025"
        + "0" * 8
        + "12031979"
        + "2" * 40
    )
    assert judged("\n".join([rhs] * 3)).kind is Kind.PMSI
    assert judged("\n".join(["0" * 150] * 5)) is None
    assert judged("Une phrase ordinaire. " * 20) is None
