"""The review's sentences: whole, calm, in words; and nothing that a record holds moves the cursor or is taken as markup."""

from __future__ import annotations

import unicodedata

import pytest

from agent.findings import FindingType
from agent.i18n import catalogue
from agent.ui.review import held_about_me, sentences, texts, words

T = catalogue("en").gettext
FIELDS = {
    "i": 7, "t": 1_795_335_628_445_786, "k": "transfer", "channel": "removable", "judgement": "medical",
    "kind": "lab-report", "confidence": 930, "identified": True, "patients": 1, "decision": "block", "wanted": "block",
    "rule": "usb-01", "policy": "clinic/usb", "release": "0123456789ab", "act": True, "hold": "file",
    "evidence": {"nir": 1, "lab-line": 12}, "device": {"vendor": "Kingston", "product": "DT", "serial": "ab12" * 4},
}  # fmt: skip


def event(**changes):
    fields = {**FIELDS, **changes.pop("fields", {})}
    return {"fields": fields, "own": True, "outcome": {"result": "done", "action": "block", "held": "AB12CD34", "t": 1},
            "given": None, "contest": None, "reviews": [], "needs_review": True} | changes  # fmt: skip


def why(**changes):
    return " ".join(sentences.why(event(**changes), T, "en"))


def test_a_refusal_is_explained_from_what_was_found_to_what_now():
    said = why(policy_text={"says": {"en": "Block it.", "fr": "Bloquer."}})
    assert "a laboratory report, about a person who can be recognised (certainty 93%)" in said
    assert "social security number, laboratory result × 12" in said
    assert "« Block it. »" in said
    assert "Nothing of it has reached the place" in said
    assert "serment quarantine restore AB12CD34" in said


def test_a_rule_of_another_day_is_named_and_not_invented():
    said = why()
    assert "Rule usb-01 of the policy clinic/usb, release 0123456789ab, decided; another policy is in force" in said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"judgement": "undecidable", "problem": "encrypted"}, "could not be judged: it is encrypted"),
        ({"judgement": "not_medical"}, "Nothing about a particular patient"),
        ({"patients": 40}, "about 40 persons"),
        ({"identified": False, "patients": 0}, "a patient who is not named"),
        ({"test": True}, "marked as test data"),
        ({"listed": True}, "in the practice's patient list"),
        ({"act": False}, "went its way"),
        ({"rule": ""}, "No rule"),
    ],
)
def test_each_kind_of_record_has_its_sentence(changes, expected):
    assert expected in why(fields=changes)


def test_what_was_cut_short_given_back_reviewed_and_contested_is_said():
    assert "How it ended is not recorded" in why(outcome=None)
    given = {"k": "restore", "held": "AB12CD34", "by": "owner", "i": 9, "t": 1}
    assert "AB12CD34 given back by its owner" in why(given=given)
    assert "You can take it back" not in why(given=given)
    assert "Reviewed by you" in why(reviews=[{"t": 1, "mine": True, "by": "owner"}])
    assert "Reviewed by the administrator" in why(reviews=[{"t": 1, "mine": False, "by": "administrator"}])
    assert "the document was not sent" in why(contest={"why": "teaching", "t": 1})


def test_state_is_a_word():
    assert sentences.state(event()) == "open"
    assert sentences.state(event(reviews=[{}], needs_review=False)) == "reviewed"
    assert sentences.state(event(contest={"why": "other"}, reviews=[{}])) == "contested"
    assert sentences.state(event(needs_review=False)) == ""
    assert all(words.STATES[state] for state in ("open", "reviewed", "contested"))


def test_codes_of_a_newer_version_and_hostile_ones_are_shown_printable():
    odd = "x\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}\n"
    found = event(
        name=odd.encode(), outcome={"result": odd, "action": odd, "held": odd, "problem": odd, "t": 1},
        contest={"why": odd, "t": 1}, reviews=[{"by": odd, "t": odd}],
        fields={"kind": odd, "rule": odd, "policy": odd, "release": odd, "evidence": {odd: odd}, "t": odd,
                "device": {"vendor": odd, "product": odd, "serial": odd}, "channel": odd, "decision": odd},
    )  # fmt: skip
    title, lines = texts.detail(found, T, "en")
    for line in [title, *lines, sentences.subject(found, T)]:
        assert not any(unicodedata.category(c) in {"Cc", "Cf"} for c in line), line


def test_every_kind_of_finding_has_words():
    said = why(fields={"evidence": {str(kind): 2 for kind in FindingType}})
    assert not any(f" {kind} ×" in said for kind in FindingType if "-" in str(kind))


def test_two_sticks_of_a_make_are_told_apart():
    other = {**FIELDS, "device": {**FIELDS["device"], "serial": "cd34" * 4}}
    assert sentences.device(FIELDS) == "Kingston DT #ab12"
    assert sentences.device(other) == "Kingston DT #cd34"


def test_what_is_held_says_who_sees_names():
    names = {"store": "names", "count": 3, "oldest": "2026-01-02", "kept_days": 182, "names_for": "owner"}
    (store,) = held_about_me.stores({"stores": [names]}, T)
    assert "you alone" in store.who
    assert "02/01/2026" in store.kept
    (store,) = held_about_me.stores({"stores": [names | {"names_for": "administrator"}]}, T)
    assert "administrator" in store.who
    assert held_about_me.stores({"stores": [{"store": "new\x1b", "count": 4}]}, T)[0].name == "new\\x1b"


def test_nothing_measures_people():
    said = held_about_me.notes({"holds": []}, T)[0]
    assert "no ranking" in said
