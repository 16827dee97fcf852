"""What holds for every policy and all facts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.document import Problem
from agent.findings import Finding, Findings, FindingType, Judgement, Kind
from agent.model import ChannelKind, Decision, Device, Facts, Mode
from agent.policy.engine import compile_policy, decide, evaluate
from agent.policy.explain import explain
from agent.policy.lint import lint
from agent.policy.schema import Condition, Defaults, Exception_, Operator, Policy, Rule
from agent.policy.vocabulary import CONDITIONS, KEYS, Shape

PATTERNS = ["usb:0951:1666:*", "usb:*:*:A*", "usb:0951:1666:AB?", "*:*:*:*"]
WORDS = {
    "service": ["nextcloud", "dropbox", "firefox", "usb", "other"],
    "extension": ["zip", "pdf"],
    "user": ["anne", "bob"],
    "group": ["garde", "cardio", "dim"],
    "device": PATTERNS,
    "document": ["cda", "dicom", "imagerie", "email", "any"],
    "problem": ["encrypted", "image", "any"],
}
DAYS = ["2027-01-01", "2027-06-30", "2028-06-29", ""]
SERVICES = {
    ChannelKind.REMOVABLE: ["usb", "disk", "sd", ""],
    ChannelKind.CLOUD_SYNC: ["nextcloud", "dropbox", "other"],
    ChannelKind.DOWNLOADS: ["firefox", "other", ""],
}


def _conditions(names: Iterable[str]) -> list[Condition]:
    """Every condition that these few words and numbers allow, with one or two words."""
    found = []
    for key, operator in (CONDITIONS[name] for name in names):
        spec = KEYS[key]
        if operator in {Operator.MIN, Operator.MAX}:
            found += [Condition(key, operator, number=number) for number in (0, 1, 10, 50, 80, 100)]
            continue
        words = WORDS.get(key) or (["yes", "no"] if spec.shape is Shape.FLAG else sorted(spec.means or ()))
        found += [Condition(key, operator, (word,)) for word in words]
        if spec.shape is not Shape.FLAG:
            found += [Condition(key, operator, pair) for pair in itertools.combinations(words, 2)]
    return found


def _facts(seed: int) -> Facts:
    pick = Random(seed)
    channel, judgement = pick.choice(list(ChannelKind)), pick.choice(list(Judgement))
    clear = judgement is Judgement.NOT_MEDICAL
    findings = Findings(
        judgement=judgement,
        kind=pick.choice([Kind.CDA, Kind.DICOM, Kind.PRESCRIPTION, Kind.EMAIL, Kind.OTHER]),
        confidence=pick.choice([0.0, 0.5, 0.79, 0.8, 0.81, 1.0]),
        identified=pick.random() < 0.5,
        patients=pick.choice([0, 1, 2, 9, 10, 11, 2_000_000]),
        test_data=pick.random() < 0.3,
        problem=None if clear else pick.choice([None, Problem.ENCRYPTED, Problem.IMAGE]),
        items=pick.choice([(), (Finding(FindingType.ROSTER),)]),
    )
    stick = pick.choice([None, Device(bus="usb", vendor_id="0951", product_id="1666", serial="ABC"), Device()])
    return Facts(
        channel=channel,
        arrival=pick.choice(["existing", "new"]),
        findings=findings,
        size=pick.choice([0, 9, 10, 11, 99, 100, 1 << 60]),
        extension=pick.choice(["", "zip", "pdf", "txt"]),
        service=pick.choice(SERVICES[channel]),
        device=stick if channel is ChannelKind.REMOVABLE else None,
        user=pick.choice(["anne", "carl"]),
        groups=tuple(pick.sample(WORDS["group"], pick.randrange(3))),
        day=pick.choice(DAYS),
    )


conditions = st.sampled_from(_conditions(CONDITIONS))
scopes = st.sampled_from(_conditions(["group", "user", "service", "device"]))
several_facts = st.lists(st.integers(0, 10_000).map(_facts), min_size=1, max_size=12)


def rules(*, spared: bool = True) -> st.SearchStrategy[Rule]:
    scope = st.lists(scopes, min_size=1, max_size=2).map(tuple)
    exceptions = st.builds(Exception_, scope, st.sampled_from(DAYS[:3]), st.just("RSSI"), st.just("essai"))
    return st.builds(
        Rule,
        id=st.integers(0, 10**9).map("r{}".format),
        when=st.lists(conditions, min_size=1, max_size=3).map(tuple),
        then=st.sampled_from(list(Decision)),
        mode=st.sampled_from(list(Mode)),
        unless=st.lists(exceptions, max_size=2 if spared else 0).map(tuple),
    )


def policies(*, spared: bool = True) -> st.SearchStrategy[Policy]:
    return st.builds(
        Policy,
        name=st.just("p"),
        rules=st.lists(rules(spared=spared), min_size=1, max_size=5, unique_by=lambda rule: rule.id).map(tuple),
        defaults=st.builds(Defaults, st.sampled_from(list(Mode)), st.sampled_from(list(Mode))),
        devices=st.sampled_from([(), (PATTERNS[0],), (PATTERNS[1], PATTERNS[2]), (PATTERNS[3],)]),
    )


def plainly(policy: Policy, facts: Facts) -> tuple[Decision, Decision]:
    """(decision, wanted) by the words of docs/formats/policy.md, with nothing clever; conditions from ``explain``."""
    decision = wanted = Decision.OBSERVE
    for rule in explain(compile_policy(policy), facts).rules:
        relaxed = any(_spares(exception, facts) for exception in rule.exceptions)
        if not all(condition.holds for condition in rule.conditions) or relaxed:
            continue
        if rule.then.severity > wanted.severity:
            wanted = rule.then
        if rule.mode is Mode.ENFORCE and rule.then.severity > decision.severity:
            decision = rule.then
    return decision, wanted


def _spares(exception, facts: Facts) -> bool:
    if not facts.day or not all(condition.holds for condition in exception.conditions):
        return False
    until = date.fromisoformat(exception.until)
    return until - timedelta(days=365) <= date.fromisoformat(facts.day) <= until


@settings(max_examples=200, deadline=None)
@given(policies(), several_facts)
def test_the_engine_says_what_the_document_says(policy, several) -> None:
    compiled = compile_policy(policy)
    for facts in several:
        verdict = evaluate(compiled, facts)
        assert (verdict.decision, verdict.wanted) == plainly(policy, facts)
        assert verdict == decide(compiled, facts)


@settings(max_examples=200, deadline=None)
@given(policies(), rules(spared=False), st.integers(0, 5), several_facts)
def test_one_more_rule_never_makes_a_policy_milder(policy, rule, at, several) -> None:
    more = compile_policy(replace(policy, rules=(*policy.rules[:at], rule, *policy.rules[at:])))
    fewer = compile_policy(policy)
    for facts in several:
        before, after = decide(fewer, facts), decide(more, facts)
        assert after.decision.severity >= before.decision.severity
        assert after.wanted.severity >= before.wanted.severity


@settings(max_examples=100, deadline=None)
@given(policies(), several_facts)
def test_the_order_of_the_file_never_changes_what_is_done(policy, several) -> None:
    here, turned = compile_policy(policy), compile_policy(replace(policy, rules=policy.rules[::-1]))
    for facts in several:
        before, after = decide(here, facts), decide(turned, facts)
        assert (before.decision, before.wanted) == (after.decision, after.wanted)


@settings(max_examples=100, deadline=None)
@given(policies(), several_facts)
def test_without_its_exceptions_a_policy_is_never_milder(policy, several) -> None:
    bare = compile_policy(replace(policy, rules=tuple(replace(rule, unless=()) for rule in policy.rules)))
    spared = compile_policy(policy)
    for facts in several:
        assert decide(bare, facts).decision.severity >= decide(spared, facts).decision.severity


@settings(max_examples=250, deadline=None)
@given(policies(spared=False), conditions, st.sampled_from(list(Decision)), several_facts)
def test_what_lint_calls_dead_is_dead(policy, condition, then, several) -> None:
    """The last rule is a narrower first one, so that there is often something to find."""
    first = policy.rules[0]
    last = replace(first, id="narrow", when=(*first.when, condition), then=then)
    policy = replace(policy, rules=(*policy.rules, last))
    compiled, remarks = compile_policy(policy), lint(policy)
    never = {r.problem.fields["rule"] for r in remarks if r.problem.message.startswith("can never match")}
    beaten = {r.problem.fields["rule"] for r in remarks if r.problem.message.startswith("never decides")}
    if then.severity <= first.then.severity and not never & {first.id, "narrow"}:
        assert "narrow" in beaten or _repeated(last)
    for facts in several:
        assert not [each.rule for each in compiled.rules if each.rule.id in never and each.matches(facts)]
        verdict = decide(compiled, facts)
        assert not beaten & {verdict.rule, verdict.wanted_by}


def _repeated(rule: Rule) -> bool:
    """Two conditions on groups or on devices: lint stays silent rather than guess."""
    keys = [condition.key for condition in rule.when if condition.operator is Operator.IS]
    return keys.count("group") > 1 or keys.count("device") > 1


_named = st.sampled_from(_conditions(name for name in CONDITIONS if KEYS[CONDITIONS[name][0]].shape is not Shape.FLAG))
many_rules = st.lists(
    st.builds(
        Rule,
        id=st.integers(0, 10**9).map("r{}".format),
        when=st.lists(_named, min_size=1, max_size=3).map(tuple),
        then=st.sampled_from(list(Decision)),
    ),
    min_size=6, max_size=20, unique_by=lambda rule: rule.id,
).map(tuple)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(many_rules, several_facts)
def test_the_index_leaves_out_only_what_does_not_match(rules_, several) -> None:
    compiled = compile_policy(Policy(name="p", rules=rules_))
    strictest = sorted(compiled.rules, key=lambda each: -each.rule.then.severity)
    for facts in several:
        found = compiled.index[facts.channel, facts.findings.judgement].of(facts)
        left = [compiled.rules[number].rule.id for number, tests in found if all(test(facts) for test in tests)]
        assert left == [each.rule.id for each in strictest if each.matches(facts)]


def test_a_word_parts_many_rules() -> None:
    """A hundred rules, each for an extension of its own, and ten for all: nobody looks at the other ninety-nine."""
    rules_ = [
        Rule(f"r{number}", (Condition("extension", Operator.IS, (f"e{number}",)),), Decision.BLOCK)
        for number in range(100)
    ] + [
        Rule(f"all{number}", (Condition("size", Operator.MIN, number=number),), Decision.BLOCK) for number in range(10)
    ]
    compiled = compile_policy(Policy(name="p", rules=tuple(rules_)))
    facts = replace(_facts(1), extension="e7")
    found = compiled.index[facts.channel, facts.findings.judgement].of(facts)
    assert [compiled.rules[number].rule.id for number, _ in found] == ["r7", *(f"all{number}" for number in range(10))]
