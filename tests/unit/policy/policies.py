"""Small policies and facts for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from agent.model import Facts
from agent.policy import CompiledPolicy, load_policy
from agent.policy.given import facts_from_words
from agent.policy.hosts import Host

CASES = Path(__file__).parents[3] / "policies" / "cases"


def policy_text(
    when: str, then: str = "block", *, rule: str = "", test: str = "", top: str = "", more: str = ""
) -> bytes:
    """A policy of one enforced rule «r». ``test`` is its given; without one the test is left for lint to miss."""
    given = (
        f"  - {{given: {test}, expect: {then}, rule: r}}\n"
        if test
        else "  - {given: {action: copy}, expect: observe}\n"
    )
    return (
        f"serment: 1\npolicy: unit\n{top}rules:\n  - id: r\n    when: {when}\n    then: {then}\n"
        f"    mode: enforce\n{rule}{more}tests:\n{given}"
    ).encode()


def compiled(data: bytes) -> CompiledPolicy:
    """Parsed and compiled, without lint and without running its tests."""
    from agent.policy import compile_policy, parse_policy

    return compile_policy(parse_policy(data, "unit.yaml"))


HOSTS = (Host("*.example.org", "own"),)


def facts(**words: str) -> Facts:
    return facts_from_words({"action": "copy", **words}, (), HOSTS)


__all__ = ["CASES", "compiled", "facts", "load_policy", "policy_text"]
