"""openEHR, OMOP, analysers, American and Belgian exchanges, diaries and address books, a telephone's health data."""

import pytest

from agent.findings import FindingType
from tests.unit.detection.structured.reading import dumped, judge, told, verdict

NODE = "openEHR-EHR-COMPOSITION.encounter.v1"
COMPOSITION = {
    "_type": "COMPOSITION",
    "archetype_node_id": NODE,
    "content": [{"_type": "OBSERVATION", "subject": {"_type": "PARTY_SELF"}}],
}
TEMPLATE = (
    '<template xmlns="http://schemas.openehr.org/v1"><definition><archetype_id>x</archetype_id></definition></template>'
)


def test_openehr_is_of_one_person_who_is_not_named():
    one = ("medical", "clinical-note", False, 1)
    assert told(dumped(COMPOSITION), "json") == one
    assert (
        told(
            f'<composition xmlns="http://schemas.openehr.org/v1" archetype_node_id="{NODE}"><name/></composition>',
            "xml",
        )
        == one
    )
    assert (
        told(dumped({"ctx/language": "en", "bp/systolic|magnitude": 142, "bp/systolic|unit": "mm[Hg]"}), "json") == one
    )
    assert verdict(TEMPLATE, "opt") == "not_medical"
    assert verdict(dumped({**COMPOSITION, "archetype_node_id": "at0000"}), "json") == "not_medical"


def test_omop_tables_count_pseudonyms():
    rows = "\n".join(f"{n},{n % 4},201826,2026-01-01" for n in range(8))
    header = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n"
    assert told(header + rows, "csv") == ("medical", "patient-table", False, 4)
    assert verdict(header.replace("person_id", "thing_id") + rows, "csv") == "not_medical"
    assert verdict(header, "csv") == "not_medical"


ANALYSER = "H|\\^&|||Analyzer^1|||||||P|E 1394-97|2026\rP|1||8812||{}||19881120|F\rO|1|A22||^^^GLU\rR|1|^^^GLU|5.6|mmol/L\rL|1|N\r"


def test_records_of_an_analyser():
    assert told(ANALYSER.format("Okonkwo^Ada")) == ("medical", "lab-report", True, 1)
    assert judge(ANALYSER.format("TEST^Ada")).test_data
    controls = "".join(part + "\r" for part in ANALYSER.split("\r") if not part.startswith("P"))
    assert verdict(controls) == "not_medical"


ENVELOPE = "ISA*00*          *00*          *ZZ*ABC            *ZZ*DEF            *260301*1200*^*00501*000000001*0*{}*:~GS*HC*A*B*2026*1200*1*X*5~"
CLAIM = "ST*837*1~NM1*85*2*CLINIC~NM1*IL*1*OKONKWO*ADA****MI*A123~DMG*D8*19881120*F~CLM*1*100~HI*ABK:J209~SE*3*1~"


def test_american_claims():
    assert told(ENVELOPE.format("P") + CLAIM, "edi") == ("medical", "edifact", True, 1)
    assert judge(ENVELOPE.format("T") + CLAIM, "edi").test_data
    order = CLAIM.replace("ST*837", "ST*850")
    assert verdict(ENVELOPE.format("P").replace("GS*HC", "GS*PO") + order, "edi") == "not_medical"


HEALTHONE = "A1\\R1\\LABO X\\01032026\\\r\nA2\\R1\\OKONKWO\\ADA\\F\\20111988\\\r\nL1\\R1\\HB\\Hemoglobine\\12-16\\g/dl\\-\\9.1\\\r\nL1\\R1\\GLU\\Glucose\\70\\mg/dl\\\\95\\\r\n"
MEDIDOC = "1/23456/78/901\r\nLABO X\r\nDR V\r\n#A88112000184\r\nOKONKWO                 ADA\r\n20111988\r\nX\r\nC\r\n#Rb\r\nRX thorax\r\n#R/\r\n#A/\r\n#/47\r\n"


def test_belgian_lines():
    assert told(HEALTHONE, "lab") == ("medical", "lab-report", True, 1)
    assert told(MEDIDOC, "rep") == ("medical", "clinical-note", True, 1)
    assert verdict("A1\\B\\C\nune liste de chemins\nA2\\C\\D\nencore du texte\nfin\n") == "not_medical"
    undated = judge(MEDIDOC.replace("20111988", "sans date"))
    assert not any(item.type is FindingType.STRUCTURED_PATIENT for item in undated.items)


DUTCH = "UNB+UNOA:1+500046139+500074007+260301:1010+1'UNH+1+{}:1'PID+1988:11:20+V+Okonkwo:::::A.+2'TXT+Geachte collega'UNT+6+1'"
BRITISH = (
    "UNB+UNOB:2+1+2+020106:2105+1'UNH+1+MEDRPT:0:1:RT:NHS003'PNA+PAT+{}'PNA+PO+G12:901+++US:DR X'RSL+NV+9.1:7'UNT+20+1'"
)


@pytest.mark.parametrize("kind", ["MEDLAB", "MEDVRI", "MEDEUR", "MEDREC", "MEDSPE", "MEDOVD", "MEDREF", "MEDRPT"])
def test_edifact_of_health(kind):
    assert told(DUTCH.format(kind), "edi") == ("medical", "edifact", True, 1)
    assert verdict(DUTCH.format("INVOIC").replace("PID", "NAD"), "edi") == "not_medical"


