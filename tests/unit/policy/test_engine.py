"""What a rule matches, which rule wins, what an exception takes away."""

from __future__ import annotations

import dataclasses

import pytest

from agent.document import Problem
from agent.findings import Findings, Judgement
from agent.model import ChannelKind, Decision, Device, Facts, Mode
from agent.policy import evaluate, parse_policy
from agent.policy.engine import REMEMBERED, compile_policy, decide
from agent.policy.vocabulary import CONDITIONS
from tests.unit.policy.policies import compiled, facts, policy_text

STICK = "usb:0951:1666:ABC"
# condition, facts that satisfy it, facts that do not (None: nothing can fail it within these words)
OPERATORS = [
    ("action: copy", {}, {"action": "sync"}),
    ("action_in: [copy, download]", {"action": "download"}, {"action": "sync"}),
    ("action_not: sync", {}, {"action": "sync"}),
    ("destination: usb", {"destination": "usb"}, {"destination": "disk"}),
    ("destination: removable", {"destination": "sd"}, {"action": "sync"}),
    ("destination: cloud", {"action": "sync"}, {"action": "download"}),
    ("destination: laptop", {"action": "download"}, {"action": "sync"}),
    ("destination_in: [disk, sd]", {"destination": "disk"}, {"destination": "usb"}),
    ("destination_not: removable", {"action": "sync"}, {"destination": "disk"}),
    ("service: nextcloud", {"action": "sync", "service": "nextcloud"}, {"action": "sync", "service": "dropbox"}),
    ("service_in: [mega, kdrive]", {"action": "sync", "service": "kdrive"}, {"action": "sync"}),
    ("service_not: [mega, kdrive]", {"action": "sync"}, {"action": "sync", "service": "mega"}),
    ('device: "usb:0951:1666:*"', {"device": STICK}, {"device": "usb:0951:1667:ABC"}),
    ('device: "usb:0951:1666:A?C"', {"device": STICK}, {"device": "usb:0951:1666:AC"}),
    ('device: "*:*:*:*"', {"device": STICK}, {"action": "sync"}),
    ('device_in: ["usb:0951:1666:Z*", "usb:*:1666:*C"]', {"device": STICK}, {"device": "usb:0951:1666:ABD"}),
    ('device_not: "usb:0951:1666:*"', {}, {"device": STICK}),
    ('device_not: "usb:0951:1666:*"', {"device": "usb:0951:1667:A"}, {"action": "sync"}),
    ("device_approved: no", {}, {"device": "usb:0781:5583:OK1"}),
    ("device_approved: yes", {"device": "usb:0781:5583:OK1"}, {"device": "usb:0781:5583:ok1"}),
    ("host: approved", {"action": "sync", "host": "own"}, {"action": "sync", "host": "other"}),
    ("host: unknown", {"action": "sync"}, {"action": "sync", "host": "own"}),
    ("host: unknown", {"action": "sync"}, {}),
    ("host_in: [own, mssante]", {"action": "sync", "host": "own"}, {"action": "sync", "host": "unknown"}),
    ("host_not: approved", {"action": "sync", "host": "unknown"}, {"action": "sync", "host": "own"}),
    ("host_not: approved", {"action": "sync", "host": "other"}, {}),
    ("judgement: medical", {}, {"judgement": "not_medical"}),
    ("judgement_in: [medical, undecidable]", {"problem": "corrupt"}, {"judgement": "not_medical"}),
    ("judgement_not: not_medical", {"judgement": "undecidable"}, {"judgement": "not_medical"}),
    ("document: dicom", {"document": "dicom"}, {"document": "cda"}),
    ("document: any", {"document": "other"}, None),
    ("document: imagerie", {"document": "dicom"}, {"document": "prescription"}),
    ("document_in: [cda, ordonnance]", {"document": "prescription"}, {"document": "fhir"}),
    ("document_not: [cda, compte-rendu]", {"document": "fhir"}, {"document": "clinical-note"}),
    ("identified: yes", {}, {"identified": "no"}),
    ("identified: no", {"identified": "no"}, {}),
    ("test_data: yes", {"test_data": "yes"}, {}),
    ("test_data: no", {}, {"test_data": "yes"}),
    ("patient_list: yes", {"patient_list": "yes"}, {}),
    ("patient_list: no", {}, {"patient_list": "yes"}),
    ("confidence_min: 80", {"confidence": "80"}, {"confidence": "79"}),
    ("confidence_max: 80", {"confidence": "80"}, {"confidence": "81"}),
    ("patients_min: 10", {"patients": "10"}, {"patients": "9"}),
    ("patients_max: 10", {"patients": "10"}, {"patients": "11"}),
    ("problem: encrypted", {"problem": "encrypted"}, {"problem": "corrupt"}),
    ("problem: any", {"problem": "image"}, {"judgement": "undecidable"}),
    ("problem_in: [encrypted, image]", {"problem": "image"}, {}),
    ("problem_not: [encrypted, image]", {}, {"problem": "image"}),
    ("problem_not: any", {}, {"problem": "timed-out"}),
    ("size_min: 1 MB", {"size": "1 MB"}, {"size": "999999"}),
    ("size_max: 1 MB", {"size": "1 MB"}, {"size": "1000001"}),
    ("extension: zip", {"extension": "zip"}, {"extension": "zipx"}),
    ("extension_in: [ZIP, 7z]", {"extension": "zip"}, {}),
    ("extension_not: [zip]", {}, {"extension": "zip"}),
    ("arrival: existing", {"arrival": "existing"}, {"arrival": "new"}),
    ("arrival_in: [new]", {}, {"arrival": "existing"}),
    ("arrival_not: new", {"arrival": "existing"}, {}),
    ("user: anne", {"user": "anne"}, {"user": "Anne"}),
    ("user_in: [anne, bob]", {"user": "bob"}, {}),
    ("user_not: [anne]", {}, {"user": "anne"}),
    ("group: garde", {"group": "cardio, garde"}, {"group": "cardio"}),
    ("group_in: [garde, urgences]", {"group": "urgences"}, {}),
    ("group_not: [garde]", {"group": "cardio"}, {"group": "cardio, garde"}),
]


