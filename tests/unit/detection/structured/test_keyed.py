"""Records in keys: INI and TOML files, rows of a database's XML dump, items of a registry, keys with their table's name."""

from __future__ import annotations

import json

import pytest

from tests.unit.detection.structured.reading import dumped, judge, told, verdict

INI = "[patient]\nnom=RAMBERT\nprenom=Odile\nddn=12/03/1961\n\n[examen]\nconclusion=Keratocone debutant a droite\n"
TOML = '[client]\nlast_name = "Rambert"\nfirst_name = "Odile"\nbirth_date = 1961-03-12\n[[session]]\nnotes = "Panic attacks, sertraline started, insomnia, no suicidal ideation"\n'


@pytest.mark.parametrize("text", [INI, TOML, "; export\n" + INI, INI.replace("\n", "\r\n")])
def test_a_person_under_headings(text: str):
    assert told(text, "ini")[::2] == ("medical", True)
    assert judge(text, "ini").patients == 1


@pytest.mark.parametrize(
    "text",
    [
        "[patient]\ncolonnes=nom;prenom;ddn\n[hl7]\nport=2575\n[examen]\nmodele=conclusion.rtf\n",
        "[client]\nlast_name = \"Rambert\"\nfirst_name = \"Odile\"\nbirth_date = 1961-03-12\n[order]\nitem = \"desk lamp\"\n",
        "[user]\nname = Odile Rambert\nemail = o@x.example\n[core]\neditor = vim\n[alias]\nst = status\n",
    ],
)  # fmt: skip
def test_a_configuration_and_a_customer(text: str):
    assert verdict(text, "ini") == "not_medical"


def _row(family: str, born: str, why: str) -> str:
    return f"<row><field name='PAT_NOM'>{family}</field><field name='PAT_PRENOM'>Odile</field><field name='PAT_DDN'>{born}</field><field name='CS_DIAG'>{why}</field></row>"


def test_rows_of_a_dump_are_counted():
    rows = [
        ("RAMBERT", "1961-03-12", "asthme"),
        ("TALBOT", "1950-01-02", "goutte"),
        ("VERNE", "1987-05-06", "migraine"),
    ]
    assert told("<?xml version='1.0'?><dump>" + "".join(_row(*row) for row in rows) + "</dump>", "xml")[2:] == (True, 3)
    empty = "<?xml version='1.0'?><dump>" + _row("", "", "") + "</dump>"
    assert verdict(empty, "xml") == "not_medical"


def test_items_of_a_registry():
    item = "<ItemData ItemOID='{}' Value='{}'/>"
    data = "".join(
        item.format(*pair)
        for pair in [
            ("LASTNAME", "Rambert"),
            ("FIRSTNAME", "Odile"),
            ("DOB", "1961-03-12"),
            ("DIAGNOSIS", "Crohn disease"),
        ]
    )
    shown = f"<ODM xmlns='http://www.cdisc.org/ns/odm/v1.3'><ClinicalData><SubjectData SubjectKey='1'>{data}</SubjectData></ClinicalData></ODM>"
    assert told(shown, "xml")[2:] == (True, 1)
    definition = "<ODM xmlns='http://www.cdisc.org/ns/odm/v1.3'><Study><ItemDef OID='DOB' Name='Date of birth'/><ItemDef OID='DIAGNOSIS' Name='Diagnosis'/></Study></ODM>"
    assert verdict(definition, "xml") == "not_medical"


def test_a_key_may_bear_the_name_of_its_table():
    record = {"pat_nom": "RAMBERT", "pat_prenom": "Odile", "pat_ddn": "1961-03-12", "diagnostic": "asthme"}
    assert told(dumped({"lignes": [record]}), "json")[2:] == (True, 1)


_NAME = "<ClinicalDocument xmlns='urn:hl7-org:v3'><recordTarget><patientRole><id root='1.2' extension='{id}'/><patient><name><given>{given}</given><family>{family}</family></name><birthTime value='{birth}'/></patient></patientRole></recordTarget><component><structuredBody/></component></ClinicalDocument>"


def _document(family: str, given: str, birth: str, number: str) -> str:
    return _NAME.format(family=family, given=given, birth=birth, id=number)


@pytest.mark.parametrize("field", ["${X}", "{{x.y}}", "<%= x %>", "%NOM%", "#{x}"])
def test_a_template_is_nobodys(field: str):
    quoted = field.replace("<", "&lt;").replace(">", "&gt;")
    assert verdict(_document(quoted, quoted, quoted, quoted), "xml") == "not_medical"
    assert (
        verdict(
            dumped({"resourceType": "Patient", "name": [{"family": field, "given": [field]}], "birthDate": field}),
            "json",
        )
        == "not_medical"
    )


def test_a_template_with_anything_of_a_person_in_it_is_not_one():
    for filled in (
        ("RAMBERT", "${X}", "${X}", "${X}"),
        ("${X}", "${X}", "19610312", "${X}"),
        ("${X}", "${X}", "${X}", "4711"),
    ):
        assert verdict(_document(*filled), "xml") == "medical", filled
    assert verdict(_document("[NOM]", "[PRENOM]", "", ""), "xml") == "medical"  # as de-identification writes it


def test_a_letter_within_one_patients_message_is_about_that_patient():
    letter = json.dumps(
        "Compte rendu de consultation : Odile Rambert, née le 12/03/1961. Dyspnée d'effort, souffle systolique."
    )
    report = '{"resourceType":"DiagnosticReport","status":"final","contained":[{"resourceType":"Patient","id":"a","name":[{"family":"Rambert","given":["Odile"]}],"birthDate":"1961-03-12"}],"subject":{"reference":"#a"},"presentedForm":[{"contentType":"text/rtf","data":%s}]}'
    import base64

    inner = base64.b64encode(
        ("{\\rtf1\\ansi " + json.loads(letter).encode("ascii", "ignore").decode() + " " * 300 + "}").encode()
    ).decode()
    found = judge(report % json.dumps(inner), "json")
    assert found.patients == 1 and found.identified


def test_what_a_mail_carries_may_be_about_several():
    import base64

    documents = [_document("RAMBERT", "Odile", "19610312", "1"), _document("TALBOT", "Luc", "19500102", "2")]
    parts = "".join(
        f"--q\r\nContent-Type: application/octet-stream; name=a.xml\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(d.encode()).decode()}\r\n"
        for d in documents
    )
    mail = f"From: a@x.example\r\nTo: b@x.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n{parts}--q--\r\n"
    assert told(mail, "eml")[2:] == (True, 2)


def test_a_diary_may_leave_out_le():
    event = "BEGIN:VEVENT\r\nSUMMARY:{}\r\nDESCRIPTION:né(e) {}\r\nEND:VEVENT\r\n"
    people = [("RAMBERT Odile", "12/03/1961"), ("TALBOT Luc", "02/01/1950"), ("VERNE Anna", "06/05/1987")]
    assert told("BEGIN:VCALENDAR\r\n" + "".join(event.format(*one) for one in people) + "END:VCALENDAR\r\n", "ics")[
        2:
    ] == (True, 3)
