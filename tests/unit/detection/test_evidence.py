"""Clinical evidence of one page: each rule, and what must not trigger it."""

import pytest

from agent.detection.pages import PAGE, cut, read_page


def test_a_title_counts_as_a_heading_only():
    assert read_page("COMPTE RENDU D'HOSPITALISATION\nMotif").titles == {"clinical-note": 1}
    prose = read_page("le compte rendu d'hospitalisation est adressé au médecin")
    assert prose.titles == {}
    assert prose.mentions == {"clinical-note": 1}


@pytest.mark.parametrize("text", ["ORDONNANCE\n", "Ordonnance :\n"])
def test_a_title_of_one_word_needs_its_own_line(text):
    assert read_page(text).titles == {"prescription": 1}


def test_a_law_is_no_prescription():
    assert read_page("Ordonnance de 1945 relative aux associations").titles == {}


@pytest.mark.parametrize(
    "text", ["Antécédents :\nHTA", "ANTÉCÉDENTS\nHTA", "2) Antécédents : HTA", "- Antécédents: HTA"]
)
def test_section_headings(text):
    assert b"antecedents" in read_page(text).sections


def test_section_words_within_a_sentence_are_no_headings():
    assert read_page("sans antécédents notables, le traitement est poursuivi").sections == set()


@pytest.mark.parametrize(
    "text",
    [
        "Amoxicilline 1 g : 1 comprimé matin et soir",
        "ramipril 5 mg/j",
        "Metformin 500 mg twice daily",
        "Ramipril 5 mg 1-0-0",
    ],
)
def test_a_medicine_with_dose_and_rhythm(text):
    assert len(read_page(text).dosed) == 1


def test_a_medicine_alone_or_with_a_strength_is_not_dosed():
    page = read_page("L'amoxicilline est un antibiotique.\nAmoxicilline 500 mg, boîte de 12, prix 4,20")
    assert page.drugs == {b"amoxicilline"}
    assert page.dosed == set()


@pytest.mark.parametrize(
    "text",
    ["Hémoglobine    9,7   g/dL   12,0 - 16,0", "Créatinine : 128 µmol/L", "CRP ........ 12,4 mg/L", "Kaliémie 4,2 (3,5 - 5,0)",
     "Hemoglobin 13.2 g/dL", "Leucocytes\n13,4\nG/L"],
)  # fmt: skip
def test_laboratory_values(text):
    assert len(read_page(text).lab_values) == 1


def test_a_laboratory_word_without_a_value_is_no_result():
    assert read_page("dosage de la créatinine et de l'hémoglobine chez 12 patients").lab_values == set()


@pytest.mark.parametrize("text", ["TA 12/7", "FC : 102", "SpO2 98 %", "T° 36.6", "BP 130/80", "Poids : 82 kg"])
def test_vital_signs_with_a_figure(text):
    assert len(read_page(text).vitals) == 1


def test_vital_signs_without_a_figure_do_not_count():
    assert read_page("mesurer la tension artérielle, la FC et la température").vitals == set()


def test_words_by_their_endings_and_the_words_that_only_look_so():
    assert b"splenectomie" in read_page("une splénectomie puis").terms
    assert read_page("la nostalgie de l'académie et la dichotomie").terms == set()


def test_codes_of_diagnoses_and_acts():
    assert read_page("Diagnostic : I50.0, acte DZQM006").codes == 2
    assert read_page("version 1.2, 50.0 euros").codes == 0


def test_open_fields_are_counted_but_not_the_leaders_of_a_table_of_contents():
    assert read_page("Nom : ..........  Prénom : __________  [ ] oui [ ] non").blanks >= 4
    assert read_page("Introduction .......... 3\nMéthodes ......... 12").blanks == 0


def test_pages_are_cut_within_their_size_and_nothing_is_lost():
    text = ("ligne de texte\n" * 2000) + "x" * 20_000
    pieces = list(cut(text))
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= PAGE
