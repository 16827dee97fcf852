"""Which laptops refuse what is published, and why: for the officers, from what laptops reported. Hostile values."""

from __future__ import annotations

from typing import Any, NamedTuple

from agent.errors import N_
from collector.store.base import Store
from collector.sync.routes import parse_report

MOST = 200
REASONS = {
    "rollback": N_("an older state of the policy than before was brought"),
    "expired": N_("the policy's repository has expired: it was not renewed in time"),
    "signature": N_("the policy is not signed by enough of those who may sign it"),
    "mix": N_("files of the policy do not belong together"),
    "fork": N_("two different states of the policy carry the same number"),
    "missing": N_("a file of the policy's repository is missing"),
    "root": N_("who may sign the policy is not vouched for by the collector's authority"),
    "malformed": N_("the policy's repository is not understood"),
    "too-large": N_("a signed file of the policy is too large"),
    "too-long": N_("an emergency may loosen rules for 72 hours at most"),
    "check-failed": N_("the policy could not be checked"),
    "policy": N_("the policy does not pass this laptop's checks"),
}
"""What a laptop's word means, as a catalogue key."""


HELD = {
    "rejected": N_("laptops got this release and refuse it"),
    "unverified": N_("laptops cannot verify what is published since this release"),
    "overrides": N_("people go on in spite of this release more often than it allows"),
    "blocks": N_("this release refuses many more documents than the ones before it"),
}
"""Why a release was held by itself (``rollout.alarm``), as a catalogue key."""


class Refusal(NamedTuple):
    """``number`` is the release that was refused, 0 when it was not got so far. ``reason`` is a catalogue key, or the
    word itself where it is none of ours.
    """

    device: str
    group: str
    why: str
    number: int
    reason: str


def refusals(store: Store) -> list[Refusal]:
    """At most ``MOST``, in the order of the store."""
    found: list[Refusal] = []
    for reported in store.reports():
        report = parse_report(reported.report)
        if (said := _said(report)) and len(found) < MOST:
            why, number = said
            found.append(Refusal(reported.device, reported.group, why, number, REASONS.get(why, why)))
    return found


def _said(report: Any) -> tuple[str, int] | None:
    """What was fetched and not taken; else what was got, and is not in force."""
    why, policy = report.get("tuf_refused"), report.get("policy")
    if why:
        return _word(why), 0
    if not isinstance(policy, dict) or not policy.get("why"):
        return None
    number = policy.get("refused")
    return _word(policy["why"]), number if isinstance(number, int) and not isinstance(number, bool) else 0


def _word(untrusted: object) -> str:
    """A word of a laptop as a terminal may show it."""
    word = untrusted[:32] if isinstance(untrusted, str) else ""
    return word if word and word.isascii() and word.isprintable() else "?"
