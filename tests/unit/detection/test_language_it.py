"""Italian: short documents of many genres, about invented people, and their look-alikes."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import parse
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement

MEDICAL = {
    "lettera di dimissione": "Ospedale San Vitale, U.O. di Cardiologia\nAlla cortese attenzione del medico curante\nSi dimette in "
    "data odierna la sig.ra Ersilia Boncompagni, nata il 03/05/1941, ricoverata dal 2 febbraio per "
    "scompenso cardiaco in fibrillazione atriale.\nDurante la degenza è stata trattata con furosemide ev "
    "con calo ponderale di 4 kg.\nTerapia: bisoprololo 2,5 mg 1 cp, apixaban 5 mg 1 cp x 2.",
    "diario del medico di famiglia": "12/3 Sig. Locatelli: tosse da 5 gg con escreato giallastro, non febbre. Torace: ronchi diffusi, no "
    "crepitazioni. Bronchite acuta. Azitromicina 500 mg 1 cp/die x 3 gg, rivedere se non migliora.",
    "triage": "Triage ore 22.14, codice giallo. F 34 a., gravida alla 20ª settimana, perdite ematiche scarse da "
    "stasera. PA 118/70, FC 88, SpO2 99%, apiretica. Inviata in ostetricia.",
    "consegne": "Letto 14: notte agitata, ha tentato di scavalcare le sponde. Medicata lesione sacrale II stadio, "
    "essudato scarso. Diuresi 900 cc da CV. Dolore NRS 6, dato paracetamolo 1 g ev alle 3. Avvisato mdg.",
    "verbale operatorio": "VERBALE OPERATORIO\nDiagnosi: ernia inguinale destra\nIn anestesia spinale, incisione inguinale, "
    "isolamento del funicolo, riduzione del sacco e posizionamento di rete. Emostasi accurata. Sutura "
    "per strati. Paziente in sala risveglio in buone condizioni.",
    "ecografia senza nome": "ECOGRAFIA ADDOME SUPERIORE\nFegato di dimensioni nei limiti, ecostruttura omogenea, senza lesioni "
    "focali. Colecisti alitiasica a pareti regolari. Vie biliari non dilatate. Milza e pancreas "
    "regolari. Reni in sede senza idronefrosi. Non versamento.",
    "istologia": "Esame istologico. Materiale: losanga cutanea dorso 18x9 mm.\nNotizie cliniche: lesione pigmentata "
    "in accrescimento.\nDiagnosi: nevo melanocitico composto, exeresi completa, margini indenni.",
    "laboratorio": "Laboratorio analisi. Paziente: Brancaleoni Ubaldo, 61 anni\nEmoglobina 10,8 g/dl (13,5-17,5)\n"
    "Leucociti 12,1 x10^9/l\nCreatinina 1,6 mg/dl\nPotassio 5,2 mmol/l\nPCR 48 mg/l",
    "ostetrica": "Visita domiciliare in puerperio, 5ª giornata: utero contratto, lochiazioni nella norma, sutura "
    "perineale asciutta. Ragade al capezzolo sinistro, corretto l'attacco. Neonato 3240 g, lieve ittero, "
    "moncone secco, si alimenta al seno.",
    "relazione psicologica": "Relazione psicologica. La paziente, 27 anni, giunge in consultazione per attacchi di panico e "
    "insonnia comparsi dopo il lutto paterno. Umore deflesso, pianto frequente, nega ideazione "
    "suicidaria. BDI-II 24. Si propone psicoterapia a cadenza settimanale.",
    "fisioterapia": "Valutazione fisioterapica: spalla dx, capsulite adesiva da 4 mesi. ROM: flessione 90°, "
    "extrarotazione 10°. Dolore VAS 6/10. Trattamento: mobilizzazione passiva, esercizi pendolari, "
    "stretching capsulare. Ciclo di 10 sedute.",
    "dentista": "Scheda odontoiatrica. Sig. Oreste Malaspina, anni 47. Dente 36: carie destruente, dolore alla "
    "percussione. Eseguita terapia canalare in anestesia locale con articaina. Prossimo appuntamento per "
    "corona.",
    "certificato": "Certificato medico. Certifico di aver visitato in data odierna il sig. Fiorenzo Tagliabue, nato il "
    "12/09/1983, affetto da distorsione della caviglia destra. Necessita di riposo e cure per giorni 15, "
    "salvo complicazioni.",
    "messaggio tra colleghi": "Ciao Marta, ti mando un mio paziente di 71 anni, BPCO, calato 8 kg in due mesi con emoftoe. All'RX "
    "opacità lobo superiore dx. Riesci a vederlo in ambulatorio pneumologico? In terapia con tiotropio e "
    "prednisone. Grazie",
    "118": "Scheda soccorso. Uomo, 66 anni, dolore toracico oppressivo da 40 minuti irradiato al braccio "
    "sinistro. PA 160/95, FC 104, SpO2 94% in aria ambiente. ECG: sopraslivellamento ST inferiore. ASA "
    "250 mg ev, trasportato in emodinamica.",
}

ORDINARY = {
    "foglio illustrativo": "Foglio illustrativo: informazioni per il paziente. Ibuprofene 600 mg compresse. Legga attentamente "
    "questo foglio prima di prendere questo medicinale. Possibili effetti indesiderati: nausea, vomito, "
    "diarrea, cefalea, vertigini. Non prenda ibuprofene se ha ulcera o insufficienza cardiaca. La dose è "
    "di 1 compressa ogni 8 ore.",
    "consigli": "Influenza: come prevenire il contagio. In caso di sintomi come febbre, tosse o mal di gola "
    "rivolgersi al proprio medico. La vaccinazione è offerta a chi ha più di 65 anni e alle persone con "
    "asma, diabete o insufficienza renale. Domande frequenti. Ministero della Salute.",
    "articolo": "Colecistectomia laparoscopica nell'anziano. Parole chiave: colelitiasi, anziano. Materiali e "
    "metodi: studio retrospettivo su 214 pazienti. Sono stati inclusi pazienti con età superiore a 80 "
    "anni. Infezione della ferita in 12 casi (intervallo di confidenza 95%). Discussione. Bibliografia. "
    "Conflitto di interessi: nessuno.",
    "esame universitario": "Corso di laurea in Infermieristica. Domande a risposta multipla. 1. Un uomo di 60 anni giunge in "
    "pronto soccorso con dolore toracico. Indicare la risposta corretta: a) somministrare nitroglicerina "
    "b) eseguire un elettrocardiogramma. Obiettivi formativi: lo studente riconosce l'infarto.",
    "ricetta di cucina": "Ricetta: lenticchie della nonna. 300 g di lenticchie, 2 carote, 1 cipolla, olio. Cuocere 40 minuti "
    "a fuoco lento; per la zia Carmela senza salsiccia, che le resta sullo stomaco. Servire con un filo "
    "d'olio.",
    "curriculum": "Curriculum vitae. Annabella Corsi, nata il 14/02/1990. Esperienza lavorativa: infermiera in terapia "
    "intensiva e in pronto soccorso presso l'Ospedale del Mare. Istruzione e formazione: laurea in "
    "Infermieristica. Madrelingua italiana.",
    "verbale di riunione": "Verbale della riunione del comitato infezioni. Presenti: dott. Pace, dott.ssa Leali. Ordine del "
    "giorno: 1. tasso di infezione della ferita chirurgica 2. procedura operativa sepsi. Si decide di "
    "rivedere il consumo di antibiotici.",
    "fattura": "Fattura n. 2025/118. Ortopedia Villani. Cliente: Studio dott. Benetti. 10 scatole di guanti, 2 "
    "sfigmomanometri, 3 carrozzine. Imponibile 812,00 IVA 22% totale documento 990,64. Modalità di "
    "pagamento: bonifico bancario.",
    "veterinario": "Clinica veterinaria L'Ulivo. Cane meticcio femmina, 7 anni, microchip 9410000. Vomito e diarrea da "
    "due giorni. Temperatura 39,5. Metronidazolo 250 mg ogni 12 ore. Sverminazione da ripetere.",
    "racconto": "Il vecchio non fumava più dalla guerra. Viveva solo, dormiva poco e si lamentava del freddo. Quella "
    "notte sentì un dolore al petto, ma non chiamò il medico; si sedette alla finestra e aspettò che "
    "passasse l'ultimo treno.",
}


def judged(text: str) -> Findings:
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize("name", MEDICAL)
def test_a_document_about_one_patient_is_medical(name: str) -> None:
    assert judged(MEDICAL[name]).judgement is Judgement.MEDICAL


@pytest.mark.parametrize("name", ORDINARY)
def test_what_only_speaks_the_language_of_medicine_is_not(name: str) -> None:
    assert judged(ORDINARY[name]).judgement is Judgement.NOT_MEDICAL


def test_no_word_of_three_letters_counts_by_itself() -> None:
    """Short words collide across languages: only with a figure beside them (vital, analyte) do they say anything."""
    content = (resources.files("agent.detection") / "data" / "it.tsv").read_text("utf-8")
    counted = ("term", "phrase", "letter", "narrative", "drug")
    assert {text for text, group, _, _ in parse(content, "it") if len(text) < 4 and group in counted} == set()
