"""FHIR in its encodings and versions."""

from __future__ import annotations

import base64
import json
from typing import Any

from containers import pdf
from people import DK, EN, ES, FR, IT, NL, PT, US, Person, add, near

Thing = dict[str, Any]


def patient(p: Person, number: str) -> Thing:
    return {"resourceType": "Patient", "id": number, "name": [{"family": p.family, "given": [p.given]}], "gender": "male" if p.sex == "M" else "female", "birthDate": p.iso, "address": [{"line": [p.street], "city": p.city, "postalCode": p.postcode}]}


def coded(text: str, code: str = "", system: str = "http://snomed.info/sct") -> Thing:
    return {"coding": [{"system": system, "code": code or "404684003", "display": text}], "text": text}


def condition(number: str, text: str) -> Thing:
    return {"resourceType": "Condition", "subject": {"reference": f"Patient/{number}"}, "code": coded(text)}


def observation(number: str, text: str, value: float, unit: str) -> Thing:
    return {"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{number}"}, "code": coded(text, "4548-4", "http://loinc.org"), "valueQuantity": {"value": value, "unit": unit}}


def bundle(kind: str, *resources: Thing) -> Thing:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"fullUrl": f"urn:uuid:{n:08}", "resource": r} for n, r in enumerate(resources)]}


def compact(thing: Thing) -> str:
    return json.dumps(thing, ensure_ascii=False, separators=(",", ":"))


