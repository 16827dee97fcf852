"""Who the page is about: births, names, labels, ages, record numbers, and those who are not the patient."""

import pytest

from agent.detection.pages import read_page


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("née le 12/03/1961", "1961-03-12"),
        ("Né(e) le : 12.03.1961", "1961-03-12"),
        ("né le 1er mars 1961", "1961-03-01"),
        ("Date de naissance : 1961-03-12", "1961-03-12"),
        ("DDN 12/03/61", "1961-03-12"),
        ("née à Angers le 12 mars 1961", "1961-03-12"),
        ("DOB: 03/22/1961", "1961-03-22"),
        ("Date of birth: March 12, 1961", "1961-03-12"),
        ("geb. am 12.03.1961", "1961-03-12"),
        ("nata il 12/03/1961", "1961-03-12"),
        ("Fecha de nacimiento: 12/03/1961", "1961-03-12"),
        ("geboren 12-03-1961", "1961-03-12"),
    ],
)
def test_birth_dates_in_six_languages(text, date):
    assert read_page(text).births == {date}


@pytest.mark.parametrize(
    "text", ["né le projet en 2019", "date de naissance et sexe", "Né(e) le : 45/13/1961", "born to run 12"]
)
def test_no_birth_date_without_a_date(text):
    assert read_page(text).births == set()


def test_a_birth_date_with_a_name_beside_it():
    assert read_page("Mme DUPONT Jeanne, née le 12/03/1961").named_births == 1
    assert read_page("produit né le 12/03/1961 de la fusion des deux sociétés").named_births == 0


@pytest.mark.parametrize("text", ["Né(e) le : ____", "Né(e) le : ......", "née le jj/mm/aaaa"])
def test_an_open_birth_date_is_a_blank(text):
    page = read_page(text)
    assert page.births == set()
    assert page.blanks >= 1


@pytest.mark.parametrize(
    "text",
    [
        "M. Jean DUPONT",
        "Mme DUPONT Jeanne",
        "Monsieur Dupont Jean",
        "Mrs Jane Doyle",
        "Frau Anna Becker",
        "Sig. Rossi Marco",
    ],
)
def test_persons_with_a_civility(text):
    assert len(read_page(f"Examen de {text}, ce jour").names) == 1


@pytest.mark.parametrize(
    "text",
    ["Dr Jean DUPONT", "M. le Directeur", "M. Le Directeur", "Mme la Présidente", "5 m de long", "Madame, Monsieur,"],
)
def test_professionals_offices_and_lengths_are_no_patients(text):
    assert read_page(f"Reçu de {text} ce jour").names == set()


def test_the_patient_label():
    assert read_page("Patient : GAUTIER Nicolas   Né le 28/12/1958").patients == 1
    assert read_page("Patient : ..............").patients == 0
    assert read_page("le patient : un acteur de sa santé").patients == 0


@pytest.mark.parametrize(
    "text",
    [
        "patient de 54 ans",
        "patiente âgée de 54 ans",
        "homme de 54 ans",
        "a 54-year-old woman",
        "54 y/o male",
        "54-jähriger Patient",
        "M. X, âgé de 54 ans",
    ],
)
def test_the_age_of_one_person(text):
    assert read_page(text).ages == {b"54"}


@pytest.mark.parametrize(
    "text",
    [
        "les plus de 65 ans",
        "tout patient de plus de 65 ans",
        "depuis 54 ans",
        "un bail de 9 ans",
        "patients over 65 years",
        "garantie 10 ans",
    ],
)
def test_populations_and_durations_are_no_ages(text):
    assert read_page(text).ages == set()


def test_record_numbers():
    assert read_page("IPP 74388365").charts == 1
    assert read_page("MRN: 00123456").charts == 1
    assert read_page("l'IPP est attribué à l'admission").charts == 0


def test_a_hostile_page_does_not_grow_the_sets_without_end():
    text = "\n".join(
        f"Mme Aa{chr(97 + i % 26)}{chr(97 + i // 26 % 26)} Bb{chr(97 + i // 676 % 26)}c, née le 01/01/{1900 + i % 99}"
        for i in range(500)
    )
    page = read_page(text)
    assert len(page.names) <= 64
    assert len(page.births) <= 64
