"""What a rollout is judged by, from what laptops reported and recorded. Numbers only; bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select

from agent.fleet.release import Release, Rollout
from collector.report import parse_report
from collector.store.base import Store
from collector.store.tables import acts, events
from collector.tuf.rollout import Figures

MAX_FACTS = 200_000
MAX_ACTS = 50
WINDOW_S = 24 * 3600
OVERRIDES = ("release", "emergency")
"""Kinds of records that tell that a person went on in spite of the policy."""
BEGAN, RESUMED = "rollout.began", "rollout.resumed"
NOT_THE_RELEASE = frozenset({"expired"})
"""Why a laptop cannot verify what is published, when no release is the cause: a clock, or news that is held back."""


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
    """The laptops that have ``number`` in force; those and the ones that refused it are counted, and whoever can or
    cannot verify what is published since.
    """
    found = set()
    began = last_act(store, BEGAN, number).get("timestamp")
    for reported in store.reports():
        report = parse_report(reported.report)
        if isinstance(began, int) and began > 0:
            _count_verified(figures, report, began)
        policy = report.get("policy")
        if not isinstance(policy, dict):
            continue
        if policy.get("number") == number and policy.get("state") != "refused":
            found.add(reported.device)
        elif policy.get("refused") == number:
            figures.rejected += 1
    figures.laptops = len(found) + figures.rejected
    return found


def _count_verified(figures: Figures, report: Mapping[str, Any], began: int) -> None:
    """``began``: the timestamp that told of the release first. Who failed before that fails for another reason."""
    verified, since = (_number(report.get(name)) for name in ("tuf", "tuf_refused_from"))
    why = _word(report.get("tuf_refused"))
    if verified >= began:  # by the process that fetches; the agent looks again, with its own trust and its own schema
        policy = report.get("policy")
        again = policy if isinstance(policy, dict) and not _number(policy.get("refused")) else {}
        if _is_against(_word(again.get("why"))):
            figures.unverified += 1
        else:
            figures.verified += 1
    elif since >= began and _is_against(why):
        figures.unverified += 1


def _is_against(why: str) -> bool:
    return bool(why) and why not in NOT_THE_RELEASE


def _word(untrusted: object) -> str:
    return untrusted if isinstance(untrusted, str) else ""


def _number(untrusted: object) -> int:
    return untrusted if isinstance(untrusted, int) and not isinstance(untrusted, bool) else 0


def last_act(store: Store, what: str, release: int) -> Mapping[str, Any]:
    """What was noted with the last act of this kind that is about ``release``; {} when there was none."""
    query = select(acts.c.fields).where(acts.c.what == what).order_by(acts.c.id.desc()).limit(MAX_ACTS)
    with store.engine.connect() as connection:
        for fields in connection.execute(query).scalars():
            found: dict[str, Any] = msgspec.json.decode(fields)
            if found.get("release") == release:
                return found
    return {}


def when_resumed(store: Store, release: int) -> Figures:
    """What refused the release when a person let it go on."""
    said = last_act(store, RESUMED, release)
    return Figures(rejected=_number(said.get("rejected")), unverified=_number(said.get("unverified")))


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
