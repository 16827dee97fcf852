"""A plan of a policy with its back-test over stored facts. Reads the store, decides nothing, keeps nothing.

The engine is ``agent.policy.replay``, the same that a laptop runs over its own log; page and route call ``plan``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from agent.audit import record
from agent.errors import UntrustedInputError
from agent.policy.parser import parse_policy
from agent.policy.plan import Translate
from agent.policy.plan import plan as changes
from agent.policy.replay import Backtest
from collector.store.base import Store
from collector.store.tables import events, laptops

MAX_DAYS = 92
DEFAULT_DAYS = 30
FETCH = 2000
_DAY_US = 86_400_000_000


def plan(
    store: Store, new: bytes, old: bytes | None, now_us: int, days: int, translates: Mapping[str, Translate],
    language: str,
) -> dict[str, Any]:  # fmt: skip
    """What ``new`` changes, and would have changed in the last ``days``. Raises PolicyError.

    ``old`` None: against what laptops really decided then. ``now_us``: microseconds since 1970 UTC.
    """
    made = changes(new, old, "policy", translates, language)
    test = Backtest(None if old is None else parse_policy(old, "policy"), parse_policy(new, "policy"))
    for laptop, group, fields in _transfers(store, now_us - min(days, MAX_DAYS) * _DAY_US, now_us):
        if not test.add(laptop, group, fields):
            break
    return made | {"days": min(days, MAX_DAYS), "backtest": test.result()}


def _transfers(store: Store, since_us: int, until_us: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """As ``store.facts``, without the outcomes: what was done does not matter here, and to find it takes long."""
    query = (
        select(laptops.c.device, laptops.c.group_name, events.c.public)
        .join(laptops, laptops.c.id == events.c.device)
        .where(events.c.t >= since_us, events.c.t < until_us, events.c.kind == "transfer")
    )
    with store.engine.connect().execution_options(yield_per=FETCH) as connection:
        for row in connection.execute(query):
            with contextlib.suppress(UntrustedInputError):
                yield row.device, row.group_name, record.decode(row.public)
