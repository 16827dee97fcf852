"""Cells looked at together say what each says alone."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.detection.cell_words import Words, clinical_words, firm_words

_CELLS = st.one_of(
    st.sampled_from(
        ["toux", "amoxicilline 1 g", "Vis 4x40", "fièvre ÷ toux", "d o u l e u r", "HbA1c 7,2 %", "12", ""]
    ),
    st.text(alphabet="toux fievre÷\n;-éèа&%x5", max_size=30),
)


@settings(deadline=None)  # the first example builds the lexicon
@given(st.lists(st.lists(_CELLS, max_size=4), max_size=5))
@example([["toux &divide; fievre", "toux"]])  # a sign that parts cells, written so that only reading brings it out
@example([["d o u l e u r", "5 t"]])  # a disguise beside it
@example([["r-\n÷r"]])  # the sign itself, behind a hyphen
@example([["insuffisance", "cardiaque"]])  # nothing is told across two cells
def test_together_as_alone(rows):
    words = Words(rows)
    for row in rows:
        for cell in row:
            assert words.clinical(cell) == clinical_words(cell)


def test_what_is_said_of_a_cell():
    words = Words([["amoxicilline 1 g", "TA 12/7", "planche de chêne"]])
    assert words.is_clinical("amoxicilline 1 g")
    assert not words.is_clinical("planche de chêne")
    assert words.clinical("amoxicilline 1 g") == firm_words("amoxicilline 1 g") == {b"amoxicilline"}
    assert words.is_clinical("toux grasse"), "a cell that is none of the table's"


def test_a_cell_as_long_as_a_page_is_text_and_not_looked_at():
    assert clinical_words("toux " * 90) == set()
    assert not Words([["toux " * 90]]).is_clinical("toux " * 90)
