"""Names spelt and dates told in words."""

from __future__ import annotations

import pytest

from agent.detection.dictated import spelled_name, spoken_date
from agent.detection.pages import read_page


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b" quinquis q u i n q u i s prenom yvonne", b"quinquis"),
        (b" quinquis quinquis prenom yvonne", b"quinquis"),
        (b" fezzani f e deux z a n i ne le", b"fezzani"),
        (b" le-gall l e g a l l", b"le-gall"),
        (b" quinquis q u i n q u i", b""),  # not all of it
        (b" a y a l a", b""),
        (b" durand est venu", b""),
    ],
)
def test_a_name_is_what_its_letters_say(text: bytes, name: bytes) -> None:
    assert spelled_name(text, 0) == name


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (b" le quatorze mars mille neuf cent cinquante trois que je revois", "1953-03-14"),
        (b" le premier aout dix neuf cent quatre vingt dix neuf", "1999-08-01"),
        (b" le trente et un decembre mille neuf cent soixante et onze a brest", "1971-12-31"),
        (b" le vingt-deux mai deux mille quatorze", "2014-05-22"),
        (b" le sept avril mille neuf cent quatre-vingt-un", "1981-04-07"),
        (b" le trois juin deux mille", "2000-06-03"),
        (b" le quarante mars mille neuf cent dix", ""),
        (b" le mardi mars suivant sans autre precision", ""),
        (b" a brest", ""),
    ],
)
def test_a_date_in_words(text: bytes, date: str) -> None:
    assert spoken_date(text, 0) == date


def test_a_dictation_names_its_patient() -> None:
    page = read_page("alors c'est pour madame quinquis q u i n q u i s née le deux mai mille neuf cent trente sept")
    assert page.names == {b"quinquis"}
    assert page.births == {"1937-05-02"}
    assert not read_page("madame attend a b c d e f g").names