def medical() -> None:
    composition = {"resourceType": "Composition", "status": "final", "type": coded("Patient summary", "60591-5"), "subject": {"reference": "Patient/p"}, "title": "International Patient Summary"}
    add("fhir/f01.json", json.dumps(bundle("document", composition, patient(ES, "p"), condition("p", "Hipotiroidismo"), {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p"}, "code": coded("Penicilina")}), indent=2), "fhir", 1, "es")
    add(
        "fhir/f02.xml",
        f'<?xml version="1.0"?>\n<Bundle xmlns="http://hl7.org/fhir"><type value="document"/><entry><resource><Patient><id value="p"/><name><family value="{IT.family}"/><given value="{IT.given}"/></name><birthDate value="{IT.iso}"/></Patient></resource></entry>'
        '<entry><resource><Condition><code><text value="Fibrillazione atriale"/></code><subject><reference value="Patient/p"/></subject></Condition></resource></entry></Bundle>',
        "fhir",
        1,
        "it",
    )
    p = FR[2]
    answers = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": "Patient/z", "display": f"{p.given} {p.family}"},
        "item": [{"linkId": "1", "text": "Avez-vous des douleurs ?", "answer": [{"valueString": "Oui, genou droit depuis 3 mois"}]}, {"linkId": "2", "text": "Traitements en cours", "answer": [{"valueString": "Paracétamol, kétoprofène"}]}],
    }
    add("fhir/f03.json", b"\xef\xbb\xbf" + compact(answers).encode(), "fhir", 1, note="byte-order mark, one line")
    q = FR[9]
    form = base64.b64encode(pdf([f"Radiographie du poignet droit - {q.given} {q.family} né le {q.french}", "Fracture en motte de beurre du radius distal."])).decode()
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": coded("Radiographie poignet"), "contained": [patient(q, "q")], "subject": {"reference": "#q"}, "conclusion": "Fracture en motte de beurre", "presentedForm": [{"contentType": "application/pdf", "data": form}]}
    add("fhir/f04.json", compact(report), "fhir", 1)
    group = [*FR, DK]
    add("fhir/f05.ndjson", "\n".join(compact(patient(p, f"b{n}")) for n, p in enumerate(group)) + "\n", "fhir", len(group), note="bulk export: the persons of a practice")
    add("fhir/f06.ndjson", "\n".join(compact({**observation(f"b{n}", "HbA1c", 7.1 + n / 10, "%"), "subject": {"reference": f"Patient/b{n}", "display": f"{p.family} {p.given}"}}) for n, p in enumerate(FR[:5])) + "\n", "fhir", 5)
    add(
        "fhir/f07.ttl",
        f'@prefix fhir: <http://hl7.org/fhir/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\n<http://ex.nl/Patient/1> a fhir:Patient ;\n  fhir:nodeRole fhir:treeRoot ;\n  fhir:Patient.name [ fhir:HumanName.family [ fhir:value "{NL.family}" ] ; fhir:HumanName.given [ fhir:value "{NL.given}" ] ] ;\n  fhir:Patient.birthDate [ fhir:value "{NL.iso}"^^xsd:date ] .\n\n<http://ex.nl/Condition/1> a fhir:Condition ;\n  fhir:Condition.code [ fhir:CodeableConcept.text [ fhir:value "COPD Gold 3" ] ] .\n',
        "fhir",
        1,
        "nl",
    )
    add(
        "fhir/f08.json",
        json.dumps({"id": "r5", "meta": {"versionId": "1"}, **bundle("searchset", patient(PT, "p1"), patient(US, "p2"), {"resourceType": "MedicationStatement", "status": "recorded", "medication": {"concept": coded("Varfarina 5 mg")}, "subject": {"reference": "Patient/p1"}})}, indent=1),
        "fhir",
        2,
        "pt",
        note="R5; resourceType is not the first key",
    )
    add("fhir/f09.json", json.dumps([patient(EN, "x"), condition("x", "Type 2 diabetes"), observation("x", "HbA1c", 71, "mmol/mol")]), "fhir", 1, "en", note="an array of resources, no bundle")
    add("fhir/f10.xml", f'<f:Patient xmlns:f="http://hl7.org/fhir"><f:identifier><f:system value="urn:oid:1.2.208.176.1.2"/><f:value value="0908532214"/></f:identifier><f:name><f:family value="{DK.family}"/><f:given value="{DK.given}"/></f:name><f:birthDate value="{DK.iso}"/></f:Patient>', "fhir", 1, "da")


def harmless() -> None:
    near("fhir/n01.json", json.dumps({"resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1", "format": ["json"], "rest": [{"mode": "server", "resource": [{"type": "Patient"}, {"type": "Observation"}]}]}), "definition", "en")
    near("fhir/n02.json", json.dumps({"resourceType": "ValueSet", "name": "AllergiesFR", "status": "active", "compose": {"include": [{"system": "http://snomed.info/sct", "concept": [{"code": "91936005", "display": "Allergie à la pénicilline"}]}]}}), "definition")
    near("fhir/n03.json", json.dumps({"resourceType": "Questionnaire", "title": "Auto-questionnaire préopératoire", "status": "active", "item": [{"linkId": "1", "text": "Nom, prénom, date de naissance", "type": "string"}, {"linkId": "2", "text": "Prenez-vous des anticoagulants ?", "type": "boolean"}]}), "blank form")
    near(
        "fhir/n04.json",
        json.dumps(bundle("collection", {"resourceType": "Practitioner", "identifier": [{"value": "10003412349"}], "name": [{"family": "Lanvin", "given": ["Etienne"]}]}, {"resourceType": "Organization", "name": "Centre de santé des Tilleuls"}, {"resourceType": "PractitionerRole", "specialty": [coded("Cardiologie")]})),
        "directory",
    )
    near("fhir/n05.json", json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required", "diagnostics": "Patient.identifier: minimum required = 1, but only found 0", "expression": ["Patient.identifier"]}]}), "error", "en")
    near("fhir/n06.json", json.dumps({"resourceType": "Bundle", "type": "searchset", "total": 0, "link": [{"relation": "self", "url": "https://srv/fhir/Patient?name=durand"}]}), "empty answer")
    near("fhir/n07.ndjson", "\n".join(compact({"resourceType": "Medication", "id": c, "code": coded(t, c, "http://www.whocc.no/atc")}) for c, t in [("B01AA03", "warfarine"), ("C07AB07", "bisoprolol"), ("A10BA02", "metformine"), ("N02BE01", "paracétamol")]), "catalogue of drugs")
    near("fhir/n08.xml", '<SearchParameter xmlns="http://hl7.org/fhir"><name value="family"/><status value="active"/><code value="family"/><base value="Patient"/><expression value="Patient.name.family"/></SearchParameter>', "definition", "en")
    near(
        "fhir/n09.ttl",
        '@prefix fhir: <http://hl7.org/fhir/> .\n<http://ex.org/CodeSystem/motifs> a fhir:CodeSystem ;\n fhir:nodeRole fhir:treeRoot ;\n fhir:CodeSystem.name [ fhir:value "Motifs de consultation" ] ;\n fhir:CodeSystem.concept [ fhir:CodeSystem.concept.display [ fhir:value "Douleur thoracique" ] ] .\n',
        "definition",
    )


def write() -> None:
    medical()
    harmless()
