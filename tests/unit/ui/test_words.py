"""Every code has words, every word a French text, and no file name can move a terminal's cursor."""

from __future__ import annotations

import pytest

from agent.actions import entry, problems
from agent.daemon.notices import EXAMINING
from agent.document import Area, Problem
from agent.findings import Findings, FindingType, Judgement, Kind, undecidable
from agent.i18n import Count, catalogue, preferred
from agent.model import ChannelKind, Decision, Result, Strength
from agent.ui import wording
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (wording.KINDS, Kind), (wording.PROBLEMS, Problem), (wording.FINDINGS, FindingType), (wording.AREAS, Area),
        (wording.CHANNELS, ChannelKind), (wording.STRENGTHS, Strength), (wording.DECISIONS, Decision),
        (wording.JUDGEMENTS, Judgement),
    ],
)  # fmt: skip
def test_every_code_has_words(table: dict[str, str], codes: type) -> None:
    assert set(table) == set(codes)


def test_a_reason_for_every_answer() -> None:
    same = str
    assert wording.reason(Findings(Judgement.MEDICAL, Kind.CDA, identified=True), same).endswith(
        "who can be recognised"
    )
    assert "12 patients" in wording.reason(Findings(Judgement.MEDICAL, Kind.PATIENT_TABLE, patients=12), same)
    assert "test data" in wording.reason(Findings(Judgement.MEDICAL, Kind.HL7V2, test_data=True), same)
    assert "encrypted" in wording.reason(undecidable(Problem.ENCRYPTED), same)
    assert "nothing about a particular patient" in wording.reason(Findings(Judgement.NOT_MEDICAL), same)


def test_hostile_names_are_shown_without_control_characters(hostile_name: bytes) -> None:
    shown = printable(hostile_name)
    assert shown.isprintable()
    assert len(shown) <= 200


def test_bytes_that_are_not_utf8_stay_recognisable() -> None:
    assert printable(b"a\xff\n") == "a\\xff\\x0a"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "fr"), ({"LANG": "C.UTF-8"}, "fr"), ({"LANG": "fr_FR.UTF-8"}, "fr"), ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"), ({"LANG": "de_DE", "LC_ALL": "fr_BE"}, "fr"),
        ({"LANG": "fr_FR", "LANGUAGE": "en:fr"}, "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_readers(environment: dict[str, str], language: str) -> None:
    assert preferred(environment) == language


def test_a_complaint_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal("en").error("\x1b[2Jgone\rhint: run \u202ethis\nhint: what to do")
    assert capsys.readouterr().err == "serment: \\x1b[2Jgone\\x0dhint: run \\u202ethis\nhint: what to do\n"


@pytest.mark.parametrize(("confidence", "shown"), [(1.0, "99"), (0.974, "97"), (0.5, "50"), (0.0, "0")])
def test_certainty_is_never_complete(confidence: float, shown: str) -> None:
    assert wording.certainty(confidence, str) == f"certainty {shown}%"
    assert wording.certainty(confidence, catalogue("fr").gettext) == f"certitude {shown}\u00a0%"


@pytest.mark.parametrize("table", [wording.RESULTS, wording.OBSTACLES, wording.HELD_STATES, wording.BY])
def test_words_of_records_are_french_too(table: dict[str, str]) -> None:
    french = catalogue("fr").gettext
    assert all(french(text) != text for text in table.values())
    assert wording.word(table, "of-a-later-version", french) == "of-a-later-version"


def test_the_codes_of_other_parts_have_words() -> None:
    assert set(wording.RESULTS) == set(Result) | {EXAMINING}
    assert set(wording.OBSTACLES) >= set(problems._WORDS.values())
    assert set(wording.HELD_STATES) == set(entry._STATES)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_sentence_that_counts_says_one_and_many(language):
    text = catalogue(language).gettext("intact: {count} {count:record|records}")
    word = {"en": "record", "fr": "enregistrement"}[language]
    assert text.format(count=Count(1)).endswith(f" 1 {word}")
    assert text.format(count=Count(12)).endswith(f" 12 {word}s")
    assert f"{Count(7):03d} {Count(7)}" == "007 7"
