"""The agent's side of the program that refuses that folders are moved into guarded ones (``gates.gate.bpf_program``).

Puts it into the kernel once the gate is proven, tells the gate, takes it back at the end. Where the kernel has no place
for it nothing is said aloud: the gate works as before, and asks more often. Owns the name that the program is under.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

_PINS, _OURS = b"/sys/fs/bpf", b"serment-"  # as agent.gates.gate.bpf_moves has them


class GateMoves:
    """``tell`` gives the name to the gate, and says whether there is one. ``why_not``: what the system said."""

    def __init__(self, socket_path: Path, tell: Callable[[bytes], bool]) -> None:
        self._socket_path = os.fsencode(socket_path)
        self._tell = tell
        self._lock = threading.Lock()
        self._name = b""
        self._tried = False
        self.why_not = ""

    def begin(self) -> None:
        """Once; takes a fraction of a second of processor time, so it is on no thread that anybody waits for."""
        with self._lock:
            if self._tried:
                return
            self._tried = True
            from agent.gates.gate import bpf_moves

            try:
                self._name = bpf_moves.install(self._socket_path)
            except (OSError, ValueError) as error:
                self.why_not = str(error)
                return
        if not self._tell(self._name):
            self.end()

    def end(self) -> None:
        """There is no gate any more."""
        with self._lock:
            if self._name:
                from agent.gates.gate import bpf_moves

                bpf_moves.remove(self._name)
            self._name, self._tried = b"", False

    def sweep(self) -> None:
        """The gates of agents before us have ended: what they held goes."""
        try:
            if not any(name.startswith(_OURS) for name in os.listdir(_PINS)):
                return  # as nearly always: what follows is loaded for nothing otherwise
        except OSError:
            return
        from agent.gates.gate import bpf_moves

        bpf_moves.sweep(self._socket_path, self._name)
