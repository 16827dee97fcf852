"""FHIR in its four dresses: patients and what points to them; definitions, staff and places are nobody."""

import json

import pytest

from agent.detection.structured import Recognised, recognise
from agent.detection.structured import fhir_types as names
from agent.detection.structured.jsontree import load
from agent.document import Document, Format, Part
from agent.findings import FindingType, Kind

PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "279035121518989"}],
    "name": [{"family": "Rambert", "given": ["Odile"]}],
    "birthDate": "1979-03-12",
}
OBSERVATION = {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/1"}}


def judged(value, format_: Format = Format.JSON) -> Recognised | None:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return recognise(Document(format_, size=len(raw), raw=raw))


def bundle(*resources, kind="collection"):
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}


def types(result: Recognised) -> set[FindingType]:
    return {item.type for item in result.items}


def test_the_type_lists_do_not_overlap():
    groups = (names.PEOPLE, names.CLINICAL, names.ADMINISTRATIVE, names.DEFINITIONS)
    assert sum(map(len, groups)) + 1 == len(names.ALL)
    assert all(name[0].isupper() and name.isalnum() for name in names.ALL)


def test_a_patient():
    result = judged(PATIENT)
    assert (result.kind, result.patient_data, result.identified, result.test_data) == (Kind.FHIR, True, True, False)
    assert result.persons == {"RAMBERT|ODILE|19790312"}
    assert FindingType.INS in types(result)


def test_bundles_nested_contained_and_parameters():
    other = {**PATIENT, "name": [{"text": "Vasseur Jean"}]}
    assert len(judged(bundle(PATIENT, other, OBSERVATION)).persons) == 2
    assert judged(bundle(bundle(bundle(PATIENT)))).identified
    assert judged({**OBSERVATION, "contained": [PATIENT]}).identified
    assert judged({"resourceType": "Parameters", "parameter": [{"name": "p", "resource": PATIENT}]}).identified


def test_wrapped_in_another_interface_and_in_a_list():
    assert judged({"hook": "order-sign", "prefetch": {"patient": PATIENT}}).identified
    assert judged([PATIENT, OBSERVATION]).identified
    assert judged({"data": [{"items": [{"resource": {"x": OBSERVATION}}]}]}).patient_data


@pytest.mark.parametrize(
    ("resource", "identified"),
    [
        (OBSERVATION, False),
        ({**OBSERVATION, "subject": {"reference": "Patient/1", "display": "Odile Rambert"}}, True),
        ({**OBSERVATION, "subject": {"identifier": {"value": "4711"}}}, True),
        ({"resourceType": "Condition", "code": {"text": "asthme"}}, False),
        (
            {
                "resourceType": "Appointment",
                "participant": [{"actor": {"reference": "Practitioner/1", "display": "Dr X"}}],
            },
            False,
        ),
        (
            {
                "resourceType": "Appointment",
                "participant": [{"actor": {"reference": "Patient/1", "display": "O. Rambert"}}],
            },
            True,
        ),
        (
            {"resourceType": "RelatedPerson", "patient": {"reference": "Patient/1"}, "name": [{"family": "Rambert"}]},
            True,
        ),
        ({"resourceType": "Patient", "id": "1", "gender": "female"}, False),
        ({"resourceType": "Patient", "name": [{"family": "ANONYMOUS"}]}, False),
    ],
)
def test_identity_by_resource(resource, identified):
    result = judged(resource)
    assert result.patient_data
    assert result.identified is identified


@pytest.mark.parametrize(
    "resource",
    [
        *({"resourceType": name} for name in sorted(names.DEFINITIONS)),
        {"resourceType": "Practitioner", "name": [{"family": "Rambert"}]},
        {"resourceType": "Organization", "name": "CH"},
        bundle({"resourceType": "Practitioner"}, {"resourceType": "Location"}),
        bundle(),
        {"resourceType": "StructureDefinition", "type": "Patient", "contained": [{"resourceType": "ValueSet"}]},
    ],
)
def test_definitions_and_directories(resource):
    result = judged(resource)
    assert result.patient_data is False
    assert types(result) == {FindingType.DEFINITION}


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": 1},
        {"resourceType": "Toaster"},
        {"resourceType": {"const": "Patient"}},
        [1, "x"],
        b"{",
        b"[",
        b'{"a":',
    ],
)
def test_other_json_is_none(value):
    assert judged(value) is None


