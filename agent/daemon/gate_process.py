"""The gate's process as the agent sees it: started with the group and the shared memory, started again when it fails.

Owns the process, not the descriptors; how it is replaced is ``agent.gates.gate.succession``. Called by one thread at a
time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from agent.gates.gate.succession import Succession

READY_S = 20.0


class GateProcess(Succession):
    def __init__(self, command: tuple[str, ...], socket_path: Path, group: int, memory: int) -> None:
        super().__init__(os.fsencode(socket_path), group, memory)
        self._command = command
        self.board.agent = os.getpid()

    def start(self) -> bool:
        """A process of its own, small; to be called before anything is guarded. Whether it answers.

        Raises OSError.
        """
        arguments = ["--group", str(self._group), "--board", str(self._memory), "--socket", os.fsdecode(self._path)]
        process = subprocess.Popen(
            [*self._command, *arguments], pass_fds=(self._group, self._memory), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._pid = process.pid
        until = time.monotonic() + READY_S
        while not self.board.answerer and time.monotonic() < until and process.poll() is None:
            time.sleep(0.005)
        process.returncode = 0  # ours to wait for from here
        return bool(self.board.answerer)

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
