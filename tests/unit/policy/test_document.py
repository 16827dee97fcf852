"""docs/formats/policy.md is a contract: its example loads, and it names every word."""

from __future__ import annotations

import re

from agent.policy import load_policy
from agent.policy.sentences import policy_sentences
from agent.policy.vocabulary import CLOUD_SERVICES, KEYS
from tests.unit.policy.policies import CASES

PAGE = (CASES.parents[1] / "docs" / "formats" / "policy.md").read_text("utf-8")
EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_loads_and_is_a_sentence() -> None:
    assert EXAMPLE
    compiled = load_policy(EXAMPLE[1].encode(), "policy.md")
    assert policy_sentences(compiled.policy, str)[0][1].startswith("When a clinical report or a prescription")


def test_every_word_is_named() -> None:
    words = set(KEYS) | CLOUD_SERVICES
    for key in KEYS.values():
        words |= set(key.means or ())
    assert sorted(word for word in words if f"`{word}`" not in PAGE) == []
