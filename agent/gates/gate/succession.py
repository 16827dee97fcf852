"""Another keeper when all of a gate is dead or stands still: by whoever else holds the group and the memory.

The gate mends itself (``agent.gates.gate.keeper``); this is for when all of it is gone, stopped, or answers nobody.
Then no file of a guarded file system can be opened, the interpreter's own among them: the successor is forked and runs
what is in memory. Owns no descriptor but a pidfd of the keeper. Called by one thread at a time, of the agent or of the
holder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from agent.gates.gate.board import Board
from agent.gates.gate.fanotify import State
from agent.gates.gate.keeper import Keeper
from agent.gates.gate.lookout import BACKSTOP_S, Lookout

_QUICK_DEATHS, _REST_S = 5, 60.0
_MEMORY = b"/memfd:serment-gate (deleted)"


class Succession:
    """``stuck_ticks``: looks in a row at which events waited and nothing moved; ``succession_ticks``: looks that a
    keeper may be dead before its understudy has taken over. The understudy needs fewer of both.
    """

    def __init__(
        self, socket_path: bytes, group: int, memory: int, *, stuck_ticks: int = 8, succession_ticks: int = 3
    ) -> None:
        self.board = Board(memory)
        self.path = socket_path
        self._group = group
        self._memory = memory
        self._stuck_ticks = stuck_ticks
        self._succession_ticks = succession_ticks
        self._pid = 0
        self._deaths: list[float] = []
        self._lookout = Lookout(self.board, group)
        self._wait_ticks = 0
        self._watched = (0, -1)  # the keeper's number and pidfd

    def wait(self, *others: int, most_s: float = BACKSTOP_S, restless: bool = False) -> set[int]:
        """Until ``look_after`` is due, or one of ``others`` is readable, and which of them are. ``restless``: within a
        tick.
        """
        keeper = self._keeper_fd()
        if keeper < 0 or self._wait_ticks:
            return self._lookout.wait(*others, most_s=most_s, restless=True)
        return self._lookout.wait(*others, keeper, most_s=most_s, restless=restless) - {keeper}

    def _keeper_fd(self) -> int:
        """-1 when there is no keeper."""
        if self._watched[0] != self._pid:
            self.close()
            with contextlib.suppress(OSError):
                if self._pid:
                    self._watched = self._pid, os.pidfd_open(self._pid)
        return self._watched[1]

    def close(self) -> None:
        """Give the pidfd back."""
        if self._watched[1] >= 0:
            os.close(self._watched[1])
        self._watched = (0, -1)

    def follow(self) -> None:
        """Look after the keeper of a gate that somebody else has started."""
        self._pid = self._pid or self.board.keeper

    def look_after(self) -> bool:
        """Put a successor in its place when it is dead or answers nobody. False: it dies as often as it is started."""
        if not self._pid:
            return True
        if self._ended():
            if self._succeeded():
                return True
        elif self._lookout.ticks() < self._stuck_ticks:
            return True
        self.kill()
        now = time.monotonic()
        self._deaths = [*(then for then in self._deaths if now - then < _REST_S), now]
        if len(self._deaths) >= _QUICK_DEATHS:
            self._pid = 0
            return False
        self._fork()
        return True

    def _succeeded(self) -> bool:
        """Whether its understudy, or a successor that somebody else has made, is the keeper now."""
        self._wait_ticks += 1
        keeper = self.board.keeper
        if keeper != self._pid and self.is_ours(keeper):
            self._pid, self._wait_ticks = keeper, 0
            return True
        return self._wait_ticks < self._succession_ticks

    def kill(self) -> None:
        """All of the gate; the understudy shares the memory too. Not what somebody is just about to start."""
        board = self.board
        others = {os.getpid(), board.agent, board.holder}
        gate = {self._pid, board.keeper, board.answerer} - others
        for pid in (int(name) for name in os.listdir("/proc") if name.isdecimal()):
            if (pid in gate or (pid not in others and _parent(pid) not in others)) and self.is_ours(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _fork(self) -> None:
        self._lookout, self._wait_ticks = Lookout(self.board, self._group), 0
        pid = os.fork()
        if pid:
            self._pid = pid
            return
        code = 1
        try:
            os.setsid()
            _keep_open(self._group, self._memory)
            signal.set_wakeup_fd(-1)
            code = Keeper(self._group, self._memory, self.board, self.path).run()
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
        return _shares(pid, self._memory)


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


def _shares(pid: int, memory: int) -> bool:
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
