"""A laptop that is lost: nothing of it is taken any more, whatever certificate it shows. It is looked at in each
request.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine, update

from agent.errors import N_, UsageError
from collector.journal import note
from collector.store.tables import laptops
from collector.store.writing import writing

MAX_WHY = 200


class _Act(NamedTuple):
    by: str
    what: str
    why: str


def deny(engine: Engine, device: str, why: str, now: int, by: str) -> None:
    """Deny a laptop, from its next request on. Raises UsageError: there is none, or it is denied already."""
    values: dict[str, object] = {"denied_at": now, "denied_why": why[:MAX_WHY]}
    _change(engine, device, values, _Act(by, "laptop.denied", why), denied=False)


def readmit(engine: Engine, device: str, why: str, by: str) -> None:
    """Let a laptop in again that was denied. Raises UsageError: there is none that is denied."""
    values: dict[str, object] = {"denied_at": None, "denied_why": ""}
    _change(engine, device, values, _Act(by, "laptop.readmitted", why), denied=True)


def _change(engine: Engine, device: str, values: dict[str, object], act: _Act, *, denied: bool) -> None:
    condition = laptops.c.denied_at.is_not(None) if denied else laptops.c.denied_at.is_(None)
    with writing(engine) as connection:
        done = connection.execute(
            update(laptops).where(laptops.c.device == device, condition).values(**values, version=laptops.c.version + 1)
        )
        if done.rowcount != 1:
            raise UsageError(
                N_("there is no such laptop, or that is how it is already"), where=device,
                hint=N_("see: serment-collector fleet list"),
            )  # fmt: skip
        note(connection, act.by, act.what, {"laptop": device, "why": act.why[:MAX_WHY]})
