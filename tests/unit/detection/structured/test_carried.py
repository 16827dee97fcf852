"""Documents that stand as strings, sections or dumps inside others; and what a cut leaves of a document."""

import html

import pytest

from tests.unit.detection.structured.reading import dumped, is_cut, judge, told, verdict

NIR = "279035121518989"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
CDA = (
    '<ClinicalDocument xmlns="urn:hl7-org:v3"><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><recordTarget><patientRole>'
    '<id root="1.2.250.1.213.1.4.{}" extension="' + NIR + '"/><patient><name><family>CHEVALLIER</family><given>Margot</given></name>'
    '<birthTime value="19790312"/></patient></patientRole></recordTarget><component><structuredBody><component><section><text>'
    "</text></section></component></structuredBody></component></ClinicalDocument>"
)  # fmt: skip
REAL = CDA.format(8)
HL7 = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\rEVN||2026\rPID|1||731||CHEVALLIER^MARGOT||19790312|F\rPV1|1|I"
FHIR = {"resourceType": "Patient", "name": [{"family": "CHEVALLIER", "given": ["Margot"]}], "birthDate": "1979-03-12"}
RTF = "{\\rtf1\\ansi Compte rendu de consultation\\par Mme CHEVALLIER Margot n\\'e9e le 12/03/1979\\par Motif : dyspn\\'e9e. Ant\\'e9c\\'e9dents : HTA, diab\\'e8te. TA 14/8.}"


@pytest.mark.parametrize(
    ("data", "extension", "kind"),
    [
        (f"<export><document><![CDATA[{HEAD}{REAL}]]></document></export>", "xml", "cda"),
        (f"<export><document>{html.escape(HEAD + REAL)}</document></export>", "xml", "cda"),
        (
            f"<export><document><![CDATA[{HEAD}{REAL.replace('<text>', '<text>' + 'mot ' * 30_000)}]]></document></export>",
            "xml",
            "cda",
        ),
        (f"<message><raw>{HL7.replace('&', '&amp;').replace(chr(13), '&#xd;')}</raw></message>", "xml", "hl7v2"),
        (dumped({"id": 1, "message": HL7}), "json", "hl7v2"),
        (dumped({"payload": dumped(FHIR)}), "json", "fhir"),
        (f"<export><rtf>{RTF}</rtf></export>", "xml", "clinical-note"),
        (f'id;date;texte\n1;2026;"{RTF}"\n2;2026;""\n3;2026;""\n', "csv", "clinical-note"),
    ],
)
def test_a_document_as_a_string(data, extension, kind):
    assert told(data, extension) == ("medical", kind, True, 1)


@pytest.mark.parametrize("cut", [5, 40, 200])
def test_the_carrier_may_be_cut_within_what_it_carries(cut):
    for data, extension in (
        (f"<export><document><![CDATA[{HEAD}{REAL}]]></document></export>", "xml"),
        (dumped({"id": 1, "message": HL7 + "\rOBX|1|TX|||" + "mot " * 60}), "json"),
    ):
        assert verdict(data[:-cut], extension) == "medical"


def test_examples_in_a_description_are_no_documents():
    for mark in ({"openapi": "3.0.0"}, {"nbformat": 4}, {"$schema": "x"}):
        assert verdict(dumped({**mark, "example": dumped(FHIR)}), "json") == "not_medical"


def test_web_pages_in_a_news_feed_are_no_children():
    feed = (
        "<rss>"
        + "<item><description><![CDATA[<p>Les patients diabétiques peuvent consulter leur médecin.</p>]]></description></item>"
        * 9
    )
    assert verdict(feed + "</rss>", "xml") == "not_medical"


@pytest.mark.parametrize(
    "before",
    ["HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n", "--uuid:1f3\r\nContent-Type: text/xml\r\n\r\n", "2026-03-01 10:00:00 DEBUG body: ", "// sample\n", "/* a\n * b */\n"],
)  # fmt: skip
@pytest.mark.parametrize("payload", [REAL, dumped(FHIR)])
def test_the_dump_of_an_exchange(before, payload):
    after = "" if before.startswith("/") else "\r\n--uuid:1f3--\r\n"
    assert verdict(before + payload + after, "log") == "medical"


def test_a_guide_that_shows_a_document_is_no_dump():
    assert (
        verdict("# Example\n\nThis is a patient:\n\n    " + dumped(FHIR) + "\n\nEach resource has a type.\n" * 9, "md")
        == "not_medical"
    )


