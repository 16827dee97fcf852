"""Labelled birth dates in six languages become ISO dates; a date without a label, or an impossible one, does not."""

import pytest

from agent.detection.identifiers import find_identifiers
from agent.findings import FindingType


def births(text: str) -> list[str]:
    return [hit.value for hit in find_identifiers(text) if hit.type is FindingType.BIRTH_DATE]


@pytest.mark.parametrize(
    "text",
    [
        "né le 14/03/1975 à Lyon",
        "Née le 14 mars 1975",
        "né(e) le : 14.03.1975",
        "Né(e) le 14-03-75",
        "Date de naissance : 14/03/1975",
        "DATE DE NAISSANCE\n14/03/1975",
        "DDN : 14/03/1975",
        "D.D.N. 14/03/1975",
        "Date naissance: 19750314",
        "DOB: 03/14/1975",
        "DOB 1975-03-14",
        "Date of birth: 14 March 1975",
        "born on March 14, 1975",
        "Birth date 14/03/1975",
        "geb. am 14.03.1975",
        "Geburtsdatum: 14.03.1975",
        "geboren am 14. März 1975",
        "nato a Roma il 14/03/1975",
        "Data di nascita 14/03/1975",
        "Fecha de nacimiento: 14 de marzo de 1975",
        "nacido el 14/03/1975",
        "geboren op 14 maart 1975",
        "Geboortedatum: 14-03-1975",
    ],
)
def test_labelled_dates(text):
    assert births(text) == ["1975-03-14"]


@pytest.mark.parametrize(
    "text",
    [
        "vu le 14/03/1975",
        "né le 31/02/1975",
        "né le 45/13/1975",
        "née le ____",
        "née le JJ/MM/AAAA",
        "né le 14/03/1675",
        "journée le 14/03/1975",
        "Renée le 14/03/1975",
    ],
)
def test_no_label_or_no_day_is_no_birth_date(text):
    assert births(text) == []


def test_february_and_two_digit_years():
    assert births("né le 29/02/2024") == ["2024-02-29"]
    assert births("né le 29/02/2023") == []
    assert births("né le 01/02/31") == ["1931-02-01"]
    assert births("né le 01/02/12") == ["2012-02-01"]


def test_a_patient_header_line_gives_all_of_it():
    text = "Patient : RAMBERT Odile   Née le 14/03/1975   IPP 66529378"
    assert [(hit.type, text[hit.start : hit.end]) for hit in find_identifiers(text)] == [
        (FindingType.BIRTH_DATE, "14/03/1975"),
        (FindingType.IPP, "66529378"),
    ]
