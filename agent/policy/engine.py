"""4. Facts → verdict. Pure: the same policy and the same facts give the same verdict, here and at a replay.

The strictest matching rule wins; of equals, the first in the file. A rule on trial (``mode: observe``, or
``defaults`` for this arrival) never decides, but its wish is kept in ``wanted``; it also never weakens a rule that is
in force, so that adding a trial rule is safe. An exception takes its own rule away, no other, and only while
``Facts.day`` lies within the 365 days that end with its ``until``; without a day no exception holds.

Cost: rules are looked at once a class of facts (see ``classes``), and only those that ``index`` leaves; after that a
decision is one look-up. The memory of decided classes is bounded and is the only thing here that changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, timedelta

from agent.model import Decision, Facts, Mode, Verdict
from agent.policy.classes import Classify, classifier
from agent.policy.index import Index, make_index
from agent.policy.matching import Test, compile_condition
from agent.policy.schema import Exception_, Policy, Rule
from agent.policy.vocabulary import EXCEPTION_DAYS

REMEMBERED = 1024  # classes of facts whose verdict is kept
_LONGEST = timedelta(days=EXCEPTION_DAYS)
_OBSERVE = Decision.OBSERVE


def _hold(tests: tuple[Test, ...], facts: Facts) -> bool:
    for test in tests:  # noqa: SIM110 - a plain loop takes half the time of all()
        if not test(facts):
            return False
    return True


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
    alone: Verdict  # of facts that this rule decides, in force, and nothing else has a say in

    def matches(self, facts: Facts) -> bool:
        return _hold(self.tests, facts)

    def relaxed(self, facts: Facts) -> Exception_ | None:
        """The first exception that spares these facts, or None."""
        return next((each.exception for each in self.exceptions if each.holds(facts)), None)


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy that decides. Swapped as a whole; safe to use from several threads."""

    policy: Policy
    rules: tuple[CompiledRule, ...]  # in the order of the file
    index: Index
    unmatched: dict[Mode, Verdict]  # of facts that no rule speaks of
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
    rules = tuple(_compile_rule(rule, policy) for rule in policy.rules)
    index = make_index(policy.rules, [rule.tests for rule in rules])
    return CompiledPolicy(policy, rules, index, {mode: _unmatched(policy, mode) for mode in Mode}, classifier(policy))


def _compile_rule(rule: Rule, policy: Policy) -> CompiledRule:
    devices, hosts = policy.devices, policy.hosts
    exceptions = tuple(
        CompiledException(each, tuple(compile_condition(condition, devices, hosts) for condition in each.scope))
        for each in rule.unless
    )
    tests = tuple(compile_condition(condition, devices, hosts) for condition in rule.when)
    return CompiledRule(rule, tests, exceptions, _verdict(policy, rule, rule, None))


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
    mode = compiled.policy.defaults.mode(facts.arrival)
    wish: Rule | None = None  # the strictest rule, on trial or not
    force: Rule | None = None  # the strictest rule in force
    relaxed: tuple[Rule, Exception_] | None = None  # the strictest that an exception took away before those
    for number, tests in compiled.index[facts.channel, facts.findings.judgement].of(facts):
        if not _hold(tests, facts):
            continue
        candidate = compiled.rules[number]
        rule = candidate.rule
        if candidate.exceptions and (exception := candidate.relaxed(facts)) is not None:
            relaxed = relaxed or (rule, exception)
            continue
        in_force_here = rule.mode is Mode.ENFORCE is mode
        if wish is None and relaxed is None and in_force_here:
            return candidate.alone
        wish = wish or rule
        if in_force_here:
            force = rule
            break
    if wish is None and relaxed is None:
        return compiled.unmatched[mode]
    return _verdict(compiled.policy, wish, force, relaxed)


def _verdict(policy: Policy, wish: Rule | None, force: Rule | None, relaxed: tuple[Rule, Exception_] | None) -> Verdict:
    by = relaxed[1].by if relaxed else ""
    name, release = policy.name, policy.release
    if wish is None:
        rule = relaxed[0].id if relaxed else ""
        return Verdict(_OBSERVE, _OBSERVE, rule, name, release, exception=by)
    if force is None or force.then is _OBSERVE:
        mode = Mode.ENFORCE if wish is force else Mode.OBSERVE
        return Verdict(_OBSERVE, wish.then, wish.id, name, release, mode, exception=by, wanted_by=wish.id)
    return Verdict(
        force.then, wish.then, force.id, name, release, offer=force.offer, exception=by, message=force.message,
        wanted_by=wish.id,
    )  # fmt: skip


def _unmatched(policy: Policy, mode: Mode) -> Verdict:
    nothing = policy.defaults.nothing_matches
    decision = nothing if mode is Mode.ENFORCE else _OBSERVE
    return Verdict(decision, nothing, policy=policy.name, release=policy.release, mode=mode)
