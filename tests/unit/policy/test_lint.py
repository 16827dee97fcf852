"""The linter: what is an error, what a warning, and what is left in peace."""

from __future__ import annotations

import pytest

from agent.model import ChannelKind, Strength
from agent.policy import parse_policy, profile_bytes
from agent.policy.lint import Level, lint
from tests.unit.policy.policies import policy_text

FULL = "defaults: {existing: observe, arriving: enforce, nothing_matches: observe}\n"
TEXTS = "    title: {fr: T, en: T}\n    message: {fr: M, en: M}\n"
HOLD = dict.fromkeys(ChannelKind, Strength.HOLD)


def remarks(when: str, then: str = "block", *, rule: str = TEXTS, top: str = FULL, **options) -> list[tuple[str, str]]:
    data = policy_text(when, then, rule=rule, top=top, test="{action: copy}")
    found = lint(parse_policy(data, "p"), **options)
    return [(remark.level.value, str(remark.problem)) for remark in found]


def test_a_sound_rule_gets_no_remark() -> None:
    assert remarks("{action: copy, judgement: medical}", today="2026-11-21", strengths=HOLD) == []


@pytest.mark.parametrize(
    "when",
    [
        "{action: copy, destination: cloud}", "{action: sync, device_approved: no}", '{action: download, device: "*:*:*:*"}',
        "{size_min: 2 MB, size_max: 1 MB}", "{judgement: not_medical, problem: encrypted}", "{action: copy, service: dropbox}",
        "{document: cda, document_not: cda}", "{action: sync, service: firefox}", "{user: anne, user_not: anne}",
        "{action_not: [copy, sync, download]}", "{destination: usb, action_in: [sync, download]}",
        "{extension: zip, extension_in: [pdf]}", "{group: a, group_not: [a, b]}", "{document_not: any}",
        "{confidence_min: 90, confidence_max: 80}",
    ],
)  # fmt: skip
def test_a_rule_that_can_never_match(when: str) -> None:
    assert any(level == "error" and "can never match" in text for level, text in remarks(when))


@pytest.mark.parametrize(
    "when",
    [
        "{action: copy, destination: removable}", "{action: copy, service: usb}", "{action: sync, service: my-own-cloud}",
        "{problem: encrypted, judgement: medical}", "{patients_min: 1000000}", "{group: a, group_in: [b]}",
        '{device: "usb:0951:*:*", device_not: "usb:0951:1666:*"}', "{action: download, service: folder}",
    ],
)  # fmt: skip
def test_a_rule_that_can_match_is_not_called_dead(when: str) -> None:
    assert not any("can never match" in text for _, text in remarks(when))


WIDE = "{id: wide, when: {judgement: medical}, then: block, mode: enforce}"
UNLESS = "unless: [{group: garde, until: 2027-01-31, by: RSSI, why: essai}]"


@pytest.mark.parametrize(
    ("wide", "narrow", "beaten"),
    [
        (WIDE, "then: inform, mode: enforce", True),
        (WIDE, "then: block, mode: enforce", True),
        (WIDE, "then: inform", True),
        (WIDE.replace("block", "inform"), "then: block, mode: enforce", False),
        (WIDE.replace("mode: enforce", "mode: observe"), "then: inform, mode: enforce", False),
        (WIDE.replace("mode: enforce", "mode: observe"), "then: inform", True),
        (WIDE.replace("mode: enforce", f"mode: enforce, {UNLESS}"), "then: inform, mode: enforce", False),
        (WIDE.replace("judgement: medical", "group: a, group_not: b"), "then: inform, mode: enforce", False),
        (WIDE.replace("judgement: medical", "group: [a, b]"), "then: inform, mode: enforce", True),
        (WIDE.replace("judgement: medical", "group_not: b"), "then: inform, mode: enforce", False),
        (WIDE.replace("judgement: medical", "service_not: dropbox"), "then: inform, mode: enforce", True),
        (WIDE.replace("judgement: medical", "patients_min: 3"), "then: inform, mode: enforce", False),
        (WIDE.replace("judgement: medical", "patients_min: 2"), "then: inform, mode: enforce", True),
    ],
)
def test_a_rule_that_another_always_beats(wide: str, narrow: str, beaten: bool) -> None:
    when = "{action: sync, service: mega, judgement: medical, group: a, patients_min: 2}"
    rule = f"{{id: narrow, when: {when}, {narrow}}}"
    tests = "tests:\n  - {given: {action: copy}, expect: observe}\n"
    data = f"serment: 1\npolicy: unit\nrules:\n  - {rule}\n  - {wide}\n{tests}"
    if "then: block" in narrow and beaten:  # of equals the first in the file wins
        data = f"serment: 1\npolicy: unit\nrules:\n  - {wide}\n  - {rule}\n{tests}"
    said = [str(remark.problem) for remark in lint(parse_policy(data.encode(), "p"))]
    assert any("[narrow]: never decides: wide" in text for text in said) is beaten


