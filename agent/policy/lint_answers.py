"""Remarks on what a policy tells clinicians: a missing language, words that blame or that nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import N_
from agent.policy.answers import length_limit
from agent.policy.plain import complaints
from agent.policy.schema import Localised, Policy
from agent.policy.vocabulary import LANGUAGES

_MESSAGE, _LESSON, _REASON = 300, 300, 60  # characters that a notice and a button have room for


def remarks(policy: Policy) -> Iterator[tuple[int, str, str, dict[str, str]]]:
    """Line and rule (0 and empty: of no rule), what is wrong as a catalogue key, its fields."""
    for line, rule, name, texts, limit in _texts(policy):
        present = dict(texts)
        for language in LANGUAGES:
            text = present.get(language)
            if text is None and not rule:
                yield line, rule, N_("{name} is missing"), {"name": f"{name}.{language}"}
            for message, fields in complaints(text or "", language, limit):
                yield (
                    line,
                    rule,
                    message,
                    {**fields, "name": f"{name}.{language}"},
                )


def _texts(policy: Policy) -> Iterator[tuple[int, str, str, Localised, int]]:
    for rule in policy.rules:
        yield rule.line, rule.id, "message", rule.message, _MESSAGE  # one that is missing is remarked on elsewhere
    for reason in policy.answers.reasons:
        yield 0, "", f"reasons.{reason.id}", reason.text, _REASON
    for rule_id, texts in policy.answers.lessons:
        yield 0, "", f"lessons.{rule_id or '*'}", texts, _LESSON
    for word, texts in policy.answers.texts:
        yield 0, "", f"texts.{word}", texts, length_limit(word)
