"""None of the look-alikes is medical; the same with a patient in it is."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.document import Document, Format, Part
from tests.unit.detection.lookalikes import LOOKALIKES

PATIENTS = (
    (
        "fr",
        "Mme ROUVEL Odile, 72 ans\nChute il y a 3 j, douleur du pli de l'aine. Rx bassin : fracture branche ilio-pubienne. Hb 9,8. Xarelto 15.",
    ),
    (
        "de",
        "ZNA m 19J, Sturz, GCS 14, Platzwunde frontal 4 cm. CCT o.B. RR 130/80, Puls 88/min. Ibuprofen 400 mg 1-0-1",
    ),
    (
        "en",
        "68 yo F, SOB x3/7. BP 150/90, HR 110, sats 91% RA. CRP 88, Hb 101. Imp: pneumonia. Doxycycline 100 mg bd po.",
    ),
    (
        "it",
        "Sig.ra Lodi Anna (1951): pancitopenia, Hb 8.2, PLT 34, febbre 38.4. In apixaban 5 mg x2. Chiedo consulenza ematologica.",
    ),
    (
        "es",
        "Gestante Ana Ruiz Prieto 37 a G3P1. SG 33+2: TA 148/96, edemas, cefalea. Proteinuria ++. Labetalol 100 mg cada 8 horas.",
    ),
    ("nl", "Mw. de Vries, vrouw 58 jaar: RR 148/86, HbA1c 88, eGFR 74. Metformine 500 mg 1dd1, simvastatine 40 mg."),
    (
        "pt",
        "Doente de 69 anos, colecistite aguda, febre 38,3. PCR 18,4 mg/dL. Submetida a colecistectomia laparoscópica. Amoxicilina 1 g de 8/8h",
    ),
)


def judged(text: str) -> str:
    return detect(Document(Format.TEXT, parts=[Part(text)])).judgement.value


@pytest.mark.parametrize(("genre", "text"), LOOKALIKES, ids=[genre for genre, _ in LOOKALIKES])
def test_a_look_alike_is_not_medical(genre: str, text: str) -> None:
    assert judged(text) == "not_medical", genre


@pytest.mark.parametrize(("language", "text"), PATIENTS, ids=[language for language, _ in PATIENTS])
def test_a_few_lines_about_a_patient_are(language: str, text: str) -> None:
    assert judged(text) == "medical", language


def test_one_decisive_marker_makes_the_case_of_a_lesson() -> None:
    text = "Mme Keller, 68 ans, J1 PTH, EVA 7/10, morphine 5 mg sc. TA 12/7, SpO2 95 %."
    assert judged(text) == "medical"
    assert judged("Vignette : " + text) == "not_medical"
