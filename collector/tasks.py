"""What is done by the clock beside the requests: each task in a thread, one run at a time, a failure told and tried
again.

With several collectors on one database each runs its tasks; what only one may do asks ``Store.exclusive``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_log = logging.getLogger("serment.collector")


@dataclass(frozen=True, slots=True)
class Task:
    """``run`` is called every ``every_s`` seconds, the first time ``first_s`` after the start. It may take its time."""

    name: str
    every_s: float
    run: Callable[[], object]
    first_s: float = 5.0


async def run_all(tasks: Sequence[Task]) -> None:
    """Run them until cancelled."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_repeat(task), name=task.name)


async def _repeat(task: Task) -> None:
    await asyncio.sleep(task.first_s)
    while True:
        with contextlib.suppress(asyncio.TimeoutError):
            try:
                await asyncio.to_thread(task.run)
            except Exception as error:  # one that ended would end the others with it, and nobody would know
                _log.warning("task %s: %s", task.name, type(error).__name__)
        await asyncio.sleep(task.every_s)
