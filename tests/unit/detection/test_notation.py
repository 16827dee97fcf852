"""What medicine writes in figures, in seven languages, and figures of other trades."""

from __future__ import annotations

import pytest

from agent.detection.fold import fold
from agent.detection.notation import Notation, read_notation


def read(text: str) -> Notation:
    return read_notation(fold(text))


@pytest.mark.parametrize(
    "text",
    ["Hb 9,8 g/dl", "Leuko 11,8 + Tsd/µl", "CRP 45 mg/L", "Na 138 mmol/l", "plq 211 G/l", "TSH 2.1 mUI/L", "VS 40 mm/h",
     "plaq 180 x10^9/L", "eGFR 54 ml/min", "GOT 31 U/l", "ferritine 4 ng/ml"],
)  # fmt: skip
def test_a_laboratory_value_is_told_by_its_unit(text: str) -> None:
    assert len(read(text).labs) == 1


@pytest.mark.parametrize("text", ["< 5 mg/l", "target > 7 mmol/l", "LDL <= 1,4 mmol/l"])
def test_a_limit_is_no_value(text: str) -> None:
    found = read(text)
    assert not (found.labs or found.findings or found.places)


@pytest.mark.parametrize(
    "text",
    ["5 mg matin et soir", "40 mg 1-0-1", "1 cp le soir", "500 mg bid", "1 g iv x3/j", "20 mg tgl.", "50 mg al giorno",
     "1 comprimido cada 8 horas", "5 mg 1dd", "100 UI sc", "10 mg po nocte", "1 tabl per dag"],
)  # fmt: skip
def test_a_dose_with_its_rhythm_is_somebodys(text: str) -> None:
    found = read(text)
    assert len(found.doses) == 1


def test_a_strength_alone_is_weaker_and_an_ampoule_is_no_laboratory_value() -> None:
    assert read("Morphine 10 mg/ml amp").strengths
    assert not read("Morphine 10 mg/ml amp").labs
    assert read("Paracetamol 500 mg, 30 pièces").doses == set()


@pytest.mark.parametrize("text", ["metf 500 2dd1", "Ramipril 1-0-1 ", "Lasix 1-0-0-1\n", "KG 2x/sem", "Salbe 3x tgl"])
def test_rhythms(text: str) -> None:
    assert read(text).rhythms


@pytest.mark.parametrize(
    "text", ["RR 130/80", "TA 12/7", "BP 108/61", "PA 155/95", "FC 88/min", "SpO2 97 %", "T 38,5", "EVA 3/10", "GCS 15"]
)
def test_vital_signs(text: str) -> None:
    assert read(text).vitals


@pytest.mark.parametrize(
    "text", ["SA 32+4", "28+3/40", "34 SSW", "G2P1", "pT2N0M0", "cT3N1", "Gleason 4+3", "OD -2,25 (-0,50)", "dent 36",
             "Zahn 47", "SG 33+2"]
)  # fmt: skip
def test_measures_of_the_specialities(text: str) -> None:
    assert read(text).findings


@pytest.mark.parametrize("text", ["CIM-10 : J20", "ICD-10: F32.1", "Diagnose: J06.9 G", "AMI 4", "CCAM HBLD403"])
def test_codes(text: str) -> None:
    assert read(text).codes


@pytest.mark.parametrize(
    "text",
    ["version 1-0-2024", "12/03/2025 14:30", "total 148,50 EUR, TVA 20 %", "800 g de potiron, 200 ml de crème", "score 3-1",
     "10 km in 52 min", "art. L1110-4", "téléphone 01 44 55 66 77", "ISO 27001, T3 2025, G20", "page 3/10", "512 Go, 16 Go"],
)  # fmt: skip
def test_figures_of_other_trades(text: str) -> None:
    found = read(text)
    assert not (found.labs or found.doses or found.rhythms or found.vitals or found.findings or found.codes)


def test_a_hostile_page_ends() -> None:
    found = read("5 mg matin\n" * 20000)
    assert len(found.places) <= 160
