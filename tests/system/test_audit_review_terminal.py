"""``serment audit review`` on a terminal of 80 by 24, by keyboard, against a real agent's log; screens as text."""

from __future__ import annotations

import asyncio
import os
import re
import unicodedata

import pytest

from agent.i18n import catalogue
from agent.ui.review.terminal_app import ReviewApp
from agent.ui.terminal import Terminal
from tests.review_bed import ANNE, BORIS, review_bed

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="acts as other persons")]
SIZE = (80, 24)


@pytest.fixture(scope="module")
def bed():
    with review_bed() as made:
        made.agent.start()
        made.fill()
        yield made


def lines(app):
    """What stands on the screen, line by line."""
    return ["".join(part.text for part in strip) for strip in app.screen._compositor.render_strips()]


def text(app):
    """The same as one text: a sentence that goes over two lines is whole again."""
    return re.sub(r"\s+", " ", " ".join(lines(app)))


def played(client, language, *steps):
    """Press the keys of each step; the screen after each."""

    async def play():
        app, seen = ReviewApp(client, Terminal(language)), []
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            seen.append((lines(app), text(app)))
            for step in steps:
                await pilot.press(*step)
                await pilot.pause()
                seen.append((lines(app), text(app)))
        return seen

    return asyncio.run(play())


def row_of(screen, word):
    """How often to press Down from the top of the list to be on the row that says ``word``."""
    rows = [line for line in screen[0] if re.search(r" \d\d:\d\d ", line)]
    return next(number for number, line in enumerate(rows) if word in line)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_fits_80_columns_and_says_state_in_words(bed, language):
    t = catalogue(language).gettext
    for shown, _text in played(bed.client(ANNE), language, ["m"], ["escape"], ["question_mark"], ["escape"], ["f"]):
        assert len(shown) == 24
        widths = [sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in shown]
        assert max(widths) <= 80
    (first,) = played(bed.client(ANNE), language)
    assert t("to review") in first[1]
    assert t("refused")[:9] in first[1]
    assert t("your documents") in first[1]
    for key in ("Why?", "Reviewed", "Contest", "Filter", "Quit"):
        assert t(key) in first[0][-1] or key == "Why?"


def test_hostile_names_neither_colour_nor_move_nor_turn(bed):
    first = played(bed.client(ANNE), "en")[0]
    assert "\\x1b[31m<b>[red]" in first[1]
    assert not any(unicodedata.category(c) in {"Cc", "Cf"} for c in "".join(first[0]))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_why_mark_and_contest_by_keyboard(bed, language):
    person = {"en": ANNE, "fr": BORIS}[language]
    client, t = bed.client(person), catalogue(language).gettext
    word = {"en": "courrier", "fr": "lettre de"}[language]
    down = ["tab"] + ["down"] * row_of(played(client, language)[0], word)
    seen = played(
        client, language, down, ["enter"], ["escape"], ["r"], ["c"], ["down", "down", "enter", *"cours"], ["enter"]
    )
    assert t("Why was this refused?") in seen[2][1]
    assert t("None of its text is kept: only these kinds and how often each was found.") in seen[2][1]
    number = bed.agent.records("review")[-1]["records"][0]
    assert t("record {number} is reviewed").format(number=number) in seen[4][1]
    assert t("Not a patient document: why?") in seen[5][1]
    assert t("the request about record {number} is on its way").format(number=number) in seen[7][1]
    said = bed.agent.records("contest")[-1]
    assert (said["of"], said["why"], said["by"]) == (number, "teaching", "owner")
    assert t("contested") in next(line for line in seen[7][0] if word in line)


def test_another_reason_needs_words(bed):
    client = bed.client(ANNE)
    down = ["tab"] + ["down"] * row_of(played(client, "en")[0], "x1b")
    before = len(bed.agent.records("contest"))
    seen = played(client, "en", down, ["c"], ["end", "enter"], ["enter"], [*"mine", "enter"])
    assert "Not a patient document" in seen[4][1]  # Enter on nothing: still there
    assert "Not a patient document" not in seen[5][1]
    assert [record["why"] for record in bed.agent.records("contest")[before:]] == ["other"]


def test_a_filter_narrows_and_says_so(bed):
    first, _open, filtered = played(bed.client(ANNE), "en", ["f"], ["end", "enter"])
    assert "menu.txt" not in first[1]
    documents = played(bed.client(ANNE), "en", ["f"], ["down", "down", "down", "enter"])[-1]
    assert "menu.txt" in documents[1]
    assert "every document" in documents[0][-2]
    assert filtered[0][-2].strip()


def test_the_administrator_is_told_that_names_are_not_shown(bed):
    first = played(bed.client(0), "en")[0]
    assert "everybody's, without names" in first[1]
    assert "courrier" not in first[1]
    assert "Boris" not in first[1]


def test_without_an_agent_the_line_below_says_what_to_do(bed, tmp_path):
    from agent.daemon.control import ControlClient
    from agent.ui.review.client import ReviewClient

    first = played(ReviewClient(ControlClient(tmp_path / "none.sock")), "en")[0]
    assert "no agent answers" in first[1]
