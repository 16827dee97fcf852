"""Sentences, explanations, facts in words, and that the vocabulary's lists agree."""

from __future__ import annotations

import json

import pytest

from agent.document import Problem
from agent.errors import PolicyError
from agent.findings import Judgement, Kind
from agent.model import Decision
from agent.policy import load_policy, parse_policy, phrases, profile_bytes, vocabulary
from agent.policy.explain import as_json, explain
from agent.policy.given import facts_from_words
from agent.policy.hosts import Host
from agent.policy.matching import reading
from agent.policy.sentences import policy_sentences, sentence
from agent.policy.vocabulary import DESTINATIONS, DOCUMENTS, KEYS
from tests.unit.policy.policies import CASES, compiled, facts, policy_text

HOSPITAL = (CASES / "accepted" / "hospital.yaml").read_bytes()
FRENCH = {
    "When {what} is copied to {where}: {then}.": "Quand on copie {what} vers {where} : {then}.",
    "a clinical report": "un compte rendu",
    "a prescription": "une ordonnance",
    "imaging": "une imagerie",
    "{first} or {last}": "{first} ou {last}",
    "certainty ≥ {number} %": "certitude ≥ {number} %",
    "a USB stick that is not approved": "une clé USB non approuvée",
    "block it": "bloquer",
    "{then}, and offer to encrypt": "{then}, et proposer de chiffrer",
    "Except {who}, until {day} ({by}: {why}).": "Sauf {who}, jusqu'au {day} ({by} : {why}).",
    "{first} and {last}": "{first} et {last}",
    "group {words}": "groupe {words}",
    "device {words}": "appareil {words}",
    "{day} January {year}": "{day} janvier {year}",
}


def english(when: str, then: str = "block", **options) -> str:
    return sentence(parse_policy(policy_text(when, then, **options), "p").rules[0], str)


def test_the_sentence_in_french() -> None:
    said = dict(policy_sentences(parse_policy(HOSPITAL, "p"), lambda key: FRENCH.get(key, key)))
    assert said["usb-01"] == (
        "Quand on copie un compte rendu, une ordonnance ou une imagerie (certitude ≥ 80 %) vers une clé USB non approuvée"
        " : bloquer, et proposer de chiffrer. Sauf groupe cardiologie et appareil usb:0930:6545:*, jusqu'au"
        " 31 janvier 2027 (Dr A. Martin (RSSI) : Holters)."
    )


@pytest.mark.parametrize(
    ("when", "then", "says"),
    [
        ("{action: copy, judgement: medical}", "block", "When a medical document is copied to a removable medium: block it."),
        ("{action: sync, service: [nextcloud, mega], document: cda}", "encrypt",
         "When a CDA document is put into a Nextcloud folder or a Mega folder: encrypt it."),
        ("{action: download, service: firefox}", "inform",
         "When a document arrives in the downloads of Firefox: inform the clinician."),
        ("{destination: [disk, sd], device_approved: yes}", "observe",
         "When a document is copied to an approved external disk or an approved memory card: record it."),
        ("{judgement_not: not_medical}", "justify",
         "When a medical document or a document that could not be examined leaves for or arrives in a removable medium,"
         " a cloud-sync folder or the download folder: ask for a reason."),
        ("{action: copy, document: archive, judgement: undecidable, problem: [encrypted, too-large], size_min: 1500 kB}", "block",
         "When an archive (that could not be examined, encrypted or too large to examine, at least 1.5 MB) is copied to a"
         " removable medium: block it."),
        ("{action: copy, identified: no, patients_max: 9, extension_not: pdf, arrival: new, user: anne}", "inform",
         "When a document (no patient recognisable, at most 9 patients, not extension pdf, newly arrived, user anne) is"
         " copied to a removable medium: inform the clinician."),
        ('{action: copy, device_not: "usb:0951:1666:*", destination_not: sd, test_data: no, confidence_max: 50}', "observe",
         "When a document (not device usb:0951:1666:*, not a memory card, not test data, certainty ≤ 50 %) is copied to a"
         " removable medium: record it."),
        ("{action: [copy, sync], device_approved: no}", "block",
         "When a document (device not approved) is copied to a removable medium or a cloud-sync folder: block it."),
    ],
)  # fmt: skip
def test_sentences_in_english(when: str, then: str, says: str) -> None:
    assert english(when, then) == says


