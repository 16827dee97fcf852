"""Patient records in JSON and XML of nobody's standard: exports of practice software, portals, national messages."""

import pytest

from tests.unit.detection.structured.reading import dumped, is_cut, judge, told, verdict

ONE = ("medical", "clinical-note", True, 1)
PERSON = {"firstName": "Margot", "lastName": "Chevallier", "birthDate": "1979-03-12"}
VISIT = {"diagnosis": [{"code": "I50.0"}], "medications": ["ramipril"]}


@pytest.mark.parametrize(
    "value",
    [
        {"patient": PERSON, "encounter": VISIT},
        {"status": "ok", "data": {"result": {"patient": {"name": {"given": "Ada", "family": "Okonkwo"}, "dob": "1988-11-20"}, **VISIT}}},
        {"prescription": {"patient": {"nomNaissance": "CHEVALLIER", "prenoms": ["Margot"], "dateNaissance": "1979-03-12"}, "lignes": [{"posologie": "1"}]}},
        {"profil": {"nom": "CHEVALLIER", "prenom": "Margot", "date_de_naissance": "12/03/1979", "ipp": "80012"}, "allergies": [{"libelle": "x"}]},
        {"Patient": {"Nachname": "Okonkwo", "Vorname": "Ada", "Geburtsdatum": "20.11.1988"}, "Diagnosen": [{"ICD": "J20.9"}]},
        {"paciente": {"nombre": "Ada", "apellidos": "Okonkwo Ruiz", "fechaNacimiento": "20/11/1988"}, "alergias": ["penicilina"]},
        {"paziente": {"nome": "Ada", "cognome": "Rossi", "dataNascita": "20/11/1988"}, "terapia": [{"farmaco": "amoxicillina"}]},
        {"patient": {"voornaam": "Ada", "achternaam": "de Vries", "geboortedatum": "20-11-1988"}, "medicatie": [{"naam": "x"}]},
    ],
)  # fmt: skip
def test_a_record_in_json(value):
    assert told(dumped(value), "json") == ONE
    assert told(dumped(value).encode("utf-16"), "json") == ONE


def test_a_list_counts_its_patients():
    rows = [{"patient_id": n, "last_name": f"Okonkwo{'abc'[n]}", "first_name": "Ada", "date_of_birth": "1988-11-20", "visits": [{"icd10": "J20"}]} for n in range(3)]  # fmt: skip
    assert told(dumped(rows), "json") == ("medical", "patient-table", True, 3)
    assert told(dumped([*rows, rows[0]]), "json")[3] == 3


@pytest.mark.parametrize(
    "value",
    [
        {"patient": {"firstName": "Prénom", "lastName": "Nom", "birthDate": "Date de naissance"}, "diagnosis": "Diagnostic"},
        {"openapi": "3.0.0", "components": {"example": {"patient": PERSON, "diagnosis": "flu"}}},
        {"$schema": "x", "patient": PERSON, "diagnosis": "flu"},
        [{**PERSON, "poste": "Infirmière", "salaire": 2500, "nir": "279035121518989"}],
        [{**PERSON, "email": "a@example.org", "bloodGroup": "O-", "height": 193}],
        [{"rpps": "10001234567", "nom": "LEROUX", "prenom": "Anne", "dateNaissance": "1970-01-01"}],
        {"patient": {"name": "Rex Leroux", "species": "dog", "birthDate": "2020-01-01"}, "diagnosis": "otitis"},
        {"patient": {"id": 1}, "practitioner": PERSON, "diagnosis": ""},
        {"patient": PERSON},
    ],
)  # fmt: skip
def test_what_has_the_keys_and_is_no_record(value):
    assert verdict(dumped(value), "json") == "not_medical"


@pytest.mark.parametrize("birth", ["demain", "1979-13-45", "", None, {"type": "string"}])
def test_the_birth_date_must_be_one(birth):
    assert verdict(dumped({"patient": {**PERSON, "birthDate": birth}, "diagnosis": "x"}), "json") == "not_medical"


def test_reserved_names_are_test_data():
    assert judge(dumped({"patient": {**PERSON, "lastName": "TEST"}, "diagnosis": "x"}), "json").test_data


def test_xml_in_elements_and_in_attributes():
    elements = "<dossier><patient><nomNaissance>CHEVALLIER</nomNaissance><prenom>Margot</prenom><dateNaissance>{}</dateNaissance></patient><consultation><motif>toux</motif></consultation></dossier>"  # fmt: skip
    assert told(elements.format("12/03/1979"), "xml") == ONE
    assert verdict(elements.format("à compléter"), "xml") == "not_medical"
    attributes = '<export><Patient Nom="CHEVALLIER" Prenom="Margot" DateNaissance="1979-03-12"><Antecedents>HTA</Antecedents></Patient><Patient Nom="DUVIVIER" Prenom="Paul" DateNaissance="1950-01-02"/></export>'  # fmt: skip
    assert told(attributes, "xml") == ("medical", "patient-table", True, 2)
    wsdl = '<definitions><element name="patient"><element name="birthDate"/><element name="firstName"/></element></definitions>'
    assert verdict(wsdl, "wsdl") == "not_medical"


