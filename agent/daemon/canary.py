"""Proof that the gate holds: a known exit tries to read a marked file in a guarded folder.

The file is known by a secret of this run; it has no name (O_TMPFILE), so that no sync client sees it and nobody has to
remove it. The exit is a copy of cat(1) in memory, which the gate is told of as a program that carries documents away:
it must be refused the marked file and be given a plain one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import subprocess
import threading
import time
from typing import Any

from agent.fsys.atomic import write_all
from agent.fsys.openat import open_folder

_MARK = b"serment canary "
_PLAIN = b"serment plain  "
_READER = b"/usr/bin/cat"
_MOST_READER = 16 << 20  # bytes
_PATIENCE_S = 20.0


class Canary:
    def __init__(self) -> None:
        token = secrets.token_hex(32).encode()
        self._secret, self._plain = _MARK + token, _PLAIN + token
        self.asked = self.refused = 0  # questions that were trials
        self.program = -1
        self._closing = threading.Lock()
        self._last: bool | None = None
        self._when = 0.0
        self._unfit = 0

    def prepare(self) -> None:
        """Take the program that tries into memory, before anything is guarded. ``program``: its descriptor, or -1."""
        if self.program >= 0:
            return
        try:
            with open(_READER, "rb", buffering=0) as file:
                content = file.read(_MOST_READER)
        except OSError:
            return
        fd = os.memfd_create("serment-canary", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        write_all(fd, content)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        self.program = os.open(b"/proc/self/fd/%d" % fd, os.O_RDONLY | os.O_CLOEXEC)  # none writes: it can be run
        os.close(fd)

    def expects(self, fd: int) -> bool | None:
        """Whether the file must be refused, when it is one of this run's; None: it is none."""
        content = b""
        with contextlib.suppress(OSError):
            if os.fstat(fd).st_size == len(self._secret):
                content = os.pread(fd, 256, 0)
        if content not in {self._secret, self._plain}:
            return None
        self.asked += 1
        self.refused += content == self._secret
        return content == self._secret

    def passes(self, root: bytes) -> bool | None:
        """Whether the folder is guarded; None when it cannot be tried there (no unnamed files, no cat)."""
        if self.program < 0:
            self._unfit += 1
            return None
        try:
            folder = open_folder(root)
            try:
                refused = self._can_read(folder, self._secret) is False
                given = self._can_read(folder, self._plain)
            finally:
                os.close(folder)
        except (OSError, subprocess.SubprocessError):
            self._unfit += 1
            return None
        self._last, self._when = refused and given, time.time()
        return self._last

    def _can_read(self, folder: int, content: bytes) -> bool:
        writing = os.open(b".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            write_all(writing, content)
            fd = os.open(b"/proc/self/fd/%d" % writing, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(writing)  # a file that somebody writes to would be waited for
        program = -1
        try:
            with self._closing:  # a trial may be under way when the gate ends
                program = os.dup(self.program)
            done = subprocess.run(
                ["cat", f"/proc/self/fd/{fd}"], executable=f"/proc/self/fd/{program}", pass_fds=(fd, program),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=False, env={},
            )  # fmt: skip
        finally:
            os.close(fd)
            if program >= 0:
                os.close(program)
        if done.stdout not in {b"", content}:
            raise OSError
        return done.returncode == 0 and done.stdout == content

    def status(self) -> dict[str, Any]:
        """``passed``: at the last trial (None: none yet), ``time``: seconds since the epoch."""
        return {"passed": self._last, "time": self._when, "not_possible": self._unfit}

    def close(self) -> None:
        with self._closing:
            if self.program >= 0:
                os.close(self.program)
                self.program = -1
