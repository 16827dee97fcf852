"""Proof that an airlock holds: the agent writes a trial file to the volume, which must be refused.

The file is small, its name says nothing, and what it holds is a digest of this laptop's: the volume's desk knows it,
also one that a killed agent was writing, and refuses it unjudged and unrecorded. Nothing of it reaches the medium;
should it, it is taken away again and the airlock is not trusted. The path behind the airlock is touched by a thread of
its own, which may hang.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from agent.fsys.atomic import write_all
from agent.fsys.ways import open_root

FIRST_S = 10.0  # after the airlock has begun to hold
CANARY_S = 300.0
PREFIX = b".serment-canary-"


def is_canary(fd: int, content: bytes) -> bool:
    """Whether the finished file behind ``fd`` is a trial of this laptop's agent."""
    with contextlib.suppress(OSError):
        return bool(content) and os.fstat(fd).st_size == len(content) and os.pread(fd, 256, 0) == content
    return False


class VolumeCanary:
    """``look`` now and then while the airlock holds, from one thread; ``passed`` and ``status`` from any."""

    def __init__(self, point: bytes, content: bytes, told: Callable[[], None]) -> None:
        """``told`` after each trial, from the trial's thread."""
        self.passed: bool | None = None  # at the last trial that could be made; None: none yet
        self._point = point
        self._content = content
        self._told = told
        self._when = 0.0
        self._unfit = 0
        self._due = 0.0
        self._trying: threading.Thread | None = None

    def soon(self) -> None:
        """Another airlock holds from now on."""
        self._due = 0.0

    def look(self) -> None:
        """Try again when it is time."""
        now = time.monotonic()
        if not self._due:
            self._due = now + FIRST_S
        if now < self._due or not self._content or (self._trying is not None and self._trying.is_alive()):
            return
        self._due = now + CANARY_S
        self._trying = threading.Thread(target=self._try, name="airlock-canary", daemon=True)
        self._trying.start()

    def status(self) -> dict[str, Any]:
        """``passed``: at the last trial; ``time``: seconds since the epoch; ``not_possible``: trials without result."""
        return {"passed": self.passed, "time": self._when, "not_possible": self._unfit}

    def _try(self) -> None:
        try:
            passed = self._is_refused()
        except OSError:  # full, being unmounted, nobody can judge: nothing went, and nothing is proven
            self._unfit += 1
            return
        self.passed, self._when = passed, time.time()
        self._told()

    def _is_refused(self) -> bool:
        """Raises OSError when it cannot be tried."""
        folder = open_root(self._point)
        try:
            name = PREFIX + secrets.token_hex(4).encode()
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
            try:
                write_all(fd, self._content)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.close(fd)
                raise
            try:
                os.close(fd)
            except PermissionError as error:
                return error.errno == errno.EPERM
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
            return False
        finally:
            os.close(folder)
