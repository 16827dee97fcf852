"""``answers`` of a policy: what is read, what is refused, what its linter remarks on."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.i18n import LANGUAGES
from agent.policy.answers import FIELDS, TEXTS, Attach, length_limit
from agent.policy.lint import lint
from agent.policy.parser import parse_policy, problems
from agent.policy.plain import complaints, lix

_RULES = """
rules:
  - id: stick
    title: {fr: Essai, en: Trial}
    when: {action: copy, judgement: medical}
    then: justify
    message: {fr: "Ce document concerne un patient.", en: "This document is about a patient."}
    mode: enforce
tests:
  - {given: {action: copy, document: cda}, expect: justify, rule: stick}
"""


def _policy(answers: str) -> bytes:
    head = "serment: 1\npolicy: essai/answers\ndefaults: {existing: observe, arriving: enforce, nothing_matches: observe}\n"
    return (head + answers + _RULES).encode()


def test_a_policy_without_answers_has_the_defaults() -> None:
    answers = parse_policy(_policy(""), "p").answers
    assert (answers.emergency.minutes, answers.emergency.a_day, answers.mail.offered) == (15, 3, False)


def test_everything_that_can_be_said() -> None:
    answers = parse_policy(
        _policy(
            "answers:\n  reasons:\n    - {id: soins, fr: Soins urgents, en: Urgent care}\n  release_days: 7\n"
            "  batch_minutes: 0\n  emergency: {minutes: 20, a_day: 0}\n"
            '  secure_mail: {page: "https://mail.example.org/new?x=1", program: claws-mail, attach: sealed}\n'
            "  lessons:\n    - {rule: stick, fr: Une clé se perd., en: A stick gets lost.}\n    - {fr: Tout., en: All.}\n"
            '  texts:\n    button-seal: {fr: Chiffrer, en: Encrypt}\n    emergency-on: {fr: "Ouvert jusqu\'à {time}"}\n'
        ),
        "p",
    ).answers
    assert [reason.id for reason in answers.reasons] == ["soins"]
    assert (answers.release_days, answers.batch_minutes) == (7, 0)
    assert (answers.emergency.minutes, answers.emergency.a_day) == (20, 0)
    assert answers.mail.offered
    assert answers.mail.attach is Attach.SEALED
    assert answers.mail.program == "claws-mail"
    assert dict(answers.lesson("stick"))["en"] == "A stick gets lost."
    assert dict(answers.lesson("another"))["en"] == "All."
    assert dict(dict(answers.texts)["button-seal"])["fr"] == "Chiffrer"


@pytest.mark.parametrize(
    "answers",
    [
        "answers: {emergency: {minutes: 61}}",  # minutes, not hours
        "answers: {emergency: {minutes: 0}}",
        "answers: {emergency: {a_day: 13}}",
        "answers: {emergency: {for_ever: yes}}",
        "answers: {release_days: 31}",
        'answers: {secure_mail: {page: "http://mail.example.org"}}',
        "answers: {secure_mail: {page: 'javascript:alert(1)'}}",
        "answers: {secure_mail: {attach: both}}",
        "answers: {secure_mail: {program: rm}}",
        'answers: {secure_mail: {program: "claws-mail --insert /etc/passwd"}}',
        "answers: {reasons: []}",
        "answers: {reasons: [{id: not-patient, fr: a, en: b}]}",
        "answers: {reasons: [{id: a, fr: a, en: b}, {id: a, fr: a, en: b}]}",
        "answers: {lessons: [{rule: no-such-rule, fr: a, en: b}]}",
        "answers: {texts: {no-such-text: {fr: a}}}",
        'answers: {texts: {emergency-on: {fr: "sans heure {name}"}}}',
        "answers: {texts: {button-seal: {fr: " + "x" * 25 + "}}}",
    ],
)
def test_what_is_refused(answers: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(_policy(answers + "\n"), "p")
    assert all(error.fields["line"] for error in problems(_policy(answers + "\n"), "p"))


def test_the_linter_of_words_says_what_to_mend() -> None:
    texts = (
        'answers:\n  reasons: [{id: r, fr: Raison}]\n  texts:\n    refused: {fr: "Faute grave : la violation du verdict '
        'est notée.", en: "Not copied."}\n'
    )
    found = [remark.problem for remark in lint(parse_policy(_policy(texts), "p"))]
    said = "\n".join(str(each) for each in found)
    assert "reasons.r.en is missing" in said
    assert "«faute»" in said
    assert "«verdict»" in said
    assert all(
        str(each.fields.get("name", "")).startswith(("reasons", "texts")) for each in found if "name" in each.fields
    )


def test_a_long_sentence_is_long_and_a_short_one_is_not() -> None:
    long = "Ce document " + "contient encore un mot " * 10 + "de trop."
    assert any("sentence" in message for message, _ in complaints(long, "fr", 1000))
    assert list(complaints("Ce document est gardé. Copiez-le à nouveau.", "fr", 160)) == []
    assert lix("Le chat dort. Le chien aussi.") < 20 < lix("Incompréhensibilité administrative généralisée")


def test_every_text_of_ours_is_plain_and_short_in_both_languages() -> None:
    from agent.i18n import catalogue

    for word, english in TEXTS.items():
        for language in LANGUAGES:
            text = english if language == "en" else catalogue(language).gettext(english)
            assert list(complaints(text, language, length_limit(word))) == [], (word, language)
            assert sorted(FIELDS.get(word, ())) == sorted(part.partition("}")[0] for part in text.split("{")[1:])
