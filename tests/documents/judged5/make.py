"""Writes the documents of this folder and their manifest anew: other formats and people than ``formats2`` has.

.venv/bin/python tests/documents/judged5/make.py
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "formats2"))

from containers import archive, pdf, pdf_objects, shown, stream, tape, zip_crypto  # noqa: E402
from office import TYPES, W, docx, paragraphs, pptx, rtf  # noqa: E402
from people import FILES, Person, add, closed, near  # noqa: E402
from signals import IMPLICIT, PIXELS, dicom, study  # noqa: E402
from tables import ODF, RELS, SHEET, sqlite, text  # noqa: E402

P = [
    Person("GUICHENEY", "Solange", "19470211", "F", "6 rue Haute", "17000", "LA ROCHELLE"),
    Person("BOUKHELIFA", "Nassim", "19910630", "M", "18 allée du Parc", "69100", "VILLEURBANNE"),
    Person("TRÉMOLIÈRES", "Irène", "19550919", "F", "4 rue du Four", "12000", "RODEZ"),
    Person("DUCASTEL", "Rémi", "19801201", "M", "9 bd Carnot", "80000", "AMIENS"),
    Person("N'GUESSAN", "Prisca", "19740507", "F", "27 rue Lafayette", "38000", "GRENOBLE"),
    Person("WAGENKNECHT", "Lothar", "19381023", "M", "Am Markt 2", "67000", "STRASBOURG"),
    Person("CORBINAUD", "Zélie", "20190325", "F", "1 lieu-dit Kerlann", "35170", "BRUZ"),
    Person("POIGNONEC", "Hervé", "19600818", "M", "33 rue de la Mer", "22000", "SAINT BRIEUC"),
]
SE = Person("Lindqvist-Åberg", "Solveig", "19490614", "F", "Storgatan 4", "22350", "Lund")
UK = Person("Abernathy", "Fergus", "19570903", "M", "2 Mill Lane", "EH1 2AB", "Edinburgh")
DE = Person("Schwertfeger", "Roswitha", "19621118", "F", "Gartenstr. 5", "04109", "Leipzig")


def messages() -> None:
    p, q = P[0], P[1]
    add(
        "a/01.hl7",
        "\r".join([r"MSH|^~\&|DIKT|PATHO|KIS|KH|202402020911||ORU^R01|881|P|2.2", f"PID|||5512||{DE.family}^{DE.given}||{DE.born}|F", "OBR|1||H24-88|HIST^Histologie", r"OBX|1|FT|HIST||Makroskopie: Hautexzisat 1,2 cm.\.br\Mikroskopie: Basalzellkarzinom, im Gesunden entfernt.||||||F"]).encode("iso-8859-1"),
        "hl7v2",
        1,
        "de",
    )
    add("a/02.txt", "\n".join([r"MSH|^~\&|HIS|||||202401011200||ADT^A31|7|P|2.5", f"PID|1||{p.nir}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS||{p.family}^{p.given}^^^^^L||{p.born}|F", "PV1|1|N", "OBX|1|NM|POIDS||41|kg"]), "hl7v2", 1)
    add(
        "a/03.json",
        json.dumps(
            {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "patient", "resource": {"resourceType": "Patient", "name": [{"text": f"{q.given} {q.family}"}], "birthDate": q.iso}},
                    {"name": "note", "resource": {"resourceType": "ClinicalImpression", "status": "completed", "subject": {"display": f"{q.given} {q.family}"}, "summary": "Pneumothorax gauche drainé"}},
                ],
            }
        ),
        "fhir",
        1,
    )
    add(
        "a/04.xml",
        '<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/>'
        + "".join(
            f'<entry><resource><Encounter><status value="finished"/><subject><display value="{x.given} {x.family}"/></subject><reasonCode><text value="{r}"/></reasonCode></Encounter></resource><request><method value="POST"/><url value="Encounter"/></request></entry>'
            for x, r in [(P[2], "malaise"), (P[3], "plaie de la main"), (P[4], "colique néphrétique")]
        )
        + "</Bundle>",
        "fhir",
        3,
    )
    add("a/05.hpm", "\r\n".join(["TREM", P[2].family, P[2].given, P[2].street, "", f"{P[2].postcode} {P[2].city}", P[2].french, "", "P24", "02/02/2024", "ANAPATH", "LANVIN", "", "Frottis cervico-utérin : lésion de haut grade (HSIL).", "Colposcopie conseillée."]).encode("cp1252"), "hprim", 1, note="no markers")
    add(
        "a/06.xml",
        f'<?xml version="1.0" encoding="UTF-8"?><rivta:PatientSummary xmlns:rivta="urn:riv:clinicalprocess"><rivta:subject><rivta:personId>194906142382</rivta:personId><rivta:name>{SE.given} {SE.family}</rivta:name></rivta:subject><rivta:diagnosis code="I48.9">Förmaksflimmer</rivta:diagnosis><rivta:medication>Apixaban 5 mg 1x2</rivta:medication></rivta:PatientSummary>',
        "other schema",
        1,
        "sv",
    )
    add(
        "a/07.xml",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><smses count=\"3\">"
        + "".join(
            f'<sms protocol="0" address="+3361234567{n}" date="170990000000{n}" type="1" body="{b}" contact_name="Secrétariat" />'
            for n, b in enumerate([f"Dr, {P[3].given} {P[3].family} né {P[3].french} fait 39,5 depuis 3 j sous Augmentin", "le labo a appelé pour lui : CRP 210, leuco 18000", "je le convoque à 14 h ?"])
        )
        + "</smses>",
        "sms",
        1,
    )
    add(
        "a/08.json",
        json.dumps(
            {
                "name": "Équipe SSIAD",
                "type": "private_group",
                "messages": [
                    {"id": 1, "type": "message", "date": "2024-02-02T08:00:00", "from": "Inf. Lola", "text": f"Mme {P[0].family} ({P[0].french}) escarre talon stade 3, pansement hydrocellulaire refait"},
                    {"id": 2, "type": "message", "date": "2024-02-02T08:05:00", "from": "Inf. Max", "text": f"M. {P[7].family} ({P[7].french}) glycémie 3,2 g/L, 8 UI Novorapid faites"},
                ],
            },
            ensure_ascii=False,
        ),
        "chat",
        2,
    )
    near("a/n1.hl7", "\r".join([r"MSH|^~\&|A|B|C|D|20240101||MFN^M05|1|P|2.5", "MFI|LOC||UPD|||NE", "MFE|MAD|||CARDIO", "LOC|CARDIO^201^1|Chambre 201||R"]), "master file of rooms")
    near("a/n2.json", json.dumps({"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": "http://hl7.org/fhir/ValueSet/allergy"}, {"name": "count", "valueInteger": 20}]}), "parameters", "en")
    near("a/n3.json", json.dumps({"resourceType": "PlanDefinition", "title": "Suivi du diabète de type 2", "status": "active", "action": [{"title": "HbA1c tous les 3 mois"}, {"title": "Fond d'œil annuel"}]}), "definition")
    near("a/n4.ris", "TY  - JOUR\nAU  - Durand, Claire\nTI  - Prise en charge de la fibrillation atriale chez le sujet âgé\nJO  - Rev Med Interne\nPY  - 2023\nAB  - Nous rapportons 212 patients de plus de 80 ans.\nER  - \n", "references")


def devices() -> None:
    add("b/01.dcm", dicom([*study(P[4], "1.2", "MG", "utf-8"), *PIXELS], IMPLICIT), "dicom", 1)
    add("b/02.zip", archive({"DICOM/IM1": dicom([*study(P[5], "20", "NM"), *PIXELS]), "DICOM/IM2": dicom([*study(P[5], "20", "NM"), *PIXELS]), "viewer/readme.txt": "Run viewer.exe", "autorun.inf": "[autorun]\nopen=viewer.exe"}), "dicom", 1)
    add(
        "b/03.xml",
        f'<?xml version="1.0"?><restingecgdata xmlns="http://www3.medical.philips.com"><patient><generalpatientdata><patientid>771</patientid><name><lastname>{UK.family}</lastname><firstname>{UK.given}</firstname></name><age><dateofbirth>{UK.iso}</dateofbirth></age><sex>Male</sex></generalpatientdata></patient><interpretations><interpretation><statement><leftstatement>Atrial fibrillation</leftstatement></statement></interpretation></interpretations></restingecgdata>',
        "ecg",
        1,
        "en",
    )
    add(
        "b/04.tcx.json",
        json.dumps({"device": "spiro-3", "subject": {"lastName": P[6].family, "firstName": P[6].given, "dateOfBirth": P[6].iso, "heightCm": 104, "weightKg": 17}, "tests": [{"FEV1": 0.81, "FVC": 1.1, "interpretation": "obstruction légère, réversible sous salbutamol"}]}, ensure_ascii=False),
        "device export",
        1,
    )
    near("b/n1.json", json.dumps({"device": "spiro-3", "firmware": "4.1", "calibration": [{"volume": 3.0, "error": 0.4}], "reference": "GLI-2012", "subjects": []}), "device configuration", "en")


def tables() -> None:
    add("c/01.txt", text([["IPP", "NOM", "NAISS", "UF", "ENTREE", "DP", "LIT"], *[[f"80012{n}", f"{p.family} {p.given}", p.french, "3011", "02/02/2024", c, f"{n}P"] for n, (p, c) in enumerate(zip(P, ["I50.1", "J93.1", "N13.2", "S61.0", "N20.1", "C61", "J21.0", "E11.6"], strict=True))]], "|"), "patient-table", 8)
    cells = ["Nom", "Né le", "Protocole", "Cure", *[v for p in P[:5] for v in (f"{p.family} {p.given}", p.french, "FOLFOX", "C4J1")]]
    strings = "".join(f"<si><t>{c.replace('&', '&amp;')}</t></si>" for c in cells)
    grid = "".join(f'<row r="{r + 1}">' + "".join(f'<c r="{chr(65 + c)}{r + 1}" t="s"><v>{r * 4 + c}</v></c>' for c in range(4)) + "</row>" for r in range(6))
    add(
        "c/02.xlsx",
        archive(
            {
                "[Content_Types].xml": TYPES.format('<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'),
                "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
                "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{RELS}"><sheets><sheet name="HDJ" sheetId="1" r:id="r1"/></sheets></workbook>',
                "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELS}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{RELS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
                "xl/sharedStrings.xml": f'<sst xmlns="{SHEET}">{strings}</sst>',
                "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{grid}</sheetData></worksheet>',
            }
        ),
        "patient-table",
        5,
    )
    add("c/03.sqlite3", sqlite("CREATE TABLE vacc(child, born, vaccine, batch, given_on);", "vacc", [[f"{P[6].given} {P[6].family}", P[6].iso, v, "A1", "2020-01-01"] for v in ("Hexyon", "Prevenar", "ROR")]), "patient-table", 1)
    slk = "ID;PWXL;N;E\r\n" + "".join(f'C;Y{r};X{c};K"{v}"\r\n' for r, row in enumerate([["Nom", "Prenom", "Date naissance", "Diagnostic"], *[[p.family, p.given, p.french, d] for p, d in zip(P[:4], ["HTA", "asthme", "BPCO", "gale"], strict=False)]], 1) for c, v in enumerate(row, 1)) + "E\r\n"
    add("c/04.slk", slk.encode("cp1252"), "patient-table", 4, note="SYLK")
    sink = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, sink, 0) as file:
        file.write(
            (
                '<?xml version="1.0"?><gnm:Workbook xmlns:gnm="http://www.gnumeric.org/v10.dtd"><gnm:Sheets><gnm:Sheet><gnm:Cells>'
                + "".join(f'<gnm:Cell Row="{r}" Col="{c}" ValueType="60">{v}</gnm:Cell>' for r, row in enumerate([["Patient", "DDN", "Traitement"], *[[f"{p.family} {p.given}", p.french, "warfarine"] for p in P[:4]]]) for c, v in enumerate(row))
                + "</gnm:Cells></gnm:Sheet></gnm:Sheets></gnm:Workbook>"
            ).encode()
        )
    add("c/05.gnumeric", sink.getvalue(), "patient-table", 4)
    near("c/n1.csv", text([["ATC", "DCI", "Classe"], ["A10BA02", "metformine", "biguanides"], ["C09AA05", "ramipril", "IEC"]]), "classification")
    near("c/n2.csv", text([["Fournisseur", "Contact", "Téléphone", "Délai"], ["Médiprem", "Mme Lopez", "05 56 00 11 22", "48 h"], ["Robé Médical", "M. Stahl", "03 29 00 44 55", "72 h"]]), "suppliers")
    near("c/n3.sqlite", sqlite("CREATE TABLE cim10(code, libelle); CREATE TABLE ccam(code, libelle);", "cim10", [["I10", "Hypertension essentielle"], ["J45", "Asthme"], ["E11", "Diabète de type 2"]]), "classification")


def texts() -> None:
    a, b, c = P[2], P[4], P[7]
    note = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2">{paragraphs(f"Il s agit de {a.given} {a.family}, née le {a.french}, suivie pour trouble bipolaire sous lithium (lithémie 1,4 mmol/L).")}</w:footnote></w:footnotes>'
    add("d/01.docx", docx(paragraphs("Observation du jour, voir la note."), {"footnotes.xml": note}), "clinical-note", 1, note="in a footnote")
    add(
        "d/02.odt",
        archive(
            {
                "mimetype": "application/vnd.oasis.opendocument.text",
                "content.xml": f"<office:document-content {ODF}><office:body><office:text><text:p>Hospitalisée pour pyélonéphrite à E. coli. Ceftriaxone 1 g IV puis relais ofloxacine 7 jours. Apyrexie à J2.</text:p></office:text></office:body></office:document-content>",
                "styles.xml": f'<office:document-styles {ODF} xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"><office:master-styles><style:master-page><style:header><text:p>{b.given} {b.family} - née le {b.french}</text:p></style:header></style:master-page></office:master-styles></office:document-styles>',
            },
            ("mimetype",),
        ),
        "clinical-note",
        1,
        note="identity in the page header",
    )
    add("d/03.pptx", pptx([["Cas clinique du jeudi"]], [f"{c.given} {c.family}, {c.french} : nodule pulmonaire de 18 mm, TEP positif, PBP : adénocarcinome"]), "staff meeting", 1, note="in the speaker's notes")
    xfa = f'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><demande><patient><nom>{P[1].family}</nom><prenom>{P[1].given}</prenom><naissance>{P[1].french}</naissance></patient><motif>Demande d IRM lombaire pour sciatique L5 déficitaire</motif></demande></xfa:data></xfa:datasets></xdp:xdp>'.encode()
    add(
        "d/04.pdf",
        pdf_objects(
            [b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/XFA 6 0 R>>>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>", stream(shown(["Please wait..."])), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", stream(xfa)]
        ),
        "clinical-note",
        1,
        note="an XFA form's data",
    )
    inner = f"From: labo@x.example\r\nSubject: Resultats\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(f'<p>{P[5].given} {P[5].family} n&eacute; le {P[5].french}</p><p>PSA 18,4 ng/mL, T&eacute;l&eacute;phoner au patient, biopsies &agrave; prévoir</p>'.encode()).decode()}\r\n"
    add("d/05.eml", f"From: a@x.example\r\nTo: b@x.example\r\nSubject: Fwd:\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--q--\r\n", "email", 1)
    add(
        "d/06.enex",
        f'<?xml version="1.0" encoding="UTF-8"?><en-export><note><title>Visite {P[3].family}</title><content><![CDATA[<en-note><div>{P[3].given} {P[3].family}, {P[3].french}</div><div>Zona ophtalmique droit, valaciclovir 1 g x3, avis ophtalmo demain</div></en-note>]]></content></note></en-export>',
        "clinical-note",
        1,
        note="an export of notes",
    )
    add(
        "d/07.srt",
        f"1\n00:00:01,000 --> 00:00:05,000\nCourrier pour le docteur Lanvin concernant {P[0].given} {P[0].family}\n\n2\n00:00:05,000 --> 00:00:11,000\nnée le {P[0].french}, vue ce jour pour une arthrose de hanche évoluée\n\n3\n00:00:11,000 --> 00:00:15,000\nindication de prothèse totale, consultation d'anesthésie prévue\n",
        "dictation",
        1,
    )
    near("d/n1.enex", '<?xml version="1.0"?><en-export><note><title>Recette crêpes</title><content><![CDATA[<en-note>250 g farine, 3 oeufs, 1/2 L lait, reposer 1 h</en-note>]]></content></note></en-export>', "recipe")
    near("d/n2.rtf", rtf("Règlement intérieur de la maison de santé", "Article 4. Les résultats d'analyses sont transmis par messagerie sécurisée.", "Article 5. Aucun dossier patient ne quitte les locaux."), "rules")
    near("d/n3.srt", "1\n00:00:01,000 --> 00:00:05,000\nBienvenue dans ce cours sur l'insuffisance cardiaque\n\n2\n00:00:05,000 --> 00:00:11,000\nla dyspnée est le maître symptôme\n", "course")
    near("d/n4.pdf", pdf(["Attestation de formation", "Dr Etienne LANVIN a suivi la formation « ECG d'urgence » (14 h) le 12/01/2024.", "DPC n° 9923"]), "attestation")
    near("d/n5.docx", docx(paragraphs("Offre d'emploi : infirmier(ère) en oncologie", "Vous préparez et administrez les chimiothérapies, 38 h, prime Ségur.")), "job advert")
    near("d/n6.pptx", pptx([["Bilan d'activité 2023"], ["1 204 séjours en cardiologie, DMS 5,4 jours", "22 décès, 3 EI graves analysés en RMM"]]), "report")
    letter = docx(paragraphs(f"Compte rendu {a.given} {a.family}, née le {a.french} : trouble bipolaire. " * 20))
    closed(
        "e/01.odt",
        archive(
            {
                "mimetype": "application/vnd.oasis.opendocument.text",
                "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml" manifest:size="900"><manifest:encryption-data manifest:checksum-type="SHA256" manifest:checksum="AA=="><manifest:algorithm manifest:algorithm-name="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/></manifest:encryption-data></manifest:file-entry></manifest:manifest>',
                "content.xml": bytes(range(7, 250)) * 3,
            },
            ("mimetype",),
        ),
        "odt",
        note="protected by LibreOffice",
    )
    closed("e/02.docx", letter[:400] + bytes(200) + letter[600:], "docx", note="a hole in it")
    closed(
        "e/03.eml",
        f"From: a@x.example\r\nSubject: CR\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nMot de passe par téléphone.\r\n--q\r\nContent-Type: application/zip; name=cr.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(zip_crypto('cr.docx', letter, b'x')).decode()}\r\n--q--\r\n",
        "email",
        note="an encrypted attachment",
    )
    closed("e/04.tar", tape({"cr.docx": letter})[:900], "tar", note="cut short")


def main() -> None:
    for part in (messages, devices, tables, texts):
        part()
    for row, data in FILES:
        path = HERE / str(row["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with open(HERE / "manifest.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row, _ in FILES)


if __name__ == "__main__":
    main()
