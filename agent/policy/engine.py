"""4. Facts → verdict. Pure: the same policy and the same facts give the same verdict, here and at a replay.

The strictest matching rule wins; of equals, the first in the file. A rule on trial (``mode: observe``, or
``defaults`` for this arrival) never decides, but its wish is kept in ``wanted``; it also never weakens a rule that is
in force, so that adding a trial rule is safe. An exception takes its own rule away, no other, and only while
``Facts.day`` lies within the 365 days that end with its ``until``; without a day no exception holds.

Cost: rules are looked at once a class of facts (see ``classes``); after that a decision is one look-up. The memory of
decided classes is bounded and is the only thing here that changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, timedelta

from agent.findings import Judgement
from agent.model import ChannelKind, Decision, Facts, Mode, Verdict
from agent.policy.classes import Classify, classifier
from agent.policy.matching import Test, compile_condition
from agent.policy.schema import Exception_, Operator, Policy, Rule
from agent.policy.vocabulary import ACTIONS, EXCEPTION_DAYS, values

REMEMBERED = 1024  # classes of facts whose verdict is kept
_LONGEST = timedelta(days=EXCEPTION_DAYS)


@dataclass(frozen=True, slots=True)
class CompiledException:
    exception: Exception_
    tests: tuple[Test, ...]

    def holds(self, facts: Facts) -> bool:
        return in_force(self.exception, facts.day) and all(test(facts) for test in self.tests)


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: Rule
    tests: tuple[Test, ...]
    exceptions: tuple[CompiledException, ...]

    def matches(self, facts: Facts) -> bool:
        for test in self.tests:  # noqa: SIM110 - a plain loop takes half the time of all()
            if not test(facts):
                return False
        return True

    def relaxed(self, facts: Facts) -> Exception_ | None:
        """The first exception that spares these facts, or None."""
        return next((each.exception for each in self.exceptions if each.holds(facts)), None)


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy that decides. Swapped as a whole; safe to use from several threads."""

    policy: Policy
    rules: tuple[CompiledRule, ...]  # in the order of the file
    candidates: dict[tuple[ChannelKind, Judgement], tuple[CompiledRule, ...]]  # strictest first
    classify: Classify
    decided: dict[Hashable, Verdict] = field(default_factory=dict)


def in_force(exception: Exception_, day: str) -> bool:
    """Whether an exception holds on an ISO day: up to and including ``until``, and never longer than 365 days."""
    try:
        left = date.fromisoformat(exception.until) - date.fromisoformat(day)
    except ValueError:
        return False
    return timedelta() <= left <= _LONGEST


def compile_policy(policy: Policy) -> CompiledPolicy:
    """The policy as closures. Does not check sense: ``load.load_policy`` does that before it compiles."""
    rules = tuple(_compile_rule(rule, policy.devices) for rule in policy.rules)
    strictest = sorted(rules, key=lambda compiled: -compiled.rule.then.severity)  # stable: first in the file first
    candidates = {
        (channel, judgement): tuple(
            compiled
            for compiled in strictest
            if _lets(compiled.rule, "action", action) and _lets(compiled.rule, "judgement", judgement.value)
        )
        for action, channel in ACTIONS.items()
        for judgement in Judgement
    }
    return CompiledPolicy(policy, rules, candidates, classifier(policy))


def _compile_rule(rule: Rule, devices: tuple[str, ...]) -> CompiledRule:
    exceptions = tuple(
        CompiledException(each, tuple(compile_condition(condition, devices) for condition in each.scope))
        for each in rule.unless
    )
    return CompiledRule(rule, tuple(compile_condition(condition, devices) for condition in rule.when), exceptions)


def _lets(rule: Rule, key: str, word: str) -> bool:
    """Whether the conditions on one key let a value through."""
    return all(
        (word in values(key, condition.words)) is (condition.operator is Operator.IS)
        for condition in rule.when
        if condition.key == key
    )


def evaluate(compiled: CompiledPolicy, facts: Facts) -> Verdict:
    """What the policy says about these facts. Never raises for any facts."""
    decided = compiled.decided
    key = compiled.classify(facts)
    verdict = decided.get(key)
    if verdict is None:
        verdict = decide(compiled, facts)
        if len(decided) >= REMEMBERED:
            decided.clear()
        decided[key] = verdict
    return verdict


def decide(compiled: CompiledPolicy, facts: Facts) -> Verdict:
    """The same as ``evaluate``, from the rules, without the memory."""
    trial = compiled.policy.defaults.mode(facts.arrival) is Mode.OBSERVE
    wish: Rule | None = None  # the strictest rule, on trial or not
    force: Rule | None = None  # the strictest rule in force
    relaxed: tuple[Rule, Exception_] | None = None  # the strictest that an exception took away before those
    for candidate in compiled.candidates[facts.channel, facts.findings.judgement]:
        if not candidate.matches(facts):
            continue
        rule = candidate.rule
        if (exception := candidate.relaxed(facts)) is not None:
            relaxed = relaxed or (rule, exception)
            continue
        wish = wish or rule
        if not trial and rule.mode is Mode.ENFORCE:
            force = rule
            break
    return _verdict(compiled.policy, facts, wish, force, relaxed)


def _verdict(
    policy: Policy, facts: Facts, wish: Rule | None, force: Rule | None, relaxed: tuple[Rule, Exception_] | None
) -> Verdict:
    by = relaxed[1].by if relaxed else ""
    base = Verdict(Decision.OBSERVE, Decision.OBSERVE, policy=policy.name, release=policy.release)
    if wish is None:
        return _unmatched(policy, facts, base) if relaxed is None else _replace(base, rule=relaxed[0].id, exception=by)
    if force is None or force.then is Decision.OBSERVE:
        mode = Mode.ENFORCE if wish is force else Mode.OBSERVE
        return _replace(base, wanted=wish.then, rule=wish.id, mode=mode, exception=by, wanted_by=wish.id)
    return _replace(
        base, decision=force.then, wanted=wish.then, rule=force.id, offer=force.offer, exception=by,
        message=force.message, wanted_by=wish.id,
    )  # fmt: skip


def _unmatched(policy: Policy, facts: Facts, base: Verdict) -> Verdict:
    nothing, mode = policy.defaults.nothing_matches, policy.defaults.mode(facts.arrival)
    decision = nothing if mode is Mode.ENFORCE else Decision.OBSERVE
    return _replace(base, decision=decision, wanted=nothing, mode=mode)


def _replace(verdict: Verdict, **changes: object) -> Verdict:
    import dataclasses

    return dataclasses.replace(verdict, **changes)  # type: ignore[arg-type]
