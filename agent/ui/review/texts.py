"""Whole texts of the review as lines: details of an event, what is held about a person, the keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.errors import N_
from agent.ui.review import held_about_me, sentences, words
from agent.ui.wording import Translate, labelled

Lines = list[str]


def detail(event: Mapping[str, Any], translate: Translate, language: str) -> tuple[str, Lines]:
    """The question as a title, and the answer: the facts, then why and what now."""
    fields = event["fields"]
    question = words.QUESTIONS.get(str(fields.get("decision")), N_("What happened with it?"))
    lines = facts(event, translate)
    return translate(question), [*lines, "", *sentences.why(event, translate, language)]


def facts(event: Mapping[str, Any], translate: Translate) -> Lines:
    """When, what, where, how large, its state; a line each."""
    fields = event["fields"]
    rows = [
        (N_("Record"), str(fields.get("i"))),
        (N_("When"), sentences.moment(fields, "%d/%m/%Y %H:%M:%S")),
        (N_("Document"), _named(event, translate)),
        (N_("Where"), sentences.where(fields, translate)),
        (N_("What"), sentences.done(fields, translate)),
        (N_("State"), translate(words.STATES[sentences.state(event)] or N_("nothing to review"))),
    ]
    return [labelled(translate(name), text, translate) for name, text in rows if text]


def _named(event: Mapping[str, Any], translate: Translate) -> str:
    subject = sentences.subject(event, translate)
    if event.get("locked"):
        return f"{subject} ({translate(N_('its name is under your phrase: serment keys unlock'))})"
    if event.get("forgotten"):
        return f"{subject} ({translate(N_('its name is forgotten: its time is over'))})"
    return subject


def mine_lines(held: Mapping[str, Any], translate: Translate) -> tuple[str, Lines]:
    """« What the agent holds about me »."""
    lines: Lines = []
    for store in held_about_me.stores(held, translate):
        lines += [
            labelled(store.name, store.what, translate),
            "    " + labelled(translate(N_("kept")), store.kept, translate),
            "    " + labelled(translate(N_("who can see it")), store.who, translate),
        ]
    return translate(held_about_me.TITLE), [*lines, "", *held_about_me.notes(held, translate)]


def help_lines(keys: Sequence[tuple[str, str]], translate: Translate) -> tuple[str, Lines]:
    """What each key does."""
    moves = translate(N_("arrow keys choose, Tab goes from the days to the events, Esc back"))
    return translate(N_("Keys")), [moves, *(labelled(key, name, translate) for key, name in keys)]
