"""What is only looked at when somebody asks, and quicker ways of asking: each against doing without it."""

import random

import pytest

from agent.detection import person_rows, told
from agent.detection.detector import detect
from agent.detection.head_words import STAFF
from agent.detection.identifiers.numbers import SCHEMES, _says
from agent.detection.linear import at_start
from agent.detection.pages import read_page
from agent.detection.structured import readings
from agent.detection.structured.markers import fold_name
from agent.detection.told_words import KIN, is_kin, is_staff, stands_aside
from agent.document import Document, Format, Part
from agent.findings import Judgement

LETTER = (
    "Compte rendu d'hospitalisation\nPatiente : Mme Odile BRASQUET, née le 14/05/1961\nMotif : dyspnée d'effort.\n"
    "Antécédents : hypertension artérielle. Mme Brasquet a été vue par le Dr Régis Tournemine.\n"
    "Examen clinique : TA 152/88 mmHg, auscultation sans souffle. Traitement : bisoprolol 2,5 mg le matin.\n"
)
ROUND = (
    "Vu ce matin madame Oberlin, toujours intubée sous noradrénaline. Puis monsieur Castagnet, fibrillation "
    "auriculaire réduite par amiodarone. Enfin madame Villard, transfusée pour une hémorragie digestive.\n"
)
AROUND = (
    [b"sa fille", b"son mari", b"his wife", b"ihre Tochter", b"la sua moglie", b"est", b"ist", b",", b" ", b"Dr", b"Dr."]
    + [b"IDE", b"Interne", b"famille de", b"fils", b"epouse", b"Kine :", b"\n", b"de", b"x", b"_", b"\xb0", b"1"]
)  # fmt: skip


def judged(text: str):
    return detect(Document(Format.TEXT, parts=[Part(text)]))


def test_who_is_told_of_is_not_looked_for_in_the_document_of_one_person(monkeypatch):
    monkeypatch.setattr(told, "_tell", lambda *_: pytest.fail("looked for"))
    assert judged(LETTER).judgement is Judgement.MEDICAL


def test_who_is_told_of_is_looked_for_once(monkeypatch):
    asked = []
    tell = told._tell
    monkeypatch.setattr(told, "_tell", lambda *given: asked.append(1) or tell(*given))
    page = read_page(ROUND)
    assert not asked
    assert len(page.told) == 3
    assert page.told is page.told
    assert asked == [1]


def test_what_is_found_is_added_to_what_is_told():
    page = read_page(ROUND)
    page.told += page.told[:1]
    assert len(page.told) == 4


@pytest.mark.parametrize("seed", range(20))
def test_automata_answer_as_the_patterns_they_stand_for(seed):
    dice = random.Random(seed)
    for _ in range(500):
        text = b" ".join(dice.choices(AROUND, k=dice.randint(1, 4))) + dice.choice([b"", b" ", b"\n", b" \n", b": "])
        assert is_kin(text) == (KIN.search(text) is not None), text
        assert is_staff(text) == (STAFF.search(text) is not None), text


@pytest.mark.parametrize(
    ("before", "aside"), [(b"rue ", True), (b"rue\n", True), (b"rue x ", False), (b"grue ", False)]
)
def test_who_stands_behind_a_street_is_not_spoken_of(before, aside):
    assert stands_aside(before) is aside


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: f"{scheme.type}-{scheme.country}-{scheme.digits}")
def test_context_words_are_told_alike_within_ascii_and_beyond(scheme):
    dice = random.Random(scheme.words.pattern)
    words = ["n° ss", "sécu", "sociale", "nir", "åins", "insª", "assure", "tel", "social security", "svnr", "²nhs", "-"]
    own = scheme.words.pattern.split("|")[0].replace("\\b", "")
    found = 0
    for _ in range(300):
        text = dice.choice(["", " "]).join(dice.choices([*words, own], k=3))
        assert _says(scheme.words, text) == (scheme.words.search(text) is not None), text
        found += _says(scheme.words, text)
    assert 0 < found < 300


@pytest.mark.parametrize("seed", range(20))
def test_lines_that_hold_something_are_found_in_one_walk(seed):
    dice = random.Random(seed)
    for _ in range(200):
        lines = b"\n" + bytes(dice.choices(b"ab\n", k=dice.randint(1, 60)))
        places = sorted(dice.choices(range(1, len(lines)), k=dice.randint(1, 9)))
        walked = [*person_rows._begun(lines, places)]
        assert walked == sorted({lines.rfind(b"\n", 0, place + 1) for place in places})


@pytest.mark.parametrize(
    "label", ["Nom", "Date of birth", "PATIENT_NAME", "Prénom", "Généré par", "first-name", "ﬁrst name", "N°"]
)
def test_a_label_is_named_as_it_is_folded(label):
    assert readings._name(label) == fold_name(label).replace(" ", "")


@pytest.mark.parametrize(("numbers", "others"), [(4, 0), (5, 0), (5, 6), (5, 7), (20, 20), (20, 22), (0, 3), (0, 0)])
def test_a_series_is_told_wherever_its_rows_stand(numbers, others):
    lines = ["12;3,5;7"] * numbers + ["prose sans chiffre"] * others
    series = numbers >= 5 and numbers >= (numbers + others) // 2
    for seed in range(6):
        random.Random(seed).shuffle(lines)
        assert readings._is_series("a\nb\nc\n" + "\n".join(lines)) is series


def test_the_first_value_of_a_label_counts():
    text = "1,Nom: BRASQUET; x\nPrénom;Odile\nNom: AUTRE\nGlucose, 5, DOB, 14/05/1961\n"
    assert readings._labels(text) == {"NOM": "BRASQUET", "PRENOM": "Odile", "DOB": "14/05/1961"}


def test_an_anchored_automaton_looks_nowhere_else():
    assert at_start(b"b")(b"ba")
    assert not at_start(b"b")(b"ab")
