"""The gate's process as the agent sees it: started with the group and the shared memory, started again when it fails.

Owns the process, not the descriptors. The gate mends itself (``agent.gates.gate.keeper``); this is for when all of it
is dead or nobody answers at all. Then no file of a guarded file system can be opened, the interpreter's own among them:
the successor is forked from the agent and runs what is in memory. Called by one thread at a time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from agent.gates.gate.board import Board
from agent.gates.gate.fanotify import State
from agent.gates.gate.keeper import Keeper, Still

STUCK_TICKS = 8  # looks in a row at which events waited and nothing moved: the understudy needs fewer
READY_S = 20.0
_QUICK_DEATHS, _REST_S = 5, 60.0
_MEMORY = b"/memfd:serment-gate (deleted)"
_SUCCESSION_TICKS = 3  # looks until the understudy must have taken over


class GateProcess:
    def __init__(self, command: tuple[str, ...], socket_path: Path, group: int, memory: int) -> None:
        self._command = command
        self._path = socket_path
        self._group = group
        self._memory = memory
        self.board = Board(memory)
        self._pid = 0
        self._deaths: list[float] = []
        self._still = Still(self.board, group)
        self._wait_ticks = 0

    def start(self) -> bool:
        """A process of its own, small; to be called before anything is guarded. Whether it answers.

        Raises OSError.
        """
        arguments = ["--group", str(self._group), "--board", str(self._memory), "--socket", str(self._path)]
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

    def look_after(self) -> bool:
        """Start it again when it is dead or answers nobody. False: it dies as often as it is started."""
        if not self._pid:
            return True
        if self._ended():
            if self._succeeded():
                return True
        elif self._still.ticks() < STUCK_TICKS:
            return True
        else:
            self._kill()
        now = time.monotonic()
        self._deaths = [*(then for then in self._deaths if now - then < _REST_S), now]
        if len(self._deaths) >= _QUICK_DEATHS:
            self._pid = 0
            return False
        self._fork()
        return True

    def _succeeded(self) -> bool:
        """Whether its understudy is the keeper now."""
        self._wait_ticks += 1
        keeper = self.board.keeper
        if keeper != self._pid and self.is_ours(keeper):
            self._pid, self._wait_ticks = keeper, 0
            return True
        return self._wait_ticks < _SUCCESSION_TICKS

    def _kill(self) -> None:
        """All of it; the understudy shares the memory too."""
        for pid in (int(name) for name in os.listdir("/proc") if name.isdecimal()):
            if pid != os.getpid() and _parent(pid) != os.getpid() and self.is_ours(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def _fork(self) -> None:
        self._still, self._wait_ticks = Still(self.board, self._group), 0
        path = os.fsencode(self._path)
        pid = os.fork()
        if pid:
            self._pid = pid
            return
        code = 1
        try:
            os.setsid()
            _keep_open(self._group, self._memory)
            signal.set_wakeup_fd(-1)
            code = Keeper(self._group, self._memory, self.board, path).run()
        finally:
            os._exit(code)

    def _ended(self) -> bool:
        """Whether the keeper is dead; a child of ours, or what an understudy has become."""
        try:
            return os.waitpid(self._pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return not self.is_ours(self._pid)

    def is_ours(self, pid: int) -> bool:
        """Whether the process is of this gate, and not one that an agent before us has left."""
        return _is_gate(pid, self._memory)

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
                self._kill()
            time.sleep(0.01)
        self._pid = 0


def _keep_open(*kept: int) -> None:
    """Close every other descriptor; the standard three lead nowhere, without a file being opened for it."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    for number, end in enumerate((read_end, write_end, write_end)):
        os.dup2(end, number)
    below = 3
    for fd in sorted(kept):
        os.closerange(below, fd)
        below = fd + 1
    os.closerange(below, os.sysconf("SC_OPEN_MAX"))


def _is_gate(pid: int, memory: int) -> bool:
    """Whether the process shares this memory: a pid may have passed to somebody else.

    Looks at other people's descriptors, some of them of file systems that never answer: by name first, and never in a
    way that waits.
    """
    wanted, found = State(), State()
    wanted.of(memory)
    with contextlib.suppress(OSError):
        folder = b"/proc/%d/fd/" % pid
        for number in os.listdir(folder):
            with contextlib.suppress(OSError):
                link = folder + number
                if os.readlink(link) == _MEMORY and found.of(-1, link) and found.identity[:2] == wanted.identity[:2]:
                    return True
    return False


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read(1024).rpartition(b")")[2].split()[1])
    return 0
