"""The cookbook: each recipe can be used as it stands, its tests hold, and they notice when its rule changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import PolicyError
from agent.i18n import catalogue
from agent.policy.load import everything_wrong, load_policy
from agent.policy.parser import parse_policy
from agent.policy.sentences import policy_sentences

FOLDER = Path(__file__).resolve().parents[3] / "policies/cookbook"
RECIPES = sorted(FOLDER.glob("*.yaml"))
GUIDE = FOLDER / "README.md"


def test_there_are_twenty_or_more() -> None:
    assert len(RECIPES) >= 20
    assert [int(path.name[:2]) for path in RECIPES] == list(range(1, len(RECIPES) + 1))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_can_be_used(path: Path) -> None:
    data = path.read_bytes()
    assert everything_wrong(data, path.name) == []
    policy = parse_policy(data, path.name)
    assert policy.name == f"cookbook/{path.stem[3:]}"
    for language in ("fr", "en"):
        sentence, *hosts = policy_sentences(policy, catalogue(language).gettext)
        assert sentence[0] == path.stem[3:]
        assert len(sentence[1]) > 20
        assert [name for name, _ in hosts] == ["hosts"] * bool(policy.hosts)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_its_tests_notice_another_decision(path: Path) -> None:
    """Whoever adapts a recipe and gets it wrong is told: by its tests, before the laptop uses it."""
    text = path.read_text("utf-8")
    changed = text.replace("    then: block", "    then: inform") if "    then: block" in text else None
    if changed is None:
        decision = next(word for word in ("encrypt", "justify", "inform") if f"    then: {word}" in text)
        changed = text.replace(f"    then: {decision}", "    then: block", 1)
    changed = "\n".join(line for line in changed.splitlines() if not line.startswith("    offer:"))
    with pytest.raises(PolicyError):
        load_policy(changed.encode(), path.name)


def test_the_guide_names_each() -> None:
    text = GUIDE.read_text("utf-8")
    for path in RECIPES:
        assert f"({path.name})" in text
