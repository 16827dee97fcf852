"""Each refused policy is paired with the exact sentences that the administrator reads."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy import load_policy
from agent.policy.load import everything_wrong
from agent.policy.testing import run_tests
from tests.unit.policy.policies import CASES

REFUSED = sorted((CASES / "refused").glob("*.yaml"))
ACCEPTED = sorted((CASES / "accepted").glob("*.yaml"))


def expected(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        if not line.startswith("# "):
            break
        lines.append(line[2:])
    return lines


def test_there_are_cases() -> None:
    assert len(REFUSED) >= 50
    assert len(ACCEPTED) >= 2


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_refused_with_exactly_these_words(path) -> None:
    data = path.read_bytes()
    said = [line for error in everything_wrong(data, path.name) for line in str(error).split("\n")]
    assert said == expected(data.decode())
    with pytest.raises(PolicyError) as raised:
        load_policy(data, path.name)
    assert str(raised.value).split("\n") == expected(data.decode())[: str(raised.value).count("\n") + 1]
    assert {"file", "line", "rule", "expected", "found"} <= raised.value.fields.keys()
    assert raised.value.fields["line"] > 0


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted_and_its_tests_hold(path) -> None:
    results = run_tests(load_policy(path.read_bytes(), path.name))
    assert results
    assert all(result.passed for result in results)
