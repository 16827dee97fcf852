"""What the scan leaves out for speed must never have given a hit."""

import random
import re

import pytest

from agent.detection.identifiers import find_identifiers, numbers, scan
from agent.detection.identifiers.numbers import SCHEMES, WORDS, NumberScan

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


SCATTERED = (LABELS, NUMBERS, FILLERS, FILLERS)
CROWDED = (NUMBERS, NUMBERS, (" ", ";", "\n", ";12/03/1961;", "_", "é", "\u0967"), (";Martin;", " NIR ", ";x tél "))
"""Long enough that the shapes which stand nowhere are left out; beside letters and figures that Latin-1 has not."""


@pytest.mark.parametrize(("pieces", "count"), [(SCATTERED, 60), (CROWDED, 500), (CROWDED[1:], 500)])
@pytest.mark.parametrize("seed", range(40))
def test_looking_only_where_words_stand_finds_what_looking_everywhere_finds(seed, pieces, count, monkeypatch):
    dice = random.Random(seed)
    some = [*pieces[:-1], dice.sample(NUMBERS, 2), pieces[-1]]
    text = "".join(dice.choice(dice.choice(some)) for _ in range(count))
    quick = find_identifiers(text)
    monkeypatch.setattr(scan, "MANY", 1 << 30)
    monkeypatch.setattr(NumberScan, "_may_stand", lambda *_: True)
    monkeypatch.setattr(NumberScan, "_has_word", lambda *_: True)
    monkeypatch.setattr(NumberScan, "_worth", lambda *_, **__: tuple(enumerate(SCHEMES)))
    monkeypatch.setattr(NumberScan, "_settled", lambda *_: False)
    monkeypatch.setattr(NumberScan, "_may_be_told", lambda *_: True)
    monkeypatch.setattr(NumberScan, "_leave_out", lambda *_: None)
    assert quick == find_identifiers(text)


@pytest.mark.parametrize("word", WORDS)
def test_no_context_word_is_longer_than_what_another_one_may_hide(word):
    assert re._parser.parse(word).getwidth()[1] < numbers._LONGEST_WORD


def test_in_a_list_of_one_sort_of_numbers_the_other_shapes_are_left_out(monkeypatch):
    asked = []
    shapes = numbers._shapes
    monkeypatch.setattr(numbers, "_shapes", lambda scheme, *rest: asked.append(scheme.country) or shapes(scheme, *rest))
    scan.find_in("".join(f"Martin;0{n % 9 + 1}/03/1961;185057800608491\n" for n in range(400)))
    assert asked.count("FR") >= 400
    assert asked.count("FI") <= numbers._CROWD
