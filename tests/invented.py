"""A dozen invented documents for the demonstration and the system tests. Nobody in them exists.

Each is a file name and bytes, made here from scratch: about a patient, about nobody, or unreadable.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib

NIR = "2 84 05 78 006 084"


def nir_with_key(nir: str = NIR) -> str:
    """The thirteen digits with their key (97 minus the number modulo 97)."""
    digits = nir.replace(" ", "")
    return f"{nir} {97 - int(digits) % 97:02d}"


LETTER = f"""Centre hospitalier de Valbrume
Service de cardiologie - Dr Hélène Marchetti

Compte rendu d'hospitalisation

Patiente : Mme Odette VERNICOURT
Née le 14/05/1984 - IPP 8004512367
N° de sécurité sociale : {nir_with_key()}

Cher confrère,

Motif d'hospitalisation : douleur thoracique d'effort depuis trois semaines.
Antécédents : hypertension artérielle, tabagisme sevré en 2019. Allergies : pénicilline.
Histoire de la maladie : la patiente présente une dyspnée de stade II.
Examen clinique : TA 152/88 mmHg, fréquence cardiaque 84/min, auscultation sans souffle.
Examens complémentaires : troponine 8 ng/l, créatinine 74 µmol/l, hémoglobine 13,2 g/dl.
Traitement de sortie : bisoprolol 2,5 mg 1 comprimé le matin, ramipril 5 mg 1 comprimé le soir.
Conclusion : angor stable, coronarographie programmée.

Bien confraternellement,
Dr Hélène Marchetti
"""

PRESCRIPTION = f"""Dr Basile ORTIGNAC - Médecin généraliste
RPPS 10003456781
Ordonnance
Le 3 mars 2026
Monsieur Firmin ALBRESPY, né le 02/11/1957
N° de sécurité sociale : {nir_with_key("1 57 11 31 555 021")}
AMOXICILLINE 1 g : 1 comprimé matin et soir pendant 7 jours
PARACETAMOL 1 g : 1 comprimé si douleur, maximum 3 par jour, QSP 5 jours
Non substituable
"""

MENU = """Menu de la semaine
Lundi : velouté de potiron, filet de lieu, tarte aux pommes.
Mardi : salade de lentilles, poulet rôti, fromage blanc.
Mercredi : quiche aux poireaux, compote.
Inscriptions auprès de l'accueil avant jeudi midi.
"""

INVOICE = """Papeterie du Vieux Pont - SARL au capital de 8 000 euros
Facture n° 2026-0417 du 12 février 2026
Client : Cabinet médical des Tilleuls
10 ramettes de papier A4 à 4,20 EUR : 42,00 EUR
4 cartouches d'encre noire à 18,50 EUR : 74,00 EUR
Total HT 116,00 EUR - TVA 20 % 23,20 EUR - Total TTC 139,20 EUR
Règlement à 30 jours par virement. SIRET 552 100 554 00013
"""

LEAFLET = """NOTICE : INFORMATION DE L'UTILISATEUR
Veuillez lire attentivement cette notice avant de prendre ce médicament.
1. QU'EST-CE QUE CE MÉDICAMENT ET DANS QUELS CAS EST-IL UTILISÉ ?
2. QUELLES SONT LES INFORMATIONS À CONNAÎTRE AVANT DE PRENDRE CE MÉDICAMENT ?
Ne prenez jamais ce médicament si vous êtes allergique à l'ibuprofène.
3. COMMENT PRENDRE CE MÉDICAMENT ? La posologie habituelle est de 1 comprimé trois fois par jour.
4. QUELS SONT LES EFFETS INDÉSIRABLES ÉVENTUELS ? Nausées, vomissements, vertiges.
"""

HL7 = (
    "MSH|^~\\&|LABO|CH VALBRUME|DPI|CH VALBRUME|20260305101500||ORU^R01|MSG00017|P|2.5|||||FRA|UNICODE UTF-8|FR\r"
    "PID|1||0045123^^^CH-VALBRUME&750000001&N^PI||VERNICOURT^ODETTE^^^^^L||19840514|F|||3 RUE DES LILAS^^VALBRUME^^78000\r"
    "OBR|1|||58410-2^NFS^LN|||20260305083000\r"
    "OBX|1|NM|718-7^Hémoglobine^LN||13.2|g/dL|12.0-16.0|N|||F\r"
    "OBX|2|NM|26464-8^Leucocytes^LN||6.4|10*9/L|4.0-10.0|N|||F\r"
)

CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="FR"/>
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id root="1.2.250.1.999.1" extension="8842"/>
<code code="34105-7" codeSystem="2.16.840.1.113883.6.1" displayName="CR d'hospitalisation"/>
<title>Compte rendu d'hospitalisation</title><effectiveTime value="20260305"/>
<recordTarget><patientRole><id root="1.2.250.1.213.1.4.8" extension="284057800608400"/>
<patient><name><family>VERNICOURT</family><given>ODETTE</given></name>
<administrativeGenderCode code="F"/><birthTime value="19840514"/></patient></patientRole></recordTarget>
<component><structuredBody><component><section><title>Motif d'hospitalisation</title>
<text>Douleur thoracique d'effort.</text></section></component></structuredBody></component>
</ClinicalDocument>
"""

