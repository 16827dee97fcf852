"""Tables as practices keep and export them, in each container a spreadsheet or a database has."""

from __future__ import annotations

import os
import sqlite3
import struct
import tempfile
from html import escape

from containers import archive
from people import EN, FR, IT, US, add, near

Grid = list[list[str]]
DIAGNOSES = ["HTA", "asthme", "DT2", "BPCO", "migraine", "FA sous AOD", "gonarthrose", "dépression", "ostéoporose", "TDAH", "goutte", "hypothyroïdie"]
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def xlsx(sheets: dict[str, Grid], hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook with inline strings, as report generators write it."""
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{RELS}"><sheets>' + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"{" state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""}/>' for n, name in enumerate(sheets, 1)) + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' + "".join(f'<Relationship Id="r{n}" Type="{RELS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1)) + "</Relationships>",
    }
    for n, grid in enumerate(sheets.values(), 1):
        rows = "".join(f'<row r="{r}">' + "".join(f'<c r="{chr(65 + c)}{r}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for c, cell in enumerate(row)) + "</row>" for r, row in enumerate(grid, 1))
        members[f"xl/worksheets/sheet{n}.xml"] = f'<worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData></worksheet>'
    return archive(members)


ODF = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'


def odf_table(grid: Grid) -> str:
    return '<table:table table:name="F1">' + "".join("<table:table-row>" + "".join(f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>' for cell in row) + "</table:table-row>" for row in grid) + "</table:table>"


def odf(sort: str, body: str) -> bytes:
    """An OpenDocument file of one sort: text, spreadsheet, presentation."""
    mime = f"application/vnd.oasis.opendocument.{sort}"
    return archive(
        {
            "mimetype": mime,
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
            "content.xml": f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODF} office:version="1.2"><office:body><office:{sort}>{body}</office:{sort}></office:body></office:document-content>',
        },
        ("mimetype",),
    )


def dbf(fields: list[tuple[str, int]], grid: Grid) -> bytes:
    """dBASE III."""
    width = 1 + sum(size for _, size in fields)
    head = struct.pack("<BBBBIHH", 3, 124, 3, 5, len(grid), 33 + 32 * len(fields), width) + bytes(20)
    head += b"".join(name.encode().ljust(11, b"\0") + b"C" + bytes(4) + bytes([size]) + bytes(15) for name, size in fields) + b"\r"
    return head + b"".join(b" " + b"".join(cell.encode("cp850", "replace")[:size].ljust(size) for cell, (_, size) in zip(row, fields, strict=True)) for row in grid) + b"\x1a"


def sqlite(statements: str, table: str = "", rows: Grid | None = None) -> bytes:
    """A database as a program leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "d")
        link = sqlite3.connect(path)
        link.executescript(statements)
        for row in rows or []:
            link.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        link.commit()
        link.close()
        with open(path, "rb") as file:
            return file.read()


def rows(people: list, *columns: str) -> Grid:
    return [[str(getattr(p, c, "")) if c != "diag" else DIAGNOSES[n % 12] for c in columns] for n, p in enumerate(people)]


def text(grid: Grid, separator: str = ";") -> str:
    return "".join(separator.join(row) + "\r\n" for row in grid)


