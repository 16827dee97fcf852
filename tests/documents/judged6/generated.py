"""Documents that a machine would have written: statements, logs, calls, stocks. The same at each run."""

from __future__ import annotations

import random


def _money(value: float) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",")


def card_statement() -> str:
    """A card's statement over four pages, for the writer of PDF."""
    chance = random.Random(11)
    shops = ["CARREFOUR MARKET QUIMPER", "SNCF INTERNET PARIS", "LECLERC DRIVE", "PHARMACIE KEREON", "AMZN MKTP FR", "STATION TOTAL N165", "LIBRAIRIE RAVY", "DECATHLON", "BOULANGERIE LE GALL", "DEEZER", "NETFLIX.COM", "PICARD SURGELES", "LA POSTE PRO", "CORDONNERIE MULTI", "CREPERIE AN DISKUIZ", "PARKING GLACIERE", "FNAC", "ANDROS JARDIN", "CABINET DENT. LE BIHAN", "OPTIC 2000", "LABO BIOLYSS"]
    lines = ["@head Banque de Cornouaille — Relevé de carte Visa Premier n° XXXX XXXX XXXX 4418", "@foot Banque de Cornouaille SA coopérative — ORIAS 07 000 418 — page {p}/{n}", "> Quimper, le 28 février 2025", "Mme TANNEAU GAELLE", "2 place de la Mairie", "29780 PLOUHINEC", "", "Débit différé — arrêté au 28/02/2025 — compte {{rib 15589 29700 04418207043}}", "", "| Date | Libellé | Ville / pays | Montant EUR |"]
    total = 0.0
    for day in range(1, 29):
        for _ in range(chance.randrange(1, 6)):
            value = round(chance.choice([chance.uniform(3, 40), chance.uniform(20, 160)]), 2)
            total += value
            lines.append(f"| {day:02}/02 | CB {chance.choice(shops)} | {chance.choice(['QUIMPER', 'AUDIERNE', 'PLOUHINEC', 'BREST', 'PARIS', 'LUXEMBOURG'])} | {_money(value)} |")
    return "\n".join([*lines, f"| | **TOTAL** | | **{_money(total)}** |", "", "Ce montant sera prélevé le 4 mars 2025.", "Vos points : 1 204. Opposition : 02 98 00 44 18, 24 h/24."])


def call_log() -> str:
    """The calls of a practice's switchboard over two days, without names."""
    chance = random.Random(12)
    rows = ["horodatage;sens;ligne;correspondant;attente_s;duree_s;resultat;file"]
    for day in ("2025-03-03", "2025-03-04"):
        minute = 8 * 60
        while minute < 19 * 60:
            minute += chance.randrange(1, 12)
            answer = chance.choice(["décroché", "décroché", "décroché", "abandon", "messagerie", "débordement"])
            number = f"+33{chance.choice('2667')}{chance.randrange(10**8):08}"
            rows.append(f"{day} {minute // 60:02}:{minute % 60:02}:{chance.randrange(60):02};{chance.choice(['entrant', 'entrant', 'entrant', 'sortant'])};{chance.choice(['0240004417', '0240004418'])};{number[:8]}XXXX;{chance.randrange(4, 210)};{chance.randrange(10, 640) if answer == 'décroché' else 0};{answer};{chance.choice(['secretariat', 'secretariat', 'urgence_jour', 'renouvellement', 'certificats'])}")
    return "\n".join(rows)


