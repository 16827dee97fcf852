"""Hurried notes: abbreviations together, bare figures in a row, letters, teeth, sides, the course of care."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.evidence import Evidence
from agent.detection.fold import fold
from agent.detection.jottings import LONGEST, read_jottings
from agent.detection.pages import read_page
from agent.document import Document, Format, Part
from agent.findings import Judgement

NOTES = (
    "KINE - séance 6/10 - M. Tardivel\nLCA genou G J+45. Flexion 115, ext 0. Quadri 4/5. Marche sans canne. EVA 2.",
    "26 extraite ce jour sous AL, mme Pouliquen, racine palatine fracturée, 2 pts vicryl, amox 2g/j 7 j, ctrl 8 j",
    "Pédicure: M. Jousselin Armand, 71 a, diabète type 2, grade 2. Monofilament négatif à D. Durillon M5 D, débridé.",
    "HD 4h, poids sec 68,5 ; UF 2400. FAV G ponctionnée 15G, Qb 320. Crampes H3. TA 148/82. M. Oukaci",
    "Na 128 K 5,9 créat 412 urée 38 HCO3 14, ECG ondes T amples. Néphro prévenu, EER ce soir ? Mr Benali box 3",
    "Certif: je certifie avoir examiné ce jour Melle Roxane Tivolle, ne présente pas de contre-indication à l'équitation.",
    "SIGNOUT 7p. Bed 12 Hargrove 67M - COPDe, on BiPAP overnight, ABG 7.31/58. If worse call RT. Full code.",
    "DN round: Mrs Ellery - L leg ulcer 4x3cm, sloughy, exudate++, 4-layer reapplied. Pain 4/10. r/v Thurs.",
)


def jotted(text: str) -> Evidence:
    evidence = Evidence()
    read_jottings(evidence, fold(text))
    return evidence


@pytest.mark.parametrize("text", NOTES)
def test_a_hurried_note_is_about_a_patient(text: str) -> None:
    assert detect(Document(Format.TEXT, parts=[Part(text)])).judgement is Judgement.MEDICAL


def test_short_words_count_only_together() -> None:
    assert not jotted("We moved the FAV lamp to the office.").terms
    assert len(jotted("FAV ok, bhcg ce soir, apyr").terms) == 3


def test_bare_figures_count_only_in_a_row() -> None:
    assert jotted("Na 131 K 2,9 Cl 84").lab_values == {b"*na", b"*k", b"*cl"}
    assert not jotted("Section K 2,9 page").lab_values
    assert jotted("tropo 84 -> 212").lab_values == {b"*tropo"}


def test_a_long_page_is_not_a_note() -> None:
    page = "tropo 84 -> 212\n" + "word " * (LONGEST // 5)
    assert not jotted(page).lab_values


def test_letters_of_a_problem_oriented_note() -> None:
    assert jotted("S: pain\nO: swollen\nA: sprain\nP: ice").sections == {b"*s", b"*o", b"*a", b"*p"}
    assert not jotted("P: ice\nS: pain\nA: x\nO: y").sections


def test_a_side_in_one_capital() -> None:
    assert jotted("plaie index G, L hallux").sides == 2
    assert not jotted("index go, the hallux").sides


def test_initial_and_age_without_a_name() -> None:
    page = read_page("Vu ce jour Mme V., 58 ans, sous AVK.")
    assert page.ages == {b"58"}
    assert not page.names


def test_a_breton_name_is_a_name_and_an_office_is_none() -> None:
    assert read_page("Vu M. Le Goff ce jour.").names == {b"goff"}
    assert not read_page("Vu M. Le Maire ce jour.").names


def test_what_is_listed_behind_a_denial_is_denied_too() -> None:
    assert {b"cough", b"fever"} <= read_page("She has no cough, fever or rash.").absent
