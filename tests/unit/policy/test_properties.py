"""What holds for every policy and all facts."""

from __future__ import annotations

from datetime import date, timedelta

from agent.document import Problem
from agent.findings import Findings, Judgement, Kind
from agent.model import ChannelKind, Decision, Device, Facts, Mode
from agent.policy.engine import compile_policy, decide, evaluate
from agent.policy.explain import explain
from agent.policy.lint import lint
from agent.policy.schema import Condition, Defaults, Exception_, Operator, Policy, Rule
from agent.policy.vocabulary import CONDITIONS, KEYS, Shape
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = {
    "service": ["nextcloud", "dropbox", "firefox", "usb", "other"],
    "extension": ["zip", "pdf"],
    "user": ["anne", "bob"],
    "group": ["garde", "cardio", "dim"],
}
PATTERNS = ["usb:0951:1666:*", "usb:*:*:A*", "usb:0951:1666:AB?", "*:*:*:*"]
DAYS = ["2027-01-01", "2027-06-30", "2028-06-29", ""]
SERVICES = {
    ChannelKind.REMOVABLE: ["usb", "disk", "sd", ""],
    ChannelKind.CLOUD_SYNC: ["nextcloud", "dropbox", "other"],
    ChannelKind.DOWNLOADS: ["firefox", "other", ""],
}


@st.composite
def conditions(draw, names=tuple(CONDITIONS)) -> Condition:
    key, operator = CONDITIONS[draw(st.sampled_from(names))]
    spec = KEYS[key]
    if operator in {Operator.MIN, Operator.MAX}:
        return Condition(key, operator, number=draw(st.sampled_from([0, 1, 10, 50, 80, 100])))
    if spec.shape is Shape.FLAG:
        return Condition(key, operator, (draw(st.sampled_from(["yes", "no"])),))
    words = PATTERNS if spec.shape is Shape.DEVICE else sorted(spec.means) if spec.means else NAMES[key]
    return Condition(key, operator, tuple(draw(st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True))))


@st.composite
def exceptions(draw) -> Exception_:
    scope = draw(st.lists(conditions(("group", "user", "service", "device")), min_size=1, max_size=2))
    return Exception_(tuple(scope), draw(st.sampled_from(DAYS[:3])), "RSSI", "essai")


@st.composite
def rules(draw, *, spared: bool = True) -> Rule:
    return Rule(
        id=f"r{draw(st.integers(0, 10**9))}",
        when=tuple(draw(st.lists(conditions(), min_size=1, max_size=3))),
        then=draw(st.sampled_from(list(Decision))),
        mode=draw(st.sampled_from(list(Mode))),
        unless=tuple(draw(st.lists(exceptions(), max_size=2))) if spared else (),
    )


@st.composite
def all_facts(draw) -> Facts:
    channel = draw(st.sampled_from(list(ChannelKind)))
    judgement = draw(st.sampled_from(list(Judgement)))
    clear = judgement is Judgement.NOT_MEDICAL
    findings = Findings(
        judgement=judgement,
        kind=draw(st.sampled_from([Kind.CDA, Kind.DICOM, Kind.PRESCRIPTION, Kind.EMAIL, Kind.OTHER])),
        confidence=draw(st.sampled_from([0.0, 0.5, 0.79, 0.8, 0.81, 1.0])),
        identified=draw(st.booleans()),
        patients=draw(st.sampled_from([0, 1, 2, 9, 10, 11, 2_000_000])),
        test_data=draw(st.booleans()),
        problem=None if clear else draw(st.sampled_from([None, Problem.ENCRYPTED, Problem.IMAGE])),
    )
    device = draw(
        st.sampled_from([None, Device(bus="usb", vendor_id="0951", product_id="1666", serial="ABC"), Device()])
    )
    return Facts(
        channel=channel,
        arrival=draw(st.sampled_from(["existing", "new"])),
        findings=findings,
        size=draw(st.sampled_from([0, 9, 10, 11, 99, 100, 1 << 60])),
        extension=draw(st.sampled_from(["", "zip", "pdf", "txt"])),
        service=draw(st.sampled_from(SERVICES[channel])),
        device=device if channel is ChannelKind.REMOVABLE else None,
        user=draw(st.sampled_from(["anne", "carl"])),
        groups=tuple(draw(st.lists(st.sampled_from(NAMES["group"]), max_size=2, unique=True))),
        day=draw(st.sampled_from(DAYS)),
    )


@st.composite
def policies(draw, *, spared: bool = True) -> Policy:
    found = draw(st.lists(rules(spared=spared), min_size=1, max_size=6, unique_by=lambda rule: rule.id))
    defaults = Defaults(draw(st.sampled_from(list(Mode))), draw(st.sampled_from(list(Mode))))
    return Policy(
        "p", tuple(found), defaults=defaults, devices=tuple(draw(st.lists(st.sampled_from(PATTERNS), max_size=2)))
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


@settings(max_examples=300, deadline=None)
@given(policies(), st.lists(all_facts(), min_size=1, max_size=8))
def test_the_engine_says_what_the_document_says(policy, several) -> None:
    compiled = compile_policy(policy)
    for facts in several:
        verdict = evaluate(compiled, facts)
        assert (verdict.decision, verdict.wanted) == plainly(policy, facts)
        assert verdict == decide(compiled, facts)


@settings(max_examples=300, deadline=None)
@given(policies(), rules(spared=False), st.integers(0, 6), all_facts())
def test_one_more_rule_never_makes_a_policy_milder(policy, rule, at, facts) -> None:
    more = Policy("p", (*policy.rules[:at], rule, *policy.rules[at:]), defaults=policy.defaults, devices=policy.devices)
    before, after = decide(compile_policy(policy), facts), decide(compile_policy(more), facts)
    assert after.decision.severity >= before.decision.severity
    assert after.wanted.severity >= before.wanted.severity


@settings(max_examples=200, deadline=None)
@given(policies(), all_facts())
def test_the_order_of_the_file_never_changes_what_is_done(policy, facts) -> None:
    turned = Policy("p", policy.rules[::-1], defaults=policy.defaults, devices=policy.devices)
    before, after = decide(compile_policy(policy), facts), decide(compile_policy(turned), facts)
    assert (before.decision, before.wanted) == (after.decision, after.wanted)


@settings(max_examples=200, deadline=None)
@given(policies(), all_facts())
def test_without_exceptions_a_policy_is_never_milder(policy, facts) -> None:
    bare = tuple(Rule(id=rule.id, when=rule.when, then=rule.then, mode=rule.mode) for rule in policy.rules)
    strict = Policy("p", bare, defaults=policy.defaults, devices=policy.devices)
    with_, without = decide(compile_policy(policy), facts), decide(compile_policy(strict), facts)
    assert without.decision.severity >= with_.decision.severity


@settings(max_examples=400, deadline=None)
@given(policies(spared=False), st.lists(all_facts(), min_size=1, max_size=10))
def test_what_lint_calls_dead_is_dead(policy, several) -> None:
    compiled = compile_policy(policy)
    never = {r.problem.fields["rule"] for r in lint(policy) if r.problem.message.startswith("can never match")}
    beaten = {r.problem.fields["rule"] for r in lint(policy) if r.problem.message.startswith("never decides")}
    for facts in several:
        for rule in compiled.rules:
            assert not (rule.rule.id in never and rule.matches(facts)), rule.rule
        verdict = decide(compiled, facts)
        assert verdict.rule not in beaten
        assert verdict.wanted_by not in beaten
