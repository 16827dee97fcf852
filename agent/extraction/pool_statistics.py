"""What a pool of workers tells about itself; pure values."""

from __future__ import annotations

from dataclasses import dataclass

from agent.extraction import wire


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """Counts since the pool was made, and what is there now."""

    started: int  # workers
    killed: int  # at a hard limit
    died: int  # crashed, or answered nonsense
    retried: int  # documents asked a second time
    served: int  # answers
    pids: tuple[int, ...]
    report: wire.Report | None  # of the worker started last; None: none was started yet
