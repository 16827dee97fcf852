"""Approved destinations: which host an entry means, what rules make of it, what clinicians and officers read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import ChannelKind, Decision, Facts
from agent.policy import evaluate, load_policy
from agent.policy.given import facts_from_words
from agent.policy.hosts import Host, host_class, normal_host
from agent.policy.lint import lint
from agent.policy.parser import parse_policy
from agent.policy.plan import plan
from agent.policy.replay import assumptions
from agent.policy.sentences import policy_sentences
from tests.unit.policy.policies import CASES

RECIPE = (CASES.parent / "cookbook/23-approved-destinations.yaml").read_bytes()
LIST = (
    Host("cloud.chu-exemple.fr", "own"), Host("*.hebergeur.fr", "hds"), Host("a.hebergeur.fr", "own"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("cloud.chu-exemple.fr", "own"), ("a.b.hebergeur.fr", "hds"), ("a.hebergeur.fr", "hds"), ("", "unknown"),
        ("hebergeur.fr", "other"), ("xhebergeur.fr", "other"), ("cloud.chu-exemple.fr.evil.example", "other"),
        ("evil-cloud.chu-exemple.fr", "other"), ("chu-exemple.fr", "other"),
    ],
)  # fmt: skip
def test_an_entry_means_its_host_and_nothing_that_looks_like_it(host: str, found: str) -> None:
    assert host_class(host, LIST) == found
    assert host_class(host, ()) == ("unknown" if not host else "other")


@given(st.text(max_size=300))
def test_what_is_no_host_is_none(text: str) -> None:
    found = normal_host(text)
    assert not found or (found == found.lower() and "." in found and not set(found) & set("/:@ *\n"))


def synced(host: str, channel: ChannelKind = ChannelKind.CLOUD_SYNC) -> Facts:
    from dataclasses import replace

    return replace(facts_from_words({"action": "sync"}), channel=channel, host=host)


def test_the_recipe_lets_approved_hosts_through_and_tells_where_to_go() -> None:
    compiled = load_policy(RECIPE, "23")
    for host, decision in (
        ("cloud.chu-exemple.fr", Decision.OBSERVE), ("files.hebergeur-exemple.fr", Decision.OBSERVE),
        ("dropbox.com", Decision.BLOCK), ("", Decision.BLOCK), ("cloud.chu-exemple.fr", Decision.OBSERVE),
    ):  # fmt: skip
        assert evaluate(compiled, synced(host)).decision is decision, host
    refused = evaluate(compiled, synced("dropbox.com"))
    assert dict(refused.message)["fr"].endswith("Utilisez le Nextcloud du CHU, votre messagerie MSSanté.")
    # elsewhere there is no host: a rule about hosts says nothing about sticks
    assert evaluate(compiled, synced("dropbox.com", ChannelKind.REMOVABLE)).rule == ""
    assert lint(compiled.policy, today="2026-11-22") == ()


def test_a_message_that_leaves_the_clinician_without_a_way_is_remarked() -> None:
    text = RECIPE.replace(b"Utilisez {approved}.", b"Non.").replace(b"Use {approved}.", b"No.")
    said = [str(remark.problem) for remark in lint(parse_policy(text, "p"), today="2026-11-22")]
    assert len(said) == 1
    assert "does not tell the clinician which destination is approved" in said[0]
    assert "write {approved} in the message" in said[0]


def test_officers_read_the_list_and_what_changes_in_it() -> None:
    policy = parse_policy(RECIPE, "23")
    (rule, hosts) = policy_sentences(policy, str)
    assert "not towards an approved host" in rule[1]
    assert hosts == (
        "hosts",
        "Approved destinations: cloud.chu-exemple.fr, *.hebergeur-exemple.fr, *.chu-exemple.mssante.fr.",
    )
    shorter = RECIPE.replace(b'  - {host: "*.hebergeur-exemple.fr", kind: hds}\n', b"")
    shorter = shorter.replace(b"  - {given: {action: sync, host: hds}, expect: observe, rule: none}\n", b"")
    languages = {"en": str, "fr": str}
    (added,) = plan(RECIPE, shorter, "23", languages, "en")["changes"]
    assert (added["rule"], added["before"], added["after"]) == ("hosts", "", "*.hebergeur-exemple.fr (hds)")
    assert added["milder"]  # documents may go where they could not
    (removed,) = plan(shorter, RECIPE, "23", languages, "en")["changes"]
    assert (removed["after"], removed["milder"]) == ("", False)


def test_the_order_of_the_list_is_told_where_it_changes_what_a_host_is() -> None:
    start, end = RECIPE.index(b"hosts:"), RECIPE.index(b"rules:")

    def listed(text: str) -> bytes:
        pairs = (each.split("=") for each in text.split())
        entries = "  - {host: m.fr, kind: mssante}\n" + "".join(
            f'  - {{host: "{host}", kind: {kind}, name: {{fr: "Nuage"}}}}\n' for host, kind in pairs
        )
        return RECIPE[:start] + b"hosts:\n" + entries.encode() + RECIPE[end:]

    def changes(old: str, new: str) -> list[tuple[str, str, str, bool]]:
        made = plan(listed(new), listed(old), "23", {"en": str, "fr": str}, "en")["changes"]
        return [(each["rule"], each["before"], each["after"], each["milder"]) for each in made]

    assert changes("a.x.fr=own *.x.fr=hds", "*.x.fr=hds a.x.fr=own") == [
        ("hosts", "a.x.fr (own)", "a.x.fr (hds)", True)
    ]
    assert changes("*.y.x.fr=own *.x.fr=hds", "*.x.fr=hds *.y.x.fr=own") == [
        ("hosts", "*.y.x.fr (own)", "*.y.x.fr (hds)", True)
    ]
    assert changes("a.x.fr=own *.x.fr=own b.fr=hds", "b.fr=hds *.x.fr=own a.x.fr=own") == []
    # a host below a pattern that stays is another kind without its entry
    assert changes("a.x.fr=own *.x.fr=hds b.fr=own", "*.x.fr=hds b.fr=own") == [
        ("hosts", "a.x.fr (own)", "a.x.fr (hds)", True)
    ]


def test_records_hold_no_host_so_a_back_test_assumes_both() -> None:
    policy = parse_policy(RECIPE, "23")
    facts, stick = synced(""), facts_from_words({"action": "copy"})
    decisions = [evaluate(new, facts).decision for _, new in assumptions(None, policy)]
    assert set(decisions) == {Decision.BLOCK, Decision.OBSERVE}
    assert {evaluate(new, stick).decision for _, new in assumptions(None, policy)} == {Decision.OBSERVE}
