"""The laptops of a fleet as a command or a page lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select

from collector.store.tables import laptops


def members(engine: Engine) -> Iterator[dict[str, Any]]:
    """Each laptop, the last seen first; times are seconds since 1970 UTC, null for never."""
    _l = laptops.c
    query = select(
        _l.device, _l.group_name, _l.last_seen, _l.size, _l.skew_ms, _l.enrolled_at, _l.certified_until, _l.denied_at,
        _l.denied_why, _l.next_at,
    ).order_by(_l.last_seen.desc(), _l.device)  # fmt: skip
    with engine.connect() as connection:
        for row in connection.execute(query):
            yield {
                "laptop": row.device, "group": row.group_name, "last_seen": row.last_seen, "records": row.size,
                "skew_ms": row.skew_ms, "enrolled_at": row.enrolled_at, "certified_until": row.certified_until,
                "denied": row.denied_at is not None, "why": row.denied_why, "next_at": row.next_at,
            }  # fmt: skip
