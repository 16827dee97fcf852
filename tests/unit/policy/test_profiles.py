"""The two shipped policies: they load, and « monitor » foretells what « enforce » does."""

from __future__ import annotations

import itertools

import pytest

from agent.document import Problem
from agent.errors import PolicyError
from agent.findings import Findings, Judgement, Kind
from agent.model import ChannelKind, Decision, Facts
from agent.policy import evaluate, load_policy, profile_bytes
from agent.policy.profiles import PROFILES
from tests.unit.policy.policies import facts

MONITOR, ENFORCE = (load_policy(profile_bytes(name), name) for name in ("monitor", "enforce"))


def everything() -> list[Facts]:
    flags = [False, True]
    found = []
    for channel, judgement, kind, identified, test_data, patients, problem, extension, arrival in itertools.product(
        ChannelKind, Judgement, (Kind.CDA, Kind.PATIENT_TABLE, Kind.SEALED, Kind.OTHER), flags, flags, (0, 1, 10),
        (None, Problem.ENCRYPTED, Problem.IMAGE), ("pdf", "jpg"), ("new", "existing"),
    ):  # fmt: skip
        findings = Findings(judgement, kind, 0.9, identified, patients, test_data, problem=problem)
        found.append(Facts(channel, arrival, findings, extension=extension, service="usb"))
    return found


def test_monitor_foretells_enforce_and_does_nothing() -> None:
    for each in everything():
        seen, done = evaluate(MONITOR, each), evaluate(ENFORCE, each)
        assert seen.decision is Decision.OBSERVE
        assert (seen.wanted, seen.rule) == (done.wanted, done.rule)
        assert done.decision is (Decision.OBSERVE if each.arrival == "existing" else done.wanted)


def test_everything_medical_or_undecidable_has_its_rule() -> None:
    """« Could not look » is never « clean »: no such transfer falls through."""
    for each in everything():
        if each.findings.judgement is not Judgement.NOT_MEDICAL:
            assert evaluate(ENFORCE, each).rule


def test_what_is_about_nobody_is_left_alone() -> None:
    for each in everything():
        if each.findings.judgement is Judgement.NOT_MEDICAL:
            assert evaluate(ENFORCE, each).decision is Decision.OBSERVE


def test_identified_documents_never_leave_as_they_are() -> None:
    for each in everything():
        found = each.findings
        if (
            found.judgement is Judgement.MEDICAL and found.identified and not found.test_data
            and each.channel is not ChannelKind.DOWNLOADS and each.arrival == "new"
        ):  # fmt: skip
            assert evaluate(ENFORCE, each).decision.severity >= Decision.ENCRYPT.severity


def test_downloads_are_never_moved() -> None:
    for each in everything():
        if each.channel is ChannelKind.DOWNLOADS:
            assert evaluate(ENFORCE, each).decision.severity <= Decision.INFORM.severity


@pytest.mark.parametrize(
    ("words", "decision"),
    [
        ({"document": "clinical-note"}, "encrypt"), ({"document": "patient-table"}, "block"), ({"patients": "10"}, "block"),
        ({"identified": "no"}, "inform"), ({"problem": "corrupt"}, "inform"), ({"test_data": "yes"}, "inform"),
        ({"judgement": "not_medical"}, "observe"), ({"action": "sync"}, "block"), ({"action": "download"}, "inform"),
        ({"action": "sync", "problem": "encrypted"}, "inform"),
    ],
)  # fmt: skip
def test_the_promises_of_enforce(words: dict[str, str], decision: str) -> None:
    verdict = evaluate(ENFORCE, facts(**words))
    assert verdict.decision == decision
    assert verdict.decision in {"observe"} or {language for language, _ in verdict.message} == {"fr", "en"}


def test_profiles_by_name() -> None:
    assert PROFILES == ("monitor", "enforce")
    for name in ("", "../monitor", "strict"):
        with pytest.raises(PolicyError, match="there is no profile"):
            profile_bytes(name)
