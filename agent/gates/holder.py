"""``python -m agent.gates.holder FD FOLDER``: bounds every wait when all else of ours stands still. Not for people.

A small process that does nothing but look: every few seconds while all is well, twice a second when something stands
still. The agent hands it, over the socket ``FD``, the gate's group and memory, and a pidfd of each airlock; it outlives
the agent. ``FOLDER`` is the agent's, for whoever looks at ``ps``.

* **The gate**: it holds the group, so that openers wait though everybody else of ours is killed (when the last holder
  is gone the kernel lets everybody in). Events that nobody takes for ``STUCK_S`` get another answerer, whose deadline
  and fallback are the policy's. When answerers die as fast as it makes them it lets go: better open doors than a
  laptop that stands still.
* **An airlock** that is stopped for ``STUCK_S`` at most, or dead and still not gone (a thread of it hangs in a dead
  device), is killed, and its connection ended: whoever waits gets an error. What lies below is read-only. When its
  volume is unmounted while there is no agent, the mount below goes too, so that one click ejects.

It holds no FUSE connection: with another holder the death of an airlock would leave people waiting, and there is
nothing to wait for. Gates and airlocks are copies of it (``agent.gates.birth``): what they have in common is in memory
once. Ends when there is nothing left to hold and no agent, or when it is told to (SIGTERM: another agent
has a holder of its own; then it keeps the group until the gate of the old one has ended).
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import select
import signal
import socket
import sys
import time

from agent.gates.birth import SAME_PARENT, clone, settle
from agent.gates.gate.keeper import Keeper
from agent.gates.gate.lookout import BACKSTOP_S
from agent.gates.gate.succession import Succession
from agent.gates.holder_messages import AIRLOCK, END, FORK, GATE, PID, RELEASE, START
from agent.gates.takeover import cover
from agent.gates.takeover.connections import abort

TICK_S = 0.5
CALM_TICK_S = 6.0  # between two looks at airlocks that work
STUCK_S = 10.0  # the agent itself needs less than half of that for both
DEAD_S = 3.0  # without a keeper: its understudy and the agent need half of that
_MORE_S = 3.0  # from the kill to the end of the connection
_MOST = 16 * 1024
_EJECT_S = 5.0  # for the volume below, while somebody is still in it


class HeldAirlock:
    """One airlock's process, by pidfd. ``look`` now and then."""

    def __init__(self, pidfd: int, connection: int, below: int, point: bytes) -> None:
        self.pidfd = pidfd
        self._connection = connection
        self._below = below
        self._point = point
        self._known = 0  # the unique number of the mount below, once it is uppermost
        self._ended = 0.0
        self._since = 0.0
        self._killed = 0.0

    @property
    def patience_s(self) -> float:
        """When to look again."""
        return TICK_S if self._ended or self._since or self._killed else CALM_TICK_S

    @property
    def is_over(self) -> bool:
        """Whether its process was seen to have ended: its pidfd says nothing new."""
        return bool(self._ended)

    def look(self, now: float, *, alone: bool) -> bool:
        """End it when it stands still, eject its volume when nobody else does (``alone``). False: it is gone."""
        if select.select([self.pidfd], [], [], 0)[0]:
            self._ended = self._ended or now
            return alone and now - self._ended < _EJECT_S and not self._eject()
        self._since = (self._since or now) if _state(self.pidfd) in "TtZX" else 0.0
        if self._killed and now - self._killed >= _MORE_S:
            with contextlib.suppress(OSError):
                abort(self._connection)
            self._killed = now
        elif not self._killed and self._since and now - self._since >= STUCK_S - CALM_TICK_S:
            self._killed = now
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        return True

    def _eject(self) -> bool:
        """Whether there is nothing more to do: the volume below is gone, or covered, as after a kill."""
        self._known = self._known or cover.unique(self._point, self._below)
        try:
            cover.take_away(self._point, self._below, known=self._known)
        except OSError as error:
            return error.errno != errno.EBUSY
        return True


