"""How many patients a sheet tells of when its words, not its columns, show that it is about patients."""

import pytest

from agent.detection.headings import role_of
from agent.detection.tables import count_rows

REGISTER = [
    ("N°", "Jour", "Malade", "Produit", "Qté"),
    ("1", "02/03", "GIRAUDET Louise", "SEVREDOL 20", "14"),
    ("2", "02/03", "GIRAUDET Louise", "SKENAN 60", "28"),
    ("3", "04/03", "OSTERMANN Hugo", "METHADONE 60", "7"),
    ("4", "05/03", "PELLOUX Irène", "DUROGESIC 50", "5"),
]
VISITS = [
    ("date", "who", "why", "by"),
    ("3/2", "Nadia Ferreira", "wheeze after PE", "Kim"),
    ("3/2", "Owen Prescott", "nosebleed, stopped", "Kim"),
    ("4/2", "Nadia Ferreira", "wheeze again, inhaler", "Lee"),
    ("5/2", "Ruth Adeyemi", "sprained ankle, ice", "Kim"),
]


@pytest.mark.parametrize(("rows", "persons"), [(REGISTER, 3), (VISITS, 3)])
def test_a_person_who_comes_twice_is_one(rows, persons):
    assert len(count_rows(rows)) == persons


def test_who_gives_care_and_who_works_there_are_not_counted():
    for heading in ("Prescripteur", "Salarié", "Signature", "Operatore"):
        rows = [("Jour", heading, "Acte"), ("2/3", "Anne Vidal", "visite"), ("3/3", "Marc Olier", "visite")]
        assert count_rows(rows) == frozenset()


def test_without_a_column_of_persons_nobody_is_counted():
    rows = [("Heure", "Soin"), ("07h", "Glycémie, toilette"), ("08h", "Lever au fauteuil"), ("12h", "Insuline 8")]
    assert count_rows(rows) == frozenset()


def test_a_column_of_medicines_or_of_sentences_is_nobody():
    rows = [("x", "y"), ("1", "Doliprane Codéine"), ("2", "Lovenox Héparine"), ("3", "Bisoprolol Ramipril")]
    assert count_rows(rows) == frozenset()
    rows = [("x", "y"), ("1", "Revient demain"), ("2", "Appeler la famille"), ("3", "Rien à dire")]
    assert count_rows(rows) == frozenset()


@pytest.mark.parametrize(
    "heading", ["Patient/in", "Bewohner:in", "Klient*in", "patient(e)", "Patient·e", "résident.e", "Assistito/a", "Paciente/a"]
)  # fmt: skip
def test_both_genders_in_one_heading(heading):
    assert role_of(heading) == "id"


@pytest.mark.parametrize("heading", ["n/a", "et/ou", "km/h", "kg/m", "et/e"])
def test_a_stroke_alone_is_no_gender(heading):
    assert role_of(heading) in {"", "clinical"}