def test_a_rule_on_trial_says_so() -> None:
    rule = parse_policy(policy_text("{action: copy}").replace(b"mode: enforce", b"mode: observe"), "p").rules[0]
    assert sentence(rule, str).endswith("On trial: nothing is done, what would be done is recorded.")


@pytest.mark.parametrize("name", ["monitor", "enforce"])
def test_every_shipped_rule_is_a_sentence(name: str) -> None:
    said = policy_sentences(parse_policy(profile_bytes(name), name), str)
    assert all(text.startswith("When ") and "{" not in text for _, text in said)


def test_every_word_has_its_phrase() -> None:
    assert set(phrases.DOCUMENT) == set(DOCUMENTS)
    assert {kind.value for kind in Kind} < set(DOCUMENTS)
    assert set(phrases.PROBLEM) == {problem.value for problem in Problem} | {"any"}
    assert set(phrases.JUDGED) == set(phrases.JUDGED_SO) == {word.value for word in Judgement}
    assert set(phrases.HOST) == set(vocabulary.HOSTS)
    assert set(phrases.PLACE) == set(DESTINATIONS)
    assert set(phrases.THEN) == {word.value for word in Decision}


HOSTS = (Host("cloud.example.org", "own"),)


def test_every_key_can_be_read_and_given() -> None:
    words = {
        "action": "copy", "destination": "sd", "service": "sd", "device": "usb:0951:1666:AB", "device_approved": "yes",
        "judgement": "medical", "document": "cda", "identified": "yes", "test_data": "no", "patient_list": "yes",
        "confidence": "80",
        "patients": "3", "problem": "image", "size": "12", "extension": "pdf", "arrival": "existing", "user": "anne",
        "group": "garde, cardio",
    }  # fmt: skip
    assert words.keys() | {"host"} == KEYS.keys()
    approved = ("usb:0951:1666:*",)
    found = facts_from_words(words, approved)
    assert {key: reading(key, found, approved) for key in words} == words
    synced = facts_from_words({"action": "sync", "host": "own"}, (), HOSTS)
    assert (reading("host", synced, (), HOSTS), reading("host", synced, ()), reading("host", found, (), HOSTS)) == (
        "own", "other", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        {}, {"action": "copy", "destination": "cloud"}, {"action": "copy", "colour": "red"}, {"action": "burn"},
        {"action": "copy", "device": "usb:0951:1666:*"}, {"action": "copy", "device_approved": "yes"},
        {"action": "copy", "document": "any"}, {"action": "copy", "confidence": "0.9"}, {"action": "copy", "day": "today"},
        {"destination": "removable"}, {"action": "sync", "host": "own"}, {"action": "sync", "host": "approved"},
        {"action": "copy", "host": "unknown"},
    ],
)  # fmt: skip
def test_facts_that_cannot_be(words: dict[str, str]) -> None:
    with pytest.raises(PolicyError):
        facts_from_words(words)


def test_an_explanation_shows_each_condition_and_what_was_found() -> None:
    policy = load_policy(HOSPITAL, "p")
    found = facts_from_words(
        {
            "action": "copy",
            "document": "dicom",
            "group": "cardiologie",
            "device": "usb:0930:6545:A1",
            "day": "2027-01-31",
        }
    )
    explanation = explain(policy, found)
    assert [rule.id for rule in explanation.rules] == ["usb-01", "usb-02", "cloud-01", "trial-big"]
    first, second = explanation.rules[:2]
    assert first.matches
    assert first.relaxed
    assert [(c.name, c.asked, c.found, c.holds) for c in first.conditions] == [
        ("action", "copy", "copy", True),
        ("destination", "usb", "usb", True),
        ("device_approved", "no", "no", True),
        ("document", "compte-rendu, ordonnance, imagerie", "dicom", True),
        ("confidence_min", "80", "100", True),
    ]
    assert [(e.holds, e.in_force, e.until) for e in first.exceptions] == [(True, True, "2027-01-31")]
    assert [c.holds for c in second.conditions] == [True, False, True, True]
    assert explanation.verdict.exception == "Dr A. Martin (RSSI)"


def test_an_explanation_is_json() -> None:
    text = json.dumps(as_json(explain(compiled(policy_text("{action: copy}")), facts(problem="image"))))
    assert json.loads(text)["rules"][0]["conditions"] == [
        {"name": "action", "asked": "copy", "found": "copy", "holds": True}
    ]
