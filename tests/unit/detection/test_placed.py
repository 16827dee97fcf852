"""Persons where notes put them without civility: behind a bed, in brackets, as headings of columns, by initials."""

from __future__ import annotations

import pytest

from agent.detection.columns_of import read_columns
from agent.detection.detector import detect
from agent.detection.evidence import Evidence
from agent.detection.fold import fold
from agent.detection.heads import patients
from agent.detection.pages import read_page
from agent.detection.placed import placed_names
from agent.document import Document, Format, Part
from agent.findings import Findings


def judged(text: str) -> Findings:
    """What the engine says of a text."""
    return detect(Document(Format.TEXT, "txt", parts=(Part(text),)))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ch 402 fen. Trégouarn : vomissements", b"tregouarn"),
        ("Bett 3 Wollschlegel, Dyspnoe", b"wollschlegel"),
        ("mon patient (Raultier, 39a) lipase 1200", b"raultier"),
        ("le monsieur de la 7 (Corbellec), OAP", b"corbellec"),
        ("écrou 4471 Uguenoc B. : scarifications", b"uguenoc"),
        ("Margaret V, day 4 in unit", b"margaret"),
        ("SN1 : Lagadeuc, 38+4", b"lagadeuc"),
    ],
)
def test_a_name_is_read_where_notes_put_it(text: str, name: bytes) -> None:
    assert [word for _, _, word in placed_names(fold(text).cased)] == [name]


@pytest.mark.parametrize(
    "text",
    ["lit 4 Douleur thoracique", "le patient (Paracetamol 1 g)", "chambre 12 Isolement contact", "T2 Hypersignal : net",
     "Vitamine D, une ampoule", "Hépatite B : vaccin"],
)  # fmt: skip
def test_what_only_stands_there_is_no_name(text: str) -> None:
    assert not list(placed_names(fold(text).cased))


def test_a_note_about_a_bed_and_a_family_name_is_identified() -> None:
    found = judged("ch 402 fen. Trégouarn : vomissements fécaloïdes, SNG en aspi 1,2 L, TDM grêle plat, bloc prévenu")
    assert found.identified


COLUMNS = """            Abhervec     Bothorec    Cloarouc
TA          13/7        11/6        17/9
Glycémie    1,10        2,34        0,98
Pst         fait        -           réfection
"""


def test_patients_that_head_columns_are_told_of() -> None:
    page = fold(COLUMNS)
    evidence = read_page(page)
    assert {word for who in evidence.told for word in who.words} == {b"abhervec", b"bothorec", b"cloarouc"}


@pytest.mark.parametrize(
    "text",
    [
        COLUMNS.replace("Abhervec     Bothorec    Cloarouc", "Lundi     Mardi    Mercredi"),
        COLUMNS.split("\n")[0] + "\nrien à signaler\nglycémie faite\n",
    ],
)
def test_other_headings_and_lines_without_cells_tell_of_nobody(text: str) -> None:
    evidence = Evidence(vitals={b"ta"}, lab_values={b"glycemie"})
    read_columns(evidence, fold(text))
    assert evidence.told == []


def test_columns_without_anything_clinical_tell_of_nobody() -> None:
    evidence = Evidence()
    read_columns(evidence, fold(COLUMNS))
    assert evidence.told == []


def test_beds_within_one_paragraph_are_entries() -> None:
    text = "Lit 1 intubé J3, fièvre 39. Lit 2 extubée ce matin. Lit 3 vide. Lit 4 choc septique. Lit 5 EER, bicar 14."
    assert len(patients([fold(text).cased])) == 4


def test_a_family_that_another_bed_is_not_told_of_stays_one() -> None:
    assert not patients([fold("Lit 1 intubé J3, fièvre 39, voisin du lit 2 prévenu.").cased])


def test_initials_in_a_numbered_list_are_persons() -> None:
    text = "215 : M.L. BHC ok, redon retiré\n216 P : G.T., agité cette nuit\n218 : R.A. sortie si CRP basse\n"
    assert len(patients([fold(text).cased])) == 3


def test_two_initials_are_no_civility() -> None:
    evidence = read_page(fold("215 : M.L. BHC ok, redon D retiré, CRP 40, apyrétique"))
    assert evidence.names == set()
    assert evidence.told == []


@pytest.mark.parametrize(
    "text",
    [
        "Mme Prigent : tension 15/8, amlor. Son mari, Prigent Louis : diabète, HbA1c 9,1, lantus.",
        "Thanks for seeing Mrs Ogden with her cellulitis. PS her husband Frank Ogden (your patient also) had a seizure.",
    ],
)
def test_a_relative_who_is_a_patient_too_is_a_second_one(text: str) -> None:
    assert len(patients([fold(text).cased]) or read_told(text)) == 2


def read_told(text: str) -> list[str]:
    """The persons that sentences of the text tell of, without repetition."""
    from agent.detection.told import distinct

    return [str(sorted(who.words)) + who.sex for who in distinct(read_page(fold(text)).told)]


def test_a_relative_of_whom_little_is_said_is_none() -> None:
    assert len(read_told("Mme Ogdenel : cellulite, amoxicilline. Son mari, M. Ogdenel, rappellera pour la chimio.")) < 2


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Gabin, 7 mois, bronchiolite, sat 93", True),
        ("Cirrhose, 7 mois, ascite", False),
        ("Visite, 3 ans après", False),
    ],
)
def test_a_given_name_with_an_age_is_somebody(text: str, called: bool) -> None:
    assert read_page(fold(text)).called == called
