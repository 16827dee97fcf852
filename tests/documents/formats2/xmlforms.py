"""CDA of several countries, packages of documents, and the European exchange formats in XML."""

from __future__ import annotations

import base64

from containers import archive, pdf
from people import BE, CH, DE, EN, ES, FR, IT, NO, US, Person, add, near


def cda(p: Person, title: str, body: str, head: str, oid: str, number: str, prefix: str = "", loinc: str = "11488-4") -> str:
    """A clinical document; ``prefix`` such as « c: » qualifies each element."""
    name = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    text = (
        f'<?xml version="1.0"?>\n<ClinicalDocument {name}="urn:hl7-org:v3">{head}<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>'
        f'<id root="1.2.3.4.5.6"/><code code="{loinc}" codeSystem="2.16.840.1.113883.6.1"/><title>{title}</title><effectiveTime value="20240115"/>'
        f'<recordTarget><patientRole><id root="{oid}" extension="{number}"/><addr><streetAddressLine>{p.street}</streetAddressLine><city>{p.city}</city></addr>'
        f'<patient><name><given>{p.given}</given><family>{p.family}</family></name><administrativeGenderCode code="{p.sex}"/><birthTime value="{p.born}"/></patient>'
        f"</patientRole></recordTarget><component>{body}</component></ClinicalDocument>"
    )
    if prefix:
        import re

        text = re.sub(r"<(/?)([A-Za-z])", rf"<\1{prefix}\2", text)
    return text


def section(title: str, text: str) -> str:
    return f"<structuredBody><component><section><title>{title}</title><text>{text}</text></section></component></structuredBody>"


