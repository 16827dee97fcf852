"""What the scan leaves out for speed must never have given a hit."""

import random

import pytest

from agent.detection.identifiers import find_identifiers, scan
from agent.detection.identifiers.numbers import SCHEMES, NumberScan

LABELS = (
    "NIR",
    "INS",
    "n° de sécurité sociale",
    "RPPS",
    "FINESS",
    "NHS",
    "BSN",
    "DNI",
    "tél",
    "matricule",
    "SSN",
    "AHV",
)
NUMBERS = (
    "1 85 05 78 006 084 91", "185057800608491", "943 476 5919", "111222333", "12345678Z", "756.9217.0769.85",
    "01 42 34 56 78", "10003456781", "750000001", "85.07.30-033.28", "310556-813A", "078-05-1120",
)  # fmt: skip
FILLERS = (" : ", " ", "\n", " le patient de la chambre voisine, sorti hier soir du service, ", ", ", " - clé ")


@pytest.mark.parametrize("seed", range(40))
def test_looking_only_where_words_stand_finds_what_looking_everywhere_finds(seed, monkeypatch):
    dice = random.Random(seed)
    text = "".join(dice.choice(dice.choice((LABELS, NUMBERS, FILLERS, FILLERS))) for _ in range(60))
    quick = find_identifiers(text)
    monkeypatch.setattr(scan, "MANY", 1 << 30)
    monkeypatch.setattr(NumberScan, "_may_stand", lambda *_: True)
    monkeypatch.setattr(NumberScan, "_has_word", lambda *_: True)
    monkeypatch.setattr(NumberScan, "_worth", lambda *_, **__: tuple(enumerate(SCHEMES)))
    monkeypatch.setattr(NumberScan, "_settled", lambda *_: False)
    assert quick == find_identifiers(text)