TOP = 'devices: ["usb:0781:5583:OK?"]\nhosts: [{host: "*.example.org", kind: own}]\ndefaults: {existing: enforce}\n'


@pytest.mark.parametrize(("condition", "yes", "no"), OPERATORS)
def test_every_operator(condition: str, yes: dict[str, str], no: dict[str, str] | None) -> None:
    data = policy_text(f"{{{condition}}}", top=TOP)
    policy = compiled(data)
    assert evaluate(policy, facts(**yes)).rule == "r"
    assert evaluate(policy, facts(**yes)).decision is Decision.BLOCK
    if no is not None:
        assert evaluate(policy, facts(**no)).rule == ""


def test_the_list_of_operators_is_complete() -> None:
    tried = {condition.partition(":")[0] for condition, _, _ in OPERATORS}
    assert tried == set(CONDITIONS)


def rules(*parts: str, top: str = "") -> bytes:
    body = "".join(f"  - {part}\n" for part in parts)
    return f"serment: 1\npolicy: unit\n{top}rules:\n{body}tests:\n  - {{given: {{action: copy}}, expect: observe}}\n".encode()


def test_the_strictest_wins_wherever_it_stands() -> None:
    mild = "{id: mild, when: {action: copy}, then: inform, mode: enforce}"
    strict = "{id: strict, when: {action: copy}, then: block, mode: enforce}"
    for order in ((mild, strict), (strict, mild)):
        assert evaluate(compiled(rules(*order)), facts()).rule == "strict"


def test_of_equals_the_first_in_the_file_wins() -> None:
    one = "{id: one, when: {judgement: medical}, then: encrypt, mode: enforce}"
    two = "{id: two, when: {action: copy}, then: encrypt, mode: enforce}"
    assert evaluate(compiled(rules(one, two)), facts()).rule == "one"
    assert evaluate(compiled(rules(two, one)), facts()).rule == "two"


def test_a_rule_on_trial_observes_and_keeps_its_wish() -> None:
    verdict = evaluate(compiled(rules("{id: r, when: {action: copy}, then: block, offer: encrypt}")), facts())
    assert (verdict.decision, verdict.wanted, verdict.rule) == (Decision.OBSERVE, Decision.BLOCK, "r")
    assert (verdict.mode, verdict.offer, verdict.message, verdict.wanted_by) == (Mode.OBSERVE, None, (), "r")


def test_a_rule_on_trial_never_weakens_one_in_force() -> None:
    trial = "{id: trial, when: {action: copy}, then: block}"
    force = "{id: force, when: {action: copy}, then: encrypt, mode: enforce}"
    verdict = evaluate(compiled(rules(trial, force)), facts())
    assert (verdict.decision, verdict.rule, verdict.mode) == (Decision.ENCRYPT, "force", Mode.ENFORCE)
    assert (verdict.wanted, verdict.wanted_by) == (Decision.BLOCK, "trial")


