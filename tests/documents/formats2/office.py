"""Texts in office files, pages, books, notes and messages."""

from __future__ import annotations

import json

from containers import archive
from people import BE, EN, ES, FR, IT, PT, US, add, near
from tables import ODF, odf

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>{}</Types>'
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def paragraphs(*lines: str) -> str:
    return "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)


def docx(body: str, more: dict[str, str] | None = None) -> bytes:
    parts = {f"word/{name}": text for name, text in (more or {}).items() if not name.startswith("/")}
    parts |= {name[1:]: text for name, text in (more or {}).items() if name.startswith("/")}
    links = "".join(f'<Relationship Id="x{n}" Type="{REL}/{name.partition(".")[0].rstrip("0123456789")}" Target="{name}"/>' for n, name in enumerate(more or {}) if not name.startswith("/"))
    return archive(
        {
            "[Content_Types].xml": TYPES.format('<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'),
            "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{REL}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{W}" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{body}</w:body></w:document>',
            **parts,
        }
    )


def pptx(slides: list[list[str]], notes: list[str] | None = None) -> bytes:
    P = "http://schemas.openxmlformats.org/presentationml/2006/main"
    frame = f'xmlns:p="{P}" xmlns:a="{A}"'

    def shape(lines: list[str]) -> str:
        return "<p:cSld><p:spTree><p:sp><p:txBody>" + "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines) + "</p:txBody></p:sp></p:spTree></p:cSld>"

    members: dict[str, bytes | str] = {
        "[Content_Types].xml": TYPES.format('<Override PartName="/ppt/presentation.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"/>'),
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{REL}/officeDocument" Target="ppt/presentation.xml"/></Relationships>',
        "ppt/presentation.xml": f"<p:presentation {frame}/>",
    }
    for n, lines in enumerate(slides, 1):
        members[f"ppt/slides/slide{n}.xml"] = f"<p:sld {frame}>{shape(lines)}</p:sld>"
    for n, line in enumerate(notes or [], 1):
        members[f"ppt/notesSlides/notesSlide{n}.xml"] = f"<p:notes {frame}>{shape([line])}</p:notes>"
    return archive(members)


def rtf(*lines: str) -> str:
    def quoted(line: str) -> str:
        return "".join(ch if ord(ch) < 128 else f"\\'{ch.encode('cp1252')[0]:02x}" for ch in line)

    return "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Times;}}\\f0\\fs22 " + "\\par\n".join(map(quoted, lines)) + "\\par}"


