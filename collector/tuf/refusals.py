"""Which laptops refuse what is published, and why: for the officers, from what laptops reported. Hostile values."""

from __future__ import annotations

from typing import NamedTuple

from agent.errors import N_
from agent.fleet.refusal_words import REASONS
from collector.store.base import Store

MOST = 200
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
