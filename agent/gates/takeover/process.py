"""The airlock's process: started with its descriptors, or found again after a restart of the agent.

Owns a pidfd, so that no other process is ever taken for it. Its record (``Traces``) outlives the agent, in a folder of
root's: which process serves which mount.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.fsys.atomic import replace_file

MODULE = "agent.gates.airlock"
_MAX_TRACE = 16 * 1024
_TOKEN = re.compile(r"[0-9a-f]{16}")


Fork = Callable[[Sequence[int], Sequence[str]], int]
"""Given descriptors and arguments: the pid of a new airlock, our child. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Trace:
    """``started``: the process's start, in clock ticks since boot; ``cover`` and ``lower``: numbers of mounts."""

    token: str
    pid: int
    started: int
    point: str  # as os.fsdecode says it
    cover: int
    cover_device: int
    lower: int
    was_writable: bool
    boot: str


class Traces:
    """The records of the running airlocks, below ``folder`` (0700, ours)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, trace: Trace) -> None:
        """Raises OSError."""
        replace_file(self._folder / trace.token, json.dumps(asdict(trace)).encode("ascii"))

    def forget(self, token: str) -> None:
        with contextlib.suppress(OSError):
            (self._folder / token).unlink()

    def all(self) -> Iterator[Trace]:
        """What stands written; what cannot be read is removed."""
        for path in sorted(self._folder.iterdir()):
            try:
                with path.open("rb") as file:
                    trace = Trace(**json.loads(file.read(_MAX_TRACE)))
                if not _TOKEN.fullmatch(path.name) or trace.token != path.name:
                    raise ValueError
            except (OSError, ValueError, TypeError, RecursionError):
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            yield trace


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What an airlock is given: the FUSE connection, the medium's root, the folder for what is being written."""

    fuse: int
    medium: int
    staging: int


class Process:
    """One airlock, ours or adopted. ``fileno`` polls readable when it has ended."""

    def __init__(self, pid: int, pidfd: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._child = child

    @classmethod
    def start(
        cls, descriptors: Descriptors, arguments: Sequence[str], command: Sequence[str] = (), fork: Fork | None = None
    ) -> Process:
        """Start it; the descriptors stay the caller's. ``command`` stands in for the module; without one ``fork`` makes
        the process where it can. Raises OSError.
        """
        fds = (descriptors.fuse, descriptors.medium, descriptors.staging)
        if fork is not None and not command:
            pid = 0
            with contextlib.suppress(OSError):
                pid = fork(fds, arguments)
            if pid:
                return cls(pid, _pidfd_of(pid))
        named = ("--fuse-fd", str(fds[0]), "--medium-fd", str(fds[1]), "--staging-fd", str(fds[2]))
        child = subprocess.Popen(
            [*(command or (sys.executable, "-I", "-m", MODULE)), *named, *arguments],
            pass_fds=fds, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        )  # fmt: skip
        return cls(child.pid, os.pidfd_open(child.pid), child)

    @classmethod
    def find(cls, pid: int, started: int) -> Process | None:
        """The process that runs since then under this number, or None."""
        try:
            pidfd = os.pidfd_open(pid)
        except (OSError, ValueError):
            return None
        if started_at(pid) != started or state_of(pid) in {"Z", "X", ""}:
            os.close(pidfd)
            return None
        return cls(pid, pidfd)

    def fileno(self) -> int:
        return self._pidfd

    def stopped(self) -> bool:
        """Whether somebody has stopped it (SIGSTOP): it would answer nobody."""
        return state_of(self.pid) in {"T", "t"}

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end: it finishes what it has begun, within seconds."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)

    def reap(self, wait_s: float) -> bool:
        """Wait for its end; False when it has not come in time (it hangs in the kernel, on a dead device)."""
        if self._child is None:
            poll = select.poll()  # select(2) knows no descriptor above 1023
            poll.register(self._pidfd, select.POLLIN)
            return bool(poll.poll(wait_s * 1000))
        try:
            self._child.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        if self._child is None and self._pidfd >= 0:
            with contextlib.suppress(OSError):  # not our child, but an agent's before us
                os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        with contextlib.suppress(OSError):
            os.close(self._pidfd)
        self._pidfd = -1


def started_at(pid: int) -> int:
    """Clock ticks since boot at which the process started; -1 when there is none (proc(5), stat, field 22)."""
    fields = _stat(pid)
    return int(fields[19]) if len(fields) > 19 else -1


def state_of(pid: int) -> str:
    """R, S, D, T, Z …; empty when there is no such process."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read(4096).rpartition(b")")[2].decode("ascii", "replace").split()
    except OSError:
        return []


def boot_id() -> str:
    """Which boot this is: numbers of mounts and processes mean nothing in another one."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _pidfd_of(child: int) -> int:
    """Of a child that was just made. Raises OSError, and then the child is gone: two must not serve one connection."""
    try:
        return os.pidfd_open(child)
    except OSError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
