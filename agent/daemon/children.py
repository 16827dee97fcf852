"""The processes that the agent starts and does not trust with anything: collector (embedded) and sync.

Both are started when there is something for them to do and end by themselves when there is not, so that an idle laptop
holds neither in memory. The agent keeps the collector's listening socket, as a service manager would; it never accepts
a connection on it and never opens one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import secrets
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.errors import N_, HostError
from agent.fsys.atomic import private_folder, replace_file

IDLE_EXIT_S = 60
_MIN_TOKEN_BYTES = 16
_BACKOFF_S = (5.0, 10.0, 20.0, 60.0, 300.0, 1800.0)


class Child:
    """One process, at most one at a time."""

    def __init__(self, command: Sequence[str], pass_fds: Sequence[int] = ()) -> None:
        self._command = [sys.executable, "-I", "-m", *command]
        self._pass_fds = tuple(pass_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self.last_exit: int | None = None

    def start(self) -> None:
        """One that the machine has no room for has ended at once, and is tried again as any that failed: the main loop
        calls this, and guards whatever happens.
        """
        try:
            self._process = self._begin()
        except OSError:
            self._process, self.last_exit = None, os.EX_OSERR

    def _begin(self) -> subprocess.Popen[bytes]:
        """The process. Raises OSError."""
        return subprocess.Popen(
            self._command, pass_fds=self._pass_fds, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def running(self) -> bool:
        """Whether it runs; reaps it when it has ended."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        self._process, self.last_exit = None, code
        return False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self, wait_s: float = 5.0) -> None:
        """Ask it to end, then make it."""
        if self._process is None:
            return
        for signum, patience in ((signal.SIGTERM, wait_s), (signal.SIGKILL, wait_s)):
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.last_exit = self._process.wait(patience)
                break
        self._process = None


class EmbeddedCollector:
    """A collector on this laptop, for one practice or for a trial: started by the first connection."""

    def __init__(self, folder: Path, port: int) -> None:
        private_folder(folder)
        self.token_file = folder / "token"
        if not _is_token(self.token_file):
            replace_file(self.token_file, secrets.token_urlsafe(32).encode(), 0o600)
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        fd = self._listener.fileno()
        arguments = ["run", "--data", str(folder), "--fd", str(fd), "--idle-exit", str(IDLE_EXIT_S)]
        self.child = Child(["collector.main", *arguments, "--token-file", str(self.token_file)], [fd])
        self._failures = 0
        self._started = False
        self._not_before = 0.0  # monotonic

    def descriptor(self) -> int | None:
        """What to poll for a first connection; None while the collector itself listens, or rests after a failure.

        A collector that cannot start leaves its caller waiting at the socket: without the rest it would be started
        again and again, as fast as the machine can.
        """
        if self._running() or time.monotonic() < self._not_before:
            return None
        return self._listener.fileno()

    def wake(self) -> None:
        if not self._running():
            self.child.start()
            self._started = True

    def _running(self) -> bool:
        if self.child.running():
            return True
        if self._started:
            self._started = False
            self._failures = self._failures + 1 if self.child.last_exit else 0
            if self._failures:
                self._not_before = time.monotonic() + _BACKOFF_S[min(self._failures, len(_BACKOFF_S)) - 1]
        return False

    def close(self) -> None:
        self.child.stop()
        self._listener.close()


def _is_token(file: Path) -> bool:
    """Whether there is one; an empty file, or one that others could read, is replaced."""
    try:
        state = file.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size >= _MIN_TOKEN_BYTES and not state.st_mode & 0o077


def _listen(port: int) -> socket.socket:
    """On ``port``, or on any free one when that is taken: any user of the laptop can take it, and must not be able to
    keep the agent from starting. The address is in ``status``.
    """
    try:
        return _listen_on(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and port:
            return _listen(0)
        raise HostError(
            N_("the embedded collector cannot listen on port {port}: {why}"),
            hint=N_("set another [collector] port in agent.toml, or 0 for any"), port=port, why=error.strerror,
        ) from error  # fmt: skip


def _listen_on(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


class SyncProcess:
    """Runs ``agent.transport.sync`` whenever the log holds records that the collector has not acknowledged."""

    of_fleet = False

    def __init__(
        self, log: Path, state: Path, url: str, token_file: Path, device: str, told: Callable[[int | None], None]
    ) -> None:
        self._told = told
        self._due = 0.0
        self._failures = 0
        self._state = state
        self.child = Child(
            ["agent.transport.sync", "--log", str(log), "--state", str(state), "--url", url,
             "--token-file", str(token_file), "--device", device, "--idle-exit", "10"]
        )  # fmt: skip
        self._was_running = False

    def tick(self, records: int, durable: int) -> float | None:
        """Start it when there is something to send: what is durable and not acknowledged.

        Returns in how many seconds to call again; None: when there is nothing to wait for.
        """
        if self.child.running():
            self._was_running = True
            return 1.0
        if self._was_running:
            self._was_running = False
            self._ended()
        acknowledged = self.acknowledged()
        if durable <= acknowledged:
            return 1.0 if records > acknowledged else None
        wait = self._due - time.monotonic()
        if wait > 0:
            return wait
        self.child.start()
        self._was_running = True
        return 1.0

    def descriptors(self) -> tuple[int, ...]:
        """What else to wait for until the next ``tick``: nothing; a collector of one laptop has nothing to call for."""
        return ()

    @property
    def reachable(self) -> bool:
        """Whether the collector can call: no need to."""
        return False

    def acknowledged(self) -> int:
        """How many records the collector has acknowledged."""
        import json

        try:
            return int(json.loads(self._state.read_bytes())["acked"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _ended(self) -> None:
        code = self.child.last_exit
        self._told(code)
        if code == 0:
            self._failures = 0
            return
        cap = _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
        self._failures += 1
        self._due = time.monotonic() + 1.0 + random.uniform(0, cap)  # noqa: S311 - spreads load, hides nothing

    def close(self) -> None:
        self.child.stop()


def login_and_groups(uid: int) -> tuple[str, tuple[str, ...]]:
    """Login name and group names of a person, for the policy; empty when the system does not know them."""
    import grp
    import pwd

    try:
        person = pwd.getpwuid(uid)
        names = tuple(grp.getgrgid(gid).gr_name for gid in os.getgrouplist(person.pw_name, person.pw_gid))
    except KeyError:
        return "", ()
    return person.pw_name, names
