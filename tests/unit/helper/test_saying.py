"""What a notice says: one line a name, no markup, no link, the safe button first."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from agent.helper.saying import Voice, safe_name, shown, word_of
from agent.policy.answers import TEXTS


def _notice(**more: Any) -> dict[str, Any]:
    plain = {
        "number": 1, "time": 0.0, "channel": "removable", "count": 1, "name": base64.b64encode(b"lettre.pdf").decode(),
        "kind": "clinical-note", "decision": "justify", "result": "done", "held": "AAAAAAAA", "rule": "stick",
        "message": {"fr": "Ce document concerne un patient.", "en": "About a patient."}, "about": "", "again": False,
        "terminal": "", "offers": ["seal", "mail", "reason"],
    }  # fmt: skip
    return plain | more


def _voice(**more: Any) -> Voice:
    return Voice("en", lambda text: text, **more)


def test_title_name_sentence_and_the_safe_button_first() -> None:
    said = shown(_notice(), _voice())
    assert said.title == "Waiting for your answer"
    assert said.body.splitlines()[:2] == ["« lettre.pdf »", "About a patient."]
    assert [word for word, _label in said.actions] == ["seal", "mail", "reason"]


def test_the_lesson_comes_with_it_when_it_is_due() -> None:
    assert TEXTS["lesson"] in shown(_notice(), _voice(), lesson=True).body
    assert TEXTS["lesson"] not in shown(_notice(), _voice()).body
    own = _voice(lessons={"stick": {"en": "Our hospital lost two sticks."}})
    assert "Our hospital lost two sticks." in shown(_notice(), own, lesson=True).body


def test_the_hospitals_words_come_before_ours() -> None:
    own = _voice(own={"held-title": {"en": "One moment, please"}})
    assert shown(_notice(), own).title == "One moment, please"


def test_a_batch_is_one_line() -> None:
    assert "« lettre.pdf » and 499 more" in shown(_notice(count=500), _voice()).body


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"decision": "encrypt"}, "sealed"), ({"decision": "block"}, "refused"), ({"decision": "inform"}, "told"),
        ({"result": "failed"}, "failed"), ({"about": "name", "decision": "block"}, "name"),
        ({"again": True, "held": ""}, "away"),
    ],
)  # fmt: skip
def test_which_words(more: dict[str, Any], word: str) -> None:
    assert word_of(_notice(**more)) == word


def test_a_name_stays_on_its_line_and_makes_no_link(hostile_name: bytes) -> None:
    said = safe_name(hostile_name)
    assert said.isprintable()
    assert len(said) <= 64


@pytest.mark.parametrize("name", ["www.evil.example", "WWW.evil.example", "mailto:a@b.c", "https:evil", "javascript:x"])
def test_nothing_that_a_desktop_makes_a_link_of(name: str) -> None:
    said = safe_name(name.encode())
    assert "www." not in said.lower()
    assert not any(f"{scheme}:" in said.lower().replace(" :", "") for scheme in ("mailto", "https", "javascript"))
