"""What is named every day is known: medicines and complaints in six languages, one after another in the same sentence."""

from __future__ import annotations

import pytest

from agent.detection.pages import read_page

MEDICINES = [
    "Doliprane",
    "Kardegic",
    "Natrilix",
    "Eupantol",
    "Josacine",
    "Mycoster",
    "Neupro",
    "Velcade",
    "Progynova",
    "Nerisone",
    "fluindione",
    "trimébutine",
    "Marcumar",
    "Novaminsulfon",
    "Beloc",
    "Ergenyl",
    "Decortin",
    "Panadol",
    "Calpol",
    "Zimovane",
    "Nolotil",
    "Tranquimazin",
    "Tachipirina",
    "Movicolon",
]
COMPLAINTS = [
    "frissons",
    "ballonnements",
    "acouphènes",
    "irritabilité",
    "pétéchies",
    "boulimie",
    "paludisme",
    "ostéodensitométrie",
    "caryotype",
    "macular degeneration",
    "self-harm",
    "Gallensteine",
    "Magersucht",
    "ansiedad",
    "schizofrenia",
    "wondroos",
]


@pytest.mark.parametrize("name", MEDICINES)
def test_a_medicine(name: str) -> None:
    assert read_page(f"Depuis hier {name}, bien toléré.").drugs
    assert not read_page("Depuis hier Dupontel, bien toléré.").drugs


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_complaint(name: str) -> None:
    without = read_page("Depuis hier autre chose.").terms
    assert read_page(f"Depuis hier {name}.").terms - without