def word_processor() -> None:
    a, b, c, d = FR[0], FR[1], FR[2], FR[3]
    add("office/o01.rtf", rtf(f"Concerne : {a.given} {a.family}, née le {a.french}", "Cher Confrère,", "J'ai revu votre patiente pour sa polyarthrite rhumatoïde. DAS28 à 4,1 sous méthotrexate 15 mg.", "Je propose l'ajout d'adalimumab après bilan pré-thérapeutique."), "clinical-note", 1)
    add(
        "office/o02.doc",
        f'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body><w:p><w:r><w:t>Certificat médical</w:t></w:r></w:p><w:p><w:r><w:t>Je soussigné, Dr Lanvin, certifie avoir examiné ce jour M. {b.given} {b.family}, né le {b.french}, et constaté une ecchymose de 4 cm du bras gauche.</w:t></w:r></w:p></w:body></w:wordDocument>',
        "certificate",
        1,
        note="WordML of 2003",
    )
    box = "<w:p><w:r><mc:AlternateContent><mc:Choice><wps:txbx><w:txbxContent>" + paragraphs(f"Patient : {c.given} {c.family}", f"DDN : {c.french}") + "</w:txbxContent></wps:txbx></mc:Choice></mc:AlternateContent></w:r></w:p>"
    add("office/o03.docx", docx(box + paragraphs("Compte rendu opératoire", "Intervention : appendicectomie coelioscopique. Trois trocarts. Appendice phlegmoneux. Suites simples.")), "clinical-note", 1, note="identity in a text box")
    add(
        "office/o04.docx",
        docx(paragraphs("Synthèse du séjour : décompensation cardiaque sur FA. Furosémide IV, perte de 6 kg. Sortie sous bisoprolol et apixaban."), {"header1.xml": f'<w:hdr xmlns:w="{W}">{paragraphs(f"{d.family} {d.given} - né le {d.french} - IPP 8812034")}</w:hdr>'}),
        "clinical-note",
        1,
        note="identity in the header",
    )
    revised = f'<w:p><w:del w:id="1" w:author="x"><w:r><w:delText>Patient : {FR[4].given} {FR[4].family}, née le {FR[4].french}. Séropositivité VIH connue, charge virale indétectable sous Biktarvy.</w:delText></w:r></w:del><w:ins w:id="2" w:author="x"><w:r><w:t>Modèle de courrier.</w:t></w:r></w:ins></w:p>'
    add("office/o05.docx", docx(revised), "clinical-note", 1, note="only in what was deleted under tracking")
    add(
        "office/o06.docx",
        docx(
            paragraphs("Courrier généré"),
            {"/customXml/item1.xml": f"<dossier><patient><nom>{FR[5].family}</nom><prenom>{FR[5].given}</prenom><naissance>{FR[5].french}</naissance></patient><motif>Chute à domicile, fracture du col fémoral gauche</motif><traitement>Prothèse intermédiaire, enoxaparine 4000 UI</traitement></dossier>"},
        ),
        "clinical-note",
        1,
        note="data of the merge in a custom part",
    )
    add(
        "office/o07.pptx",
        pptx(
            [
                ["RCP sénologie du 12/03/2024"],
                [f"Cas 1 : {FR[7].given} {FR[7].family}, {FR[7].french}", "CCI grade II, RH+ HER2-, T2N1. Proposition : chimiothérapie néoadjuvante"],
                [f"Cas 2 : {FR[8].given} {FR[8].family}, {FR[8].french}", "Récidive hépatique. Proposition : palbociclib + fulvestrant"],
                [f"Cas 3 : {FR[11].given} {FR[11].family}, {FR[11].french}", "ACR 4, biopsie bénigne. Surveillance 6 mois"],
            ]
        ),
        "staff meeting",
        3,
    )
    add(
        "office/o08.odp",
        odf(
            "presentation",
            "".join(
                f'<draw:page draw:name="p{n}"><draw:frame><draw:text-box><text:p>{p.family} {p.given}, né(e) le {p.french}</text:p><text:p>{what}</text:p></draw:text-box></draw:frame></draw:page>'
                for n, (p, what) in enumerate([(FR[6], "Infarctus antérieur, FEVG 35 %, discussion DAI"), (FR[10], "Syncope, BAV complet, pacemaker posé")])
            ),
        ),
        "staff meeting",
        2,
    )
    add("office/o09.odt", odf("text", f"<text:p>Informe de alta</text:p><text:p>Paciente: {ES.given} {ES.family}, fecha de nacimiento 28/02/1972</text:p><text:p>Diagnóstico: apendicitis aguda. Tratamiento: apendicectomía laparoscópica, amoxicilina-clavulánico 7 días.</text:p>"), "clinical-note", 1, "es")
    add(
        "office/o10.fodt",
        f'<?xml version="1.0"?><office:document {ODF} office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text><text:p>Verslag consultatie</text:p><text:p>Betreft: {BE.given} {BE.family}, geboren 05/12/1983</text:p><text:p>Anamnese: sinds 2 weken hoesten en koorts. Longauscultatie: crepitaties rechts. Diagnose: pneumonie. Start amoxicilline 1 g.</text:p></office:text></office:body></office:document>',
        "clinical-note",
        1,
        "nl",
    )
    near("office/n01.rtf", rtf("Contrat de remplacement en exercice libéral", "Entre le Dr Etienne LANVIN, cardiologue à Brest, et le Dr Paule SOUDAY, il est convenu ce qui suit.", "Article 1. Le remplacement court du 22 juillet au 11 août 2024. Rétrocession : 70 % des honoraires."), "contract")
    near("office/n02.docx", docx(paragraphs("Formulaire de consentement", "Nom : ................  Prénom : ................  Né(e) le : ..../..../......", "Je reconnais avoir été informé(e) des risques de la coloscopie : perforation, hémorragie.", "Signature :")), "blank form")
    near("office/n03.pptx", pptx([["Hygiène des mains", "Formation du personnel"], ["Friction hydroalcoolique : 7 étapes", "30 secondes"], ["Prévenir les infections à BMR", "Précautions contact"]], ["Rappeler le taux d'infections nosocomiales de 2023"]), "course")
    near("office/n04.odt", odf("text", "<text:p>Ordre du jour de l'assemblée générale de la SCM</text:p><text:p>1. Comptes 2023. 2. Achat d'un échographe. 3. Recrutement d'une secrétaire. 4. Logiciel métier : offre de l'éditeur.</text:p>"), "agenda")


