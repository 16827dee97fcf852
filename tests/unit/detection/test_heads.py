"""How many patients a text tells about: entries count, names within sentences do not."""

from __future__ import annotations

import pytest

from agent.detection import heads
from agent.detection.detector import detect
from agent.detection.disguise import readable
from agent.detection.fold import fold_readable
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes

BEDS = """RELEVE DES TRANSMISSIONS
ch 301 Mme ARBAUD : nuit calme, paracétamol 1 g à 23 h
ch 302 M. BÉNÉZET : T° 38,4, hémocultures, Dr Meunier prévenu
ch 303 libre
ch 304 M. et Mme CAZALET : tension 13/8, glycémie 1,20
ch 305 Mme de FONTBRUNE : pansement talon, EVA 2
IDE : Mme SERVANT
"""
NUMBERED = """RCP du 12 mai, 4 dossiers
1/ Mme GARRIGOU L. 1958 ADK LSD cT2aN0 -> lobectomie
2/ M. PEYRE 1949 épidermoïde N2 -> radio-chimiothérapie
3/ H 66 ans carcinome à petites cellules -> carboplatine étoposide
4/ Mme VERGNE 1971 nodule 9 mm -> scanner à 3 mois
Présents : Dr AUZIAS, Mme LAPORTE (IDE)
"""
ROUND = """Tournée du dimanche
6h45 GARDELLE perfusion NaCl 0,9 % 1 L à retirer
7h10 VERNHES insuline Lantus 14, glycémie 1,08
7h40 TOURRETTE pansement, Bétadine
8h20 MAURIAC INR et NFS
"""
BLOCKS = """LIT 1
CHARRIER Fatiha 52
Malaise, troponine 4, ECG normal
LIT 2
vide désinfection
LIT 3
LEMOINE Gabin 19
paracétamol 14 g, NAC en cours
LIT 4
PINEL Steeve 28
colique néphrétique, kétoprofène
"""


def counted(text: str) -> int:
    return len(heads.patients([fold_readable(readable(text)).cased]))


@pytest.mark.parametrize(
    ("text", "number"),
    [(BEDS, 5), (NUMBERED, 4), (ROUND, 4), (BLOCKS, 3)],
    ids=[
        "beds, one of them free, and a couple",
        "numbered, one without a name",
        "hours and capitals",
        "blocks under beds",
    ],
)
def test_each_entry_is_a_patient(text: str, number: int) -> None:
    assert counted(text) == number


def test_a_person_who_stands_twice_is_one() -> None:
    assert counted(NUMBERED + "5/ GARRIGOU Lucienne 1958 : rappel, même dossier\n") == counted(NUMBERED)


LETTER = """Cher confrère,
J'ai vu en consultation Madame Lucienne GARRIGOU, née le 04/02/1958, accompagnée de son mari.
Mme GARRIGOU présente une dyspnée d'effort. Sa fille, Mme Aline PEYRE, est prévenue.
M. PEYRE, kinésithérapeute, la suit depuis mai. Bisoprolol 5 mg, furosémide 40 mg.
Dr Paul AUZIAS
"""


def test_relatives_and_colleagues_in_a_letter_are_not_patients() -> None:
    assert counted(LETTER) == 0
    assert detect(read_bytes(LETTER.encode(), "txt", Budget())).patients == 1


def test_a_form_with_labels_is_about_one_person() -> None:
    form = "Nom : GARRIGOU\nPrénom : Lucienne\nMme VERGNE 45 ans\nM. PEYRE 62 ans\nTension 13/8\n"
    assert counted(form) == 0


def test_the_answer_about_the_document_has_the_count() -> None:
    found = detect(read_bytes(BEDS.encode(), "txt", Budget()))
    assert (found.patients, found.identified) == (5, True)


def test_pages_are_counted_together() -> None:
    pages = [fold_readable(readable(text)).cased for text in (ROUND, NUMBERED)]
    assert len(heads.patients(pages)) == 8


def test_a_hostile_page_is_bounded() -> None:
    page = b"\n" + b"1/ Mme " + b"A" * 100_000 + b"\n" + b"ch 1 M. X 5 ans\n" * 100_000
    assert len(heads.patients([page])) <= 3001


STRANGE = "6h45 Fauconnet insuline Lantus 18\n7h05 Mme Sérignac bas de contention\n7h20 Roubichou bilan sanguin INR\n"
BARE = "Vaucresson : agité, 1/2 Tercian\nMme Sérignac pansement refait\nRoubichou a désaturé à 86, oxygène 3 L\n"


@pytest.mark.parametrize("text", [STRANGE, BARE])
def test_a_word_that_is_none_of_the_language_begins_a_line_of_a_list(text):
    assert counted(text) == 3


@pytest.mark.parametrize(
    "text",
    [
        STRANGE.replace("Fauconnet", "Pansement").replace("Roubichou", "Douleur"),  # words of the language
        STRANGE.replace("Fauconnet", "Jocelyne").replace("Roubichou", "Samia"),  # who wrote the line
        BARE.replace("Mme Sérignac", "le"),  # nobody is named for certain
    ],
)
def test_other_words_at_the_beginning_of_a_line_are_nobody(text):
    assert counted(text) == 0


def test_visits_after_so_many_months_are_no_persons():
    visits = "M1 poids 108, vomit\nM6 poids 91, dumping\nM12 poids 83, ferritine 9\nM18 poids 84, va bien\n"
    assert counted(visits) == 0
