"""In which state a volume behind an airlock is, and what every airlock is wired to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.channels import mounts
from agent.channels.mounts import Mount
from agent.daemon.holds import GateServer
from agent.daemon.operations import Operations
from agent.gates.takeover.process import Fork, Trace, Traces


class State(StrEnum):
    ARMING = "arming"
    HOLDING = "holding"
    READ_ONLY = "read-only"
    FAILED = "failed"
    LEAVING = "leaving"
    GONE = "gone"


class End(StrEnum):
    """What becomes of a volume when its agent ends. In all cases nothing is open that was closed."""

    LEAVE = "leave"  # its airlock goes on alone until the next agent
    CLOSE = "close"  # its airlock ends, and it is read-only until the next agent
    HAND_BACK = "hand-back"  # ... and it is as it was before us


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every airlock is wired to. ``changed`` is told after each change of state; it must not block."""

    server: GateServer
    traces: Traces
    staging: Path
    source: bytes  # of our mounts in the mount table: which agent's they are
    arguments: Sequence[str]  # besides descriptors, token and mount point
    operations: Operations
    died: Callable[[], None]
    changed: Callable[[], None]
    canary: bytes  # what a trial file holds: it must be refused
    proven: Callable[[], None]  # told after each trial; it must not block
    command: Sequence[str] = ()  # in the place of the module, for tests
    fork: Fork | None = None  # makes an airlock's process without starting a program
    mountinfo: str = "/proc/self/mountinfo"
    watched: Callable[[int, Trace], None] = lambda _pidfd, _trace: None  # an airlock that serves from now on

    def table(self) -> tuple[Mount, ...]:
        """The mount table now."""
        with open(self.mountinfo, "rb") as file:
            return mounts.parse(file.read(4 << 20))
