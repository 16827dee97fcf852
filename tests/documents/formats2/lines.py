"""Formats of lines: HPRIM, xDT, EDIFACT, hospital and insurance records of fixed width."""

from __future__ import annotations

from people import DE, DE2, DK, FR, NL, PT, Person, add, near


def xdt(*fields: tuple[str, str], code: str = "iso-8859-1") -> bytes:
    return b"".join(b"%03d%s%s\r\n" % (len(raw := text.encode(code)) + 9, number.encode(), raw) for number, text in fields)


def who(p: Person) -> list[tuple[str, str]]:
    return [("3000", "4471"), ("3101", p.family), ("3102", p.given), ("3103", p.born[6:] + p.born[4:6] + p.born[:4]), ("3110", "2")]


def french() -> None:
    a, b, c = FR[0], FR[3], FR[9]

    def head(p: Person, code: str) -> str:
        return "\r\n".join([code, p.family, p.given, p.street, "", f"{p.postcode} {p.city}", p.french, p.nir, "L24-771", "12/03/2024", "LABM  Laboratoire Ménez", "DR01  Dr Lanvin", ""])

    add("lines/l01.hpr", (head(a, "QM88") + "\r\nHEMATOLOGIE\r\nLeucocytes        14,2 G/L\r\nCRP               88 mg/L\r\n****FIN****\r\n****FINFICHIER****\r\n").encode("cp1252"), "hprim", 1)
    add("lines/l02.txt", (head(b, "TH12") + "\r\n****LAB****\r\nRES|Glycémie|GLY|N|2,11|g/L|0,70|1,10|H|F|\r\nRES|HbA1c|HBA|N|9,8|%|4|6|H|F|\r\n****FIN****\r\n" + head(c, "LH09") + "\r\nTEX|Streptotest positif\r\n****FIN****\r\n****FINFICHIER****\r\n").encode("cp1252"), "hprim", 2, note="two reports of two persons")
    p = FR[6]
    add("lines/l03.hpr", f"H|~^\\&|LB0312.HPR||LABO MENEZ||ORU|||CH||P|H2.2~C|20240312\r\nP|1|8812|||{p.family}~{p.given}||{p.born}|{p.sex}||{p.street}~~{p.city}~~{p.postcode}\r\nOBR|1|L1||INR\r\nOBX|1|NM|INR||5,8||2-3|H|||R\r\nL|1|||5\r\n".encode("iso-8859-1"), "hprim", 1)
    rss = "".join(f"0912C{n:03} 119000290000017019{n:020}{n:020}{1:010}{p.french.replace('/', '')}{'1' if p.sex == 'M' else '2'}{'':<6}012106202321280620238{p.postcode}000000000I509    {'':<60}\r\n" for n, p in enumerate(FR, 1))
    add("lines/l04.txt", rss, "pmsi", 12, note="stays, one line each; positions as the fact sheet's table gives them")
    rhs = "".join(f"{'':<10}M1B290000017M0C{'':<7}{n:020}{'':<13}01022024{'':<8}{p.french.replace('/', '')}{'1' if p.sex == 'M' else '2'}29200072023 A1 GEN I693 Z501 {'':<60}\r\n" for n, p in enumerate(FR[:6], 1))
    add("lines/l05.rhs", rhs, "pmsi", 6, note="weeks of rehabilitation")
    vid = "".join(f"{p.nir}{'':<4}{p.french.replace('/', '')}{'1' if p.sex == 'M' else '2'}{n:020}V014290000017{p.nir[:13]}{'':<60}\r\n" for n, p in enumerate(FR[:8], 1))
    add("lines/l06.txt", vid, "pmsi", 8, note="VID-HOSP")
    b2 = "000CT000001PS0000PG000000".ljust(128) + "\r\n"
    for n, q in enumerate(FR[:4], 1):
        b2 += f"2CP{'':<8}{q.nir}001{n:09}0{n:09}{'':<28}10{'':<17}{q.born[2:]}240102240105".ljust(128)[:128] + "\r\n"
        b2 += f"3CP{'':<8}{q.nir}001{n:09}CS  0001 2500 240102".ljust(128)[:128] + "\r\n"
    add("lines/l07.b2", b2 + "999".ljust(128) + "\r\n", "pmsi", 4, note="invoices to the insurance")
    noemie = "\r\n".join(f"NOEMIE RETOUR 578 | LOT {n:03} | {q.nir[:13]} {q.nir[13:]} {q.family:<14} {q.given:<10} CS 25,00 TM 30% ALD EXO | REGLE 12/03/2024" for n, q in enumerate(FR[4:8], 1))
    add("lines/l08.txt", noemie, "billing", 4, note="returns of the insurance as a practice's software prints them")
    near(
        "lines/n01.txt",
        "\n".join(
            f"{code} {label:<60} {price:>8} 2024"
            for code, label, price in [("JQGA002", "Accouchement par césarienne programmée", "313.05"), ("HFFC018", "Appendicectomie par coelioscopie", "155.10"), ("YYYY600", "Supplément pour archivage", "0.75"), ("DEQP003", "Electrocardiographie sur au moins 12 dérivations", "14.26")]
        ),
        "tariff of acts",
    )
    near("lines/n02.txt", "Numero;Libelle;Position;Longueur\n1;No FINESS;1;9\n2;Version du format du RUM;10;3\n3;No de RSS;13;20\n4;Date de naissance;63;8\n5;Sexe;71;1\n6;Diagnostic principal;126;8\n", "description of a format")


