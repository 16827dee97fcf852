"""Whom a line is about before a mark, and who is not meant: pairs of a line and its twin that says it of nobody."""

import pytest

from agent.detection.detector import detect
from agent.detection.pages import read_page
from agent.document import Document, Format, Part


def judged(text: str):
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Odile MARCHETTI → frottis ASC-US, colposcopie à prévoir", b"marchetti odile"),
        ("- [ ] Marius Peyrache : dyspnée, crépitants aux bases", b"marius peyrache"),
        ("## Gerda Holthaus — 2. Gespräch\nDyspnoe besser, Ödeme rückläufig", b"gerda holthaus"),
        ("* **Doreen Catchpole** bed 3: chest pain overnight, troponin repeated", b"catchpole doreen"),
        ("QUENTIN Ludivine - otite moyenne aiguë, amoxicilline 6 jours", b"ludivine quentin"),
    ],
)
def test_a_given_name_before_a_mark_names_whom_the_line_is_about(text, name):
    assert name in read_page(text).names


@pytest.mark.parametrize(
    "text",
    [
        "Examen Clinique : dyspnée, crépitants aux bases",  # a heading of two words
        "Odile Marchetti",  # a signature
        "Odile MARCHETTI, infirmière : dyspnée, crépitants aux bases",  # who works there
        "Mme Odile MARCHETTI, cadre de santé, demande des compresses et du sérum",
        "Marius Peyrache : peinture des volets, devis accepté hier",  # nothing clinical
        "Marius Peyrache : peinture des volets, devis accepté\nAutre sujet : dyspnée, crépitants aux bases, fièvre",
        "Hector Volant - dyspnée",  # hardly anything behind the mark
    ],
)
def test_a_heading_a_signature_and_a_colleague_name_nobody(text):
    assert read_page(text).names == set()


@pytest.mark.parametrize(
    "text",
    [
        "Patient : index – SAUVAGEON Lise – F – 06/06/1992 – ADN",
        "SAUVAGEON Lise | 06/06/1992 | ADN",
        "SAUVAGEON Lise, F, 06/06/1992",
        "SAUVAGEON Lise / F / 06/06/1992",
    ],
)
def test_a_birth_date_behind_a_name_and_a_stroke(text):
    evidence = read_page(text)
    assert evidence.births == {"1992-06-06"}
    assert evidence.named_births


def test_a_date_of_today_behind_a_name_is_no_birth_date():
    assert read_page("SAUVAGEON Lise – 06/06/2024 – accueil").births == set()


def test_a_birth_date_is_read_as_a_scanner_writes_it():
    assert read_page("Monsieur R0bert DELAUNAY, né le 2l.O6.l949 à Tours").births == {"1949-06-21"}
    assert read_page("il est né le lO oil loll").births == set()  # no figure at all


def test_what_follows_a_woman_in_german_may_be_a_medicine():
    assert read_page("Zystitis der Frau: bei der Frau Fosfomycin 3 g einmalig").names == set()
    assert any(b"hagedorn" in name for name in read_page("Bei der Frau Hagedorn 3 g einmalig").names)


@pytest.mark.parametrize(
    "text", ["la señora Ballesteros, fiebre", "meneer Wiersma, koorts", "il signor Maffei, febbre"]
)
def test_civilities_in_full(text):
    assert len(read_page(text).names) == 1


@pytest.mark.parametrize("text", ["DSA testé, sign. M. Leroy 14/05", "checked by Mr Hobbs", "geprüft von Frau Lenz"])
def test_who_signs_or_checks_is_nobodys_patient(text):
    assert read_page(text).names == set()


ABSTRACT = (
    "Résumé - Introduction : le syndrome est rare. Observation : un homme de 23 ans était hospitalisé pour fièvre à "
    "39,5 °C et cervicalgie. Le scanner montrait une thrombose jugulaire. L'évolution était favorable sous ceftriaxone. "
    "Discussion : l'anticoagulation reste débattue. Mots-clés : jugulaire ; sepsis."
)
LETTER = (
    "Cher confrère, je vois M. Damien QUESNEL, 23 ans, hospitalisé pour fièvre à 39,5 °C et cervicalgie. "
    "Le scanner montrait une thrombose jugulaire. L'évolution est favorable sous ceftriaxone, à poursuivre 10 jours. "
    "Discussion en staff : pas d'anticoagulation. Je le revois dans un mois."
)


def test_an_abstract_in_one_paragraph_is_a_paper_and_a_letter_is_not():
    assert judged(ABSTRACT).judgement == "not_medical"
    assert judged(LETTER).judgement == "medical"


HOMEWORK = (
    "NURS 210 - Week 4 assignment\nMr. Jones is a 71-year-old man admitted with COPD exacerbation. BP 148/88, HR 102, "
    "RR 26, SpO2 88% RA. He takes tiotropium daily and prednisone 40 mg.\n"
    "1. List three nursing diagnoses. 2. Write SMART goals with rationale. Submit your work by Friday, 20 points."
)
NOTE = (
    "Mr. Jones is a 71-year-old man admitted with COPD exacerbation. BP 148/88, HR 102, RR 26, SpO2 88% RA.\n"
    "He takes tiotropium daily and prednisone 40 mg. Plan: nebulisers, wean O2, physio, home Friday if stable."
)


def test_homework_about_a_case_is_no_note_and_the_same_note_is():
    assert judged(HOMEWORK).judgement == "not_medical"
    assert judged(NOTE).judgement == "medical"
