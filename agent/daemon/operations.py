"""The operational log: what the agent does, for whoever runs it. Words and numbers, never a document's name or text.

loguru writes it, in a process of its own (``operations_writer``) that is there while there is something to write: it
brings asyncio and TLS along, four megabytes that the resident agent has no use for. Notes taken before ``open`` wait in
memory, and so do those for which there is no writer; the oldest go first. Nobody who takes a note waits for the disk.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

Field = str | int | float | bool | None
_WAITING = 1000
_LINGER_S = 5.0  # without a note: then the writer ends
_LAST_S = 5.0  # at the end, for what is still to be written
_COMMAND = (sys.executable, "-I", "-m", "agent.daemon.operations_writer")


class Operations:
    """``note("place.armed", channel="downloads")``: a stable word and fields that name no document. Any thread."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=_WAITING)
        self._file: Path | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._news = threading.Condition()

    def note(self, word: str, **fields: Field) -> None:
        self._take("INFO", word, fields)

    def warn(self, word: str, **fields: Field) -> None:
        self._take("WARNING", word, fields)

    def open(self, file: Path) -> None:
        """Start writing to ``file``."""
        with self._news:
            self._file = file
            self._closed = False
            self._see_to_it()

    def close(self) -> None:
        """What was noted is given to the writer, which ends; later notes wait for another ``open``."""
        with self._news:
            self._closed, thread = True, self._thread
            self._news.notify()
        if thread is not None:
            thread.join(_LAST_S)

    def _take(self, level: str, word: str, fields: dict[str, Field]) -> None:
        line = json.dumps([time.time(), level, word, fields]).encode("ascii") + b"\n"
        with self._news:
            self._waiting.append(line)
            self._see_to_it()

    def _see_to_it(self) -> None:
        """Somebody writes; the lock is held."""
        if self._file is None or self._closed or not self._waiting:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, args=(self._file,), name="operations", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no more threads just now: the next note tries again
                self._thread = None
        else:
            self._news.notify()

    def _write(self, file: Path) -> None:
        """Writers, one after another, until nothing came for a while."""
        while True:
            failed = False
            try:
                self._feed(file)
            except OSError:  # no process, no memory, a writer that died: the next note tries again
                failed = True
            with self._news:
                if failed or self._closed or not self._waiting:
                    self._thread = None
                    return

    def _feed(self, file: Path) -> None:
        """One writer's life. Raises OSError."""
        with (
            subprocess.Popen(
                [*_COMMAND, str(file)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as writer,
            writer.stdin or contextlib.nullcontext() as pipe,
        ):
            while pipe is not None and (lines := self._next()):
                pipe.write(b"".join(lines))
                pipe.flush()

    def _next(self) -> list[bytes]:
        """What is to be written now; empty when the writer may end."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed, _LINGER_S)
            lines = list(self._waiting)
            self._waiting.clear()
            return lines