def test_a_list_of_cda_documents_counts_its_patients():
    second = REAL.replace("CHEVALLIER", "DUVIVIER").replace(NIR, "150017500100123")
    assert told(f"<list>{REAL}{second}</list>", "xml") == ("medical", "cda", True, 2)


@pytest.mark.parametrize("oid", [10, 11])
def test_official_test_identities(oid):
    assert judge(HEAD + CDA.format(oid), "xml").test_data
    assert not judge(HEAD + REAL, "xml").test_data


def test_entities_are_neither_expanded_nor_a_way_out():
    declared = '<!DOCTYPE ClinicalDocument [<!ENTITY a "CHU"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
    assert told(HEAD + declared + REAL.replace("CHEVALLIER", "CHEVALLIER&a;&b;"), "xml")[:3] == ("medical", "cda", True)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
    assert verdict(HEAD + bomb + "<x>&c;</x>", "xml") != "medical"


def test_a_cda_that_was_cut_is_never_not_medical():
    text = HEAD + REAL
    for end in range(text.index("<ClinicalDocument") + 18, len(text), 7):
        assert verdict(text[:end], "xml") != "not_medical", end
    assert verdict('<?xml version="1.0"?><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:n1="urn:hl7-org:v3"><xsl:template match="/n1:Clin', "xsl") == "undecidable"  # fmt: skip


def test_a_bundle_that_was_cut():
    bundle = dumped({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": FHIR}]})
    for end in range(bundle.index("collection"), len(bundle), 5):
        assert verdict(bundle[:end], "json") != "not_medical", end
    definitions = dumped({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "ValueSet", "id": "x"}}]})
    assert verdict(definitions[:-8], "json") == "undecidable"
    assert is_cut(
        '<Bundle xmlns="http://hl7.org/fhir"><type value="document"/><entry><fullUrl value="urn:uuid:1"/><resou', "xml"
    )


def test_pseudonyms_in_a_bulk_export_are_counted():
    lines = [dumped({"resourceType": "Observation", "subject": {"reference": f"Patient/{n % 3}"}}) for n in range(9)]
    assert told("\n".join(lines), "ndjson") == ("medical", "fhir", False, 3)


@pytest.mark.parametrize("kind", ["MedicationOrder", "DiagnosticOrder", "MedicationPrescription"])
def test_resources_of_the_first_versions(kind):
    assert told(dumped({"resourceType": kind, "patient": {"reference": "Patient/1", "display": "Ada Okonkwo"}}), "json") == ("medical", "fhir", True, 1)  # fmt: skip


KMEHR = '<{0}folder xmlns{1}="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><{0}patient><{0}firstname>Ada</{0}firstname><{0}familyname>Okonkwo</{0}familyname></{0}patient><{0}transaction/></{0}folder>'  # fmt: skip


def test_kmehr_in_its_envelopes_and_without():
    one = ("medical", "kmehr", True, 1)
    assert told(KMEHR.format("", ""), "xml") == one
    assert (
        told(f"<s:Envelope xmlns:s='x'><s:Body><m>{KMEHR.format('k:', ':k')}</m></s:Body></s:Envelope>", "xml") == one
    )
    assert is_cut(KMEHR.format("", "").partition("<patient")[0].replace("folder", "kmehrmessage"), "xml")


QUERY = '<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3"><queryByParameter><livingSubjectName><value><given>Ada</given><family>{}</family></value></livingSubjectName></queryByParameter></PRPA_IN201305UV02>'  # fmt: skip
ANSWER = '<PRPA_IN201306UV02 xmlns="urn:hl7-org:v3"><patient><id root="1.2" extension="77"/><patientPerson><name><given>Ada</given><family>Okonkwo</family></name></patientPerson></patient></PRPA_IN201306UV02>'  # fmt: skip


def test_version_3_queries_and_answers():
    assert told(QUERY.format("Okonkwo"), "xml") == ("medical", "cda", True, 1)
    assert told(ANSWER, "xml") == ("medical", "cda", True, 1)
    assert is_cut(ANSWER.partition("<patient>")[0], "xml")
    assert (
        verdict('<MCCI_IN000002UV01 xmlns="urn:hl7-org:v3"><acknowledgement/></MCCI_IN000002UV01>', "xml")
        == "not_medical"
    )
