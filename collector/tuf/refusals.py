"""Which laptops refuse what is published, and why: for the officers, from what laptops reported. Hostile values."""

from __future__ import annotations

from typing import NamedTuple

from agent.errors import N_
from collector.store.base import Store

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
    return [Refusal(*each, REASONS.get(each.why, each.why)) for each in store.refused(MOST)]
