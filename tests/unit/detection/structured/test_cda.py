"""CDA and its kin: the patient in the header decides; schemas, stylesheets, aggregates and comments are nobody."""

import pytest

from agent.detection.structured import Recognised, recognise
from agent.document import Document, Format
from agent.findings import FindingType, Kind

CDA = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="cda.xsl"?>
<!-- made by hand -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
 <templateId root="1.2.250.1.213.1.1.1.1"/>
 <recordTarget><patientRole><id extension="279035121518989" root="1.2.250.1.213.1.4.8"/>
  <patient><name><family qualifier="CL">VASSEUR</family><family qualifier="BR">RAMBERT</family><given>Odile</given></name>
  <birthTime value="19790312"/></patient></patientRole></recordTarget>
 <component><structuredBody><component><section><title>Conclusion</title><text>Lésion réséquée.</text></section></component>
 </structuredBody></component></ClinicalDocument>"""


def judged(text: str | bytes, format_: Format = Format.XML) -> Recognised | None:
    raw = text.encode() if isinstance(text, str) else text
    return recognise(Document(format_, size=len(raw), raw=raw))


def types(result: Recognised) -> set[FindingType]:
    return {item.type for item in result.items}


def test_a_real_document():
    result = judged(CDA)
    assert (result.kind, result.patient_data, result.identified, result.test_data) == (Kind.CDA, True, True, False)
    assert result.persons == {"RAMBERT|ODILE|19790312"}
    assert {FindingType.STRUCTURED_PATIENT, FindingType.INS} <= types(result)


def test_prefixed_root_utf16_bom_text_format_and_latin1():
    prefixed = CDA.replace("<?xml-stylesheet", "<?xml-stylesheet")
    for name in (
        "ClinicalDocument",
        "recordTarget",
        "patientRole",
        "patient",
        "name",
        "family",
        "given",
        "birthTime",
        "id",
    ):
        prefixed = prefixed.replace(f"<{name} ", f"<n1:{name} ").replace(f"<{name}>", f"<n1:{name}>")
        prefixed = prefixed.replace(f"</{name}>", f"</n1:{name}>")
    prefixed = prefixed.replace("xmlns=", "xmlns:n1=")
    assert judged(prefixed).identified
    assert judged(CDA.replace("UTF-8", "UTF-16").encode("utf-16")).identified
    assert judged("\ufeff" + CDA).identified
    assert judged(CDA, Format.TEXT).identified
    assert judged(CDA.replace("Odile", "Éloïse").encode("latin-1")).identified  # bytes that are not what is declared
    assert judged(CDA.replace(' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', ' xsi:x="1"')).identified


def test_a_cut_document_is_still_one():
    assert judged(CDA[: CDA.index("<component>") + 30]).identified


def test_test_identity_authorities():
    assert judged(CDA.replace("1.4.8", "1.4.10")).test_data
    assert judged(CDA.replace("1.4.8", "1.4.11")).test_data
    assert judged(CDA.replace("RAMBERT", "PAT-TROIS")).test_data


def test_masked_identity_is_patient_data_of_nobody_known():
    masked = CDA.replace('extension="279035121518989"', 'nullFlavor="MSK"').replace("<name>", '<name nullFlavor="MSK">')
    result = judged(masked)
    assert result.patient_data
    assert not result.identified


def test_inside_another_envelope():
    inner = CDA.partition("?>")[2].partition("?>")[2]
    soap = f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><x>{inner}</x></s:Body></s:Envelope>'
    assert judged(soap).identified
    itk = f'<itk:DistributionEnvelope xmlns:itk="urn:nhs-itk:ns:201005"><itk:payload>{inner}</itk:payload></itk:DistributionEnvelope>'
    result = judged(itk)
    assert (result.kind, result.identified) == (Kind.ITK, True)


@pytest.mark.parametrize(
    "text",
    [
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3"><xs:element name="ClinicalDocument"/></xs:schema>',
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:n1="urn:hl7-org:v3"><xsl:template match="n1:ClinicalDocument"/></xsl:stylesheet>',
        '<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron"><sch:ns prefix="cda" uri="urn:hl7-org:v3"/></sch:schema>',
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><typeId/></ClinicalDocument>',
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><templateId root="2.16.840.1.113883.10.20.27.1.1"/><recordTarget><patientRole>'
        '<id nullFlavor="NA"/></patientRole></recordTarget><component><structuredBody/></component></ClinicalDocument>',
    ],
)
def test_definitions_and_aggregates(text):
    result = judged(text)
    assert result.patient_data is False
    assert types(result) == {FindingType.DEFINITION}


@pytest.mark.parametrize(
    "text",
    [
        "<note>rien</note>",
        f"<note><!-- {CDA.replace('--', '')} -->rien</note>",
        "<html><body>ClinicalDocument urn:hl7-org:v3</body></html>",
        "<",
        "<a",
        "",
    ],
)
def test_other_xml_is_none(text):
    assert judged(text) is None


def test_entities_are_refused():
    bomb = '<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]>' + CDA.partition("?>")[2].partition("?>")[2]
    assert judged(bomb.replace("Odile", "&b;")) is None
    external = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'
    assert judged(external) is None


def test_depth_and_width_are_bounded():
    assert judged("<a>" * 200_000) is None
    head = '<ClinicalDocument xmlns="urn:hl7-org:v3">'
    assert judged(head + "<x>" * 100_000) is not None
    assert judged(head + "<x/>" * 300_000) is not None


def test_another_v3_message():
    text = (
        '<PRPA_IN201306UV02 xmlns="urn:hl7-org:v3"><controlActProcess><subject><patient><id extension="4711"/><patientPerson>'
        "<name><given>Odile</given><family>Rambert</family></name></patientPerson></patient></subject></controlActProcess></PRPA_IN201306UV02>"
    )
    assert judged(text).identified
    assert (
        judged('<MCCI_IN000002UV01 xmlns="urn:hl7-org:v3"><acknowledgement/></MCCI_IN000002UV01>').patient_data is False
    )
