"""Whether an agent before us has left a gate behind, and the wait for its end.

Its gate does not know us: what we open in a guarded folder it refuses, as anybody's, and we would take documents for
unreadable. It comes to the socket within a second, is told to end, and only then may folders be looked through.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from agent.daemon.holds import GateServer
from agent.fsys.atomic import replace_file
from agent.gates.asking import TOKEN
from agent.gates.takeover.process import boot_id

PATIENCE_S = 6.0  # it looks for an agent every second
_TICK_S = 0.02


class GateTrace:
    """A file beside the socket that stands while a gate of ours may live."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path.with_name("gate")
        self._left = self._is_there()

    def _is_there(self) -> bool:
        try:
            return self._path.read_text("ascii") == boot_id()
        except (OSError, ValueError):
            return False

    def wait_for_end(self, server: GateServer) -> None:
        """Until the gate of the agent before us has ended, when there may be one; once, and not for ever."""
        if not self._left:
            return
        self._left = False
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            told = server.told_to_end(TOKEN)
            if told and not any(_lives(pid) for pid in told):
                return
            time.sleep(_TICK_S)

    def write(self) -> None:
        """A gate is being started. Raises OSError."""
        replace_file(self._path, boot_id().encode("ascii"))

    def remove(self) -> None:
        """There is none."""
        with contextlib.suppress(OSError):
            self._path.unlink()


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[:1] not in ([b"Z"], [b"X"])