def test_test_markers():
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    assert judged({**PATIENT, "meta": {"security": [tag]}}).test_data
    assert judged({**PATIENT, "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "1"}]}).test_data
    assert judged({**PATIENT, "name": [{"family": "Abernathy524", "given": ["Abe604"]}]}).test_data
    assert not judged(PATIENT).test_data


def test_deidentified_only_when_the_name_is_gone():
    marked = {"meta": {"security": [{"code": "ANONYED"}]}}
    bare = judged({"resourceType": "Patient", "gender": "female", **marked})
    assert (bare.patient_data, bare.identified, bare.deidentified) == (True, False, True)
    coded = judged({"resourceType": "Patient", "identifier": [{"value": "S-001"}], **marked})
    assert (coded.patient_data, coded.identified, coded.deidentified) == (True, False, True)
    named = judged({**PATIENT, **marked})
    assert (named.identified, named.deidentified) == (True, False)


def test_animals():
    extension = [{"url": "http://hl7.org/fhir/StructureDefinition/patient-animal"}]
    assert types(judged({**PATIENT, "extension": extension})) == {FindingType.VETERINARY}
    assert judged({**PATIENT, "extension": extension, "maritalStatus": {"text": "M"}}).patient_data


def test_ndjson():
    lines = "\n".join(json.dumps(r) for r in (PATIENT, {**PATIENT, "birthDate": "1980-01-01"}, OBSERVATION)).encode()
    result = judged(lines, Format.NDJSON)
    assert (result.identified, len(result.persons)) == (True, 2)
    assert judged(b'{"a": 1}\n{"a": 2}\n{"a": 3}\n{"a": 4}\n{"a": 5}\n', Format.NDJSON) is None


def test_broken_json_is_judged_with_less_confidence():
    raw = json.dumps(bundle(PATIENT, OBSERVATION)).encode()[:-40]
    result = judged(raw)
    assert (result.patient_data, result.identified) == (True, True)
    assert result.confidence < 0.95
    assert judged(b'{"resourceType": "ValueSet", "compose": {').patient_data is False


def test_xml():
    text = (
        '<?xml version="1.0"?><Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry><resource><Patient><identifier>'
        '<system value="urn:oid:1.2.250.1.213.1.4.10"/><value value="279035121518989"/></identifier><name><family value="Rambert"/>'
        '<given value="Odile"/></name><birthDate value="1979-03-12"/></Patient></resource></entry><entry><resource><Observation>'
        '<subject><reference value="Patient/1"/></subject></Observation></resource></entry></Bundle>'
    )
    result = judged(text.encode(), Format.XML)
    assert (result.identified, result.test_data, result.persons) == (True, True, {"RAMBERT|ODILE|19790312"})
    contained = '<Observation xmlns="http://hl7.org/fhir"><contained><Patient><name><family value="Rambert"/></name></Patient></contained></Observation>'
    assert judged(contained.encode(), Format.XML).identified
    definition = '<ValueSet xmlns="http://hl7.org/fhir"><url value="http://x"/></ValueSet>'
    assert judged(definition.encode(), Format.XML).patient_data is False


def test_turtle():
    text = """@prefix fhir: <http://hl7.org/fhir/> .
<http://example.org/Patient/1> a fhir:Patient; fhir:nodeRole fhir:treeRoot;
  fhir:name ( [ fhir:family [ fhir:v "Rambert" ] ] ) ."""
    assert judged(text.encode(), Format.TEXT).identified
    assert judged(text.replace("a fhir:Patient", "a fhir:ValueSet").encode(), Format.TEXT).patient_data is False


def test_utf16_and_lone_surrogates():
    assert judged(json.dumps(PATIENT).encode("utf-16"), Format.TEXT).identified
    text = json.dumps(PATIENT, ensure_ascii=False).replace("Odile", "Od\ud800ile")
    assert recognise(Document(Format.JSON, parts=[Part(text)])).identified


def test_hostile_json():
    nested = b"[" * 200 + b"]" * 200
    assert load(nested) is None
    assert load(b"[" * 100 + b"]" * 100) is not None
    assert load(b'["' + b"[" * 200 + b'"]') == ["[" * 200]
    assert judged(b"[" * 1_000_000) is None
    assert judged(b'{"a":' * 100_000 + b"1" + b"}" * 100_000) is None
    assert judged(b'{"' + b'\\"' * 500_000) is None
    deep = bundle(PATIENT)
    for _ in range(20):
        deep = bundle(deep)
    assert judged(deep).identified
    wrong = {
        "resourceType": "Patient",
        "name": "x",
        "identifier": "y",
        "meta": [1],
        "extension": {"url": 3},
        "contained": "z",
    }
    assert judged(wrong).patient_data
    assert (
        judged({"resourceType": "Bundle", "entry": [None, 1, {"resource": "x"}, {"resource": [PATIENT]}]}) is not None
    )