MEDCOM = (
    '<Emessage xmlns="http://rep.oio.dk/medcom.dk/xml/schemas/2006/07/01/"><Envelope><Sent/></Envelope>{}</Emessage>'
)
DANE = "<Patient><CivilRegistrationNumber>2011881234</CivilRegistrationNumber><PersonSurnameName>Okonkwo</PersonSurnameName><PersonGivenName>Ada</PersonGivenName></Patient>"
CCR = '<ContinuityOfCareRecord xmlns="urn:astm-org:CCR"><Patient><ActorID>A1</ActorID></Patient><Actors><Actor><Person><Name><CurrentName><Given>Ada</Given><Family>Okonkwo</Family></CurrentName></Name><DateOfBirth><ExactDateTime>1988-11-20</ExactDateTime></DateOfBirth></Person></Actor></Actors></ContinuityOfCareRecord>'
SCRIPT = '<Message xmlns="http://www.ncpdp.org/schema/SCRIPT"><Body><NewRx><Patient><HumanPatient><Name><LastName>Okonkwo</LastName><FirstName>Ada</FirstName></Name><DateOfBirth><Date>1988-11-20</Date></DateOfBirth></HumanPatient></Patient><Prescriber><Name><LastName>House</LastName><FirstName>Greg</FirstName></Name></Prescriber></NewRx></Body></Message>'
KITH = '<MsgHead xmlns="http://www.kith.no/xmlstds/msghead/2006-05-24"><MsgInfo><Patient><FamilyName>Okonkwo</FamilyName><GivenName>Ada</GivenName><DateOfBirth>1988-11-20</DateOfBirth></Patient></MsgInfo></MsgHead>'
LEVEL_ONE = '<levelone xmlns="urn::hl7-org/cda"><clinical_document_header><patient><person><person_name><nm><GIV V="Ada"/><FAM V="Okonkwo"/></nm></person_name></person><birth_dttm V="1988-11-20"/></patient></clinical_document_header></levelone>'


@pytest.mark.parametrize(
    "text", [MEDCOM.format(f"<DischargeLetter>{DANE}</DischargeLetter>"), CCR, SCRIPT, KITH, LEVEL_ONE]
)
def test_published_vocabularies_need_no_more_than_a_person(text):
    assert told(text, "xml") == ONE
    assert is_cut(text[: text.index("Patient>" if "Patient>" in text else "<patient>") - 1], "xml")


def test_a_receipt_is_about_nobody():
    assert verdict(MEDCOM.format("<PositiveReceipt><Letter/></PositiveReceipt>"), "xml") == "not_medical"


def test_json_that_was_cut_is_read_up_to_the_cut():
    text = dumped({"patient": PERSON, "encounter": VISIT, "rest": ["x" * 50] * 20})
    for end in (len(text) - 1, len(text) - 40, len(text) // 2):
        assert told(text[:end], "json") == ONE


NOTED = {"nachname": "Okonkwo", "vorname": "Ada", "geb": "20.11.1988", "eintraege": [{"d": "2025-03-01", "t": "Husten, Fieber, Bronchitis, Amoxicillin"}]}  # fmt: skip


def test_care_in_the_values_under_keys_that_nobody_knows():
    other = {**NOTED, "nachname": "Gerst", "geb": "27.10.1961"}
    assert told(dumped([NOTED, other]), "json") == ("medical", "patient-table", True, 2)
    banal = [
        {**each, "eintraege": [{"d": "2025-03-01", "t": "Rechnung bezahlt, Adresse neu"}]} for each in (NOTED, other)
    ]
    assert verdict(dumped(banal), "json") == "not_medical"
    staff = [{**PERSON, "role": "nurse", "skills": "oncologie, soins palliatifs"}]
    assert verdict(dumped(staff), "json") == "not_medical"


def test_names_of_fields_cut_short():
    text = "<Archivio><Assistito cod='7'><Cogn>Rossi</Cogn><Nom>Ada</Nom><DtN>12/10/1955</DtN><V><Dg>emicrania, diabete</Dg><T>tosse</T><Tp>amoxicillina</Tp></V></Assistito></Archivio>"
    assert told(text, "xml") == ONE
    assert (
        verdict(text.replace("emicrania, diabete", "Roma").replace("tosse", "x").replace("amoxicillina", "y"), "xml")
        == "not_medical"
    )