def ledger() -> str:
    """A general ledger of an association, as accounting software exports it."""
    chance = random.Random(13)
    accounts = [("606400", "Fournitures administratives"), ("613200", "Locations immobilières"), ("622600", "Honoraires"), ("625100", "Voyages et déplacements"), ("626000", "Frais postaux et télécommunications"), ("641100", "Salaires"), ("645100", "Cotisations URSSAF"), ("740000", "Subventions d'exploitation"), ("756000", "Cotisations"), ("512000", "Banque")]
    rows = ["JournalCode;JournalLib;EcritureNum;EcritureDate;CompteNum;CompteLib;PieceRef;EcritureLib;Debit;Credit"]
    for number in range(1, 91):
        code, label = chance.choice(accounts[:-1])
        value = round(chance.uniform(12, 2400), 2)
        date = f"2024{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
        text = chance.choice(["Fact. imprimeur", "Loyer local", "Remb. frais présidente", "Salaire coordinatrice", "Adhésions", "Subv. ARS ETP", "Intervenante diététique", "Timbres", "Train Nantes-Paris", "Atelier marche nordique"])
        income = code[0] == "7"
        rows.append(f"{'VE' if income else 'AC'};{'Recettes' if income else 'Achats'};{number:05};{date};{code};{label};P{number:04};{text};{'0,00' if income else _money(value)};{_money(value) if income else '0,00'}")
        rows.append(f"BQ;Banque;{number:05};{date};512000;Banque;P{number:04};{text};{_money(value) if income else '0,00'};{'0,00' if income else _money(value)}")
    return "\n".join(rows)


def fitness_track() -> str:
    """A run recorded by a watch, an XML of its maker."""
    chance = random.Random(14)
    points = []
    lat, lon, ele, heart = 48.1021, -1.6774, 41.0, 96
    for n in range(140):
        lat += chance.uniform(0.00004, 0.00022)
        lon += chance.uniform(-0.0002, 0.00025)
        ele += chance.uniform(-0.6, 0.6)
        heart = min(178, max(92, heart + chance.randrange(-3, 6)))
        points.append(f'   <trkpt lat="{lat:.6f}" lon="{lon:.6f}"><ele>{ele:.1f}</ele><time>2025-03-09T08:{n // 4:02}:{n % 4 * 15:02}Z</time><extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>{heart}</gpxtpx:hr><gpxtpx:cad>{chance.randrange(78, 90)}</gpxtpx:cad></gpxtpx:TrackPointExtension></extensions></trkpt>')
    return '<?xml version="1.0" encoding="UTF-8"?>\n<gpx creator="StravaGPX" version="1.1" xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">\n <metadata><name>Footing canal dimanche</name><time>2025-03-09T08:00:00Z</time></metadata>\n <trk><name>Footing canal dimanche</name><type>running</type>\n  <trkseg>\n' + "\n".join(points) + "\n  </trkseg>\n </trk>\n</gpx>"


def rota_year() -> str:
    """On-call weeks of a group practice for a year, for the writer of tables in text."""
    people = ["Böhme", "Achterberg", "Pätzold", "Lindner", "Vogt"]
    rows = ["KV-Bereitschaftsdienst 2025, Bezirk Leipzig-West (Fahrdienst)", "=" * 66, "KW   von         bis         Arzt          Vertretung   Bemerkung"]
    for week in range(1, 53):
        day = 30 + 7 * (week - 1)
        month, rest = 0, day - 1
        for size in (31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31):
            if rest < size:
                break
            rest -= size
            month += 1
        start = f"{rest + 1:02}.{12 if month == 0 else month:02}."
        note = {1: "Neujahr", 16: "Ostern", 18: "Tausch Vogt/Lindner", 28: "Urlaub B.", 40: "3.10.", 51: "Weihnachten doppelt besetzt"}.get(week, "")
        rows.append(f"{week:02}   {start} 19:00  +7 Tage    {people[week % 5]:<13} {people[(week + 2) % 5]:<12} {note}".rstrip())
    return "\n".join([*rows, "", "Tausch bitte bis 14 Tage vorher im Portal eintragen, nicht per Telefon."])


def access_log() -> str:
    """A web server's log of a practice's site."""
    chance = random.Random(15)
    pages = ["/", "/equipe", "/rendez-vous", "/prevention/depistage-colorectal", "/css/site.css", "/img/logo.svg", "/acces", "/urgences", "/wp-login.php", "/robots.txt", "/actualites/vaccination-grippe", "/favicon.ico"]
    agents = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/135.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X)", "Mozilla/5.0 (compatible; bingbot/2.0)", "curl/8.5.0"]
    out = []
    second = 0
    for _ in range(120):
        second += chance.randrange(1, 300)
        page = chance.choice(pages)
        code = 404 if "wp" in page else chance.choice([200, 200, 200, 304, 301])
        out.append(f'198.51.100.{chance.randrange(2, 250)} - - [11/Mar/2025:{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} +0100] "GET {page} HTTP/1.1" {code} {chance.randrange(180, 48000)} "-" "{chance.choice(agents)}"')
    return "\n".join(out)


