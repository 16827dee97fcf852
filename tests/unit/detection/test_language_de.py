"""German of three countries: short documents of many genres, about invented people, and their look-alikes."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import parse
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement

MEDICAL = {
    "Entlassungsbrief": "Klinikum Seeblick, Innere Medizin\nVorläufiger Entlassungsbrief\nSehr geehrter Herr Kollege,\n"
    "wir berichten über Frau Hedwig Brandtner, geb. 03.05.1941, die sich vom 02.02. bis 09.02.2025 in unserer "
    "stationären Behandlung befand.\nDiagnosen: Dekompensierte Herzinsuffizienz, Vorhofflimmern\nTherapie und Verlauf: "
    "Nach Ausschwemmung mit Furosemid rasche Rekompensation. Entlassung in gebessertem Allgemeinzustand.",
    "Notaufnahme": "ZNA Protokoll 23:10\nPat. m, 34 J, mit RTW nach Fahrradsturz. Wach, orientiert, GCS 15. Platzwunde "
    "Stirn, keine Bewusstlosigkeit. RR 135/80, HF 92, SpO2 98 %. Pupillen isokor. HWS frei beweglich. CCT: keine "
    "Blutung. Wundversorgung, Tetanus aufgefrischt. Entlassung mit Aufklärung über Commotio.",
    "Hausarztnotiz": "12.3. Herr Lüders kommt wg. Husten seit 5 Tagen, gelblicher Auswurf, kein Fieber. Pulmo: Giemen bds. "
    "AZ gut. Akute Bronchitis. Salbutamol DA b. Bed., AU bis 15.3., WV bei Verschlechterung.",
    "Pflegebericht Heim": "Frühdienst: Bewohnerin heute unruhig, Grundpflege im Bett übernommen, Rötung im Steißbereich "
    "nicht wegdrückbar, Lagerung re/li. Hat wenig getrunken, Trinkmenge 600 ml. Stuhlgang gehabt. Tochter informiert.",
    "OP-Bericht": "Operationsbericht\nPatientin: Krahl, Ingeborg, geb. 02.02.1958\nDiagnose: Cholezystolithiasis\nOperation: Laparoskopische Cholezystektomie\n"
    "Lagerung in Rückenlage, Abwaschen und steriles Abdecken. Anlage des Pneumoperitoneums, Einbringen der Trokare. "
    "Clippen des Ductus cysticus. Bergung der Gallenblase im Beutel. Bluttrockenheit, Hautnaht.",
    "Sonographie ohne Namen": "Oberbauchsonographie\nLeber normal groß, homogenes Echomuster, kein Herdbefund. Gallenblase "
    "steinfrei, zartwandig. Gallenwege nicht erweitert. Pankreas soweit einsehbar unauffällig. Nieren beidseits nicht "
    "gestaut. Keine freie Flüssigkeit.\nBeurteilung: Unauffälliger Befund.",
    "Histologie": "Pathologisch-anatomische Begutachtung\nMaterial: Hautexzidat Rücken links\nMakroskopie: Hautspindel "
    "18 x 9 mm mit zentralem Nävus.\nMikroskopie: Junktionale Melanozytennester, keine Atypien. Schnittränder frei.\n"
    "Beurteilung: Nävuszellnävus, im Gesunden entfernt, kein Anhalt für Malignität.",
    "Labor": "Laborbefund\nPatient: Sauerwein, Knut  geb. 17.08.1969\nHämoglobin 11,2 g/dl (13,5-17,2)\nLeukozyten 12,4 "
    "Tsd/µl\nKreatinin 1,4 mg/dl\nCRP 48 mg/l\nKalium 4,9 mmol/l",
    "Psychotherapie": "Bericht an die Gutachterin\nChiffre K140588\nDie Patientin klagt über gedrückte Stimmung, "
    "Antriebsminderung und Schlafstörungen seit der Trennung. Psychopathologischer Befund: bewusstseinsklar, "
    "affektiv eingeschränkt schwingungsfähig, von Suizidgedanken glaubhaft distanziert. Diagnose: mittelgradige "
    "depressive Episode. Behandlungsplan: Verhaltenstherapie, 24 Sitzungen.",
    "Hebamme": "Wochenbettvisite Tag 5: Uterus gut kontrahiert, Fundus 2 QF u. N., Lochien rubra, Dammnaht reizlos. "
    "Milcheinschuss erfolgt, Brustwarzen rechts wund. Kind 3240 g, leicht ikterisch, Nabel trocken, trinkt gut.",
    "Überweisung Schweiz": "Geschätzter Kollege\nBesten Dank für die Beurteilung von Herrn Reto Aeschlimann, 12.11.1957. "
    "Status nach Hüft-TP links 2019. Jetziges Leiden: seit drei Wochen Schmerzen in der linken Leiste, Gehstrecke "
    "200 m. Medikation: Dafalgan 1 g bei Bedarf, Xarelto 20 mg 1-0-0. Freundliche Grüsse",
    "Augen": "Augenbefund: Visus RA 0,8 LA 0,5 cc. Tensio 16/18 mmHg. Vordere Augenabschnitte reizfrei, Linse: Cataracta "
    "corticonuclearis bds. Fundus: Papille randscharf, Makula links trockene AMD. Procedere: Katarakt-OP links.",
    "AU": "Arbeitsunfähigkeitsbescheinigung\nErstbescheinigung\nName, Vorname des Versicherten: Ziegler, Marlies\ngeb. am "
    "30.09.1984\narbeitsunfähig seit 04.11.2024\nvoraussichtlich arbeitsunfähig bis 08.11.2024\nICD-10: J06.9 G",
    "Zahnarzt": "Karteikarte 14.01.: Zahn 36 starke Beschwerden, perkussionsempfindlich, Vipr negativ. Leitungsanästhesie "
    "Ultracain DS, Trepanation, Wurzelkanalbehandlung begonnen, Ca(OH)2 Einlage. Pat. über Prognose aufgeklärt. "
    "Nächster Termin Wurzelfüllung.",
    "Palliativ": "SAPV Hausbesuch 19:30: Pat. somnolent, Rasselatmung, keine Schmerzzeichen. Morphin s.c. 5 mg b. Bed. "
    "alle 4 Std., Butylscopolamin s.c. gegeben. Mundpflege mit Ehefrau besprochen. Sterbephase, keine Reanimation.",
}

OTHERS = {
    "Packungsbeilage": "Gebrauchsinformation: Information für Anwender. Ibuprofen 400 mg Filmtabletten. Lesen Sie die "
    "gesamte Packungsbeilage sorgfältig durch. Welche Nebenwirkungen sind möglich? Übelkeit, Erbrechen, Durchfall, "
    "Magenblutung, Schwindel. Wie ist Ibuprofen aufzubewahren?",
    "Leitlinie": "Leitlinie Herzinsuffizienz, Kurzfassung. Patienten mit eingeschränkter Ejektionsfraktion sollten einen "
    "ACE-Hemmer, einen Betablocker und Spironolacton erhalten. Bei Patienten mit Vorhofflimmern ist die Antikoagulation "
    "Therapie der Wahl. Empfehlungsgrad A. Dyspnoe, Ödeme und Müdigkeit sind typische Symptome.",
    "Vorlesung": "Lernziele: Die Studierenden können Anamnese und körperliche Untersuchung des Abdomens durchführen. "
    "Definition: Appendizitis ist die Entzündung der Appendix. Häufigste Ursache ist die Obstruktion. Klinik: "
    "Übelkeit, Erbrechen, Druckschmerz am McBurney, Loslassschmerz. Prüfungsfrage: Welche Aussage trifft zu?",
    "Roman": "Der alte Landarzt stellte die Tasche ab. Frau Martens lag im Fieber, der Husten schüttelte sie, und ihr Mann "
    "stand am Fenster. Draußen fiel Schnee auf die Pferde. »Sie muss trinken«, sagte er, und dachte an den Krieg, an "
    "die vielen, denen er nicht hatte helfen können.",
    "Zeitung": "Grippewelle rollt an. Das Robert Koch-Institut meldet 12 000 Fälle von Influenza. Fieber, Husten und "
    "Gliederschmerzen sind typisch. Experten raten Menschen mit Asthma und Diabetes zur Impfung. Die Praxen sind voll.",
    "Dienstplan": "Teambesprechung Station 4. Anwesend: Frau Keller, Herr Jansen. Tagesordnung: Dienstplan Februar, neue "
    "Wundauflagen, Schulung Reanimation, Urlaubsplanung. Der Bestand an Infusionen wird am Freitag geprüft.",
    "Tierarzt": "Tierarztpraxis am Deich. Kater Mogli, Europäisch Kurzhaar, kastriert, Besitzer: Herr Thoms. "
    "Erbrechen seit zwei Tagen, Fieber 39,8, Abdomen druckempfindlich. Metronidazol 2x tgl., Kontrolle in 3 Tagen.",
    "Stellenanzeige": "Wir suchen zum 1. April eine Pflegefachkraft (m/w/d) für unsere Intensivstation. Ihre Aufgaben: "
    "Grundpflege, Überwachung der Vitalzeichen, Medikamentengabe, Wundversorgung. Wir bieten Ihnen einen sicheren "
    "Arbeitsplatz. Bewerbung an Frau Petra Holzmann.",
    "Kochrezept": "Rezept: Linsensuppe\n250 g Linsen, 2 Möhren, 1 Zwiebel, 1 l Brühe, 2 EL Essig. Die Zwiebel in 20 ml Öl "
    "anschwitzen, 40 Minuten kochen, bei Bedarf nachsalzen. Für Herrn Opa Willi ohne Speck.",
    "Pflegestandard": "Expertenstandard Dekubitusprophylaxe. Die Pflegefachkraft beurteilt das Risiko mit der Braden-Skala. "
    "Der Patient wird alle zwei Stunden gelagert, Fersen frei. Hautrötung nicht wegdrückbar: Kategorie 1. Verbandswechsel "
    "nach Standard. Geltungsbereich: alle Stationen.",
    "OP-Technik": "OP-Technik: Laparoskopische Cholezystektomie. Der Patient wird in Rückenlage gelagert. Anlage des "
    "Pneumoperitoneums, Einbringen der Trokare. Bei akuter Cholezystitis ist eine Konversion häufiger.",
    "Forum": "Hallo zusammen, hat jemand Erfahrung mit Bisoprolol? Mein Arzt hat mir das wegen Bluthochdruck verschrieben. "
    "Seitdem bin ich müde und habe Schwindel. Meine Freundin nimmt Ramipril. LG Sabine",
    "Elternbrief": "Liebe Eltern, in der Gruppe Sonnenkäfer sind Windpocken und Läuse aufgetreten. Bitte achten Sie auf "
    "Fieber, Ausschlag, Juckreiz. Kinder mit Durchfall dürfen die Kita 48 Stunden nicht besuchen. Frau Monika Hauser",
    "Rechnung": "Rechnung Nr. 2025-118\nSanitätshaus Wolters, an: Arztpraxis Dr. Behrens\n10 Packungen Einmalhandschuhe, "
    "5 Verbandsscheren, 2 Blutdruckmessgeräte\nNettobetrag 214,00 EUR, zzgl. MwSt 19 %, zahlbar innerhalb 14 Tagen, IBAN",
}


def judged(text: str) -> Findings:
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize("name", MEDICAL)
def test_a_document_about_one_patient_is_medical(name: str) -> None:
    assert judged(MEDICAL[name]).judgement is Judgement.MEDICAL


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_speaks_the_language_of_medicine_is_not(name: str) -> None:
    assert judged(OTHERS[name]).judgement is Judgement.NOT_MEDICAL


def test_no_word_of_three_letters_counts_by_itself() -> None:
    """Short words collide across languages: only with a figure beside them (vital, analyte) do they say anything."""
    from importlib import resources

    content = (resources.files("agent.detection") / "data" / "de.tsv").read_text("utf-8")
    short = {
        text for text, group, _, _ in parse(content, "de") if len(text) < 4 and group in ("term", "phrase", "drug")
    }
    assert short == set()
