"""Medical words by their shape in seven languages, and ordinary words that look alike."""

from __future__ import annotations

import pytest

from agent.detection.fold import fold
from agent.detection.morphology import shaped

MEDICAL = (
    "cholécystectomie thyroïdectomie appendicite bronchite dyspnée hématurie hyperkaliémie lombalgie adénocarcinome fibromatose coloscopie",
    "appendectomy bronchiolitis dyspnoea haematuria hyponatraemia fibromyalgia adenocarcinoma colonoscopy thrombocytopenia cardiomyopathy",
    "Appendektomie Pyelonephritis Hämaturie Hyperkaliämie Fibromyalgie Leberzirrhose Koloskopie Thrombozytopenie Kardiomyopathie Anämie",
    "colecistectomia broncopolmonite ematuria iperkaliemia lombalgia adenocarcinoma colonscopia piastrinopenia cardiomiopatia",
    "colecistectomía bronquitis hematuria hiperpotasemia lumbalgia adenocarcinoma colonoscopia trombocitopenia miocardiopatía",
    "cholecystectomie bronchitis hematurie hyperkaliëmie fibromyalgie adenocarcinoom coloscopie trombocytopenie cardiomyopathie",
    "colecistectomia bronquite hematúria hipercaliemia lombalgia adenocarcinoma colonoscopia trombocitopenia cardiomiopatia",
)
ORDINARY = (
    "satellite graphite suite site élite composite politesse invite granite académie photographie géographie sympathie épidémie "
    "marocaine africaine concept symptôme diplôme homme économie philosophie nostalgie ouistiti ostéopathe cardiologue hypothèse"
    " website invite concept precept enemies academy photography sympathy diagnosis metamorphosis magazine psychology hypothesis"
    " Akademie Chemie Platine Plastik Diagnose Sympathie Kopie Sicherheitskopie Premie deelname participatie risicopremie dosis"
    " accademia simpatia qualsiasi grandiosi academia epidemia apatía permitís ipotesi cardiólogo antipatía"
)
MEDICINES = (
    "bisoprolol ramipril candésartan atorvastatina omeprazol azithromycine amoxicilline infliximab imatinib sitagliptin "
    "empagliflozine amlodipina ciprofloxacino enoxaparine sumatriptan ondansetron montelukast fluoxetin alprazolam apixaban semaglutid"
)


def words(text: str) -> list[tuple[bytes, bool]]:
    """Each word asked for by itself, so that neighbours share no blank."""
    return [(word, medicine) for part in text.split() for word, _, medicine in shaped(fold(part).words)]


@pytest.mark.parametrize("text", MEDICAL)
def test_most_medical_words_have_a_medical_shape(text: str) -> None:
    assert len(words(text)) >= 0.8 * len(text.split())


def test_ordinary_words_have_none() -> None:
    assert words(ORDINARY) == []


def test_medicines_are_known_by_the_stems_of_their_international_names() -> None:
    found = words(MEDICINES)
    assert len(found) == len(MEDICINES.split())
    assert all(medicine for _, medicine in found)


def test_the_place_is_the_end_of_the_word() -> None:
    page = fold("sous bisoprolol 5 mg")
    assert [(page.words[end - len(word) : end], word) for word, end, _ in shaped(page.words)] == [(b"bisoprolol",) * 2]


def test_a_hostile_page_ends() -> None:
    assert len(list(shaped(b" gastritis x" * 5000 + b" "))) <= 80