def others() -> None:
    add("lines/e01.ldt", xdt(("8000", "8220"), ("9221", "LDT1014.01"), ("8000", "8202"), ("8310", "AB771"), *who(DE), ("8410", "KREA"), ("8411", "Kreatinin"), ("8420", "1.9"), ("8421", "mg/dl"), ("8000", "8221")), "xdt", 1, "de")
    add("lines/e02.gdt", xdt(("8000", "6310"), ("8100", "00210"), ("9218", "02.10"), *who(DE2), ("8402", "SPIRO00"), ("6228", "FEV1 54 %, obstruktive Ventilationsstörung"), code="cp437"), "xdt", 1, "de")
    add("lines/e03.bdt", xdt(("8000", "0020"), ("9105", "1"), ("8000", "6100"), *who(DE), ("3420", "Hypertonie"), ("8000", "6100"), *who(DE2), ("3420", "COPD"), ("8000", "0021")), "xdt", 2, "de")
    add("lines/e04.edi", f"UNA:+.? 'UNB+UNOA:1+LABSENDER+HUISARTS+240312:0815+77'UNH+1+MEDLAB:1'BGM+LAB'PID+1707:61:17+V+{NL.family}:T:::P.+2'PAD+Kerkstraat:88::Utrecht:3581 AB'BEP:1:1:1+0+Kreatinine+188.0++umol/l++60+110'UNT+7+1'UNZ+1+77'", "edifact", 1, "nl")
    add(
        "lines/e05.edi",
        f"UNB+UNOC:3+579000012:14+579000034:14+240312:0815+44++++++1'UNH+0001+MEDRPT:D:93A:UN:H0130R'BGM+LRP'DTM+137:202403120815:203'S01+01'NAD+SLA+579000012'S05+05'PNA+PAT+{DK.born[6:]}{DK.born[4:6]}{DK.born[2:4]}2214:CPR:IM+++SU:{DK.family}+FO:{DK.given}'S06+06'INV+MQ+NPU01566:::P-Kolesterol'RSL+NV+7.9:7+:::mmol/l'UNT+12+0001'UNZ+1+44'",
        "edifact",
        1,
        "da",
        note="Danish laboratory report",
    )
    add("lines/e06.txt", f"Utente: {PT.given} {PT.family}|N.º SNS 298771230|DN 11-11-1964\r\nPCR|48.2|mg/L|<5\r\nHemoglobina|9.1|g/dL|12-15\r\n", "lab export", 1, "pt")
    add("lines/e07.lab", f"A1\\1201\\Labo Gent\\\r\nA2\\1201\\{NL.family.upper()}\\{NL.given}\\M\\17071961\\\r\nL1\\1201\\GLU\\Glucose\\g/L\\1.88\\0.7-1.1\\**\r\nL1\\1201\\A1C\\HbA1c\\%\\8.8\\<6\\**\r\n", "healthone", 1, "nl")
    near("lines/n03.edi", "UNA:+.? 'UNB+UNOC:3+5412345000013:14+5498765000016:14+240401:1200+8'UNH+1+ORDERS:D:96A:UN'BGM+220+PO771'DTM+137:20240401:102'NAD+BY+5412345000013::9'LIN+1++5411111222223:SRV'IMD+F++:::Gants nitrile M, boîte de 100'QTY+21:40'UNT+8+1'UNZ+1+8'", "trade order")
    near("lines/n04.con", xdt(("8000", "con0"), ("9103", "01012024"), ("9106", "2"), ("9132", "74"), ("8000", "besa"), ("0201", "123456700"), ("0203", "Gemeinschaftspraxis am Hafen"), ("0211", "Dr. med. Annegret Petersen"), ("0212", "123456601"), ("8000", "con9")), "practice's own data", "de")
    near("lines/n05.edi", "UNB+UNOC:3+579000012:14+579000034:14+240312:0816+45'UNH+0001+CONTRL:2:2:UN'UCI+44+579000012:14+579000034:14+7'UNT+3+0001'UNZ+1+45'", "acknowledgement", "und")


def write() -> None:
    french()
    others()
