"""``serment status --json``: what is guarded, how strongly, under which policy, what is wrong: a contract.

A person sees the own places and those that are nobody's; the names of other people's folders and sticks are theirs.
The administrator (root, or who the agent runs as) sees all.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from agent.actions.entry import HELD, TAKEN
from agent.channels.base import Trouble
from agent.daemon.control import error_reply
from agent.errors import N_, PolicyError
from agent.model import ChannelKind, Place, Strength

if TYPE_CHECKING:
    from agent.daemon.main import Agent

_WAITING = {
    ChannelKind.REMOVABLE: N_("no removable volume is plugged in; one will be guarded as soon as it is"),
    ChannelKind.CLOUD_SYNC: N_("no cloud-sync folder was found; add it to agent.toml if there is one"),
    ChannelKind.DOWNLOADS: N_("no download folder was found; add it to agent.toml if there is one"),
}


def build_status(agent: Agent, uid: int, *, ready: bool, since: float) -> dict[str, Any]:
    """The state as ``uid`` may see it. Reasons and troubles are catalogue keys; the edge translates them."""
    policy = agent.policy.in_force
    return {
        "ready": ready,
        "since": since,
        "device": agent.identity.device_id,
        "pid": os.getpid(),
        "root": os.getuid() == 0,
        "channels": _channels(agent, uid),
        "policy": {
            "name": policy.compiled.policy.name,
            "release": policy.compiled.policy.release,
            "source": policy.source,
            "refused": str(agent.policy.refused) if agent.policy.refused else None,
            "refusal": _refusal(agent.policy.refused),
            "pushed": agent.pushed.status(),
        },
        "troubles": _troubles(agent, uid),
        "queue": agent.queue.depth(),
        "counts": dict(agent.pipeline.counts),
        "workers": asdict(agent.pool.statistics()),
        "gate": agent.gates.gate.status(),
        "pictures": agent.pictures.status(),
        "patients": agent.patients.summary(),
        "audit": {
            "folder": str(agent.config.data_dir / "audit"),
            "records": agent.log.size,
            "acknowledged": agent.sync.acknowledged() if agent.sync else None,
        },
        "collector": {
            "url": agent.sync_url,
            "token_file": str(agent.collector.token_file) if agent.collector else None,
            "fleet": agent.sync is not None and agent.sync.of_fleet,
            "bell": agent.sync.reachable if agent.sync else False,
        },
        "held": _held(agent, uid),
    }


def _refusal(refused: PolicyError | None) -> dict[str, Any] | None:
    """Why the policy file is not in force, as keys and fields: file, line, rule, expected, found."""
    return {**error_reply(refused), "where": refused.where} if refused is not None else None


def _held(agent: Agent, uid: int) -> int:
    """How many documents wait for their owner; those given back are kept a while and do not count."""
    entries = agent.store.list(None if _administrator(uid) else uid)
    return sum(1 for entry in entries if entry.state in {TAKEN, HELD})


def _administrator(uid: int) -> bool:
    return uid in {0, os.getuid()}


def may_see(uid: int, place: Place) -> bool:
    """Whether ``uid`` may know that this place exists: its path names a person, a service, a volume."""
    return _administrator(uid) or place.owner in {0, uid}


def _channels(agent: Agent, uid: int) -> list[dict[str, Any]]:
    sections = {
        ChannelKind.REMOVABLE: agent.config.channels.removable.enabled,
        ChannelKind.CLOUD_SYNC: agent.config.channels.cloud_sync.enabled,
        ChannelKind.DOWNLOADS: agent.config.channels.downloads.enabled,
    }
    places = [place for place in agent.guard.places() if may_see(uid, place)]
    holds = agent.gates.holds()
    listed = [_place(place) | ({"holds": holds[place.root]} if place.root in holds else {}) for place in places]
    for kind, enabled in sections.items():
        if not enabled:
            listed.append(_empty(kind, Strength.OFF, N_("switched off in agent.toml")))
        elif not any(place.channel is kind for place in places):
            listed.append(_empty(kind, Strength.AFTER_WRITE, _WAITING[kind]))
    return listed


def _place(place: Place) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "channel": str(place.channel),
        "path": os.fsdecode(place.root),
        "strength": str(place.strength),
        "mechanism": place.mechanism,
        "reason": place.reason,
        "service": place.service,
    }
    if place.device is not None:
        entry["device"] = {
            "vendor": place.device.vendor,
            "product": place.device.product,
            "filesystem": place.device.filesystem,
            "read_only": place.device.read_only,
        }
    return entry


def _empty(kind: ChannelKind, strength: Strength, reason: str) -> dict[str, Any]:
    return {"channel": str(kind), "path": None, "strength": str(strength), "mechanism": "watch", "reason": reason}


def _troubles(agent: Agent, uid: int) -> list[dict[str, Any]]:
    own = [
        {
            "word": trouble.word,
            "severity": trouble.severity,
            "message": trouble.message,
            "hint": trouble.hint,
            "fields": dict(trouble.fields),
        }
        for trouble in agent.troubles.standing()
    ]
    seen = [trouble for place, trouble in agent.watcher.troubles() if may_see(uid, place)]
    found = [
        {"word": t.word, "severity": "weaker", "message": t.message, "hint": t.hint, "fields": _shown(t, uid)}
        for t in (*agent.guard.troubles(), *seen)
    ]
    return own + found


def _shown(trouble: Trouble, uid: int) -> dict[str, str]:
    """The fields of its sentence; the path of a configured folder may lie in somebody else's home."""
    return {key: value if key != "path" or _administrator(uid) else "…" for key, value in trouble.fields}
