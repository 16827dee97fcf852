"""What the agent holds about one person: counted in the real stores at the moment somebody asks.

Values only: words for stores, numbers, days; the edge makes sentences of them. Reads the stores that the agent owns,
changes none. A count that cannot be had is None, never a guess.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.actions.entry import HELD, TAKEN
from agent.actions.quarantine import KEEP_RESTORED_S, QuarantineStore
from agent.audit.holds import read_holds
from agent.audit.private import day_keys
from agent.config import AgentConfig
from agent.crypto.keys import KeyStore
from agent.daemon.notices import KEPT, Notices
from agent.daemon.reviewing.desk import ReviewDesk
from agent.errors import AuditError

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Stores:
    """What is counted."""

    config: AgentConfig
    desk: ReviewDesk
    quarantine: QuarantineStore
    keys: KeyStore
    notices: Notices
    ledger_size: Callable[[], int | None]
    patients: Callable[[], dict[str, Any] | None]
    sent: Callable[[], int | None]  # records that the collector has


def mine(stores: Stores, uid: int) -> dict[str, Any]:
    """One entry a store, for ``uid`` alone; the look is recorded. Raises AuditError, HostError."""
    reader = stores.desk.look(uid, "mine")
    return {
        "user": reader.user,
        "uid": uid,
        "stores": [
            _events(stores, reader.user), _names(stores, uid), _quarantine(stores, uid), _notices(stores, uid),
            _keys(stores, uid), _ledger(stores), _patients(stores), _collector(stores),
        ],
        "holds": _holds(stores),
    }  # fmt: skip


def _events(stores: Stores, user: str) -> dict[str, Any]:
    sums = stores.desk.timeline.days(user)
    days = [day for day, total in sums.items() if total.transfers]
    return {
        "store": "events", "count": sum(total.transfers for total in sums.values()),
        "acted": sum(total.acted for total in sums.values()), "oldest": min(days, default=""),
        "kept_days": stores.config.audit.event_days,
    }  # fmt: skip


def _names(stores: Stores, uid: int) -> dict[str, Any]:
    keys = [key for key in day_keys(stores.desk.log.folder) if key.owner == uid]
    return {
        "store": "names", "count": len({key.day for key in keys}),
        "oldest": _date(min((key.day for key in keys), default=None)), "kept_days": stores.config.audit.private_days,
        "names_for": stores.desk.policy.in_force.compiled.policy.names,
    }  # fmt: skip


def _date(day: int | None) -> str:
    import datetime as dt

    return "" if day is None else str(dt.date(1970, 1, 1) + dt.timedelta(days=day))


def _quarantine(stores: Stores, uid: int) -> dict[str, Any]:
    entries = stores.quarantine.list(uid)
    waiting = [entry for entry in entries if entry.state in {TAKEN, HELD}]
    return {
        "store": "quarantine", "count": len(waiting), "bytes": sum(entry.size for entry in entries),
        "copies": len(entries) - len(waiting), "oldest": min((entry.day for entry in entries), default=""),
        "kept_days": KEEP_RESTORED_S // _DAY_S,
    }  # fmt: skip


def _notices(stores: Stores, uid: int) -> dict[str, Any]:
    return {"store": "notices", "count": len(stores.notices.of(uid)), "most": KEPT}


def _keys(stores: Stores, uid: int) -> dict[str, Any]:
    state = next((each for each in stores.keys.states() if each.name == str(uid)), None)
    return {"store": "keys", "count": int(state is not None), "method": state.method if state is not None else ""}


def _ledger(stores: Stores) -> dict[str, Any]:
    return {"store": "ledger", "count": stores.ledger_size()}


def _patients(stores: Stores) -> dict[str, Any]:
    held = stores.patients()
    return {"store": "patients", "count": int(held["patients"]) if held else 0}


def _collector(stores: Stores) -> dict[str, Any]:
    url = stores.config.collector.url
    return {"store": "collector", "count": stores.sent(), "where": url}


def _holds(stores: Stores) -> list[dict[str, int]] | None:
    """The times that are kept for a case, without the case; None: cannot be read, and so nothing is removed."""
    try:
        return [{"since": hold.since, "until": hold.until} for hold in read_holds(stores.desk.log.folder)]
    except AuditError:
        return None


def ledger_size(path: Path) -> int | None:
    """How many keyed digests of files the cache of judgements holds; None: it cannot be read now."""
    with contextlib.suppress(sqlite3.Error, OSError):
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.5)
        try:
            return int(database.execute("SELECT count(*) FROM judged").fetchone()[0])
        finally:
            database.close()
    return None