HPRIM = """0045123
VERNICOURT
ODETTE
3 rue des Lilas

78000 VALBRUME
14/05/1984
2840578006084

05/03/2026
LAB01 Laboratoire des Tilleuls
MED07 Dr ORTIGNAC

****LAB****
RES|Hémoglobine|HB|N|13.2|g/dl|12|16|N|F
RES|Leucocytes|LEU|N|6.4|G/l|4|10|N|F
RES|Plaquettes|PLA|N|251|G/l|150|400|N|F
****FIN****
****FINFICHIER****
"""

_FAMILY = ("ALBRESPY", "BOURDELAS", "CHAMPAGNOL", "DESVERGNES", "ESTIBOTTE", "FARGEPALLET", "GRIMOLAS", "HAUTECLOQUE",
           "ISSARTEL", "JOUVENEL", "KERGUELLEC", "LANTENOIS")  # fmt: skip


def patient_list() -> bytes:
    """A practice's export: twelve invented patients, semicolons, Windows encoding."""
    lines = ["Nom;Prénom;Date de naissance;N° sécurité sociale;Médecin traitant;Motif;Traitement"]
    for number, family in enumerate(_FAMILY):
        year, month = 40 + number * 4, 1 + number
        nir = nir_with_key(f"{1 + number % 2} {year:02d} {month:02d} 31 {100 + number:03d} {20 + number:03d}")
        lines.append(
            f"{family};Prénom{chr(97 + number)};{10 + number:02d}/{month:02d}/19{year};{nir.replace(' ', '')};"
            f"Dr ORTIGNAC;{('HTA', 'diabète de type 2', 'asthme')[number % 3]};{('ramipril', 'metformine', 'salbutamol')[number % 3]}"
        )
    return "\r\n".join(lines).encode("cp1252")


def pdf(text: str) -> bytes:
    """A one-page PDF with one line of text after another (Helvetica, Windows encoding, compressed)."""
    shown = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.splitlines()]
    content = "BT /F1 11 Tf 50 790 Td 15 TL " + " ".join(f"({line}) Tj T*" for line in shown) + " ET"
    stream = zlib.compress(content.encode("cp1252", "replace"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def docx(text: str) -> bytes:
    """A minimal Word document."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraphs = "".join(f"<w:p><w:r><w:t>{_escaped(line)}</w:t></w:r></w:p>" for line in text.splitlines())
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr(
            "word/document.xml", f'<w:document xmlns:w="{word}"><w:body>{paragraphs}</w:body></w:document>'
        )
    return buffer.getvalue()


def fhir() -> bytes:
    """A FHIR bundle: one invented patient, one observation."""
    patient = {
        "resourceType": "Patient", "id": "p1", "name": [{"family": "Vernicourt", "given": ["Odette"]}],
        "birthDate": "1984-05-14", "gender": "female",
    }  # fmt: skip
    observation = {
        "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "valueQuantity": {"value": 13.2, "unit": "g/dL"},
    }  # fmt: skip
    entries = [{"resource": patient}, {"resource": observation}]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1).encode()


def dicom() -> bytes:
    """A DICOM image of four by four pixels with an invented patient in its header."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["serment", "demo"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID = "VERNICOURT^ODETTE", "0045123"
    data.PatientBirthDate, data.PatientSex, data.Modality = "19840514", "F", "CT"
    data.StudyDate, data.StudyDescription = "20260305", "Scanner thoracique"
    data.Rows = data.Columns = 4
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 7, 0, 1
    data.PhotometricInterpretation, data.PixelData = "MONOCHROME2", bytes(16)
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def mail() -> bytes:
    """A message with the prescription attached as a PDF."""
    attachment = base64.encodebytes(pdf(PRESCRIPTION)).decode()
    return (
        "From: secretariat@cabinet.example\r\nTo: pharmacie@officine.example\r\nSubject: Ordonnance\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=limite\r\n\r\n"
        "--limite\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour, ci-joint l'ordonnance.\r\n"
        "--limite\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename=ordonnance.pdf\r\n\r\n{attachment}\r\n--limite--\r\n"
    ).encode()


def encrypted_zip() -> bytes:
    """An archive that needs a pass phrase (AES-256)."""
    import libarchive

    made = bytearray()

    def take(piece: bytes) -> int:
        made.extend(piece)
        return len(piece)

    with libarchive.custom_writer(take, "zip", options="zip:encryption=aes256", passphrase="secret-de-demo") as archive:
        content = LETTER.encode()
        archive.add_file_from_memory("document.txt", len(content), content)
    return bytes(made)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def documents() -> dict[str, bytes]:
    """File name → bytes, in the order of the demonstration."""
    return {
        "CRH_VERNICOURT.txt": LETTER.encode(),
        "courrier.docx": docx(LETTER),
        "ordonnance.pdf": pdf(PRESCRIPTION),
        "liste_patients.csv": patient_list(),
        "resultats.hl7": HL7.encode(),
        "lettre_sortie.xml": CDA.encode(),
        "labo.hpr": HPRIM.encode("cp1252"),
        "dossier.json": fhir(),
        "scanner.dcm": dicom(),
        "message.eml": mail(),
        "archive_protegee.zip": encrypted_zip(),
        "menu.txt": MENU.encode(),
        "facture.pdf": pdf(INVOICE),
        "notice.txt": LEAFLET.encode(),
    }


MEDICAL = frozenset(
    {"CRH_VERNICOURT.txt", "courrier.docx", "ordonnance.pdf", "liste_patients.csv", "resultats.hl7", "lettre_sortie.xml",
     "labo.hpr", "dossier.json", "scanner.dcm", "message.eml"}
)  # fmt: skip
UNDECIDABLE = frozenset({"archive_protegee.zip"})
