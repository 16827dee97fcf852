"""Days as a person writes them on the command line, in this machine's own time."""

from __future__ import annotations

import datetime as dt

from agent.errors import N_, UsageError


def beginning_of(text: str, later: int = 0) -> int:
    """When a day (ISO) begins here, ``later`` days on: microseconds since 1970 UTC. Raises UsageError: it is none."""
    try:
        day = dt.date.fromisoformat(text) + dt.timedelta(days=later)
        return int(dt.datetime.combine(day, dt.time()).astimezone().timestamp()) * 1_000_000
    except (ValueError, OverflowError) as error:
        raise UsageError(N_("a day is written 2026-11-22, not {found}"), found=repr(text)) from error