def test_a_rule_in_force_that_only_observes_does_not_hide_a_wish() -> None:
    record = "{id: record, when: {action: copy}, then: observe, mode: enforce}"
    trial = "{id: trial, when: {action: copy}, then: inform}"
    verdict = evaluate(compiled(rules(record, trial)), facts())
    assert (verdict.decision, verdict.wanted, verdict.rule) == (Decision.OBSERVE, Decision.INFORM, "trial")
    assert evaluate(compiled(rules(record)), facts()).mode is Mode.ENFORCE


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ("usb:0951:1666:S:1", True), ("*:*:*:S:?", True), ("USB:0951:1666:*", True), ("usb:0951:1666:*1", True),
        ("mmc:0951:1666:*", False), ("usb:0952:1666:*", False), ("usb:0951:1667:*", False), ("usb:0951:1666:s:1", False),
        ("usb:0951:1666:S", False), ("usb:0951:1666:S:1?", False), ("usb:0951:1666:*1*1", False),
    ],
)  # fmt: skip
def test_each_part_of_a_device_pattern_counts(pattern: str, holds: bool) -> None:
    policy = compiled(policy_text(f'{{device: "{pattern}"}}'))
    stick = Device(bus="usb", vendor_id="0951", product_id="1666", serial="S:1")
    assert (evaluate(policy, dataclasses.replace(facts(), device=stick)).rule == "r") is holds


def test_what_was_there_before_is_only_observed_unless_the_policy_says_so() -> None:
    rule = "{id: r, when: {action: copy}, then: block, mode: enforce}"
    before = facts(arrival="existing")
    verdict = evaluate(compiled(rules(rule)), before)
    assert (verdict.decision, verdict.wanted, verdict.mode) == (Decision.OBSERVE, Decision.BLOCK, Mode.OBSERVE)
    assert evaluate(compiled(rules(rule)), facts()).decision is Decision.BLOCK
    strict = compiled(rules(rule, top="defaults: {existing: enforce}\n"))
    assert evaluate(strict, before).decision is Decision.BLOCK


def test_arriving_observe_puts_everything_on_trial() -> None:
    rule = "{id: r, when: {action: copy}, then: block, mode: enforce}"
    verdict = evaluate(compiled(rules(rule, top="defaults: {arriving: observe}\n")), facts())
    assert (verdict.decision, verdict.wanted) == (Decision.OBSERVE, Decision.BLOCK)


def test_nothing_matches_is_a_setting() -> None:
    rule = "{id: r, when: {action: sync}, then: block, mode: enforce}"
    policy = compiled(rules(rule, top="defaults: {nothing_matches: inform}\n"))
    verdict = evaluate(policy, facts())
    assert (verdict.decision, verdict.rule, verdict.wanted) == (Decision.INFORM, "", Decision.INFORM)
    before = evaluate(policy, facts(arrival="existing"))
    assert (before.decision, before.wanted) == (Decision.OBSERVE, Decision.INFORM)
    assert evaluate(compiled(rules(rule)), facts()).decision is Decision.OBSERVE


def test_the_message_and_the_release_go_with_the_verdict() -> None:
    data = rules(
        "{id: r, when: {action: copy}, then: block, offer: encrypt, mode: enforce, message: {fr: Non., en: No.}}"
    )
    verdict = evaluate(compiled(data), facts())
    assert verdict.message == (("fr", "Non."), ("en", "No."))
    assert verdict.offer is Decision.ENCRYPT
    assert verdict.release == parse_policy(data, "p").release
    assert verdict.policy == "unit"


EXCEPTION = "unless: [{group: garde, until: 2027-01-31, by: RSSI, why: essai}]"


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        ("2027-01-30", True), ("2027-01-31", True), ("2027-02-01", False), ("2026-01-31", True), ("2026-01-30", False),
        ("", False), ("soon", False), ("2027-01-31T00:00", False), ("9999-12-31", False), ("0001-01-01", False),
    ],
)  # fmt: skip
def test_an_exception_holds_up_to_its_last_day_and_never_longer_than_a_year(day: str, holds: bool) -> None:
    policy = compiled(rules(f"{{id: r, when: {{action: copy}}, then: block, mode: enforce, {EXCEPTION}}}"))
    verdict = evaluate(policy, dataclasses.replace(facts(group="garde"), day=day))
    assert verdict.decision is (Decision.OBSERVE if holds else Decision.BLOCK)
    assert verdict.exception == ("RSSI" if holds else "")
    assert verdict.rule == "r"


def test_an_exception_takes_away_its_own_rule_only() -> None:
    spared = f"{{id: strict, when: {{action: copy}}, then: block, mode: enforce, {EXCEPTION}}}"
    other = "{id: mild, when: {action: copy}, then: inform, mode: enforce}"
    policy = compiled(rules(spared, other))
    verdict = evaluate(policy, facts(group="garde", day="2027-01-01"))
    assert (verdict.decision, verdict.rule, verdict.exception) == (Decision.INFORM, "mild", "RSSI")
    assert evaluate(policy, facts(day="2027-01-01")).decision is Decision.BLOCK


