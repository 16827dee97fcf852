"""Folding: what a person reads as the same word is the same bytes, and the three views stay aligned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection.fold import fold, fold_term


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Œdème aigu", "oedeme aigu"),
        ("œde\u0301me", "oedeme"),  # decomposed accent
        ("hémo\u00adgramme", "hemogramme"),  # soft hyphen
        ("compte\u00a0rendu\u202fopératoire", "compte rendu operatoire"),
        ("H É M A T O L O G I E", "hematologie"),
        ("hospi-\ntalisé", "hospitalise"),
        ("раtient", "patient"),  # Cyrillic р, а
        ("ΡΑTIENT", "patient"),  # Greek Ρ, Α
        ("ﬁèvre", "fievre"),
        ("ｐａｔｉｅｎｔ", "patient"),  # full width
        ("pa\u200btient", "patient"),  # zero-width space
        ("µmol/L", "umol l"),
        ("Größe", "grose"),
        ("Łódź", "lodz"),
    ],
)
def test_the_same_to_a_reader_is_the_same_to_the_matcher(text, words):
    assert fold(text).words.split() == words.encode().split()


def test_a_spaced_capital_series_of_single_letters_in_lower_case_prose_is_left_alone():
    assert b" a b c " in fold("les items a b c et d").words


def test_runs_of_blanks_collapse_and_lines_stay():
    page = fold("Nom :      DUPONT   \n   Prénom\t\tJean")
    assert page.lines == b"\nnom : dupont\nprenom jean\n"
    assert b"DUPONT" in page.cased


def test_a_paragraph_break_is_not_a_single_space():
    assert b"examen  clinique" in fold("examen\n\nclinique").words
    assert b"examen clinique" in fold("examen\nclinique").words


def test_boxes_of_forms_survive():
    assert b"[ ] oui" in fold("☐ oui").lines


@given(st.text(max_size=400))
def test_any_text_folds_to_three_views_of_one_length(text):
    page = fold(text)
    assert len(page.cased) == len(page.lines) == len(page.words)
    assert page.words[:1] == page.words[-1:] == b" "
    assert set(page.words) <= set(b"abcdefghijklmnopqrstuvwxyz0123456789 ")


@given(st.text(max_size=60))
def test_a_term_folds_as_the_text_that_holds_it(text):
    assert fold_term(text).split() == fold_term(f"  {text}\n").split()
