"""What a policy would have said about records: exact where they tell, « uncertain » where they do not."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.policy import replay
from agent.policy.engine import compile_policy, evaluate
from agent.policy.parser import parse_policy
from agent.policy.plan import plan
from agent.policy.profiles import profile_bytes
from agent.policy.replay import Backtest, facts_of
from tests.unit.policy.policies import policy_text

T = 1_795_289_704_000_000
FIELDS = {
    "k": "transfer", "t": T, "channel": "removable", "service": "usb", "arrival": "new", "judgement": "medical",
    "kind": "clinical-note", "confidence": 930, "identified": True, "patients": 1, "size": 1000, "ext": "pdf",
    "decision": "observe", "wanted": "observe", "user": "9fa0c3d277e1",
    "device": {"bus": "usb", "vendor_id": "0951", "product_id": "1666", "serial": "c2" * 8},
}  # fmt: skip
MONITOR, ENFORCE = profile_bytes("monitor"), profile_bytes("enforce")
WORDS = {language: (lambda text: text) for language in ("fr", "en")}


def replayed(old, new, records):
    test = Backtest(old and parse_policy(old, "old"), parse_policy(new, "new"))
    for number, (service, changed) in enumerate(records):
        assert test.add(f"dev_{number % 3}", service, FIELDS | changed)
    return test.result()


def moves(result, name="done"):
    return [(each["before"], each["after"], each["count"]) for each in result[name]]


def test_refusals_in_services_are_counted():
    block = policy_text("{action: copy, confidence_min: 90}")
    mild = policy_text("{action: copy, confidence_min: 99}")
    records = [("cardiologie", {}), ("cardiologie", {"confidence": 400}), ("urgences", {}), ("urgences", {"t": T + 1})]
    result = replayed(mild, block, records)
    assert moves(result) == [("observe", "block", 3)]
    change = result["done"][0]
    assert change["services"] == {"urgences": 2, "cardiologie": 1} and change["rules"] == {"r": 3}
    assert (result["facts"], result["laptops"], result["services"], change["laptops"]) == (4, 3, 2, 2)
    assert result["since"] == "2026-11-21"


def test_without_an_old_policy_it_is_what_was_decided():
    records = [("a", {"decision": "block", "wanted": "block"}), ("a", {})]
    assert moves(replayed(None, policy_text("{action: copy}", "encrypt"), records)) == [
        ("observe", "encrypt", 1), ("block", "encrypt", 1),
    ]  # fmt: skip


def test_a_rule_on_trial_does_nothing_and_wishes():
    old = policy_text("{action: sync}")
    result = replayed(old, policy_text("{action: copy}").replace(b"mode: enforce", b"mode: observe"), [("a", {})])
    assert moves(result) == [] and moves(result, "wished") == [("observe", "block", 1)]


@pytest.mark.parametrize("scope", ["group: cardiologie", "user: dupont", 'device: "usb:0951:1666:0123"'])
def test_what_rests_on_persons_or_serials_is_uncertain(scope):
    """A record holds a pseudonym: whether this was the person that the rule means is not known."""
    nothing = policy_text("{action: sync}")
    result = replayed(nothing, policy_text(f"{{action: copy, {scope}}}"), [("a", {})])
    assert (moves(result), result["uncertain"]) == ([], 1)
    assert (
        replayed(nothing, policy_text(f"{{action: copy, {scope}}}"), [("a", {"channel": "downloads"})])["uncertain"]
        == 0
    )
    both = policy_text("{action: copy}"), policy_text(
        "{action: copy}", rule=f"    unless:\n      - {{{scope}, until: 2027-01-31, by: A, why: B}}\n"
    )  # fmt: skip
    assert replayed(*both, [("a", {})])["uncertain"] == 1


def test_a_serial_among_approved_devices_is_uncertain_for_its_model_only():
    new = policy_text("{action: copy, device_approved: no}", top='devices: ["usb:0951:1666:0123"]\n')
    other = {"device": FIELDS["device"] | {"vendor_id": "dead"}}
    result = replayed(policy_text("{action: sync}"), new, [("a", {}), ("a", other)])
    assert (moves(result), result["uncertain"]) == ([("observe", "block", 1)], 1)


def test_the_same_uncertainty_on_both_sides_is_no_change():
    both = policy_text("{action: copy, group: cardiologie}")
    assert replayed(both, both, [("a", {})])["uncertain"] == 0


def test_exceptions_count_on_the_day_of_the_record():
    unless = "    unless:\n      - {service: usb, until: %s, by: A, why: B}\n"
    old = policy_text("{action: copy}")
    assert moves(replayed(old, policy_text("{action: copy}", rule=unless % "2026-11-21"), [("a", {})])) == [
        ("block", "observe", 1)
    ]
    assert moves(replayed(old, policy_text("{action: copy}", rule=unless % "2026-11-20"), [("a", {})])) == []


def test_a_day_is_one_of_here(monkeypatch):
    """An exception ends with the day of the laptop, not with Greenwich's: at T it is ten in the evening there."""
    unless = "    unless:\n      - {service: usb, until: 2026-11-21, by: A, why: B}\n"
    late = T // 86_400_000_000 * 86_400_000_000 + 22 * 3_600_000_000
    policies = policy_text("{action: copy}"), policy_text("{action: copy}", rule=unless)
    monkeypatch.setenv("TZ", "EST-3")
    monkeypatch.setattr(replay, "_days", {})
    time.tzset()
    try:
        ended = replayed(*policies, [("a", {"t": late})])
        still = replayed(*policies, [("a", {"t": late - 2 * 3_600_000_000})])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert moves(ended) == [] and ended["since"] == "2026-11-22"
    assert moves(still) == [("block", "observe", 1)]