def test_an_exception_ends_in_a_policy_that_is_already_running() -> None:
    policy = compiled(rules(f"{{id: r, when: {{action: copy}}, then: block, mode: enforce, {EXCEPTION}}}"))
    days = ("2027-01-31", "2027-02-01", "2027-01-31")
    said = [evaluate(policy, facts(group="garde", day=day)).decision for day in days]
    assert said == [Decision.OBSERVE, Decision.BLOCK, Decision.OBSERVE]


def test_of_two_rules_that_are_taken_away_the_strictest_is_named() -> None:
    other = EXCEPTION.replace("RSSI", "DPO")
    policy = compiled(
        rules(
            f"{{id: mild, when: {{action: copy}}, then: encrypt, mode: enforce, {other}}}",
            f"{{id: strict, when: {{action: copy}}, then: block, mode: enforce, {EXCEPTION}}}",
        )
    )
    verdict = evaluate(policy, facts(group="garde", day="2027-01-01"))
    assert (verdict.decision, verdict.rule, verdict.exception) == (Decision.OBSERVE, "strict", "RSSI")


def test_the_whole_scope_of_an_exception_must_hold() -> None:
    both = "unless: [{group: garde, user: anne, until: 2027-01-31, by: RSSI, why: essai}]"
    policy = compiled(rules(f"{{id: r, when: {{action: copy}}, then: block, mode: enforce, {both}}}"))
    day = "2027-01-31"
    assert evaluate(policy, facts(group="garde", user="anne", day=day)).decision is Decision.OBSERVE
    assert evaluate(policy, facts(group="garde", user="bob", day=day)).decision is Decision.BLOCK
    assert evaluate(policy, facts(user="anne", day=day)).decision is Decision.BLOCK


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), -1.0, 7.5])
def test_a_confidence_that_is_none_counts_as_certain(confidence: float) -> None:
    policy = compiled(policy_text("{confidence_min: 80}"))
    base = facts()
    broken = dataclasses.replace(base, findings=dataclasses.replace(base.findings, confidence=confidence))
    assert evaluate(policy, broken).decision is Decision.BLOCK
    assert evaluate(policy, facts(confidence="10")).decision is Decision.OBSERVE  # not remembered as the same class


@pytest.mark.parametrize("number", range(101))
def test_per_cent_and_probability_meet_exactly(number: int) -> None:
    policy = compiled(policy_text(f"{{confidence_min: {number}, confidence_max: {number}}}"))
    base = facts()
    exact = dataclasses.replace(base, findings=dataclasses.replace(base.findings, confidence=float(f"{number / 100}")))
    assert evaluate(policy, exact).rule == "r"


def test_a_removable_place_without_a_device_is_not_approved() -> None:
    policy = compiled(policy_text("{device_approved: no}", top='devices: ["*:*:*:*"]\n'))
    place = Facts(ChannelKind.REMOVABLE, "new", Findings(Judgement.MEDICAL))
    assert evaluate(policy, place).decision is Decision.BLOCK
    assert evaluate(policy, dataclasses.replace(place, device=Device())).decision is Decision.OBSERVE


def test_an_unknown_sort_of_removable_place_is_a_disk() -> None:
    policy = compiled(policy_text("{destination: disk}"))
    assert evaluate(policy, Facts(ChannelKind.REMOVABLE, "new", Findings(Judgement.MEDICAL), service="?")).rule == "r"


def test_the_memory_is_bounded_and_names_do_not_grow_it() -> None:
    policy = compiled(policy_text("{extension: zip, user: anne, group: garde, size_min: 10}"))
    for number in range(3000):
        evaluate(policy, facts(extension=f"e{number}", user=f"u{number}", group=f"g{number}", size=str(number)))
    assert len(policy.decided) <= 4
    many = compiled(policy_text("{problem: any}", rule="    unless: [{user: a, until: 2027-01-01, by: b, why: c}]\n"))
    for number in range(REMEMBERED + 50):
        evaluate(many, dataclasses.replace(facts(), day=str(number)))
    assert len(many.decided) <= REMEMBERED


def test_a_long_hostile_serial_is_compared_in_time() -> None:
    policy = compiled(policy_text('{device: "usb:*:*:' + "*a" * 60 + '*b"}'))
    stick = dataclasses.replace(facts(), device=Device(bus="usb", serial="a" * 20_000))
    assert evaluate(policy, stick).rule == ""


def test_remembering_changes_nothing() -> None:
    policy = compile_policy(parse_policy(policy_text("{patients_min: 2, problem_not: image}"), "p"))
    for words in (
        {"patients": "1"},
        {"patients": "2"},
        {"patients": "3"},
        {"problem": "image"},
        {"problem": "corrupt"},
    ):
        assert evaluate(policy, facts(**words)) == decide(policy, facts(**words)) == evaluate(policy, facts(**words))
    assert Problem.IMAGE.value == "image"