class Holder:
    def __init__(self, link: socket.socket) -> None:
        self._link: socket.socket | None = link
        self._airlocks: list[HeldAirlock] = []
        self._gate: Succession | None = None
        self._group: tuple[int, ...] = ()
        self._superseded = False
        self._bell = -1

    def run(self) -> int:
        """Until there is nothing to hold, and nobody who could bring something."""
        self._bell, ring = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._supersede)
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
            file.write(b"-900")
        gc.collect()
        gc.freeze()  # copies leave it alone
        while self._link is not None or self._airlocks or self._gate:
            self._wait()
            self._hear()
            self._look()
        return 0

    def _wait(self) -> None:
        """Until there is something to hear, or it is time to look."""
        fds = {each.pidfd for each in self._airlocks if not each.is_over} | {self._bell}
        if self._link is not None:
            fds.add(self._link.fileno())
        most_s = min((each.patience_s for each in self._airlocks), default=BACKSTOP_S)
        if self._gate is not None:
            ready = self._gate.wait(*fds, most_s=most_s)
        else:
            ready = set(select.select(fds, [], [], most_s)[0])
        if self._bell in ready:
            os.read(self._bell, 64)

    def _supersede(self, _signum: int, _frame: object) -> None:
        self._superseded = True

    # ---- the agent

    def _hear(self) -> None:
        """What the agent has said."""
        if self._link is None or not select.select([self._link], [], [], 0)[0]:
            return
        try:
            message, fds, _flags, _address = socket.recv_fds(self._link, _MOST, 3)
        except OSError:
            message, fds = b"", []
        if not message or message == END:
            self._hang_up()
            if message == END:
                self._airlocks.clear()
                self._release()
        else:
            self._told(message, fds)

    def _told(self, message: bytes, fds: list[int]) -> None:
        if message[:1] == b"a" and len(message) > AIRLOCK.size and len(fds) == 1:
            _word, connection, below = AIRLOCK.unpack_from(message)
            self._airlocks.append(HeldAirlock(fds[0], connection, below, message[AIRLOCK.size :]))
        elif message[:1] == GATE and len(fds) == 2:
            self._release()
            self._group = tuple(fds)
            self._gate = Succession(
                message[1:], fds[0], fds[1],
                stuck_ticks=round(STUCK_S / TICK_S), succession_ticks=round(DEAD_S / TICK_S),
            )  # fmt: skip
            self._gate.board.holder = os.getpid()
        elif message[:1] == FORK and len(fds) == 3:
            self._answer(_airlock(message[1:].split(b"\0"), fds))
            for fd in fds:
                os.close(fd)
        elif message == START and not fds and self._gate is not None:
            self._answer(_gate(self._gate, *self._group))
        else:
            for fd in fds:
                os.close(fd)
            if message == RELEASE:
                self._release()

    def _answer(self, pid: int) -> None:
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.send(PID.pack(pid), socket.MSG_DONTWAIT)

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    # ---- what it looks after

    def _look(self) -> None:
        now = time.monotonic()
        if self._superseded:
            self._airlocks.clear()
            self._hang_up()
        self._airlocks = [each for each in self._airlocks if each.look(now, alone=self._link is None)]
        if self._gate is not None:
            self._gate.follow()
            if self._gate.board.retired or not self._gate.look_after():
                self._release()

    def _release(self) -> None:
        if self._gate is not None:
            self._gate.close()
        for fd in self._group:
            os.close(fd)
        self._gate, self._group = None, ()


def _gate(held: Succession, group: int, memory: int) -> int:
    """A gate's keeper, our brother. 0: there can be none."""
    with contextlib.suppress(OSError):
        if (pid := clone(SAME_PARENT)) != 0:
            return pid
        code = 1
        try:
            numbers = (b"--group", b"%d" % group, b"--board", b"%d" % memory)
            settle((*_INTERPRETER, b"agent.gates.gate", *numbers, b"--socket", held.path), (group, memory))
            code = Keeper(group, memory, held.board, held.path).run()
        finally:
            os._exit(code)
    return 0


def _airlock(arguments: list[bytes], fds: list[int]) -> int:
    """An airlock, our brother, with its three descriptors in the order of ``named``. 0: there can be none."""
    with contextlib.suppress(OSError):
        if (pid := clone(SAME_PARENT)) != 0:
            return pid
        code = 1
        try:
            named = (b"--fuse-fd", b"--medium-fd", b"--staging-fd")
            words = [word for name, fd in zip(named, fds, strict=True) for word in (name, b"%d" % fd)] + arguments
            settle((*_INTERPRETER, b"agent.gates.airlock", *words), tuple(fds))
            from agent.lean import classes

            classes()
            from agent.gates.airlock.__main__ import main as airlock

            sys.argv[1:] = [os.fsdecode(word) for word in words]
            code = airlock()
        finally:
            os._exit(code)
    return 0


_INTERPRETER = (os.fsencode(sys.executable), b"-I", b"-m")


def _state(pidfd: int) -> str:
    """R, S, D, T, Z … of the process, X when it is not there."""
    try:
        with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
            pid = next(int(line.split()[1]) for line in info if line.startswith("Pid:"))
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read(1024).rpartition(b")")[2].split()[0].decode("ascii")
    except (OSError, ValueError, StopIteration, IndexError):
        return "X"


def main() -> int:
    with socket.socket(fileno=int(sys.argv[1])) as link:
        link.set_inheritable(False)
        return Holder(link).run()


if __name__ == "__main__":
    sys.exit(main())
