"""What officers sign for a fleet, as values: releases, how far one has come, loosening in an emergency. Pure.

The bytes come from files that the signed repository vouches for, and are read strictly all the same: a member that
this version does not know refuses the document, never a part of it. docs/formats/policy-push.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TypeVar

import msgspec

from agent.errors import N_, PolicyError

FORMAT = 1
MAX_DOCUMENT = 256 << 10
MAX_POLICY = 1 << 20
MAX_BUNDLE = 16 << 20
BUNDLE = "policy.bundle"
"""Where the process that syncs puts what it fetched, in the fleet's folder."""
MAX_RINGS = 20
PERMILLE = 1000
LOOSE_S = 72 * 3600
"""The longest that an emergency may loosen a rule, in seconds."""
ROLLOUT = "rollout.json"
EMERGENCY = "emergency/current.json"
OFFLINE = "offline/release.json"
_HOUR_S = 3600
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")
_ENTRY = re.compile(r"(policies|offline)/[0-9a-f]{64}\.yaml")
_Read = TypeVar("_Read")


class Ring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Laptops whose bucket is below ``until_permille``; the next ring follows ``hold_h`` hours later at the soonest."""

    until_permille: int
    hold_h: int = 0


class HaltIf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a rollout holds by itself. Percentages of transfers and of laptops, and how many times the blocks before."""

    override_percent: float = 5.0
    block_times: float = 3.0
    reject_percent: float = 0.5


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the approvers signed: for each group its policy ("" is everybody else's), and how it may come.

    ``back_to`` is the release that a rollout may step back to (0: none), ``urgent`` means no rings and no waiting.
    """

    number: int
    policies: dict[str, str]
    made: int
    salt: str
    rings: tuple[Ring, ...] = (Ring(PERMILLE),)
    halt_if: HaltIf = HaltIf()
    back_to: int = 0
    urgent: bool = False
    max_age_days: int = 90
    format: int = FORMAT


class Rollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a release has come; the collector's own word, which picks among what the approvers signed."""

    release: int
    previous: int = 0
    permille: int = PERMILLE
    since: int = 0
    held: bool = False
    why: str = ""
    format: int = FORMAT


class Emergency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules that only observe from ``begin`` to ``until`` (seconds since 1970 UTC, at most 72 hours)."""

    rules: tuple[str, ...]
    begin: int
    until: int
    by: str
    why: str
    format: int = FORMAT

    def holds(self, now: int) -> bool:
        """Whether it counts at ``now``."""
        return self.begin <= now < self.until


def read_release(untrusted: bytes) -> Release:
    """A release. Raises PolicyError."""
    found = _read(untrusted, Release)
    edges = [ring.until_permille for ring in found.rings]
    good = (
        found.number > 0 and 0 <= found.back_to < found.number and 0 < found.max_age_days <= 3650
        and 0 < len(edges) <= MAX_RINGS and edges == sorted(set(edges)) and edges[0] > 0 and edges[-1] == PERMILLE
        and all(0 <= ring.hold_h <= 24 * 90 for ring in found.rings) and 8 <= len(found.salt) <= 64
        and "" in found.policies and all(_ENTRY.fullmatch(path) for path in found.policies.values())
        and all(not group or _NAME.fullmatch(group) for group in found.policies)
    )  # fmt: skip
    if not good:
        raise malformed()
    return found


def read_rollout(untrusted: bytes) -> Rollout:
    """The state of the rollout. Raises PolicyError."""
    found = _read(untrusted, Rollout)
    if found.release < 1 or found.previous < 0 or not 0 <= found.permille <= PERMILLE:
        raise malformed()
    return found


def read_emergency(untrusted: bytes) -> Emergency:
    """What is loosened. Raises PolicyError: longer than 72 hours, nobody answers for it, no reason."""
    found = _read(untrusted, Emergency)
    if not 0 < found.until - found.begin <= LOOSE_S:
        raise refused("too-long", N_("an emergency may loosen rules for 72 hours at most"))
    if not found.by.strip() or not found.why.strip() or len(found.rules) > 1000 or len(found.by + found.why) > 1000:
        raise malformed()
    return found


def read_assigned(untrusted: bytes, device: str) -> str | None:
    """The group that ``device`` is assigned to; None: the list does not say. Raises PolicyError."""
    group = _read(untrusted, dict[str, str]).get(device)
    if group is not None and group and not _NAME.fullmatch(group):
        raise malformed()
    return group


def assigned_path(device: str) -> str:
    """The file that says to which group ``device`` belongs."""
    return f"assign/{sha256(device.encode()).hexdigest()[:2]}.json"


def bucket(device: str, salt: str) -> int:
    """Where a laptop stands in a rollout: 0 to 999, another place with each salt."""
    return int.from_bytes(sha256(f"{device}\n{salt}".encode()).digest()[:8], "big") % PERMILLE


def waited(release: Release, place: int, seen: int, now: int) -> bool:
    """Whether the rings before that of ``place`` have had their hours since ``seen`` (when this laptop first saw it).

    The laptop counts for itself, so that a collector cannot hurry a release.
    """
    hours = 0
    for ring in release.rings:
        if place < ring.until_permille:
            break
        hours += ring.hold_h
    return now >= seen + hours * _HOUR_S


def choose(rollout: Rollout, release: Release, device: str, active: int, seen: Mapping[int, int], now: int) -> int:
    """The number of the release that this laptop follows now; 0: it stays with what it has."""
    place = bucket(device, release.salt)
    first = seen.get(release.number, now)
    back = release.number < active  # to what the approvers named; nobody waits with what does harm
    at_once = release.urgent or back or not active
    come = place < rollout.permille and (at_once or waited(release, place, first, now))
    if come or active == release.number or not (active or rollout.previous):
        return release.number
    return 0 if active else rollout.previous


def refused(word: str, message: str, role: str = "") -> PolicyError:
    """A release that does not come into force. ``word`` is stable and goes into the report."""
    return PolicyError(
        message, hint=N_("the policy before stays in force; tell the security officer"),
        file="", line=0, rule="", expected="", found="", word=word, role=role,
    )  # fmt: skip


def malformed() -> PolicyError:
    """Signed, and still not what it should be."""
    return refused("malformed", N_("a signed document of the policy is not understood by this version"))


def _read(untrusted: bytes, kind: type[_Read]) -> _Read:
    try:
        if len(untrusted) > MAX_DOCUMENT:
            raise malformed()
        found = msgspec.json.decode(untrusted, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed() from error
    if getattr(found, "format", FORMAT) != FORMAT:
        raise malformed()
    return found