@pytest.mark.parametrize(
    ("when", "broad"),
    [
        ("{action: copy}", True), ("{action: copy, document: email}", True), ("{judgement: not_medical}", True),
        ("{judgement_not: medical}", True), ("{document: [dicom, cda]}", False), ("{document: ordonnance}", False),
        ("{judgement: [medical, undecidable]}", False), ("{problem: any}", False),
    ],
)  # fmt: skip
def test_over_broad(when: str, broad: bool) -> None:
    said = [text for level, text in remarks(when) if level == "warning" and "not medical" in text]
    assert bool(said) is broad
    assert not any("not medical" in text for _, text in remarks(when, "inform"))


def test_nothing_matches_block_is_over_broad() -> None:
    top = FULL.replace("nothing_matches: observe", "nothing_matches: block")
    assert ("warning", "p: says block whenever no rule matches\nhint: «nothing_matches: observe» leaves documents"
            " about nobody alone") in remarks("{judgement: medical}", top=top)  # fmt: skip


def test_an_exception_that_has_ended_is_a_warning() -> None:
    rule = TEXTS + "    unless:\n      - {group: garde, until: 2027-01-31, by: RSSI, why: essai}\n"
    when = "{judgement: medical}"
    assert remarks(when, rule=rule, today="2027-01-31") == []
    assert remarks(when, rule=rule) == []
    level, text = remarks(when, rule=rule, today="2027-02-01")[0]
    assert level == "warning"
    assert text.startswith("p:12 [r]: an exception ended on 2027-01-31: the rule holds for all\nhint: ")


def test_missing_texts_and_defaults_are_warnings() -> None:
    found = remarks("{judgement: medical}", rule="    title: {fr: T}\n", top="")
    assert {text.split("\n")[0].split(": ", 1)[1] for _, text in found} == {
        "has no title in en", "has no message in en", "has no message in fr",
        "does not say defaults.existing; taken as observe", "does not say defaults.arriving; taken as enforce",
        "does not say defaults.nothing_matches; taken as observe",
    }  # fmt: skip
    assert {level for level, _ in found} == {"warning"}


def test_a_service_with_a_typing_error() -> None:
    found = remarks("{action: sync, service: nextclod, judgement: medical}")
    assert [text.split("\n")[0] for _, text in found] == [
        'p:6 [r]: service "nextclod" is none that Serment finds itself'
    ]


@pytest.mark.parametrize(
    ("when", "then", "strengths", "expected"),
    [
        ("{action: copy, judgement: medical}", "block", {ChannelKind.REMOVABLE: Strength.OFF}, ["error"]),
        ("{action: [copy, sync], judgement: medical}", "block", {ChannelKind.REMOVABLE: Strength.OFF}, ["warning"]),
        ("{action: copy, judgement: medical}", "inform", {ChannelKind.REMOVABLE: Strength.OFF}, []),
        ("{action: copy, judgement: medical}", "justify", {ChannelKind.REMOVABLE: Strength.AFTER_WRITE}, ["warning"]),
        ("{action: copy, judgement: medical}", "encrypt", {ChannelKind.REMOVABLE: Strength.AFTER_WRITE}, []),
        ("{action: copy, judgement: medical}", "justify", {ChannelKind.CLOUD_SYNC: Strength.OFF}, []),
        ("{judgement: medical}", "justify", dict.fromkeys(ChannelKind, Strength.OFF), ["error"]),
    ],
)  # fmt: skip
def test_what_the_laptop_cannot_hold(when, then, strengths, expected) -> None:
    assert [level for level, _ in remarks(when, then, strengths=strengths)] == expected


def test_what_is_on_trial_promises_nothing() -> None:
    data = policy_text("{action: copy, judgement: medical}", "justify", rule=TEXTS, top=FULL, test="{action: copy}")
    policy = parse_policy(data.replace(b"mode: enforce", b"mode: observe"), "p")
    assert lint(policy, strengths={ChannelKind.REMOVABLE: Strength.OFF}) == ()


@pytest.mark.parametrize("name", ["monitor", "enforce"])
def test_the_shipped_profiles_are_clean(name: str) -> None:
    strengths = dict.fromkeys(ChannelKind, Strength.AFTER_WRITE)
    assert lint(parse_policy(profile_bytes(name), name), today="2026-11-21", strengths=strengths) == ()
    assert Level.ERROR.value == "error"
