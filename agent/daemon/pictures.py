"""Whether pictures and scans are read on this laptop, and the second look where they are.

The reader of pictures is an optional extra: without it every picture stays undecidable, the ledger keeps what is owed,
and ``status`` and ``doctor`` say so. Once it is installed, the next start reads what was owed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from agent.daemon.awaited_pictures import AwaitedPictures
from agent.daemon.event_queue import EventQueue
from agent.daemon.ledger import Owed
from agent.daemon.operations import Operations
from agent.daemon.pipeline import Pipeline
from agent.daemon.second_look import Reader, SecondLook, Surroundings
from agent.daemon.troubles import Troubles
from agent.errors import N_
from agent.extraction.client import WorkerPool
from agent.extraction.pixels import missing
from agent.model import FileEvent


class State(StrEnum):
    """What ``serment status`` says of pictures."""

    READ = "read"
    NOT_INSTALLED = "not-installed"
    OFF = "off"


def reader_of_pictures(run_as: tuple[int, int] | None) -> Reader:
    """The pool that reads pictures, as ``run_as`` (uid, gid)."""
    from agent.extraction.client import image_pool

    return image_pool(run_as=run_as)


class Pictures:
    """``start`` once the pipeline is there; ``want`` and ``status`` at any time."""

    def __init__(self, *, enabled: bool, run_as: tuple[int, int] | None) -> None:
        self._reason = missing() if enabled else N_("switched off in agent.toml")
        self._state = State.READ if not self._reason else State.NOT_INSTALLED if enabled else State.OFF
        self._reader = None if self._reason else reader_of_pictures(run_as)
        self._run_as = run_as
        self._look: SecondLook | None = None
        self.awaited = AwaitedPictures()

    def another_reader(self) -> Callable[[], Reader] | None:
        """What makes one more reader, for documents that are held; None when no pictures are read here."""
        return None if self._reason else lambda: reader_of_pictures(self._run_as)

    def start(
        self,
        pipeline: Pipeline,
        queue: EventQueue,
        troubles: Troubles,
        operations: Operations,
        rescan: Callable[[], None],
    ) -> None:
        """Begin to read what is owed; nothing when pictures are not read here."""
        if self._reader is not None:
            surroundings = Surroundings(self._reader, queue, troubles, operations, rescan, self.awaited.learn)
            self._look = SecondLook(pipeline, surroundings)
            self._look.start()

    def want(self, event: FileEvent, owed: Owed) -> None:
        """A second look is owed to this file. Never blocks."""
        if self._look is not None:
            self._look.want(event, owed)

    def lend(self, files: tuple[Path, ...]) -> None:
        """The practice's patient list, for the reader of pictures too."""
        if isinstance(self._reader, WorkerPool):
            self._reader.lend(files)

    def status(self) -> dict[str, Any]:
        """``state`` (read, not-installed, off) and why, a catalogue key; documents that wait, and ``read`` so far."""
        counts = self._look.counts() if self._look is not None else {"waiting": 0, "read": 0}
        return {"state": str(self._state), "reason": self._reason, **counts}

    def close(self) -> None:
        """What is not read by now stays owed. Closing twice is closing once."""
        if self._look is not None:
            self._look.close()