def documents() -> None:
    a = FR[8]
    add("cda/c01.xml", cda(a, "CR d'examens biologiques", section("Hématologie", "<table><tr><td>Hémoglobine</td><td>9,8 g/dL</td></tr></table>"), '<realmCode code="FR"/><templateId root="1.2.250.1.213.1.1.1.1"/>', "1.2.250.1.213.1.4.8", a.nir, loinc="11502-2"), "cda", 1)
    add("cda/c02.xml", cda(DE, "Arztbrief", section("Diagnosen", "Zustand nach Hüft-TEP rechts, arterielle Hypertonie"), '<realmCode code="DE"/>', "1.2.276.0.76.4.8", "A123456780"), "cda", 1, "de")
    add("cda/c03.xml", cda(IT, "Lettera di dimissione", section("Diagnosi di dimissione", "Scompenso cardiaco congestizio, FA permanente"), '<realmCode code="IT"/>', "2.16.840.1.113883.2.9.4.3.2", "BRTRLL56H51L781K", loinc="34105-7"), "cda", 1, "it")
    add("cda/c04.xml", cda(US, "Continuity of Care Document", section("Problems", "Asthma, moderate persistent"), '<realmCode code="US"/><templateId root="2.16.840.1.113883.10.20.22.1.2"/>', "2.16.840.1.113883.19.5", "998991", "cda:"), "cda", 1, "en", note="every element prefixed")
    add("cda/c05.xml", cda(ES, "Informe clínico de urgencias", section("Motivo de consulta", "Dolor torácico opresivo de 2 horas"), '<realmCode code="ES"/>', "2.16.724.4.40", "ARAG7712").replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"), "cda", 1, "es", note="UTF-16")
    inner = base64.b64encode(pdf([f"Austrittsbericht {CH.given} {CH.family}, geb. {CH.french}", "Diagnose: Pneumonie rechts basal", "Therapie: Co-Amoxicillin 1 g"])).decode()
    add("cda/c06.xml", cda(CH, "Austrittsbericht", f'<nonXMLBody><text mediaType="application/pdf" representation="B64">{inner}</text></nonXMLBody>', '<realmCode code="CHE"/>', "2.16.756.5.30", "80756"), "cda", 1, "de")
    b = FR[1]
    meta = (
        '<?xml version="1.0" encoding="UTF-8"?><lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        '<rim:RegistryObjectList><rim:ExtrinsicObject id="D1" mimeType="text/xml"><rim:Slot name="sourcePatientInfo"><rim:ValueList>'
        f"<rim:Value>PID-5|{b.family}^{b.given}^^^^^L</rim:Value><rim:Value>PID-7|{b.born}</rim:Value></rim:ValueList></rim:Slot></rim:ExtrinsicObject></rim:RegistryObjectList></lcm:SubmitObjectsRequest>"
    )
    add("cda/c07.zip", archive({"README.TXT": "Lot XDM", "INDEX.HTM": "<html><body>Lot de documents</body></html>", "IHE_XDM/SUBSET01/METADATA.XML": meta, "IHE_XDM/SUBSET01/DOC0001.XML": cda(b, "Lettre de liaison", section("Synthèse", "Cholécystectomie coelioscopique"), "", "1.2.250.1.213.1.4.8", b.nir)}), "xdm", 1)
    near(
        "cda/n01.xsl",
        '<?xml version="1.0"?><xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:n1="urn:hl7-org:v3"><xsl:template match="/n1:ClinicalDocument"><html><h1><xsl:value-of select="n1:title"/></h1><p>Patient: <xsl:value-of select="n1:recordTarget/n1:patientRole/n1:patient/n1:name/n1:family"/></p></html></xsl:template></xsl:stylesheet>',
        "stylesheet",
        "en",
    )
    near(
        "cda/n02.sch",
        '<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron"><sch:ns prefix="cda" uri="urn:hl7-org:v3"/><sch:pattern><sch:rule context="cda:ClinicalDocument/cda:recordTarget/cda:patientRole"><sch:assert test="cda:patient/cda:birthTime">birthTime est obligatoire</sch:assert></sch:rule></sch:pattern></sch:schema>',
        "schematron",
    )
    blank = Person("${NOM}", "${PRENOM}", "${DATENAIS}", "${SEXE}", "${ADRESSE}", "", "${VILLE}")
    near("cda/n03.xml", cda(blank, "${TITRE}", section("${SECTION}", "${TEXTE}"), '<realmCode code="FR"/>', "1.2.250.1.213.1.4.8", "${INS}").replace('value="20240115"', 'value="${DATE}"'), "template without a person")
    near(
        "cda/n04.xsd",
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3"><xs:element name="ClinicalDocument" type="POCD_MT000040.ClinicalDocument"/><xs:complexType name="POCD_MT000040.Patient"><xs:sequence><xs:element name="birthTime"/></xs:sequence></xs:complexType></xs:schema>',
        "schema",
        "en",
    )


def european() -> None:
    a, b = FR[4], FR[5]
    add(
        "eu/e01.xml",
        f'<?xml version="1.0" encoding="ISO-8859-1"?><evenementsServeurActes xmlns="http://www.hprim.org/hprimXML" version="1.05"><enteteMessage modeTraitement="production"><identifiantMessage>77</identifiantMessage></enteteMessage>'
        f'<evenementServeurActe><patient><identifiant><emetteur><valeur>88120</valeur></emetteur></identifiant><personnePhysique sexe="{a.sex}"><nomUsuel>{a.family}</nomUsuel><prenoms><prenom>{a.given}</prenom></prenoms><dateNaissance><date>{a.iso}</date></dateNaissance></personnePhysique></patient>'
        "<actesCCAM><acteCCAM><codeActe>JQGA002</codeActe><codeActivite>1</codeActivite></acteCCAM></actesCCAM></evenementServeurActe></evenementsServeurActes>".encode("iso-8859-1"),
        "hprim",
        1,
    )
    add(
        "eu/e02.xml",
        '<?xml version="1.0"?><kmehrmessage xmlns="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><header><standard><cd S="CD-STANDARD">20161201</cd></standard></header><folder><id S="ID-KMEHR">1</id>'
        f'<patient><id S="ID-PATIENT">83120512345</id><firstname>{BE.given}</firstname><familyname>{BE.family}</familyname><birthdate><date>{BE.iso}</date></birthdate></patient>'
        '<transaction><cd S="CD-TRANSACTION">sumehr</cd><item><cd S="CD-ITEM">problem</cd><content><text L="nl">Astma bronchiale</text></content></item></transaction></folder></kmehrmessage>',
        "kmehr",
        1,
        "nl",
    )
    add(
        "eu/e03.xml",
        '<itk:DistributionEnvelope xmlns:itk="urn:nhs-itk:ns:201005"><itk:header service="urn:nhs-itk:services:201005:SendCDADocument-v2-0"><itk:addresslist><itk:address uri="urn:nhs-uk:addressing:ods:B83002"/></itk:addresslist></itk:header><itk:payloads count="1"><itk:payload id="u1">'
        + cda(EN, "Discharge summary", section("Diagnoses", "Fractured neck of femur"), "", "2.16.840.1.113883.2.1.4.1", "9434765919").split("\n", 1)[1]
        + "</itk:payload></itk:payloads></itk:DistributionEnvelope>",
        "itk",
        1,
        "en",
    )
    add(
        "eu/e04.xml",
        '<?xml version="1.0" encoding="utf-8"?><MsgHead xmlns="http://www.kith.no/xmlstds/msghead/2006-05-24"><MsgInfo><Type V="DIALOG_HELSEFAGLIG" DN="Helsefaglig dialog"/><GenDate>2024-02-02T10:00:00</GenDate>'
        f'<Patient><FamilyName>{NO.family}</FamilyName><GivenName>{NO.given}</GivenName><DateOfBirth>{NO.iso}</DateOfBirth><Ident><Id>12047712345</Id><TypeId V="FNR"/></Ident></Patient></MsgInfo>'
        '<Document><RefDoc><Content><Dialogmelding xmlns="http://www.kith.no/xmlstds/dialog/2006-10-11"><Notat><Tema DN="Henvisning"/><TekstNotatInnhold>Pasienten har hatt brystsmerter ved anstrengelse siste 3 uker. EKG viser ST-senkning. Ber om vurdering av kardiolog.</TekstNotatInnhold></Notat></Dialogmelding></Content></RefDoc></Document></MsgHead>',
        "other schema",
        1,
        "no",
        note="a Norwegian message: a schema of no list",
    )
    add(
        "eu/e05.xml",
        f'<?xml version="1.0" encoding="UTF-8"?>\n<DossierPatient logiciel="AxiPlus" version="7.2">\n  <Identite><NomNaissance>{b.family}</NomNaissance><Prenom>{b.given}</Prenom><DateNaissance>{b.french}</DateNaissance><Sexe>{b.sex}</Sexe><NumeroSecu>{b.nir}</NumeroSecu></Identite>\n'
        "  <Antecedents><Antecedent annee='1998'>Cholécystectomie</Antecedent><Antecedent>HTA</Antecedent></Antecedents>\n  <Consultation date='12/02/2024'><Motif>Renouvellement</Motif><TA>15/8</TA><Poids>71</Poids><Conclusion>HTA mal équilibrée, majoration amlodipine</Conclusion></Consultation>\n</DossierPatient>\n",
        "other schema",
        1,
    )
    add(
        "eu/e06.xml",
        "<?xml version='1.0' encoding='windows-1252'?>\n<dump db='medistory'>\n"
        + "\n".join(
            f"<row id='{n}'><field name='PAT_NOM'>{p.family}</field><field name='PAT_PRENOM'>{p.given}</field><field name='PAT_DDN'>{p.iso}</field><field name='CS_MOTIF'>{motif}</field><field name='CS_DIAG'>{diagnosis}</field></row>"
            for n, (p, motif, diagnosis) in enumerate(zip(FR[:7], ["toux", "lombalgie", "certificat sport", "vertiges", "contraception", "chute", "suivi diabète"], ["bronchite aiguë", "lumbago", "apte", "VPPB", "pilule renouvelée", "contusion hanche", "DT2, HbA1c 7,8 %"], strict=True), 1)
        ).replace("\n", "\r\n")
        + "\n</dump>\n",
        "other schema",
        7,
        note="rows of a practice's database",
    )
    near(
        "eu/n01.xsd",
        '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><xsd:complexType name="personType"><xsd:sequence><xsd:element name="firstname"/><xsd:element name="familyname"/><xsd:element name="birthdate"/></xsd:sequence></xsd:complexType></xsd:schema>',
        "schema",
        "en",
    )
    near(
        "eu/n02.xml",
        '<?xml version="1.0" encoding="UTF-8"?><AxiPlusConfig><Cabinet nom="Cabinet des Tilleuls"><Medecin rpps="10003412349" nom="LANVIN" prenom="Etienne"/></Cabinet><Imprimante nom="HP-ordonnance" bac="2"/><Modele type="ordonnance" police="Arial"/><Modele type="certificat"/><Vaccins rappel="true" delaiMois="120"/></AxiPlusConfig>',
        "configuration of the practice's software",
    )
    near("eu/n03.xml", '<acknowledgemessage xmlns="http://www.ehealth.fgov.be/standards/kmehr/schema/v1"><header><date>2024-01-01</date></header><acknowledge><cd>validated</cd></acknowledge></acknowledgemessage>', "acknowledgement", "en")
    near(
        "eu/n04.xml",
        '<?xml version="1.0"?><ClaML version="2.0.0"><Title name="CIM-10 FR" version="2024"/><Class code="I10" kind="category"><SuperClass code="I10-I15"/><Rubric kind="preferred"><Label xml:lang="fr">Hypertension essentielle (primitive)</Label></Rubric></Class><Class code="J45" kind="category"><Rubric kind="preferred"><Label xml:lang="fr">Asthme</Label></Rubric></Class></ClaML>',
        "classification",
    )


def write() -> None:
    documents()
    european()
