"""PDF whose text is not where one looks first, and what mail programs, address books and agendas keep."""

from __future__ import annotations

import base64

from containers import ole, pdf, pdf_objects, shown, stream
from people import DE2, FR, add, near


def pdfs() -> None:
    a, b, c, d = FR[8], FR[2], FR[0], FR[9]
    lines = [f"Ordonnance pour {a.given} {a.family}, née le {a.french}", "Metformine 1000 mg : 1 comprimé matin et soir pendant 3 mois", "Périndopril 5 mg : 1 comprimé le matin"]
    # two-byte glyph numbers that only the ToUnicode map explains, as cairo and LuaTeX write them
    letters = sorted(set("".join(lines)))
    numbers = {ch: n + 1 for n, ch in enumerate(letters)}
    shown_text = b"BT /F1 11 Tf 60 780 Td 15 TL " + b"".join(b"<" + "".join(f"{numbers[ch]:04x}" for ch in line).encode() + b"> Tj T* " for line in lines) + b"ET"
    cmap = ("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange\n" + f"{len(numbers)} beginbfchar\n" + "".join(f"<{n:04x}> <{ord(ch):04x}>\n" for ch, n in numbers.items()) + "endbfchar endcmap end end").encode()
    add(
        "pdf/p01.pdf",
        pdf_objects(
            [
                b"<</Type/Catalog/Pages 2 0 R>>",
                b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
                stream(shown_text),
                b"<</Type/Font/Subtype/Type0/BaseFont/AAAAAA+X/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>",
                b"<</Type/Font/Subtype/CIDFontType2/BaseFont/AAAAAA+X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 500/FontDescriptor 8 0 R>>",
                stream(cmap),
                b"<</Type/FontDescriptor/FontName/AAAAAA+X/Flags 4/FontBBox[0 0 500 700]/ItalicAngle 0/Ascent 700/Descent 0/CapHeight 700/StemV 80>>",
            ]
        ),
        "prescription",
        1,
        note="glyph numbers and a ToUnicode map",
    )

    def field(n: int, name: str, value: str) -> bytes:
        raw = ("\ufeff" + value).encode("utf-16-be").hex().encode()
        return b"<</Type/Annot/Subtype/Widget/FT/Tx/T(%s)/V<%s>/Rect[60 %d 400 %d]/F 4/P 3 0 R>>" % (name.encode(), raw, 700 - 30 * n, 720 - 30 * n)

    fields = [field(0, "nom", b.family), field(1, "prenom", b.given), field(2, "ddn", b.french), field(3, "motif", "Grossesse 24 SA, contractions, menace d'accouchement prématuré"), field(4, "traitement", "Nifédipine LP 20 mg, bétaméthasone")]
    add("pdf/p02.pdf", pdf(["Fiche de transfert materno-fœtal", "Nom", "Prénom", "Date de naissance", "Motif", "Traitement"], b"/AcroForm<</Fields[6 0 R 7 0 R 8 0 R 9 0 R 10 0 R]>>", fields, page=b"/Annots[6 0 R 7 0 R 8 0 R 9 0 R 10 0 R]"), "clinical-note", 1, note="only the form's values tell")
    note = ("\ufeff" + f"{c.given} {c.family} née le {c.french} : rappeler la patiente, CRP 188, scanner évocateur de diverticulite sigmoïdienne").encode("utf-16-be").hex().encode()
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>/Annots[6 0 R]>>"
    add(
        "pdf/p03.pdf",
        pdf_objects(
            [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream(shown(["Planning des salles de réunion", "Lundi : salle Bleue"])), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>", b"<</Type/Annot/Subtype/Text/Rect[100 700 120 720]/Contents<%s>>>" % note]
        ),
        "clinical-note",
        1,
        note="only a comment tells",
    )
    inner = pdf([f"Bilan orthophonique de {d.given} {d.family}, né le {d.french}", "Trouble du langage oral, dyslexie. Conclusion : 30 séances AMO 12."])
    files = b"/Names<</EmbeddedFiles<</Names[(b.pdf) 6 0 R]>>>>"
    add("pdf/p04.pdf", pdf(["Voir la pièce jointe."], files, [b"<</Type/Filespec/F(b.pdf)/EF<</F 7 0 R>>>>", stream(inner, b"/Type/EmbeddedFile")]), "clinical-note", 1, note="an attachment")
    form = stream(shown([f"Laboratoire - {DE2.given} {DE2.family}, geb. 04.03.1969", "Kreatinin 2,1 mg/dl (0,7-1,2) Kalium 5,9 mmol/l", "Beurteilung: akute Niereninsuffizienz"]), b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>")
    add(
        "pdf/p05.pdf",
        pdf_objects([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</X 6 0 R>>>>>>", stream(b"q /X Do Q"), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>", form]),
        "lab-report",
        1,
        "de",
        note="text in a form object",
    )
    near("pdf/n01.pdf", pdf(["Demande de remboursement (formulaire)", "Nom  Prénom  N° de sécurité sociale", "Cadre réservé au médecin : nature des soins"], b"/AcroForm<</Fields[6 0 R]>>", [b"<</Type/Annot/Subtype/Widget/FT/Tx/T(nom)/Rect[60 700 400 720]/F 4/P 3 0 R>>"]), "blank form")
    near("pdf/n02.pdf", pdf(["FACTURE 2024-0312", "Cabinet des Tilleuls - Dr Etienne LANVIN", "Location d'un appareil d'ECG : 120,00 EUR HT", "TVA 20 % : 24,00 EUR - Total : 144,00 EUR", "IBAN FR76 3000 4000 0312 3456 7890 143"]), "invoice")
    near("pdf/n03.pdf", pdf(["Protocole de service : prise en charge du choc septique", "1. Remplissage 30 mL/kg. 2. Noradrénaline si PAM < 65 mmHg.", "3. Antibiothérapie dans l'heure. Validé en CME le 12/01/2024."]), "protocol")


def messages() -> None:
    a, b, c, d = FR[1], FR[4], FR[6], FR[7]
    mails = [(a, "compte rendu coloscopie", "polype de 12 mm réséqué, adénome tubuleux, contrôle à 3 ans"), (b, "résultat hCG", "hCG positive, prévoir échographie de datation"), (c, "demande avis", "lésion pigmentée du dos, suspicion de mélanome, photo à suivre")]
    add(
        "mail/m01.mbox",
        "".join(
            f"From dr@cabinet.example Tue Mar  5 09:30:0{n} 2024\nFrom: Dr Lanvin <dr@cabinet.example>\nTo: confrere@clinique.example\nSubject: {what}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nBonjour,\n\nPour {p.given} {p.family}, né(e) le {p.french} : {text}.\n\nCordialement\n\n"
            for n, (p, what, text) in enumerate(mails)
        ),
        "email",
        3,
    )
    attached = base64.encodebytes(pdf([f"Compte rendu d'hospitalisation : {d.given} {d.family}, née le {d.french}", "Thyroïdectomie totale pour goitre multinodulaire. Lévothyroxine 100 µg."])).decode()
    add(
        "mail/m02.eml",
        f'From: secretariat@clinique.example\r\nTo: dr@cabinet.example\r\nSubject: =?utf-8?B?Q1I=?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: text/plain\r\n\r\nCi-joint.\r\n--zz\r\nContent-Type: application/octet-stream; name="doc1.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n{attached}\r\n--zz--\r\n',
        "email",
        1,
    )
    prop = {
        "__substg1.0_001A001F": "IPM.Note",
        "__substg1.0_0037001F": "Patient à revoir",
        "__substg1.0_0C1A001F": "Secrétariat",
        "__substg1.0_1000001F": f"Bonjour docteur,\r\nMme {FR[8].given} {FR[8].family}, née le {FR[8].french}, signale des douleurs thoraciques depuis hier sous Eliquis. INR inutile, troponine demandée en urgence.",
    }
    streams = {name: text.encode("utf-16-le") for name, text in prop.items()}
    add("mail/m03.msg", ole({"__properties_version1.0": bytes(32), **streams}), "email", 1)
    add(
        "mail/m04.vcf",
        "".join(
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nN:{p.family};{p.given};;;\r\nFN:{p.given} {p.family}\r\nBDAY:{p.iso}\r\nTEL;TYPE=CELL:+33 6 12 34 56 7{n}\r\nCATEGORIES:Patients\r\nNOTE:{x}\r\nEND:VCARD\r\n"
            for n, (p, x) in enumerate([(FR[0], "allergique pénicilline\\, sous Eliquis"), (FR[3], "BPCO\\, O2 à domicile"), (FR[5], "Alzheimer\\, appeler sa fille")])
        ),
        "contacts",
        3,
    )
    add(
        "mail/m05.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Agenda//FR\r\n"
        + "".join(
            f"BEGIN:VEVENT\r\nUID:{n}@agenda\r\nDTSTART:20240315T{9 + n:02}0000\r\nSUMMARY:{p.family} {p.given}\r\nDESCRIPTION:né(e) {p.french} - Motif : {m}\r\nEND:VEVENT\r\n"
            for n, (p, m) in enumerate(zip(FR[:6], ["renouvellement pilule", "lombalgie aiguë", "IVG médicamenteuse", "suivi BPCO", "bilan anémie", "troubles de mémoire"], strict=True))
        )
        + "END:VCALENDAR\r\n",
        "agenda",
        6,
    )
    near(
        "mail/n01.vcf",
        "".join(f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nORG:{name}\r\nTEL:+33298001{n}22\r\nNOTE:{x}\r\nEND:VCARD\r\n" for n, (name, x) in enumerate([("Crêperie du Port", "fermé le lundi"), ("Pizzeria Roma", "table de 8 pour la garde"), ("Pharmacie de la Gare", "de garde le dimanche")])),
        "contacts",
    )
    near("mail/n02.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(f"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:2024072{n}\r\nSUMMARY:{x}\r\nEND:VEVENT\r\n" for n, x in enumerate(["Congés Dr Lanvin", "Garde SAMU", "Formation DPC insuffisance cardiaque", "Visite du laboratoire Servier"])) + "END:VCALENDAR\r\n", "agenda")
    near(
        "mail/n03.mbox",
        "From list@sfc.example Tue Mar  5 09:30:00 2024\nFrom: SFC <list@sfc.example>\nTo: membres@sfc.example\nSubject: Nouvelles recommandations FA 2024\nContent-Type: text/plain; charset=utf-8\n\nChers collègues,\n\nLes recommandations sur la fibrillation atriale sont parues. Chez les patients de plus de 75 ans, l'anticoagulation reste indiquée.\n\nFrom list@sfc.example Wed Mar  6 09:30:00 2024\nFrom: SFC <list@sfc.example>\nSubject: Congrès\nContent-Type: text/plain; charset=utf-8\n\nInscriptions ouvertes jusqu'au 30 avril.\n",
        "newsletter",
    )
    near(
        "mail/n04.eml",
        "From: rh@clinique.example\r\nTo: nadine.lebras@clinique.example\r\nSubject: Bulletin de paie mars 2024\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour Nadine LE BRAS,\r\nVotre bulletin : salaire brut 2 100,00, cotisations maladie 147,00, mutuelle 38,00, net à payer 1 644,20. N° SS 2 78 05 29 019 114 52.\r\n",
        "payslip",
    )


def write() -> None:
    pdfs()
    messages()