def medical() -> None:
    add("tables/t01.csv", text([["Pat.", "Prén.", "Né(e) le", "Dern. cs", "Pb principal"], *[[*row[:3], "12/03/24", row[3]] for row in rows(FR, "family", "given", "french", "diag")]]).encode("cp1252"), "patient-table", 12)
    add("tables/t02.tsv", text([["MRN", "Last", "First", "DOB", "Dx", "A1c"], *[["77" + str(n), p.family, p.given, p.iso, "E11.9", f"{6 + n}.2"] for n, p in enumerate([EN, US, IT])]], "\t"), "patient-table", 3, "en")
    add("tables/t03.csv", text([[p.family, p.given, p.french, p.nir, "CS", "25.00", DIAGNOSES[n]] for n, p in enumerate(FR[:9])]).encode("cp1252"), "patient-table", 9, note="no header")
    add(
        "tables/t04.xlsx",
        xlsx({"Accueil": [["Cabinet des Tilleuls"], ["Mise à jour", "mars 2024"]], "INR": [["Suivi AVK"], [], ["Patient", "Naissance", "Cible", "INR 01/03", "INR 15/03", "Dose"], *[[f"{p.family} {p.given}", p.french, "2-3", "2,4", "3,9", "Previscan 3/4"] for p in FR[:8]]]}),
        "patient-table",
        8,
        note="the header is on the third line of the second sheet",
    )
    add("tables/t05.ods", odf("spreadsheet", odf_table([["N°", "NOM", "Prénom", "DDN", "Vaccin", "Lot", "Date inj."], *[[str(n), p.family, p.given, p.french, "Vaxigrip", "X3A11", "18/10/2023"] for n, p in enumerate(FR[:10])]])), "patient-table", 10)
    add(
        "tables/t06.fods",
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {ODF} office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>'
        + odf_table([["Résident", "Né(e)", "GIR", "Régime", "Allergie"], *[[f"{p.given} {p.family}", p.french, str(n % 6 + 1), "mixé", "pénicilline"] for n, p in enumerate(FR[:6])]])
        + "</office:spreadsheet></office:body></office:document>",
        "patient-table",
        6,
    )
    add("tables/t07.dbf", dbf([("PAT_NOM", 20), ("PAT_PREN", 15), ("PAT_NAIS", 10), ("PAT_NSS", 15), ("ATCD", 20)], rows(FR, "family", "given", "french", "nir", "diag")), "patient-table", 12)
    add("tables/t08.sqlite", sqlite("CREATE TABLE pref(k,v); INSERT INTO pref VALUES('theme','clair'); CREATE TABLE patient(id, nom, prenom, ddn, sexe, allergies);", "patient", [[str(n), p.family, p.given, p.iso, p.sex, "iode"] for n, p in enumerate(FR)]), "patient-table", 12)
    add(
        "tables/t09.db",
        sqlite("CREATE TABLE consult(id, patient_ln, patient_fn, patient_dob, reason, notes);", "consult", [[str(n), EN.family, EN.given, EN.iso, "review", note] for n, note in enumerate(["BP 160/95, start ramipril", "cough settled", "knee pain, refer physio"])]),
        "patient-table",
        1,
        "en",
        note="three visits of one person",
    )
    add(
        "tables/t10.xls",
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="P"><Table>'
        + "".join("<Row>" + "".join(f'<Cell><Data ss:Type="String">{c}</Data></Cell>' for c in row) + "</Row>" for row in [["Nom", "Prénom", "Date naiss.", "Motif hospit.", "Chambre"], *[[p.family, p.given, p.french, d, str(200 + n)] for n, (p, d) in enumerate(zip(FR[:7], DIAGNOSES, strict=False))]])
        + "</Table></Worksheet></Workbook>",
        "patient-table",
        7,
        note="SpreadsheetML of 2003",
    )
    add(
        "tables/t11.xls",
        "<html><head><meta charset=windows-1252></head><body><table border=1><tr><th>Identité</th><th>DDN</th><th>Examen</th><th>Résultat</th></tr>".encode()
        + "".join(f"<tr><td>{p.family} {p.given}</td><td>{p.french}</td><td>Frottis</td><td>{'ASC-US' if n % 2 else 'normal'}</td></tr>" for n, p in enumerate([FR[0], FR[2], FR[4], FR[7], FR[8]])).encode("cp1252")
        + b"</table></body></html>",
        "patient-table",
        5,
        note="HTML that is called a workbook",
    )
    add(
        "tables/t12.csv",
        b"\xff\xfe" + text([["Name", "Geburtsdatum", "Diagnose", "Medikation"], ["Oberhuber, Waltraud", "22.09.1947", "Hypertonie", "Ramipril 5"], ["Grünwaldt, Jens-Peter", "04.03.1969", "COPD", "Tiotropium"], ["Zumthor, Reto", "02.02.1959", "KHK", "ASS 100"]]).encode("utf-16-le"),
        "patient-table",
        3,
        "de",
        note="UTF-16",
    )
    add(
        "tables/t13.csv",
        text(
            [["date", "heure", "patient", "tel", "motif"], *[["14/03/2024", f"{8 + n // 2}:{30 * (n % 2):02}", f"{p.family} {p.given}", f"06 12 34 5{n} 7{n}", m] for n, (p, m) in enumerate(zip(FR[:8], ["renouvellement", "fièvre", "suture", "frottis", "pansement", "vertiges", "vaccin", "certificat"], strict=True))]],
            ",",
        ),
        "patient-table",
        8,
        note="a day's appointments",
    )
    add(
        "tables/t14.xlsx",
        xlsx({"Stock": [["Article", "Qté"], ["gants", "12"]], "x": [["pseudo", "naiss.", "ald", "ttt"], *[[f"{p.family} {p.given[0]}.", p.french, "oui", d] for p, d in zip(FR[:6], ["metformine", "tiotropium", "bisoprolol", "methotrexate", "levothyrox", "insuline"], strict=True)]]}, ("x",)),
        "patient-table",
        6,
        note="a hidden sheet",
    )


