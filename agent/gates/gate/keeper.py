"""The process that keeps the gate answering: makes the answerer, watches it, replaces it. Never answers itself.

Keeper, answerer and understudy share one table of descriptors and nothing else (clone(2), CLONE_FILES): when one is
killed, the files that are being opened stay open here, under the numbers by which the kernel knows them, and its
successor goes on with them. Nobody who waits is let through, and nobody outside the guarded folders is refused. The
understudy does nothing but wait to be the keeper: without one there would be a moment in which no file can be opened,
and no new process can start.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import signal
import time
from collections import deque
from types import FrameType

from agent.gates.birth import SHARE_FILES, clone
from agent.gates.gate.board import Board
from agent.gates.gate.lookout import Lookout
from agent.gates.gate.process import answer  # not later: when nobody answers, no file can be opened to import it
from agent.gates.gate.settings import decode

STUCK_TICKS = 2
_DESCRIPTORS = 16384
FORSAKEN_S = 600.0
_QUICK_DEATHS, _QUICK_S = 8, 10.0


def clone_sharing_files() -> int:
    """fork(2), but both have the same descriptors from now on. Only for a process with one thread. Raises OSError."""
    try:
        return clone(SHARE_FILES)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        return os.fork()  # a killed answerer then refuses what it held


class Keeper:
    def __init__(self, group: int, memory: int, board: Board, socket_path: bytes) -> None:
        self._group = group
        self._memory = memory
        self._board = board
        self._path = socket_path
        self._table = os.getpid()  # names our table of descriptors, whoever is keeper
        self._ending = False
        self._deaths: deque[float] = deque(maxlen=_QUICK_DEATHS)
        self._self_fd = self._understudy_fd = -1
        self._understudy = 0
        self._bell = (-1, -1)  # a pipe: signals ring it, a sleep ends
        self._look_at = self._forsaken_at = time.monotonic()

    def run(self) -> int:
        """Until told to end (0), or until answerers die as fast as they are made (1)."""
        _prepare()
        signal.signal(signal.SIGTERM, self._told)
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        self._self_fd, self._understudy = os.pidfd_open(os.getpid()), 0
        self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._bell[1], warn_on_full_buffer=False)
        self._board.keeper = os.getpid()
        while not self._ending:
            self._have_understudy()
            pid = clone_sharing_files()
            if pid == 0:
                _answer(self._group, self._board, self._path, self._table)
            self._watch(pid)
            self._close_leftovers()
            if self._dying():
                self._ending = True
                self._end_understudy()
                return 1
            self._board.count("restarts")
        self._end_understudy()  # also when the answerer was told to end too, and was quicker
        self._board.retired = True
        return 0

    # ---- the answerer

    def _watch(self, pid: int) -> None:
        """Return when the answerer has ended; end it when it is stuck or when we are told to end."""
        fd = os.pidfd_open(pid)
        try:
            lookout = Lookout(self._board, self._group)
            while fd not in lookout.wait(fd, self._understudy_fd, self._bell[0], most_s=FORSAKEN_S / 20):
                _heard(self._bell[0])
                if self._ending or self._forsaken():
                    self._ending = True
                    self._end_understudy()
                    self._retire(pid, fd)
                    break
                self._have_understudy()
                if lookout.ticks() >= STUCK_TICKS:
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        finally:
            os.close(fd)

    def _forsaken(self) -> bool:
        """No agent for ten minutes, and no successor of it that would have ended us: it was ended for good.

        Whoever kills the agent of a laptop has a service manager that starts it again within seconds.
        """
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + FORSAKEN_S / 20
        found = self._board.settings()
        if found is None or not found[1]:
            return False
        agent = decode(found[1]).agent
        if not agent or os.path.isdir(b"/proc/%d" % agent):
            self._forsaken_at = now
        return now - self._forsaken_at > FORSAKEN_S

    def _retire(self, pid: int, fd: int) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not poll.poll(1000):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _dying(self) -> bool:
        now = time.monotonic()
        self._deaths.append(now)
        return len(self._deaths) == _QUICK_DEATHS and now - self._deaths[0] < _QUICK_S

    def _close_leftovers(self) -> None:
        """What the dead had open, but not what openers wait for."""
        waited_for = {item.number for item in self._board.unanswered()}
        kept = {0, 1, 2, self._group, self._memory, self._self_fd, self._understudy_fd, *self._bell}
        for fd in _open_descriptors() - kept - waited_for:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _told(self, _signum: int, _frame: FrameType | None) -> None:
        self._ending = True

    # ---- the understudy

    def _have_understudy(self) -> None:
        if self._understudy:
            try:
                if os.waitpid(self._understudy, os.WNOHANG)[0] == 0:
                    return
            except ChildProcessError:
                pass
            os.close(self._understudy_fd)
        if (pid := clone_sharing_files()) != 0:
            self._understudy, self._understudy_fd = pid, os.pidfd_open(pid)
            return
        try:
            self._stand_by()
            code = self.run()
        except BaseException:
            os._exit(1)
        os._exit(code)

    def _stand_by(self) -> None:
        """Return when the keeper is dead, or has let openers wait longer than it ever should; nobody answers then."""
        signal.set_wakeup_fd(-1)  # the keeper's
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        lookout = Lookout(self._board, self._group)
        while self._self_fd not in lookout.wait(self._self_fd):
            if lookout.ticks() >= 2 * STUCK_TICKS:
                signal.pidfd_send_signal(self._self_fd, signal.SIGKILL)
        os.close(self._self_fd)
        self._self_fd = self._understudy_fd = -1  # its numbers in our table: among the leftovers
        self._bell = (-1, -1)
        self._end_answerer()
        self._close_leftovers()

    def _end_answerer(self) -> None:
        """It ends by itself, without its keeper; when it cannot, it is ended."""
        with contextlib.suppress(OSError):
            fd = os.pidfd_open(self._board.answerer)
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            if not poll.poll(300):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                poll.poll()
            os.close(fd)

    def _end_understudy(self) -> None:
        if self._understudy:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._understudy, signal.SIGKILL)
                os.waitpid(self._understudy, 0)
            os.close(self._understudy_fd)
            self._understudy, self._understudy_fd = 0, -1


def _heard(bell: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(bell, 64)


def _prepare() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
        file.write(b"-900")


def _open_descriptors() -> set[int]:
    fd = os.open(b"/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return {int(name) for name in os.listdir(fd)} - {fd}
    finally:
        os.close(fd)


def _answer(group: int, board: Board, path: bytes, table: int) -> None:
    """In the new process: answer until the end."""
    signal.set_wakeup_fd(-1)  # the keeper's
    try:
        answer(group, board, path, table)
    except BaseException:
        os._exit(1)
    os._exit(0)
