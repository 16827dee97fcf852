"""How a page speaks: examinations, rules, stories, lives and animals are about nobody under care."""

from __future__ import annotations

import pytest

from agent.detection.detector import detect
from agent.detection.evidence import Evidence
from agent.detection.fold import fold
from agent.detection.negatives import weigh
from agent.detection.speech import read_speech
from agent.document import Document, Format, Part
from agent.findings import Judgement

NOBODY = (
    "QCM 14. Une femme de 62 ans consulte pour une dyspnée d'effort. PA 165/95, FC 102. BNP 800. Quelle est la "
    "proposition exacte ?\nA. On débute un diurétique\nB. L'échographie est inutile\nC. La troponine doit être dosée",
    "Station 3 ECOS – 8 min. Vous êtes interne aux urgences. M. Durand, 58 ans, douleur thoracique. TA 150/90, FC 96. "
    "Consignes au candidat : menez l'interrogatoire. Grille : irradiation (1 pt).",
    "Scénario simulation. Mannequin : Mme Simone, 31 ans, G3P3. T0 : PA 95/50, FC 118. Débriefing 20 min.",
    "Protocole de service – hypoglycémie. Si glycémie < 0,6 g/l : 15 g de sucre. Si inconscient : G30 40 ml IVD, "
    "appeler le médecin. Contrôler la glycémie à 15 min. Tracer dans le dossier.",
    "Episode 4. INT. HÔPITAL – NUIT. LUCAS (35) est poussé sur un brancard. « Tension 8/4, pouls à 140 ! » Le moniteur "
    "siffle. FONDU AU NOIR.",
    "Attestation. Madame Céline RIVOALLAN, née le 12/02/1990, aide-soignante, a suivi la formation « soins palliatifs, "
    "douleur et escarres » (14 h). Module 1 : évaluation EVA. Module 2 : antalgiques.",
    "Filou, européen, mâle castré, 6 ans, 5,2 kg. Vomit depuis 2 j. T 39,4. Abdomen souple. Cerenia 1 mg/kg SC. "
    "Proprio : Mme Leblond.",
    "Lettre d'info santé n° 42 : à 72 ans, Monique ne s'est jamais fait vacciner. Fièvre, toux, courbatures : les "
    "symptômes durent une semaine. Pour vous désabonner, cliquez ici.",
)


def spoken(text: str) -> dict[str, dict[str, set[bytes]]]:
    evidence = Evidence()
    read_speech(evidence, fold(text))
    return evidence.against


@pytest.mark.parametrize("text", NOBODY)
def test_who_speaks_to_others_speaks_of_no_patient(text: str) -> None:
    assert detect(Document(Format.TEXT, parts=[Part(text)])).judgement is not Judgement.MEDICAL


def test_specimens_by_letter_are_no_options() -> None:
    assert "exam" not in spoken("Diagnosis:\nA. Skin, left arm. Is it melanoma? Yes.")
    assert "exam" in spoken("What is next?\na) rest\nb) surgery\nc) nothing")


def test_a_rule_beside_an_identified_person_is_a_plan() -> None:
    evidence = Evidence()
    read_speech(evidence, fold("Si TA > 16 : appeler.\nSi fièvre > 38 : contrôler.\nNe pas arrêter le traitement."))
    assert weigh([evidence])["rule"] > 0
    evidence.births.add("1950-01-01")
    assert "rule" not in weigh([evidence])


def test_life_dates_and_stage_directions_tell_a_story() -> None:
    assert "fiction" in spoken("Marie Bonnafous (1871–1934) contracta la tuberculose.")
    assert "fiction" in spoken("INT. COULOIR - NUIT. Elle court.")
    assert "fiction" not in spoken("Vu le 12/03/1971, revu en 2024.")


def test_an_owner_and_the_sex_of_an_animal() -> None:
    assert "veterinary" in spoken("Owner: Mrs Ransome")
    assert "veterinary" in spoken("chatte stérilisée, 4 ans")
    assert "veterinary" not in spoken("mordu par un chat du voisin")
