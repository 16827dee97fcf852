"""The holder as the agent sees it: what bounds every wait should the agent and its gates stand still.

Owns its process and the socket to it, starts it again when it dies, and tells a holder of an agent before us that it is
superseded. What it is for: ``agent.gates.holder``. Any thread.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from agent.daemon.operations import Operations
from agent.fsys.atomic import replace_file
from agent.gates.holder_messages import AIRLOCK, END, FORK, GATE, PID, RELEASE, START
from agent.gates.takeover.process import Process, Trace, boot_id, started_at

_COMMAND = (sys.executable, "-I", "-m", "agent.gates.holder")
_MAX_TRACE = 1024
_BIRTH_S = 10.0  # it may just have been started itself


class HolderProcess:
    """``airlock``, ``gate`` and ``release`` never wait and never fail: without a holder the rest still works."""

    def __init__(self, runtime: Path, operations: Operations) -> None:
        self._trace = runtime / "holder"
        self._operations = operations
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._airlocks: list[tuple[int, bytes]] = []  # pidfd, what is said of it
        self._gate: tuple[bytes, int, int] | None = None
        self._closed = False

    def airlock(self, pidfd: int, trace: Trace) -> None:
        """Watch an airlock, to end it when it stands still; ``pidfd`` stays the caller's."""
        message = AIRLOCK.pack(b"a", trace.cover_device, trace.lower) + os.fsencode(trace.point)
        with self._lock:
            self._forget_ended()
            self._airlocks.append((os.dup(pidfd), message))
            self._tell(message, [self._airlocks[-1][0]])

    def gate(self, socket_path: Path, group: int, memory: int) -> None:
        """Hold a group; before anything is guarded by it. Its descriptors stay the caller's."""
        with self._lock:
            self._gate = (os.fsencode(socket_path), group, memory)
            self._tell(GATE + self._gate[0], [group, memory])

    def start_gate(self) -> int:
        """Make the gate of the group that is held: a child of ours, with the holder's memory. Raises OSError."""
        return self._born(START, ())

    def airlock_process(self, fds: Sequence[int], arguments: Sequence[str]) -> int:
        """The same with an airlock, given its three descriptors. Raises OSError."""
        return self._born(FORK + b"\0".join(map(os.fsencode, arguments)), fds)

    def _born(self, message: bytes, fds: Sequence[int]) -> int:
        with self._lock:
            if self._link is None and not self._closed:
                self._again()
            if self._link is None or not self._send(message, fds):
                raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
            poll = select.poll()
            poll.register(self._link, select.POLLIN)
            answer = self._link.recv(PID.size) if poll.poll(_BIRTH_S * 1000) else b""
            if len(answer) == PID.size and (pid := PID.unpack(answer)[0]) > 0:
                return int(pid)
            if not answer and self._process is not None:  # it stands still: what was asked must not be done later
                self._process.kill()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def release(self) -> None:
        """The gate has ended in order."""
        with self._lock:
            if self._gate is not None:
                self._gate = None
                self._tell(RELEASE, [])

    def look_after(self) -> None:
        """Now and then: another one when it has died."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None and not self._closed:
                self._operations.warn("holder.died")
                self._hang_up()
                self._again()

    def close(self, *, leave: bool) -> None:
        """End it; or ``leave`` it to the gates, until the next agent has one of its own."""
        with self._lock:
            self._closed = True
            if self._link is not None and not leave:
                with contextlib.suppress(OSError):
                    self._link.send(END)
                if self._process is not None:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(5)
                with contextlib.suppress(OSError):
                    self._trace.unlink()
            self._hang_up()
            for pidfd, _message in self._airlocks:
                os.close(pidfd)
            self._airlocks.clear()

    # ---- under the lock

    def _tell(self, message: bytes, fds: list[int]) -> None:
        if self._closed:
            return
        if self._link is None:
            self._again()
        elif not self._send(message, fds):
            self._hang_up()  # ``look_after`` makes another

    def _again(self) -> None:
        """A new one, told all there is. What stands in the lists is what it must know."""
        try:
            self._start()
        except OSError as error:
            self._operations.warn("holder.unavailable", number=error.errno)
            return
        for pidfd, message in self._airlocks:
            self._send(message, [pidfd])
        if self._gate is not None:
            path, group, memory = self._gate
            self._send(GATE + path, [group, memory])

    def _send(self, message: bytes, fds: Sequence[int]) -> bool:
        try:
            assert self._link is not None
            socket.send_fds(self._link, [message], fds, socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*_COMMAND, str(theirs.fileno()), str(self._trace.parent)], pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True, cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            )  # fmt: skip
        self._link = ours
        self._supersede()
        pid = self._process.pid
        replace_file(self._trace, json.dumps([boot_id(), pid, started_at(pid)]).encode("ascii"))

    def _supersede(self) -> None:
        """Tell the one of an agent before us that it may end when what it holds has ended."""
        try:
            with self._trace.open("rb") as file:
                boot, pid, started = json.loads(file.read(_MAX_TRACE))
            found = Process.find(int(pid), int(started)) if boot == boot_id() else None
        except (OSError, ValueError, TypeError):
            return
        if found is not None:
            found.terminate()
            found.close()

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _forget_ended(self) -> None:
        """Processes that have ended need no more looking after, and their descriptors no room."""
        poll = select.poll()
        for pidfd, _message in self._airlocks:
            poll.register(pidfd, select.POLLIN)
        ended = {fd for fd, _event in poll.poll(0)}
        for pidfd in ended:
            os.close(pidfd)
        self._airlocks = [each for each in self._airlocks if each[0] not in ended]