def test_examples_are_few_and_hold_no_person():
    result = replayed(MONITOR, ENFORCE, [("a", {"file": "5d1f", "volume": "77"})] * 50)
    change = result["done"][0]
    assert change["count"] == 50 and len(change["examples"]) == replay.MAX_EXAMPLES
    for mark in ("9fa0c3d277e1", "5d1f", "c2c2", "dev_"):
        assert mark not in str(result)


def test_there_is_an_end(monkeypatch):
    monkeypatch.setattr(replay, "MAX_FACTS", 3)
    test = Backtest(None, parse_policy(ENFORCE, "new"))
    assert [test.add("d", "s", FIELDS) for _ in range(5)] == [True, True, True, False, False]
    assert test.result()["full"] and test.result()["facts"] == 3


def test_a_number_that_nobody_can_count_with_is_unreadable():
    test = Backtest(None, PARSED)
    for name in ("confidence", "size", "patients", "t"):
        test.add("d", "s", FIELDS | {name: 10**400})
    assert (test.facts + test.unreadable, test.unreadable >= 1) == (4, True)
    test.result()


junk = st.none() | st.booleans() | st.integers(-5, 2**53) | st.text(max_size=8) | st.lists(st.integers(), max_size=2)


PARSED = parse_policy(ENFORCE, "new")


@settings(deadline=None)  # others use this machine too
@given(changed=st.dictionaries(st.sampled_from(sorted(FIELDS)), junk | st.dictionaries(st.text(max_size=9), junk)))
def test_whatever_a_laptop_wrote_is_counted_or_unreadable(changed):
    test = Backtest(None, PARSED)
    test.add("d", "s", FIELDS | changed)
    assert test.facts + test.unreadable == 1
    test.result()


def test_a_replay_is_what_the_laptop_decided():
    """Records of facts that name no person: the replay says what the engine said then."""
    compiled = compile_policy(parse_policy(ENFORCE, "new"))
    for changed in ({}, {"channel": "cloud_sync", "service": "nextcloud"}, {"judgement": "not_medical", "kind": "other"},
                    {"judgement": "undecidable", "problem": "image", "ext": "jpg"}, {"arrival": "existing"},
                    {"test": True}, {"patients": 40, "kind": "patient-table"}):  # fmt: skip
        facts = facts_of(FIELDS | changed)
        verdict = evaluate(compiled, facts)
        decided = {"decision": str(verdict.decision), "wanted": str(verdict.wanted)}
        result = replayed(None, ENFORCE, [("a", changed | decided)])
        assert (moves(result), moves(result, "wished"), result["facts"]) == ([], [], 1)


# ---- the plan


def changes(old, new):
    return [(each["what"], each["rule"], each["milder"]) for each in plan(new, old, "f", WORDS, "en")["changes"]]


TWO = b"""serment: 1
policy: unit
rules:
  - {id: a, when: {action: copy}, then: block, mode: enforce}
  - {id: b, when: {action: sync}, then: encrypt, mode: enforce}
tests:
  - {given: {action: copy}, expect: block, rule: a}
  - {given: {action: sync}, expect: encrypt, rule: b}
"""


def test_removals_come_first_and_only_changes_are_told():
    new = TWO.replace(b"id: a", b"id: c").replace(b"rule: a", b"rule: c").replace(b"encrypt", b"block")
    assert changes(TWO, new) == [("removed", "a", True), ("changed", "b", False), ("added", "c", False)]
    made = plan(TWO, TWO + b"# a remark\n", "f", WORDS, "en")
    assert (made["changes"], made["unchanged"], made["weaker"], made["previews"]) == ([], 2, False, [])


@pytest.mark.parametrize(
    ("old", "new", "milder"),
    [
        (b"then: block", b"then: justify", True),
        (b"then: block, mode: enforce", b"then: block, mode: observe", True),
        (b"when: {action: copy}", b"when: {action: copy, confidence_min: 90}", True),
        (b"when: {action: copy}", b"when: {action: [copy, download]}", False),
        (b"then: block,", b"then: block, unless: [{service: usb, until: 2027-01-31, by: A, why: B}],", True),
        (b"then: block,", b"then: block, offer: encrypt,", False),
        (b"then: block,", b"then: block, offer: justify,", True),
    ],
)
def test_what_protects_less_is_said(old, new, milder):
    assert changes(TWO, TWO.replace(old, new, 1)) == [("changed", "a", milder)]


