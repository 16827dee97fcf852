"""Dutch of two countries: short documents of many genres, about invented people, and their look-alikes."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import parse
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement

MEDICAL = {
    "ontslagbrief": "Ontslagbrief Interne Geneeskunde\nGeachte collega,\nBovengenoemde patiënte, mevrouw J. Hoekstra-Pol, "
    "geboren 14-02-1946, was van 3 tot 9 maart 2025 opgenomen wegens een pneumonie rechter onderkwab.\nVoorgeschiedenis: "
    "COPD Gold III, hypertensie\nBeloop: behandeld met ceftriaxon iv, goed herstel.\nMet collegiale groet",
    "huisarts SOEP": "S: sinds 4 dagen hoesten en koorts, benauwd bij traplopen\nO: niet ziek, temp 38,4, sat 96%, pulm "
    "crepitaties rechts basaal\nE: lage luchtweginfectie\nP: amoxicilline 3dd500mg, controle over 3 dagen zn eerder",
    "seh": "SEH brief. Patiënt, man 52 jaar, per ambulance binnen met pijn op de borst sinds 2 uur, uitstralend naar de kaak. "
    "RR 150/90, pols 88 regulair. Cor s1s2 geen souffles. ECG: sinusritme, ST elevatie II, III, aVF. Conclusie: STEMI "
    "onderwand, overname PCI centrum.",
    "operatieverslag": "OK verslag\nPatiënt: De Bruin, Kees, geboren 03-03-1955\nOperateur: dr. Verhulst\nDiagnose: liesbreuk links\nProcedure: Rugligging, time-out. "
    "Desinfecteren en steriel afdekken. Incisie over de lies, openen fascie, vrijprepareren van de funiculus. Matje "
    "volgens Lichtenstein. Zorgvuldige hemostase, sluiten in lagen.",
    "thuiszorg": "Avonddienst: mw geholpen met uitkleden, steunkousen uit, insuline gespoten 18 EH. Huid stuit rood, niet "
    "wegdrukbaar, barrièrecrème aangebracht. Katheter loopt, urine helder. Dochter gebeld over medicatie.",
    "wzc": "Bewoonster deze nacht onrustig en verward, uit bed geklommen, geen letsel. Parameters: BD 13/7, pols 76. Zo nodig "
    "medicatie gegeven om 2u. Dokter van wacht verwittigd. Incontinentiemateriaal tweemaal gewisseld.",
    "echo zonder naam": "Echo abdomen\nLever normaal van grootte, homogeen echopatroon, geen focale laesies. Galblaas zonder "
    "stenen. Galwegen niet verwijd. Nieren beiderzijds geen hydronefrose. Geen vrij vocht.\nConclusie: geen afwijkingen.",
    "pathologie": "Pathologieverslag\nMacroscopie: huidbiopt van 4 mm, rug rechts.\nMicroscopie: basaloïde velden met "
    "palissadering. Snijvlakken vrij.\nConclusie: basaalcelcarcinoom, nodulair type, radicaal verwijderd.",
    "ggz": "Intake GGZ\nReden van aanmelding: somberheidsklachten sinds het overlijden van partner.\nPsychiatrisch onderzoek: "
    "bewustzijn helder, stemming somber, affect moduleert beperkt, geen wanen of hallucinaties. Wel doodsgedachten, "
    "geen plannen.\nDSM-5 classificatie: depressieve stoornis, eenmalige episode.\nBehandelplan: CGT, start sertraline.",
    "kine": "Kinesitherapeutisch verslag voor dr. Goossens, betreft: Bart Wouters, 22/07/1988. Na VKB-reconstructie rechts. "
    "Flexie 110°, extensie volledig, lichte hydrops. Spierkracht quadriceps 4/5. Looppatroon zonder krukken. Graag "
    "voorschrift voor 18 bijkomende beurten.",
    "verloskundige": "Consult 31+4 wk, G2P1. RR 115/70, fundushoogte 30 cm, hoofdligging, cortonen positief, kindsbewegingen "
    "goed. Geen oedeem. Hb 7,1. Bespreekt bevalplan, wil thuis bevallen. Controle over 2 weken.",
    "lab": "Laboratoriumuitslag\nNaam: Dijkgraaf, P.  Geboortedatum: 01-12-1959\nHemoglobine 7,9 mmol/l\nKreatinine 118 umol/l\n"
    "eGFR 54 ml/min\nKalium 5,1 mmol/l\nCRP 3 mg/l",
    "attest": "Getuigschrift van arbeidsongeschiktheid\nOndergetekende, doctor in de geneeskunde, verklaart heden te hebben "
    "onderzocht: Lies Vandamme, geboren op 9/4/1991. Arbeidsongeschikt van 10/3 tot 14/3. De woning verlaten: toegelaten.",
    "tandarts": "12-06 C002, patiënt heeft pijn linksonder. Element 36 percussiegevoelig, koudetest negatief, diepe cariës op "
    "bitewing. Geleidingsanesthesie, wortelkanaalbehandeling gestart, noodvulling. Ibuprofen zo nodig.",
    "oogarts": "Visus OD 0,6 OS 0,9 cc. Oogdruk 15/17. Voorsegment: cataract OD. Fundus: papil scherp begrensd, macula OS "
    "drusen. Advies: cataractoperatie rechts, patiënte op wachtlijst geplaatst.",
}

OTHERS = {
    "bijsluiter": "Bijsluiter: informatie voor de gebruiker. Metoprolol 50 mg tabletten. Lees goed de hele bijsluiter. "
    "Mogelijke bijwerkingen: duizeligheid, hoofdpijn, misselijkheid, trage hartslag, kortademigheid. Hoe bewaart u dit middel?",
    "richtlijn": "NHG-Standaard Acuut hoesten. Richtlijnen diagnostiek: vraag naar koorts, dyspnoe en pijn op de borst. Bij "
    "patiënten met COPD is de kans op pneumonie groter. Behandeling van eerste keus is amoxicilline. Overweeg een CRP-test.",
    "college": "Leerdoelen: de student kan lichamelijk onderzoek van het abdomen uitvoeren. Definitie: appendicitis is een "
    "ontsteking van de appendix. Meest voorkomende klachten: buikpijn, misselijkheid, koorts. Tentamenvraag: welke stelling "
    "is juist?",
    "roman": "Dokter Van Galen klopte de sneeuw van zijn jas. Mevrouw Terpstra lag met koorts in de bedstee, haar man zat er "
    "zwijgend bij. Ze hoestte de hele nacht. Buiten loeide de koe, en hij dacht aan de oorlog en aan zijn zoon.",
    "krant": "Griepgolf nadert. Het RIVM telt meer mensen met koorts, hoesten en spierpijn. Mensen met astma en diabetes krijgen "
    "een oproep voor de griepprik. De huisartsen verwachten drukte, ziekenhuizen houden bedden vrij.",
    "notulen": "Notulen teamoverleg afdeling cardiologie. Aanwezig: mevrouw De Wit, de heer Smid. Agendapunten: rooster mei, "
    "nieuwe infuuspompen, scholing reanimatie, decubituspreventie. Rondvraag: geen.",
    "dierenarts": "Dierenkliniek De Linde. Patiënt: Bello, labrador, reu, gecastreerd, eigenaar de heer Kuiper. Braken sinds "
    "twee dagen, temperatuur 39,6, buik gevoelig. Metronidazol 2dd1, controle over drie dagen.",
    "vacature": "Vacature verpleegkundige spoedeisende hulp, 32 uur per week. Jij meet vitale parameters, geeft medicatie en "
    "verzorgt wonden. Wij bieden een goed salaris en scholing. Solliciteren kan bij mevrouw Anja Koster.",
    "kookrecept": "Recept: erwtensoep\n500 g spliterwten, 1 prei, 2 wortels, 200 g spek. Kook 90 minuten op laag vuur, roer "
    "af en toe. Zo nodig zout toevoegen. Naar oma Riet de Boer, die het elke winter maakt.",
    "protocol": "Protocol decubituspreventie. De verpleegkundige scoort het risico met de Bradenschaal. Patiënt wordt elke "
    "drie uur gedraaid, hielen vrij. Roodheid niet wegdrukbaar: decubitus categorie 1. Geldig tot 2026, alle afdelingen.",
    "operatietechniek": "Operatietechniek laparoscopische cholecystectomie. De patiënt ligt in rugligging. Trocars plaatsen, "
    "klieven van de ductus cysticus, sluiten in lagen. Bij acute cholecystitis is conversie vaker nodig.",
    "forum": "Hoi allemaal, heeft iemand ervaring met metoprolol? Ik heb het gekregen van de huisarts voor hoge bloeddruk. "
    "Sindsdien ben ik moe en duizelig. Mijn zus slikt amlodipine. Groetjes Petra",
    "mantelzorgblog": "Mijn moeder van 83 woont in een woonzorgcentrum. Ze is soms verward en ze klaagt over pijn. De "
    "verpleegkundigen geven haar medicatie. Vandaag heeft ze goed gegeten en zaten we in de tuin. Tips welkom!",
    "factuur": "Factuur 2025-044 aan Huisartsenpraktijk Zuid. 12 dozen handschoenen, 3 bloeddrukmeters, 20 verbanden. Bedrag "
    "excl. btw 318,00, btw 21 %, betalingstermijn 14 dagen, IBAN.",
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

    content = (resources.files("agent.detection") / "data" / "nl.tsv").read_text("utf-8")
    short = {
        text for text, group, _, _ in parse(content, "nl") if len(text) < 4 and group in ("term", "phrase", "drug")
    }
    assert short == set()
