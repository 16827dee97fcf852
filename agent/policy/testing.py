"""The tests that a policy carries: run by the administrator, when it is signed, and by the laptop before it is used.

Pure. A failing test refuses the policy: it says what its author believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import N_, PolicyError
from agent.model import Verdict
from agent.policy.engine import CompiledPolicy, decide
from agent.policy.refusal import refusal
from agent.policy.schema import PolicyTest


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test, what the policy says, and whether that is what was expected."""

    __test__ = False  # not a test of ours

    test: PolicyTest
    verdict: Verdict
    passed: bool


def run_tests(compiled: CompiledPolicy) -> tuple[TestResult, ...]:
    """Every test of the policy, in the order of the file."""
    return tuple(_run(compiled, test) for test in compiled.policy.tests)


def failures(compiled: CompiledPolicy) -> list[PolicyError]:
    """One PolicyError for each test that does not hold."""
    return [_complaint(compiled.policy.file, result) for result in run_tests(compiled) if not result.passed]


def _run(compiled: CompiledPolicy, test: PolicyTest) -> TestResult:
    verdict = decide(compiled, test.facts)
    passed = (
        verdict.decision is test.expect
        and (test.rule is None or verdict.rule == test.rule)
        and (test.wanted is None or verdict.wanted is test.wanted)
    )
    return TestResult(test, verdict, passed)


def _complaint(file: str, result: TestResult) -> PolicyError:
    test, verdict = result.test, result.verdict
    expected = f"{test.expect}" + (f" ({test.wanted})" if test.wanted else "")
    found = f"{verdict.decision}" + (f" ({verdict.wanted})" if test.wanted else "")
    if test.rule is not None:
        expected, found = f"{expected}, {test.rule or 'none'}", f"{found}, {verdict.rule or 'none'}"
    return refusal(
        file, test.line, "", N_("the test expects {expected}; the policy says {found}"),
        expected=expected, found=found, hint=N_("«serment policy explain» shows each condition"),
    )  # fmt: skip
