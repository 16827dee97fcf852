"""The gate's process as the agent sees it: started with the group and the shared memory, started again when it fails.

Owns the process, not the descriptors; how it is replaced is ``agent.gates.gate.succession``. Called by one thread at a
time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.gates.gate.succession import Succession

READY_S = 20.0
_COMMAND = (sys.executable, "-I", "-m", "agent.gates.gate")


class GateProcess(Succession):
    """``command`` stands in for the module; ``fork`` makes it without a program being started (``HolderProcess``)."""

    def __init__(
        self,
        command: tuple[str, ...],
        socket_path: Path,
        group: int,
        memory: int,
        fork: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(os.fsencode(socket_path), group, memory)
        self._command = command
        self._fork_it = None if command else fork
        self.board.agent = os.getpid()

    def start(self) -> bool:
        """A process of its own, small; to be called before anything is guarded. Whether it answers.

        Raises OSError.
        """
        try:
            self._pid = self._fork_it() if self._fork_it is not None else self._execute()
        except OSError:
            self._pid = self._execute()
        until = time.monotonic() + READY_S
        while not self.board.answerer and time.monotonic() < until and not self._ended():
            time.sleep(0.005)
        return bool(self.board.answerer)

    def _execute(self) -> int:
        arguments = ["--group", str(self._group), "--board", str(self._memory), "--socket", os.fsdecode(self.path)]
        process = subprocess.Popen(
            [*(self._command or _COMMAND), *arguments], pass_fds=(self._group, self._memory), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        process.returncode = 0  # ours to wait for
        return process.pid

    def end(self) -> None:
        """Whoever waits for a verdict is refused; then it is gone."""
        if not self._pid:
            return
        until = time.monotonic() + 3.0
        self._pid = self.board.keeper or self._pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        while not self._ended():
            if time.monotonic() > until:
                self.kill()
            time.sleep(0.01)
        self._pid = 0
