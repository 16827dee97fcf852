"""The operational log: what the agent does, for whoever runs it. Words and numbers, never a document's name or text.

loguru writes it. Loading loguru takes longer than arming the watches, so notes taken before ``open`` wait in memory.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loguru import Logger

Field = str | int | float | bool | None
_FORMAT = "{time:YYYY-MM-DDTHH:mm:ss.SSSZ} {level: <7} {message} {extra}"


class Operations:
    """``note("place.armed", channel="downloads")``: a stable word and fields that name no document."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, str, dict[str, Field]]] = deque(maxlen=1000)
        self._logger: Logger | None = None
        self._lock = threading.Lock()

    def note(self, word: str, **fields: Field) -> None:
        self._write("INFO", word, fields)

    def warn(self, word: str, **fields: Field) -> None:
        self._write("WARNING", word, fields)

    def open(self, file: Path | None, *, to_terminal: bool) -> None:
        """Start writing: to ``file`` (5 MB, five kept) and, when asked, to standard error."""
        from loguru import logger

        logger.remove()
        if file is not None:
            logger.add(file, format=_FORMAT, rotation="5 MB", retention=5, encoding="utf-8", diagnose=False, catch=True)
        if to_terminal:
            logger.add(sys.stderr, format=_FORMAT, diagnose=False, catch=True)
        with self._lock:
            self._logger = logger
            waiting, self._waiting = self._waiting, deque(maxlen=0)
        for level, word, fields in waiting:
            logger.bind(**fields).log(level, word)

    def _write(self, level: str, word: str, fields: dict[str, Field]) -> None:
        with self._lock:
            if self._logger is None:
                self._waiting.append((level, word, fields))
                return
        self._logger.bind(**fields).log(level, word)
