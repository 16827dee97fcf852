"""Rings: when a release may go on to the next, and when it holds by itself. Pure.

Only among what the approvers signed: a next ring after its hours, a hold, a step back to the release they named.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from agent.fleet.release import PERMILLE, Release, Rollout

LEAST_TRANSFERS = 20
LEAST_LAPTOPS = 1
_HOUR_S = 3600


@dataclass(slots=True)
class Figures:
    """What was seen of one release since it began, and of the others meanwhile. ``rejected`` of ``laptops`` refused
    it; ``unverified`` could not verify what is published since it is there, ``verified`` could.
    """

    transfers: int = 0
    blocked: int = 0
    overridden: int = 0
    before_transfers: int = 0
    before_blocked: int = 0
    laptops: int = 0
    rejected: int = 0
    verified: int = 0
    unverified: int = 0


def first(release: Release, now: int, previous: int) -> Rollout:
    """A release begins: in its first ring, or everywhere when it is urgent."""
    permille = PERMILLE if release.urgent else release.rings[0].until_permille
    return Rollout(release.number, previous, permille, now)


def following(rollout: Rollout, release: Release, now: int) -> Rollout | None:
    """The rollout in the next ring, when this one has had its hours; None: it stays as it is."""
    if rollout.held or rollout.permille >= PERMILLE:
        return None
    for ring, after in zip(release.rings, release.rings[1:], strict=False):
        if ring.until_permille == rollout.permille and now >= rollout.since + ring.hold_h * _HOUR_S:
            return msgspec.structs.replace(rollout, permille=after.until_permille, since=now)
    return None


def alarm(figures: Figures, release: Release, known: Figures | None = None) -> str:
    """Why the release must hold: overrides, blocks, rejected, unverified; "" when nothing jumps.

    ``known``: what was seen when a person let it go on; those laptops' refusals were looked at.
    """
    limits, before = release.halt_if, known or Figures()
    if _jumps(figures.rejected - before.rejected, figures.laptops, limits.reject_percent):
        return "rejected"
    if _jumps(figures.unverified - before.unverified, figures.verified + figures.unverified, limits.reject_percent):
        return "unverified"
    if figures.transfers < LEAST_TRANSFERS:
        return ""
    if 100 * figures.overridden > limits.override_percent * figures.transfers:
        return "overrides"
    if figures.before_transfers >= LEAST_TRANSFERS:
        share = figures.blocked / figures.transfers
        earlier = max(figures.before_blocked, 1) / figures.before_transfers
        if share > limits.block_times * earlier:
            return "blocks"
    return ""


def _jumps(refusing: int, laptops: int, percent: float) -> bool:
    return refusing >= LEAST_LAPTOPS and 100 * refusing > percent * laptops


def held(rollout: Rollout, why: str) -> Rollout:
    """The rollout as it stays until somebody decides."""
    return msgspec.structs.replace(rollout, held=True, why=why[:200])


def resumed(rollout: Rollout, now: int) -> Rollout:
    """It goes on; the present ring begins anew."""
    return msgspec.structs.replace(rollout, held=False, why="", since=now)
