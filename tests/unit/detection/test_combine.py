"""The sum: two questions, caps, what speaks against, and its monotony."""

from dataclasses import replace

import pytest

from agent.detection.combine import MEDICAL, PRIOR_CLINICAL, PRIOR_PERSON, reach, score, sigmoid, told
from agent.detection.evidence import Evidence
from agent.detection.negatives import FAMILIES, weigh

CLINICAL = Evidence(
    size=1500, sections={b"a", b"b", b"c"}, phrases={b"d", b"e", b"f"}, terms={bytes([97 + i]) for i in range(12)}
)
PERSONAL = Evidence(size=1500, births={"1961-03-12"}, named_births=1, names={b"dupont jeanne"})
BOTH = replace(CLINICAL, births={"1961-03-12"}, named_births=1, names={b"dupont jeanne"})


def test_both_questions_must_be_yes():
    assert score(BOTH, 0, {}).probability > 0.9
    assert score(PERSONAL, 0, {}).probability < 0.1
    assert score(replace(CLINICAL, sections=set(), phrases=set()), 0, {}).probability < MEDICAL


def test_an_identifier_without_clinical_content_is_not_medical():
    assert score(Evidence(size=800), 1.0, {}).probability < 0.1


def test_no_kind_of_evidence_grows_without_end():
    many = replace(BOTH, terms={str(i).encode() for i in range(5000)}, names={str(i).encode() for i in range(60)})
    some = replace(BOTH, terms={str(i).encode() for i in range(50)}, names={str(i).encode() for i in range(6)})
    assert score(many, 0, {}).clinical == pytest.approx(score(some, 0, {}).clinical)
    assert score(many, 0, {}).identity <= score(some, 0, {}).identity + 1.3


@pytest.mark.parametrize("family", FAMILIES)
def test_each_look_alike_takes_away(family):
    assert score(BOTH, 0, {family: 1.0}).probability < score(BOTH, 0, {}).probability


def test_many_persons_of_many_ages_and_no_identity_speak_against():
    page = replace(CLINICAL, ages={b"54"}, narrative={b"a", b"b", b"c"})
    assert score(page, 0, {}, vignettes=4).person < score(page, 0, {}).person - 3


def test_the_lines_are_the_whole_sum():
    found = score(BOTH, 0.9, {"paper": 0.5})
    assert found.clinical == pytest.approx(
        PRIOR_CLINICAL + sum(line.nats for line in found.lines if line.side == "clinical")
    )
    assert found.person == pytest.approx(PRIOR_PERSON + sum(line.nats for line in found.lines if line.side == "person"))


def test_probabilities_stay_within_their_range():
    assert 0 <= sigmoid(-1e9) < 1e-9
    assert 1 >= sigmoid(1e9) > 1 - 1e-9


def test_one_strong_marker_is_nearly_nothing_and_three_are_all():
    one = Evidence(against={"paper": {"s": {b"doi"}}})
    three = Evidence(against={"paper": {"s": {b"doi", b"issn", b"discussion"}}})
    ordinary = Evidence(against={"paper": {"o": {b"et al", b"cohorte"}}})
    assert weigh([one])["paper"] < 0.2
    assert weigh([three])["paper"] == 1.0
    assert weigh([ordinary]) == {}


def test_a_form_left_open_is_blank_and_a_filled_one_is_not():
    assert weigh([Evidence(blanks=6)]).get("blank-form") == 1.0
    assert weigh([Evidence(blanks=6, births={"1961-03-12"})]) == {}


def test_the_probability_is_monotone_and_keeps_the_threshold():
    steps = [told(number / 200) for number in range(201)]
    assert steps == sorted(steps)
    assert told(MEDICAL) == pytest.approx(MEDICAL)
    assert 0 <= steps[0] < 1e-9
    assert 1 - 1e-9 < steps[-1] <= 1


def test_the_reach_of_a_page_is_never_less_than_what_it_scores():
    for page in (BOTH, CLINICAL, PERSONAL):
        assert reach(page) >= score(page, 1.0, {}).probability


def test_more_absent_complaints_say_more_of_one_person_up_to_a_cap():
    pages = [replace(CLINICAL, absent={bytes([97 + i]) for i in range(count)}) for count in (0, 1, 3, 7, 12)]
    sums = [score(page, 0, {}).person for page in pages]
    assert sums[0] == sums[1] < sums[2] < sums[3] == sums[4]


def test_a_dense_text_of_one_kind_tells_a_subject_and_of_several_a_note():
    one = Evidence(size=200, terms={b"a", b"b", b"c", b"d"})
    several = Evidence(size=200, terms={b"a"}, phrases={b"b"}, vitals={b"c"}, drugs={b"d"})
    assert _dense(one) < _dense(several)


def _dense(page: Evidence) -> float:
    """What the density line of the clinical side is worth: the last of that side."""
    return [line.nats for line in score(page, 0, {}).lines if line.side == "clinical"][-1]


def test_a_reading_known_by_name_and_by_unit_counts_once():
    page = Evidence(size=1000, lab_values={b"crp", b"hb"}, lab_figures=2)
    assert page.values == 2
    assert replace(page, lab_figures=5).values == 5
