"""What a rollout is judged by, from what laptops reported and recorded. Numbers only; bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select

from agent.fleet.release import Release, Rollout
from collector.store.base import Store
from collector.store.tables import events
from collector.sync.routes import parse_report
from collector.tuf.rollout import Figures

MAX_FACTS = 200_000
WINDOW_S = 24 * 3600
OVERRIDES = ("release", "emergency")
"""Kinds of records that tell that a person went on in spite of the policy."""


def gather(store: Store, release: Release, rollout: Rollout, now: int) -> Figures:
    """The figures of ``release`` since its ring began, at most of a day."""
    names = {path.rpartition("/")[2][:12] for path in release.policies.values()}
    figures = Figures()
    since = max(rollout.since, now - WINDOW_S) * 1_000_000
    for number, fact in enumerate(store.facts(since, (now + WINDOW_S) * 1_000_000)):
        if number >= MAX_FACTS:
            break
        _count(figures, fact.fields, new=fact.fields.get("release") in names)
    figures.overridden = _overrides(store, since, on_release(store, release.number, figures))
    return figures


def _count(figures: Figures, fields: Mapping[str, Any], *, new: bool) -> None:
    blocked = fields.get("decision") == "block"
    if new:
        figures.transfers += 1
        figures.blocked += blocked
    else:
        figures.before_transfers += 1
        figures.before_blocked += blocked


def on_release(store: Store, number: int, figures: Figures) -> set[str]:
    """The laptops that have ``number`` in force; those and the ones that refused it are counted."""
    found = set()
    for reported in store.reports():
        policy = parse_report(reported.report).get("policy")
        if not isinstance(policy, dict):
            continue
        if policy.get("number") == number and policy.get("state") != "refused":
            found.add(reported.device)
        elif policy.get("refused") == number:
            figures.rejected += 1
    figures.laptops = len(found) + figures.rejected
    return found


def _overrides(store: Store, since_us: int, devices: set[str]) -> int:
    from collector.store.tables import laptops

    query = (
        select(laptops.c.device, func.count())
        .join(laptops, laptops.c.id == events.c.device)
        .where(events.c.t >= since_us, events.c.kind.in_(OVERRIDES))
        .group_by(laptops.c.device)
    )
    with store.engine.connect() as connection:
        return sum(count for device, count in connection.execute(query) if device in devices)


def as_text(figures: Figures) -> str:
    """For the journal."""
    return msgspec.json.encode({name: getattr(figures, name) for name in Figures.__slots__}).decode()
