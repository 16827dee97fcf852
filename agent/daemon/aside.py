"""What may wait for ever is done on a thread that nobody waits for: looking into what a person's program has mounted.

Owns one thread a folder. While it waits, of what else is asked of that folder only the latest is kept, or threads would
heap up.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable

from agent.channels.folders import mount_table
from agent.channels.mounts import leads_to_person
from agent.errors import SermentError

Step = Callable[[], object]


def waits_for_program(root: bytes) -> bool:
    """Whether a person's own program stands before the folder: who opens it waits for that program."""
    return leads_to_person(mount_table(), root) is not None


class Aside:
    def __init__(self) -> None:
        self._next: dict[bytes, Step | None] = {}  # of each folder where a step is under way: what follows it
        self._lock = threading.Lock()

    def run(self, folder: bytes, step: Step) -> None:
        """Do it soon, behind the step that is under way in this folder. What fails is left for another time."""
        with self._lock:
            if folder in self._next:
                self._next[folder] = step
                return
            self._next[folder] = None
        try:
            threading.Thread(target=self._do, args=(folder, step), name="aside", daemon=True).start()
        except RuntimeError:  # no thread to be had
            with self._lock:
                del self._next[folder]

    def _do(self, folder: bytes, first: Step) -> None:
        step: Step | None = first
        while step is not None:
            with contextlib.suppress(OSError, SermentError, sqlite3.Error):
                step()
            with self._lock:
                step, self._next[folder] = self._next[folder], None
                if step is None:
                    del self._next[folder]