def test_settings_are_told_and_new_devices_protect_less():
    devices = TWO.replace(b"rules:", b'devices: ["usb:0951:1666:*"]\nrules:')
    assert changes(TWO, devices) == [("setting", "devices", True)]
    assert changes(devices, TWO) == [("setting", "devices", False)]
    assert changes(TWO, TWO.replace(b"rules:", b"names: administrator\nrules:")) == [("setting", "names", True)]


def test_how_much_defaults_and_answers_open():
    strict = TWO.replace(b"rules:", b"defaults: {existing: enforce, arriving: enforce}\nrules:", 1)
    assert changes(strict, TWO) == [("setting", "defaults", True)]
    assert changes(TWO, strict) == [("setting", "defaults", False)]
    longer = TWO.replace(b"rules:", b"answers: {emergency: {minutes: 30, a_day: 3}}\nrules:", 1)
    assert changes(TWO, longer) == [("setting", "answers", True)]
    assert changes(longer, TWO) == [("setting", "answers", False)]


def test_a_rule_more_protects_less_where_what_no_rule_speaks_of_is_held():
    held = TWO.replace(b"rules:", b"defaults: {nothing_matches: block}\nrules:")
    for rule, milder in ((b"observe, mode: enforce", True), (b"block", True), (b"block, mode: enforce", False)):
        more = b"  - {id: c, when: {action: download}, then: " + rule + b"}\ntests:"
        assert changes(held, held.replace(b"tests:", more)) == [("added", "c", milder)]
        assert changes(TWO, TWO.replace(b"tests:", more)) == [("added", "c", False)]
    wider = held.replace(b"when: {action: sync}", b"when: {action: [sync, download]}")
    assert changes(held, wider) == [("changed", "b", True)]


SAME = b"""serment: 1
policy: unit
rules:
  - {id: a, when: {action: copy, judgement: medical}, then: block, mode: enforce}
  - {id: b, when: {action: copy, size_min: 10}, then: block, offer: justify, mode: enforce}
  - {id: c, when: {action: sync}, then: block, mode: enforce}
  - {id: d, when: {action: copy}, then: inform, mode: enforce}
tests:
  - {given: {action: sync}, expect: block, rule: c}
"""


def moved(text, name, to):
    """``text`` with the rule ``name`` before the rule ``to``."""
    lines = text.splitlines(keepends=True)
    line = next(each for each in lines if b"id: " + name in each)
    lines.remove(line)
    lines.insert(next(at for at, each in enumerate(lines) if b"id: " + to in each), line)
    return b"".join(lines)


def test_an_order_that_lets_another_rule_speak_is_told():
    softer = moved(SAME, b"b", b"a")
    assert changes(SAME, softer) == [("setting", "order", True)]
    assert changes(softer, SAME) == [("setting", "order", False)]
    (told,) = plan(softer, SAME, "f", WORDS, "en")["changes"]
    assert (told["before"], told["after"]) == ("a, b", "b, a")
    # nobody notices: they never match together, or another is stricter
    assert changes(SAME, moved(SAME, b"c", b"a")) == []
    assert changes(SAME, moved(SAME, b"d", b"a")) == []


@pytest.mark.parametrize(("to", "milder"), [(b"a", True), (b"d", False)])
def test_a_new_rule_that_offers_more_before_one_as_strict_protects_less(to, milder):
    line = b"  - {id: e, when: {action: copy}, then: block, offer: justify, mode: enforce}\n  - {id: " + to
    added = SAME.replace(b"  - {id: " + to, line, 1)
    assert changes(SAME, added) == [("added", "e", milder)]
    narrow = added.replace(b"e, when: {action: copy}", b"e, when: {action: copy, judgement: not_medical}")
    assert changes(narrow, added) == [("changed", "e", milder)]


def test_failing_tests_are_said_and_who_signs():
    lifted = TWO.replace(b"then: block, mode: enforce", b"then: block, mode: observe")
    made = plan(lifted, TWO, "f", WORDS, "en")
    assert len(made["wrong"]) == 1 and "expects block" in made["wrong"][0]
    assert made["sign"] == {"role": "approvers", "emergency": True} and made["weaker"]
    assert not plan(TWO.replace(b"block", b"encrypt"), TWO, "f", WORDS, "en")["sign"]["emergency"]


def test_previews_are_what_clinicians_see_in_both_languages():
    new = TWO.replace(b"then: block,", b'then: block, offer: encrypt, message: {fr: "Non", en: "No"},')
    made = plan(new, TWO, "f", WORDS, "en")["previews"]
    assert [(each["language"], each["text"]) for each in made] == [("fr", "Non"), ("en", "No")]
    assert made[0]["title"] == "Not copied: your document is safe" and made[0]["buttons"] == ["Encrypt and copy"]
