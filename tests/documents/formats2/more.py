"""A second turn: what phones, browsers, analysers, registries and other countries' systems leave on a laptop."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import json
import plistlib
import struct
import zlib

from containers import archive, pdf
from hl7 import msh, pid
from office import docx, paragraphs
from people import DE2, EN, ES, FR, IT, NL, US, Person, add, near
from tables import text

JP = Person("山本", "花子", "19680903", "F", "1-2-3", "100-0001", "東京")


def gz(data: bytes) -> bytes:
    sink = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, sink, 0) as file:
        file.write(data)
    return sink.getvalue()


def capture(payload: bytes) -> bytes:
    """A network capture of one TCP segment."""
    frame = bytes(12) + b"\x08\x00" + b"E\0" + struct.pack(">H", 40 + len(payload)) + bytes(16) + bytes(20) + payload
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame


def mails() -> None:
    a, b = FR[3], FR[7]
    body = f"From: ide@ehpad.example\nTo: dr@cabinet.example\nSubject: M. {a.family}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nDocteur, M. {a.given} {a.family} (né le {a.french}) a chuté cette nuit, plaie du cuir chevelu suturée, TA 9/5, on garde le Kardegic ?\n".encode()
    add("more/m01.emlx", b"%d\n" % len(body) + body + b'<?xml version="1.0"?><plist version="1.0"><dict><key>flags</key><integer>1</integer></dict></plist>\n', "email", 1, note="Apple Mail")
    page = pdf([f"Compte rendu d'accouchement : {b.given} {b.family}, née le {b.french}", "Voie basse, épisiotomie, garçon 3 420 g, Apgar 10/10. Allaitement maternel."])
    lines = b"".join(binascii.b2a_uu(page[n : n + 45]) for n in range(0, len(page), 45))
    add("more/m02.eml", b"From: a@x.example\r\nTo: b@x.example\r\nSubject: CR\r\nDate: Mon, 4 Mar 2024 10:00:00 +0100\r\n\r\nCi-joint.\r\n\r\nbegin 644 cr.pdf\r\n" + lines.replace(b"\n", b"\r\n") + b"`\r\nend\r\n", "email", 1, note="uuencoded")
    c = FR[0]
    add("more/m03.mbox.gz", gz(f"From x@y.example Tue Mar  5 09:30:00 2024\nFrom: x@y.example\nTo: z@y.example\nSubject: bio\nMessage-ID: <1@y>\n\nMme {c.given} {c.family} née le {c.french} : TSH 12, anti-TPO positifs, débuter Levothyrox 50.\n".encode()), "email", 1)
    near("more/n01.eml", b"From: a@x.example\r\nTo: b@x.example\r\nSubject: logo\r\nDate: Mon, 4 Mar 2024 10:00:00 +0100\r\n\r\nLe nouveau logo du cabinet.\r\n\r\nbegin 644 logo.txt\r\n" + binascii.b2a_uu(b"(rond bleu, texte blanc)").replace(b"\n", b"\r\n") + b"`\r\nend\r\n", "logo")


def screens() -> None:
    a, b, c = FR[1], FR[2], FR[4]
    cells = [
        {
            "cell_type": "code",
            "source": ["df.head()"],
            "outputs": [{"output_type": "execute_result", "data": {"text/html": ["<table><tr><th>nom</th><th>ddn</th><th>hba1c</th><th>traitement</th></tr>", *[f"<tr><td>{p.family} {p.given}</td><td>{p.iso}</td><td>{7 + n / 10}</td><td>metformine</td></tr>" for n, p in enumerate(FR[:5])], "</table>"]}}],
        }
    ]
    add("more/w01.ipynb", json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}, ensure_ascii=False), "patient-table", 5, note="a notebook's output")
    har = {
        "log": {
            "version": "1.2",
            "entries": [
                {
                    "request": {"url": "https://portail.example/api/cr"},
                    "response": {"content": {"mimeType": "application/json", "text": json.dumps({"patient": {"nom": a.family, "prenom": a.given, "dateNaissance": a.iso}, "compteRendu": "Fibroscopie : ulcère antral, Helicobacter positif, quadrithérapie"}, ensure_ascii=False)}},
                }
            ],
        }
    }
    add("more/w02.har", json.dumps(har, ensure_ascii=False), "clinical-note", 1, note="a browser's record of a visit")
    add(
        "more/w03.svg",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><text x="5" y="20">{b.given} {b.family} - née le {b.french}</text><text x="5" y="40">Arbre généalogique : mère cancer du sein à 41 ans, BRCA1 muté</text><text x="5" y="60">Consultation d\'oncogénétique, mastectomie prophylactique discutée</text></svg>',
        "clinical-note",
        1,
    )
    drawing = f'<mxGraphModel><root><mxCell value="{c.given} {c.family}, née le {c.french}"/><mxCell value="Fibromes utérins, anémie 8,1 g/dL, embolisation prévue"/></root></mxGraphModel>'
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    from urllib.parse import quote

    packed = base64.b64encode(packer.compress(quote(drawing).encode()) + packer.flush()).decode()
    add("more/w04.drawio", f'<mxfile host="app"><diagram name="p">{packed}</diagram></mxfile>', "clinical-note", 1, note="deflated within XML")
    paper = base64.b64encode(pdf([f"Ordonnance : {FR[6].given} {FR[6].family}, né le {FR[6].french}", "Insuline glargine 18 UI le soir, bandelettes, lancettes. Renouvelable 3 fois."])).decode()
    add("more/w05.html", f'<html><body><p>Document</p><embed src="data:application/pdf;base64,{paper}"></body></html>', "prescription", 1, note="a data URI")
    add("more/w06.txt", "\n".join(paper[n : n + 76] for n in range(0, len(paper), 76)) + "\n", "prescription", 1, note="nothing but base64")
    add("more/w07.plist", plistlib.dumps({"patient": {"nom": FR[8].family, "prenom": FR[8].given, "dateNaissance": FR[8].iso}, "notes": ["Lombosciatique L5 droite, Lasègue 40°", "IRM demandée, kétoprofène, arrêt 10 jours"]}, fmt=plistlib.FMT_BINARY), "clinical-note", 1, note="a binary property list")
    add(
        "more/w08.fb2",
        f'<?xml version="1.0" encoding="utf-8"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><body><section><p>Dossier de {FR[9].given} {FR[9].family}, né le {FR[9].french}</p><p>Épilepsie absence, EEG pointes-ondes, valproate 20 mg/kg, pas de crise depuis 2 mois.</p></section></body></FictionBook>',
        "clinical-note",
        1,
    )
    add(
        "more/w09.abw",
        f'<?xml version="1.0"?><abiword xmlns="http://www.abisource.com/awml.dtd"><section><p>Certificat initial (accident du travail)</p><p>Je soussigné certifie avoir examiné {FR[10].given} {FR[10].family}, né le {FR[10].french}</p><p>Entorse grave cheville gauche. Arrêt de travail 15 jours.</p></section></abiword>',
        "certificate",
        1,
    )
    xps = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="fpage" ContentType="application/vnd.ms-package.xps-fixedpage+xml"/></Types>',
        "Documents/1/Pages/1.fpage": f'<FixedPage xmlns="http://schemas.microsoft.com/xps/2005/06"><Glyphs UnicodeString="Echographie hépatique : {FR[11].given} {FR[11].family}, née le {FR[11].french}"/><Glyphs UnicodeString="Lithiase vésiculaire, stéatose. Pas de dilatation des voies biliaires."/></FixedPage>',
    }
    add("more/w10.xps", archive(xps), "imaging-report", 1)
    add("more/w11.docm", docx(paragraphs(f"Bilan neuropsychologique : {FR[5].given} {FR[5].family}, née le {FR[5].french}", "MMSE 19/30, troubles mnésiques sévères, anosognosie. Évoque une maladie d'Alzheimer.")), "clinical-note", 1)
    near("more/n02.ipynb", json.dumps({"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": ["import pandas as pd\n", "df = pd.read_csv('patients.csv')\n", "df[['nom','ddn','hba1c']].describe()"], "outputs": [{"data": {"text/plain": ["count 212\n", "mean 7.4"]}}]}]}), "code")
    near("more/n03.svg", '<svg xmlns="http://www.w3.org/2000/svg"><text>Parcours du patient aux urgences</text><text>Accueil - Tri - Box - Scanner - Sortie</text></svg>', "diagram")
    near("more/n04.har", json.dumps({"log": {"version": "1.2", "entries": [{"request": {"url": "https://www.ameli.example/horaires"}, "response": {"content": {"text": "<html>Horaires des agences</html>"}}}]}}), "record of a visit")


def machines() -> None:
    a, b = FR[5], FR[6]
    add("more/l01.pcap", capture(("\x0b" + "\r".join([msh("ORU^R01"), pid(a), "OBR|1||1|TROPO", "OBX|1|NM|TROPO||412|ng/L|<14|HH|||F"]) + "\r\x1c\r").encode()), "hl7v2", 1, note="a network capture")
    frames = [r"1H|\^&|||XN-1000^00-11|||||||P|1|20240312", f"2P|1||88123||{b.family}^{b.given}||{b.born}|M", "3O|1|55||^^^WBC", "4R|1|^^^WBC|18.2|10*3/uL||H||F", "5L|1|N"]
    add("more/l02.astm", b"".join(b"\x02" + f.encode() + b"\r\x03" + b"%02X" % (sum((f + "\r\x03").encode()) & 255) + b"\r\n" for f in frames), "analyser", 1, note="ASTM frames with control characters")
    glucose = f"Données du patient généré le,12-03-2024 10:00 UTC,Généré par,{FR[0].given} {FR[0].family}\r\nAppareil,Numéro de série,Horodatage de l'appareil,Type d'enregistrement,Historique de la glycémie mg/dL\r\n" + "".join(f"FreeStyle LibreLink,AB12,12-03-2024 0{n}:00,0,{100 + 20 * n}\r\n" for n in range(9))
    add("more/l03.csv", glucose, "readings", 1, note="a glucose sensor")
    redcap = text([["record_id", "redcap_event_name", "last_name", "first_name", "dob", "diagnosis", "mrs_score"], *[[str(n), "baseline_arm_1", p.family, p.given, p.iso, "ischemic stroke", str(n % 5)] for n, p in enumerate([EN, US, IT, ES, NL, DE2])]], ",")
    add("more/l04.csv", redcap, "patient-table", 6, "en", note="a registry's export")
    odm = (
        '<?xml version="1.0"?><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"><ClinicalData StudyOID="S1"><SubjectData SubjectKey="001"><StudyEventData StudyEventOID="E1"><FormData FormOID="F1"><ItemGroupData ItemGroupOID="G">'
        + f'<ItemData ItemOID="LASTNAME" Value="{US.family}"/><ItemData ItemOID="FIRSTNAME" Value="{US.given}"/><ItemData ItemOID="DOB" Value="{US.iso}"/><ItemData ItemOID="DIAGNOSIS" Value="Crohn disease"/></ItemGroupData></FormData></StudyEventData></SubjectData></ClinicalData></ODM>'
    )
    add("more/l05.xml", odm, "other schema", 1, "en", note="CDISC ODM")
    add(
        "more/l06.txt",
        f"-------------------- PERSONAL HEALTH INFORMATION REPORT --------------------\r\nName: {EN.family.upper()}, {EN.given.upper()}       Date of Birth: 30 Jan 1969\r\n\r\n---------- MEDICATIONS ----------\r\nMedication: LISINOPRIL 10MG TAB     Status: Active\r\nInstructions: TAKE ONE TABLET BY MOUTH EVERY DAY\r\n\r\n---------- ALLERGIES ----------\r\nAllergy: SULFA   Reaction: RASH\r\n",
        "clinical-note",
        1,
        "en",
        note="a portal's text download",
    )
    x12 = (
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *240312*0815*^*00501*000000001*0*P*:~GS*HC*S*R*20240312*0815*1*X*005010X222A1~ST*837*0001*005010X222A1~NM1*IL*1*"
        + f"{US.family.upper()}*{US.given.upper()}****MI*W1234~DMG*D8*{US.born}*M~CLM*771*125***11:B:1*Y*A*Y*Y~HI*ABK:J45909~SE*9*0001~GE*1*1~IEA*1*000000001~"
    )
    add("more/l07.837", x12, "claim", 1, "en")
    script = f'<?xml version="1.0"?><Message xmlns="http://www.ncpdp.org/schema/SCRIPT"><Body><NewRx><Patient><HumanPatient><Name><LastName>{IT.family}</LastName><FirstName>{IT.given}</FirstName></Name><DateOfBirth><Date>{IT.iso}</Date></DateOfBirth></HumanPatient></Patient><MedicationPrescribed><DrugDescription>Amoxicillin 500 mg capsule</DrugDescription></MedicationPrescribed></NewRx></Body></Message>'
    add("more/l08.xml", script, "prescription", 1, "en")
    add("more/l09.hl7", ("\r".join([msh("OUL^R22", "2.5", "||||||~ISO IR87||ISO 2022-1994"), f"PID|||0001||{JP.family}^{JP.given}||{JP.born}|F", "OBR|1||1|GLU", "OBX|1|NM|GLU||212|mg/dl|70-109|H|||F"])).encode("iso2022_jp"), "hl7v2", 1, "ja", note="ISO-2022-JP")
    dump = "-- dump\nDROP TABLE IF EXISTS `patients`;\nCREATE TABLE `patients` (`id` int, `nom` varchar(50), `prenom` varchar(50), `ddn` date, `atcd` text);\nINSERT INTO `patients` VALUES " + ",".join(f"({n},'{p.family}','{p.given}','{p.iso}','diabète type 2')" for n, p in enumerate(FR)) + ";\n"
    add("more/l10.sql.bz2", bz2.compress(dump.encode()), "patient-table", 12, note="a packed dump")
    dif = (
        'TABLE\r\n0,1\r\n"T"\r\nVECTORS\r\n0,4\r\n""\r\nTUPLES\r\n0,6\r\n""\r\nDATA\r\n0,0\r\n""\r\n' + "".join("-1,0\r\nBOT\r\n" + "".join(f'1,0\r\n"{c}"\r\n' for c in row) for row in [["Nom", "Prenom", "Date de naissance", "Diagnostic"], *[[p.family, p.given, p.french, "asthme"] for p in FR[:5]]]) + "-1,0\r\nEOD\r\n"
    )
    add("more/l11.dif", dif.encode("cp1252"), "patient-table", 5, note="Data Interchange Format")
    add("more/l12.ini", f"[patient]\nnom={FR[2].family}\nprenom={FR[2].given}\nddn={FR[2].french}\nsexe=F\n\n[refraction]\nOD=-2,25 (-0,75 a 90)\nOG=-1,75\n\n[conclusion]\ntexte=Myopie evolutive, keratocone debutant a droite, topographie a refaire\n", "device", 1, note="an ophthalmic device's file")
    add("more/l13.toml", f'exported_at = 2024-03-12\n[client]\nlast_name = "{EN.family}"\nfirst_name = "{EN.given}"\nbirth_date = 1969-01-30\n[[session]]\ndate = 2024-02-01\nnotes = "Panic attacks twice weekly, sertraline 50 mg started, no suicidal ideation. PHQ-9 14."\n', "clinical-note", 1, "en")
    near("more/n05.csv", "record_id,redcap_event_name,last_name,first_name,dob,diagnosis,mrs_score\r\n", "empty registry", "en")
    near("more/n06.xml", '<?xml version="1.0"?><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"><Study OID="S1"><MetaDataVersion OID="v1"><ItemDef OID="DOB" Name="Date of birth" DataType="date"/><ItemDef OID="DIAGNOSIS" Name="Diagnosis" DataType="text"/></MetaDataVersion></Study></ODM>', "definition", "en")
    near("more/n07.sql", "CREATE TABLE patients (id int, nom varchar(50), prenom varchar(50), ddn date, atcd text);\nINSERT INTO ccam VALUES ('JQGA002','Césarienne'),('HFFC018','Appendicectomie'),('DEQP003','ECG');\n", "database schema")
    near("more/n08.fsh", 'Profile: CabinetPatient\nParent: Patient\nDescription: "Patient du cabinet"\n* name 1..*\n* birthDate 1..1\n* identifier contains INS 0..1\n', "definition")
    near("more/n09.ini", "[hl7]\nport=2575\n[patient]\ncolonnes=nom;prenom;ddn;ins\n[imprimante]\nordonnance=HP2\n", "configuration")
    near("more/n10.837", "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *240312*0815*^*00501*000000002*0*P*:~GS*FA*S*R*20240312*0815*2*X*005010X231A1~ST*999*0001~AK1*HC*1~AK9*A*1*1*1~SE*4*0001~GE*1*2~IEA*1*000000002~", "acknowledgement", "en")


def write() -> None:
    mails()
    screens()
    machines()