def pages() -> None:
    a, b, c = FR[5], FR[6], FR[11]
    add(
        "office/w01.html",
        f'<!DOCTYPE html><html><head><title>Mes résultats - BioPortail</title><style>.x{{color:red}}</style></head><body><nav><a href="/">Accueil</a> <a href="/aide">Aide</a></nav><div id="app" data-reactroot><h2>{a.given} {a.family}</h2><span>Née le {a.french}</span><table><tr><th>Analyse</th><th>Résultat</th><th>Normes</th></tr><tr><td>Ferritine</td><td class=x>9 µg/L</td><td>15-150</td></tr><tr><td>Hémoglobine</td><td class=x>9,9 g/dL</td><td>12-16</td></tr></table></div><footer>Mentions légales | Cookies</footer></body></html>',
        "lab-report",
        1,
    )
    quoted = f"<html><body><h1>Compte rendu</h1><p>Patient : {b.given} {b.family}, n=C3=A9 le {b.french}</p><p>IRM c=C3=A9r=C3=A9brale : l=C3=A9sions de la substance blanche compatibles avec une scl=C3=A9rose en plaques.</p></body></html>"
    add(
        "office/w02.mhtml",
        f'From: <Saved by Blink>\r\nSnapshot-Content-Location: https://portail.example/cr/1\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="--x"\r\n\r\n----x\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Location: https://portail.example/cr/1\r\n\r\n{quoted}\r\n----x\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding: base64\r\n\r\nR0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==\r\n----x--\r\n',
        "imaging-report",
        1,
    )
    add(
        "office/w03.epub",
        archive(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="c.opf"/></rootfiles></container>',
                "c.opf": "<package/>",
                "t/1.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Carnet de suivi de {c.given} {c.family}</h1><p>Née le {c.french}. Diabète gestationnel, grossesse de 31 SA.</p><p>12/03 : glycémie à jeun 1,12 g/L, insuline Levemir 8 UI le soir.</p></body></html>',
            },
            ("mimetype",),
        ),
        "clinical-note",
        1,
    )
    add("office/w04.md", f"# Visite à domicile\n\n**{FR[3].given} {FR[3].family}** ({FR[3].french})\n\n- TA 10/6, sat 91 %, T° 38,9\n- crépitants base droite\n- **Concl.** pneumopathie, Augmentin 3 g/j, revoir à 48 h\n", "clinical-note", 1)
    add(
        "office/w05.tex",
        f"\\documentclass{{lettre}}\n\\usepackage[french]{{babel}}\n\\begin{{document}}\n\\begin{{letter}}{{Dr Lanvin}}\n\\conc{{{FR[9].given} \\textsc{{{FR[9].family}}}, n\\'e le {FR[9].french}}}\nMerci de m'avoir adress\\'e cet enfant pour un asthme persistant. VEMS \\`a 72\\,\\%.\nTraitement~: fluticasone 125 deux fois par jour.\n\\end{{letter}}\n\\end{{document}}\n",
        "clinical-note",
        1,
    )
    add(
        "office/w06.json",
        json.dumps(
            {
                "status": "ok",
                "data": {
                    "beneficiaire": {"nomUsage": FR[10].family, "prenoms": [FR[10].given], "dateNaissance": FR[10].iso, "nir": FR[10].nir},
                    "ordonnances": [{"date": "2024-02-02", "lignes": [{"medicament": "APIXABAN 5 mg", "posologie": "1 matin 1 soir", "duree": "3 mois"}, {"medicament": "BISOPROLOL 2,5 mg", "posologie": "1 matin"}]}],
                },
            },
            ensure_ascii=False,
        ),
        "prescription",
        1,
    )
    add(
        "office/w07.yaml",
        f"export: mobile-nurse\nversion: 3\npatient:\n  surname: {EN.family}\n  forename: {EN.given}\n  dob: {EN.iso}\nvisits:\n  - date: 2024-02-01\n    reason: leg ulcer dressing\n    notes: >\n      Venous ulcer left gaiter, 4x3 cm, sloughy. Compression reapplied. Pain 3/10.\n  - date: 2024-02-05\n    notes: Wound smaller, no infection. Continue compression bandage.\n",
        "clinical-note",
        1,
        "en",
    )
    add("office/w08.json", json.dumps([{"firstName": p.given, "lastName": p.family, "birthday": p.iso, "chiefComplaint": x, "icd10": y} for p, x, y in [(US, "chest pain", "R07.9"), (EN, "rash", "L30.9"), (IT, "headache", "R51"), (PT, "cough", "R05")]]), "patient-table", 4, "en", note="an API's answer")
    near("office/n05.html", "<html><head><title>Migraine : symptômes et traitement</title></head><body><h1>La migraine</h1><p>La migraine touche 15 % des adultes. Le traitement de crise repose sur les triptans. Consultez votre médecin si les crises sont fréquentes.</p></body></html>", "article")
    near("office/n06.md", "# Déploiement du logiciel de cabinet\n\n1. `docker compose up -d`\n2. Importer la table CCAM\n3. Créer le premier patient de test\n\n| variable | rôle |\n|---|---|\n| `PATIENT_DB` | base des patients |\n| `HL7_PORT` | écoute ORU |\n", "installation notes")
    near(
        "office/n07.tex",
        "\\documentclass{article}\n\\title{Effect of apixaban on stroke in atrial fibrillation}\n\\begin{document}\n\\maketitle\n\\begin{abstract}We randomised 1,204 patients with atrial fibrillation. Median age was 71 years.\\end{abstract}\n\\section{Methods}\nPatients were eligible if they had CHA2DS2-VASc $\\geq 2$.\n\\end{document}\n",
        "paper",
        "en",
    )
    near("office/n08.json", json.dumps({"openapi": "3.0.0", "paths": {"/patients/{id}": {"get": {"summary": "Lire un patient"}}}, "components": {"schemas": {"Patient": {"properties": {"nom": {"type": "string"}, "dateNaissance": {"type": "string", "format": "date"}, "allergies": {"type": "array"}}}}}}), "specification")
    near("office/n09.yaml", "hl7:\n  listener: 0.0.0.0:2575\n  segments: [MSH, PID, OBR, OBX]\npatient_index:\n  fields: [family, given, birth_date, ins]\n  fuzzy: true\nlab:\n  loinc_table: /srv/loinc.csv\n", "configuration", "en")
    near(
        "office/n10.epub",
        archive({"mimetype": "application/epub+zip", "META-INF/container.xml": "<container/>", "t/1.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Chapitre 1</h1><p>Le docteur Rieux sortit de son cabinet et buta sur un rat mort, au milieu du palier.</p></body></html>'}, ("mimetype",)),
        "novel",
    )


def write() -> None:
    word_processor()
    pages()
