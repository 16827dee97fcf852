"""The explanation is true: its lines are the sum, what it says to leave out turns the judgement, samples tell nobody."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import masking
from agent.detection.combine import MEDICAL, sigmoid
from agent.detection.detector import detect
from agent.detection.explain import Turn, explain
from agent.detection.identifiers import mask
from agent.document import Area, Document, Format, Part, Problem, Spot
from agent.findings import Finding, Findings, FindingType, Judgement, Scale, Side, undecidable
from tests.invented import LEAFLET, LETTER, MENU, PRESCRIPTION

NOTE = "Patient de 54 ans, hypertendu, vu ce jour. Pas de fièvre. TA 14/8."


def _judged(text: str) -> Findings:
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize("text", [LETTER, PRESCRIPTION, LEAFLET, MENU, NOTE])
def test_the_lines_are_the_whole_sum_and_the_sums_are_the_judgement(text: str) -> None:
    found = _judged(text)
    explanation = explain(found)
    clinical, person = explanation.questions
    assert (clinical.start, person.start) == pytest.approx((-3.0, -2.6), abs=0.06)
    assert (sigmoid(clinical.total) * sigmoid(person.total) >= MEDICAL) == (found.judgement is Judgement.MEDICAL)
    assert (clinical.yes and person.yes) == (found.judgement is Judgement.MEDICAL)


@given(
    st.lists(
        st.builds(
            Finding,
            type=st.sampled_from(FindingType),
            weight=st.integers(-800, 800).map(lambda cents: cents / 100),
            side=st.sampled_from(Side),
        ),
        max_size=12,
    )
)
def test_leaving_out_what_is_named_turns_the_judgement(items: list[Finding]) -> None:
    sums = {side: -3.0 + sum(item.weight for item in items if item.side is side) for side in Side}
    medical = sigmoid(sums[Side.CLINICAL]) * sigmoid(sums[Side.PERSON]) >= MEDICAL
    judgement = Judgement.MEDICAL if medical else Judgement.NOT_MEDICAL
    explanation = explain(Findings(judgement, items=tuple(items), scale=Scale(sums[Side.CLINICAL], sums[Side.PERSON])))
    if explanation.turn in {Turn.WITHOUT, Turn.SPARED}:
        sign = 1 if medical else -1
        kept = [item for item in items if item.type not in explanation.types or item.weight * sign < 0]
        after = {side: -3.0 + sum(item.weight for item in kept if item.side is side) for side in Side}
        assert (sigmoid(after[Side.CLINICAL]) * sigmoid(after[Side.PERSON]) >= MEDICAL) is not medical
    else:
        assert explanation.turn is (Turn.ROBUST if medical else Turn.LACKS)


def test_what_kept_it_from_being_medical_is_named_and_what_is_missing() -> None:
    items = (
        Finding(FindingType.TERM, weight=8.0, side=Side.CLINICAL),
        Finding(FindingType.PHRASE, weight=6.0, side=Side.PERSON),
        Finding(FindingType.LEAFLET, weight=-6.0, side=Side.PERSON),
    )
    spared = explain(Findings(Judgement.NOT_MEDICAL, items=items, scale=Scale(5.0, -2.6)))
    assert (spared.turn, spared.types) == (Turn.SPARED, (FindingType.LEAFLET,))
    menu = explain(_judged(MENU))
    assert (menu.turn, menu.sides) == (Turn.LACKS, (Side.CLINICAL, Side.PERSON))


def test_what_names_the_person_is_told() -> None:
    assert {FindingType.NIR, FindingType.PERSON, FindingType.BIRTH_DATE} <= set(explain(_judged(LETTER)).identity)
    assert explain(_judged(NOTE)).identity == ()


def test_a_number_shows_where_it_was_counted() -> None:
    explanation = explain(_judged(PRESCRIPTION))
    (line,) = [item for item in explanation.questions[1].lines if item.type is FindingType.NIR]
    assert line.sample.startswith("1 •")
    assert line.weight > 0
    assert FindingType.NIR not in {item.type for item in explanation.aside}


def test_another_part_of_the_document_is_no_part_of_the_sum() -> None:
    whole = Document(
        Format.ZIP, children=[Document(Format.TEXT, parts=[Part(text)]) for text in (PRESCRIPTION, LETTER)]
    )
    found = detect(whole)
    explanation = explain(found)
    assert explanation.aside
    assert explanation.questions[0].start == pytest.approx(-3.0, abs=0.06)


def test_a_format_that_decides_has_no_sums() -> None:
    item = Finding(FindingType.STRUCTURED_PATIENT, weight=9.0)
    explanation = explain(Findings(Judgement.MEDICAL, items=(item,)))
    assert (explanation.questions, explanation.aside, explanation.turn) == ((), (item,), Turn.FORMAT)
    certain = Findings(Judgement.MEDICAL, scale=Scale(-3.0, -2.6))  # a list of the practice's patients decided
    assert explain(certain).turn is Turn.FORMAT


@pytest.mark.parametrize("problem", Problem)
def test_what_could_not_be_looked_at_has_an_explanation(problem: Problem) -> None:
    assert explain(undecidable(problem)).questions[0].lines == ()


@pytest.mark.parametrize(
    ("shown", "secret"),
    [
        (masking.name(b"gautier nicolas"), "autier"),
        (masking.date("1958-12-28"), "1958"),
        (masking.words({b"toux", b"vernicourtite"}), "vernicourt"),  # a surname may look like a disease
        (mask("284057800608400"), "84"),
    ],
)
def test_a_sample_tells_nobody(shown: str, secret: str) -> None:
    assert secret not in shown
    assert shown


def test_a_name_does_not_tell_its_length() -> None:
    assert masking.name(b"li wu") == masking.name(b"lindenbaum wurstmann") == "L••• W•••"


def test_no_word_of_the_document_is_in_a_sample() -> None:
    """Whatever the document writes: names, places, dates, numbers, words of medical shape."""
    text = LETTER.replace("angor stable", "Crovaldite et Zembrinol 40 mg matin")
    shown = " ".join(item.sample for item in _judged(text).items)
    for secret in (
        "vernicourt",
        "odette",
        "1984",
        "14/05",
        "284057",
        "8004512367",
        "crovaldite",
        "zembrinol",
        "marchetti",
    ):
        assert secret not in shown.lower()
    assert not re.search(r"\d{4}", shown)


def test_the_place_is_named() -> None:
    pages = [Part(MENU * 30, Spot(Area.PAGE, 1)), Part(LETTER * 6, Spot(Area.PAGE, 2))]
    found = detect(Document(Format.PDF, parts=pages))
    assert {item.spot for item in found.items if item.side} == {Spot(Area.PAGE, 2)}