def practice_export() -> str:
    """Forty-six people with a long illness, as a practice's software exports them, for the writer of spreadsheets."""
    chance = random.Random(16)
    families = ["ALIBERT", "BARRAU", "BENHAMOU", "BESSIERES", "CALMETTES", "CASTANIER", "COSTE", "DELPUECH", "DIARRA", "ESTEVE", "FERNANDES", "GINESTE", "HADDAD", "ICARD", "JULLIEN", "KOEHL", "LACOMBE", "LE FUR", "MALAVAL", "MARTINEZ", "NAVARRO", "OLIVE", "PAGES", "PRADIER", "QUINTARD", "RAYNAUD", "ROQUES", "SABATIER", "SERRANO", "TAILLEFER", "TRAN", "VALETTE", "VIDALENC", "YILDIZ", "ZERBIB", "BRUGIDOU", "CROUZET", "DONNADIEU", "FOULQUIER", "GALIBERT", "MONTELS", "PUECH", "RIGAL", "SALASC", "TEISSIER", "VEZINET"]
    given = {"M": ["Paul", "Mehdi", "Serge", "Lucas", "Bernard", "Antonio", "Christian", "Henri", "Yves", "Damien"], "F": ["Odette", "Nadia", "Claire", "Josette", "Emma", "Maria", "Renée", "Sylvie", "Thi Hoa", "Fanny"]}
    ills = [("Diabète de type 2", "metformine 1000 x2, empagliflozine 10", "HbA1c"), ("Insuffisance cardiaque", "bisoprolol 5, Entresto 49/51, furosémide 40", "NT-proBNP"), ("Cancer du sein", "létrozole 2,5", "Mammo"), ("Insuffisance coronaire", "aspirine 75, atorvastatine 80", "LDL"), ("Polyarthrite rhumatoïde", "méthotrexate 15 mg/sem, acide folique", "CRP"), ("Maladie d'Alzheimer", "aucun", "MMSE"), ("Insuffisance respiratoire chronique", "Trimbow, O2 1,5 L/min", "SpO2"), ("Épilepsie", "lamotrigine 100 x2", "EEG"), ("Trouble bipolaire", "lithium LP 800", "Lithémie"), ("VIH", "Biktarvy", "CV"), ("Cirrhose", "propranolol 40", "Écho"), ("Maladie de Crohn", "adalimumab 40/14 j", "Calprotectine")]
    rows = ["@sheet Patients ALD", "Nom | Prénom | Né(e) le | Sexe | NIR | ALD | Traitement de fond | À surveiller | Dernière consultation | Prochain protocole", ]
    for family in families:
        sex = chance.choice("MF")
        year, month, day = chance.randrange(1932, 2004), chance.randrange(1, 13), chance.randrange(1, 29)
        ill, drug, watch = chance.choice(ills)
        number = f"{1 if sex == 'M' else 2}{year % 100:02}{month:02}34{chance.randrange(1, 340):03}{chance.randrange(1, 300):03}"
        rows.append(f"{family} | {chance.choice(given[sex])} | {day:02}/{month:02}/{year} | {sex} | {{{{nir {number}}}}} | {ill} | {drug} | {watch} | {chance.randrange(1, 29):02}/{chance.randrange(1, 4):02}/2025 | {chance.randrange(2025, 2035)}")
    return "\n".join([*rows, "", "@sheet Lisez-moi", "Export du 14/03/2025 - LogiCab 12 - requête « ALD en cours, médecin traitant = Dr PAGES-COMBES » - 46 lignes"])


TEXTS = {f.__name__: f for f in (card_statement, call_log, ledger, fitness_track, rota_year, access_log, practice_export)}
