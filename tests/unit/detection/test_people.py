"""Persons without a label, and lines that hold a person and something clinical. Every person is invented."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.pages import read_page
from agent.document import Document, Format, Part


@pytest.mark.parametrize(
    "text",
    ["F 72 ans, dyspnée", "H 34 a., plaie", "m 19J alkoholisiert", "26YOM hx asthma", "Varón 70 a. Tacto", "pz, 81 anni",
     "vrouw, 68 jaar", "Pat., 42 J., ledig", "a 32-year-old female", "ein 65-jähriger Patient", "Edad: 23", "mulher de 47 anos"],
)  # fmt: skip
def test_the_age_of_one_person(text: str) -> None:
    assert read_page(text).ages


@pytest.mark.parametrize(
    "text", ["plus de 65 ans", "garantie 10 ans", "seit 20 Jahren", "über 80 Jahre", "for 5 years", "18 anni fa"]
)
def test_ages_of_nobody(text: str) -> None:
    assert not read_page(text).ages


@pytest.mark.parametrize(
    ("text", "birth"),
    [("Brandt Karl *01.10.1941", "1941-10-01"), ("Pat. Jonas Kobel (04.02.2009)", "2009-02-04"),
     ("M. Mouny Rémi   15/05/1982", "1982-05-15"), ("Re: Mr Leo Tapsell, 12/12/1946, Wellow", "1946-12-12"),
     ("0044 QUIST               ARNOLD        19410322K77", "1941-03-22"), ("Reyes Mateo 1986-02-28 asthma", "1986-02-28")],
)  # fmt: skip
def test_a_birth_date_behind_a_name(text: str, birth: str) -> None:
    found = read_page(text)
    assert found.births == {birth}
    assert found.named_births


@pytest.mark.parametrize(
    "text", ["Fait à Nantes Cedex, 12/12/2023", "Dr Anne Morel, 12/05/1975", "Réunion Mardi 12/03/1999"]
)
def test_other_dates_behind_names(text: str) -> None:
    assert not read_page(text).births


WARD = (
    "Station 3 Übergabe\nB1 Mrs Fothergale 88 fractured hip, confused, catheter out\nB2 Joan Tickell 79 sepsis, IV antibiotics, NEWS 3\n"
    "B4 Mr Osey 67 cellulitis left leg, insulin, BM 14.2\nB6 Mrs Chowdry 74 heart failure, furosemide 80 mg bd, K 3.2\n"
)
STAFF = "Dienst week 12, teaching on sepsis and pneumonia\nB1 Mrs Fothergale early\nB2 Joan Tickell late, swap with Mr Osey\nB4 Mr Osey annual leave\nB6 Mrs Chowdry night\n"


def test_a_ward_list_counts_its_patients() -> None:
    found = detect(Document(Format.TEXT, parts=[Part(WARD)]))
    assert found.judgement.value == "medical"
    assert found.identified
    assert found.patients == 4


def test_the_same_list_of_staff_is_none() -> None:
    page = read_page(STAFF)
    assert page.rows == 0
    assert detect(Document(Format.TEXT, parts=[Part(STAFF)])).judgement.value == "not_medical"


def test_one_person_on_many_lines_is_one() -> None:
    text = "Mme Lucie DARNEL, dyspnée et toux\nMme DARNEL a une pneumopathie\nMme DARNEL reçoit amoxicilline 1 g x 3\n"
    assert len(read_page(text).row_names) == 1


def test_a_hostile_page_ends() -> None:
    page = read_page("B1 Mrs Anna Bell 88 sepsis\n" * 20000)
    assert len(page.names) <= 64


@pytest.mark.parametrize(
    ("text", "age"),
    [("Mw. Jansen 84j, verward", b"84"), ("Mrs Ada Croft 91. Off legs", b"91"), ("Mme Osei (67), cellulite", b"67"),
     ("Théo, 15 ans : insomnie", b"15"), ("S: 34M c/o back pain", b"34")],
)  # fmt: skip
def test_an_age_behind_a_name(text: str, age: bytes) -> None:
    assert read_page(text).ages == {age}


@pytest.mark.parametrize(
    "text", ["Mme Garnier 12 rue des Lilas", "M. Colin 14 avenue Foch", "Whisky, 12 mg", "Garantie, 10 ans"]
)
def test_a_number_behind_a_name_that_is_no_age(text: str) -> None:
    assert not read_page(text).ages


def test_left_and_right_count_beside_something_clinical_only() -> None:
    assert read_page("Sono: cholélithiase, lithiase rénale droite, hydronéphrose gauche, hématome").sides >= 2
    assert read_page("Biegen Sie rechts ab, dann links, dann wieder rechts.").sides == 0