def harmless() -> None:
    near("tables/n01.csv", text([["code", "libelle"], ["I10", "Hypertension essentielle"], ["J45.9", "Asthme, sans précision"], ["E11.9", "Diabète de type 2 sans complication"], ["F32.1", "Épisode dépressif moyen"]]), "classification")
    near("tables/n02.tsv", text([["LOINC_NUM", "COMPONENT", "PROPERTY", "SYSTEM"], ["2160-0", "Creatinine", "MCnc", "Ser/Plas"], ["718-7", "Hemoglobin", "MCnc", "Bld"], ["4548-4", "Hemoglobin A1c", "MFr", "Bld"]], "\t"), "classification", "en")
    near(
        "tables/n03.csv",
        text([["CIP13", "Dénomination", "Titulaire", "Prix", "Date AMM"], ["3400936403109", "DOLIPRANE 1000 mg, comprimé", "OPELLA", "2,18", "12/03/1998"], ["3400935955838", "KARDEGIC 75 mg", "SANOFI", "2,79", "01/07/1990"], ["3400930000011", "ELIQUIS 5 mg", "BMS", "55,10", "18/05/2011"]]).encode("cp1252"),
        "catalogue of drugs",
    )
    near(
        "tables/n04.csv",
        text(
            [
                ["Nom", "Prénom", "RPPS", "Spécialité", "Téléphone", "Adresse"],
                ["LANVIN", "Etienne", "10003412349", "Cardiologie", "02 98 00 11 22", "3 rue du Port BREST"],
                ["ROSSIGNOL", "Paule", "10003412356", "Radiologie", "02 98 00 33 44", "5 place Guérin BREST"],
                ["LE GOFF", "Anna", "10003412364", "Dermatologie", "02 98 00 55 66", "9 rue Jean Jaurès BREST"],
            ]
        ),
        "directory of colleagues",
    )
    near("tables/n05.csv", text([["Matricule", "Nom", "Prénom", "N° Sécu", "Date naissance", "Emploi", "Brut", "Net"], *[[f"S{n}", p.family, p.given, p.nir, p.french, "secrétaire médicale", "2100,00", "1644,20"] for n, p in enumerate(FR[:5])]]), "payroll", note="numbers of staff, nothing clinical")
    near("tables/n06.csv", "Nom;Prénom;DDN;Motif;Diagnostic;Traitement\r\n", "empty export")
    near("tables/n07.sqlite", sqlite("CREATE TABLE patient(id, nom, prenom, ddn, allergies); CREATE TABLE ordonnance(id, patient_id, texte); CREATE TABLE pref(k, v);", "pref", [["theme", "sombre"], ["police", "Arial 11"], ["sauvegarde", "D:/sauve"]]), "empty database")
    near("tables/n08.dbf", dbf([("INSEE", 5), ("COMMUNE", 30), ("CP", 5), ("DEPT", 3)], [["29019", "BREST", "29200", "29"], ["31555", "TOULOUSE", "31000", "31"], ["57463", "METZ", "57000", "57"]]), "table of towns")
    near("tables/n09.xlsx", xlsx({"2024": [["Médecin", "Congés du", "au", "Remplaçant"], ["Dr LANVIN Etienne", "22/07/2024", "11/08/2024", "Dr SOUDAY"], ["Dr ROSSIGNOL Paule", "05/08/2024", "26/08/2024", "aucun"], ["LE BRAS Nadine (secrétaire)", "15/07/2024", "31/07/2024", "intérim"]]}), "calendar of leave")
    near("tables/n10.ods", odf("spreadsheet", odf_table([["Date", "Libellé", "Débit", "Crédit"], ["02/01/2024", "CPAM Finistère règlement lot 771", "", "1 240,50"], ["05/01/2024", "Loyer cabinet", "980,00", ""], ["09/01/2024", "Achat vaccins pharmacie", "212,40", ""]])), "accounts")
    near("tables/n11.csv", text([["service", "sejours", "age_moyen", "dms", "deces"], ["Cardiologie", "1204", "71,2", "5,4", "22"], ["Pneumologie", "890", "68,9", "6,8", "31"], ["Maternité", "2210", "30,1", "3,9", "0"]]), "statistics")


def write() -> None:
    medical()
    harmless()
