"""Why this verdict: every rule, every condition, what was asked for, what was found. Pure values for terminal and JSON.

Shown to the person whose transfer it was and to the administrator of the laptop; the readings hold device serials and
login names, so an explanation is not for a log.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from agent.model import Decision, Facts, Mode, Verdict
from agent.policy.engine import CompiledPolicy, CompiledRule, evaluate, in_force
from agent.policy.matching import reading
from agent.policy.schema import Condition, Policy


@dataclass(frozen=True, slots=True)
class ConditionExplained:
    name: str  # as the file spells it: confidence_min
    asked: str
    found: str
    holds: bool


@dataclass(frozen=True, slots=True)
class ExceptionExplained:
    by: str
    until: str
    why: str
    in_force: bool  # by its dates
    conditions: tuple[ConditionExplained, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class RuleExplained:
    id: str
    then: Decision
    mode: Mode  # what counts here: the rule's own, or observe because of ``defaults``
    matches: bool  # every condition holds
    relaxed: bool  # ... and an exception takes the rule away
    conditions: tuple[ConditionExplained, ...]
    exceptions: tuple[ExceptionExplained, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Explanation:
    verdict: Verdict
    rules: tuple[RuleExplained, ...]  # in the order of the file


def explain(compiled: CompiledPolicy, facts: Facts) -> Explanation:
    """The verdict on these facts and how every rule came to it."""
    return Explanation(evaluate(compiled, facts), tuple(_rule(compiled, rule, facts) for rule in compiled.rules))


def as_json(explanation: Explanation) -> dict[str, object]:
    """The same as plain dictionaries and lists, ready for ``json.dumps``."""
    return asdict(explanation)


def _reading(condition: Condition, facts: Facts, policy: Policy) -> str:
    return reading(condition.key, facts, policy.devices, policy.hosts)


def _rule(compiled: CompiledPolicy, candidate: CompiledRule, facts: Facts) -> RuleExplained:
    rule, policy = candidate.rule, compiled.policy
    conditions = tuple(
        ConditionExplained(condition.name, condition.value, _reading(condition, facts, policy), test(facts))
        for condition, test in zip(rule.when, candidate.tests, strict=True)
    )
    exceptions = tuple(
        ExceptionExplained(
            by=each.exception.by,
            until=each.exception.until,
            why=each.exception.why,
            in_force=in_force(each.exception, facts.day),
            conditions=tuple(
                ConditionExplained(condition.name, condition.value, _reading(condition, facts, policy), test(facts))
                for condition, test in zip(each.exception.scope, each.tests, strict=True)
            ),
            holds=each.holds(facts),
        )
        for each in candidate.exceptions
    )
    enforced = rule.mode is Mode.ENFORCE and compiled.policy.defaults.mode(facts.arrival) is Mode.ENFORCE
    matched = all(condition.holds for condition in conditions)
    return RuleExplained(
        id=rule.id,
        then=rule.then,
        mode=Mode.ENFORCE if enforced else Mode.OBSERVE,
        matches=matched,
        relaxed=matched and any(exception.holds for exception in exceptions),
        conditions=conditions,
        exceptions=exceptions,
        line=rule.line,
    )