def test_the_patient_is_told_from_the_doctor():
    assert told(BRITISH.format("9990000018:NHS+++SU:OKONKWO+FO:ADA"), "edi") == ("medical", "edifact", True, 1)
    assert told(BRITISH.format(""), "edi") == ("medical", "edifact", False, 1)


def calendar(*events):
    body = "".join(
        f"BEGIN:VEVENT\r\nSUMMARY:{summary}\r\nDESCRIPTION:{more}\r\nEND:VEVENT\r\n" for summary, more in events
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"


def test_the_diary_of_a_practice_and_ones_own():
    visits = [
        ("CHEVALLIER Margot - grossesse", ""),
        ("M. DUVIVIER Paul : ordonnance", ""),
        ("OKONKWO Ada", "Née le 20/11/1988"),
    ]
    assert told(calendar(*visits), "ics") == ("medical", "patient-table", True, 3)
    assert verdict(calendar(*visits[:2]), "ics") == "not_medical"
    own = [("RDV dentiste", ""), ("Vaccin chat", ""), ("Dr MARTIN Luc - consultation", ""), ("Anniversaire Paul", "")]
    assert verdict(calendar(*own), "ics") == "not_medical"
    work = [
        ("Entretien Paul DUVIVIER", ""),
        ("Point projet Ada OKONKWO", ""),
        ("Budget Luc MOREL", ""),
        ("Consultation du public", ""),
    ]
    assert verdict(calendar(*work), "ics") == "not_medical"


@pytest.mark.parametrize(
    "events",
    [
        [("Gerst L. *27.10.61 - nüchtern + EKG", ""), ("Hufnagel Ronny - nach Appendektomie", ""), ("Fr. Tjarks HB, Parkinson-Med.", ""), ("Pause", "")],
        [("Mary Thwaite (19/05/1947) pessary change", ""), ("Ngozi Okafor - asthma review", ""), ("PARGETER C smear", ""), ("Lunch", "")],
        [("Rossi Ada - controllo pressione", ""), ("Sig. Bianchi medicazione ulcera", ""), ("Neri Tea: ECG", "diabete"), ("pausa", "")],
    ],
    ids=["de", "en", "it"],
)  # fmt: skip
def test_diaries_with_names_in_ordinary_letters(events):
    assert told(calendar(*events), "ics") == ("medical", "patient-table", True, 3)


@pytest.mark.parametrize(
    "events",
    [
        [("Mia Kinderarzt Impfung", ""), ("Zahnarzt Enno", ""), ("Elternabend 4b", ""), ("Physio Rücken", ""), ("Geburtstag Oma Gerda", "")],
        [("Session 1: Heart failure", "Prof. Jane Smith"), ("Keynote - Diabetes", "Dr Paul Hall"), ("Coffee", ""), ("Workshop ECG", "")],
        [("Garde urgences Dr Martin", ""), ("Astreinte réa Dr Petit", ""), ("RCP digestif", ""), ("Bloc Dr Roy", "")],
        [("Meier Hans - Budget", ""), ("Schulz Anna - Interview", ""), ("Koch Ute - Review", "")],
    ],
    ids=["family", "congress", "rota", "work"],
)  # fmt: skip
def test_diaries_of_others(events):
    assert verdict(calendar(*events), "ics") == "not_medical"


def test_address_books():
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Okonkwo\r\nBDAY:1988-11-20\r\nNOTE:{}\r\nEND:VCARD\r\n"
    note = "Diabète de type 2\\, HTA. Traitement : metformine"
    assert told(card.format(note), "vcf") == ("medical", "patient-table", True, 1)
    assert verdict(card.format("Rencontrée au congrès"), "vcf") == "not_medical"


@pytest.mark.parametrize(
    "lines",
    [
        "FN:Dr Paul Durand\r\nTITLE:Cardiologue\r\nNOTE:Cardiologue\\, échographie cardiaque\\, ECG\\, Holter. Urgences le matin.",
        "FN:Julie Moreau\r\nORG:Novartis\r\nNOTE:Entresto\\, insuffisance cardiaque\\, visite le 2e jeudi",
        "FN:Lise Riou kiné\r\nNOTE:Kiné respiratoire et rééducation\\, prend les bronchiolites le week-end",
        "FN:Labo\r\nNOTE:résultats NFS CRP INR avant 17h\\, ECBU 48h\\, glycémie",
    ],
)
def test_a_colleague_in_the_address_book_is_no_patient(lines: str):
    assert verdict(f"BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n", "vcf") == "not_medical"


def test_a_telephones_health_data_without_a_name():
    export = (
        '<HealthData><Me DateOfBirth="1979-03-12"/><Record type="HKQuantityTypeIdentifier{}" value="1"/></HealthData>'
    )
    found = judge(export.format("BloodPressureSystolic"), "xml")
    assert (found.judgement.value, found.identified) == ("medical", False)
    assert found.confidence < 0.7  # of nobody named: lower than a record
    assert verdict(export.format("StepCount"), "xml") == "not_medical"
