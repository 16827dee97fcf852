"""A refused release is told by what the word for it means, in both languages; another version's word stays."""

import pytest

from agent.fleet.refusal_words import REASONS
from agent.i18n import catalogue
from agent.ui.cli.status import _text
from agent.ui.refusal import refusal_worded

TROUBLE = {"message": "a policy that was pushed is refused ({why}); the policy before stays in force"}


@pytest.mark.parametrize(
    ("language", "why", "told"),
    [
        ("fr", "rollback", "(un état de la politique plus ancien"),
        ("en", "rollback", "(an older state of the policy than before was brought)"),
        ("en", "of-tomorrow", "(of-tomorrow)"),
    ],
)
def test_why_a_pushed_policy_is_refused(language, why, told):
    assert told in _text(TROUBLE | {"fields": {"why": why}}, "message", catalogue(language).gettext)


def test_every_word_is_said_in_french():
    french = catalogue("fr").gettext
    for word, meant in REASONS.items():
        said = refusal_worded({"why": word, "count": 2}, french)
        assert said == {"why": french(meant), "count": 2}
        assert french(meant) != meant, word
