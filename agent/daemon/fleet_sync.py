"""When the collector of a fleet is visited, and by whom: the sync process, started when it is due and gone afterwards.

The agent opens no connection and parses nothing that came over one. Under systemd it touches a file, and a path unit
starts ``serment-sync.service`` (own user, own network rules); without systemd it starts the process itself, as that
user. What it reads of it is its state file, which belongs to somebody with fewer rights: bounded, never a link or a
pipe.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from agent.daemon.bell import Bell
from agent.daemon.children import Child
from agent.errors import HostError
from agent.fleet import FOLDER
from agent.transport.bell import SOCKET
from agent.transport.spool import SpoolState, load_state

DUE_FILE = "sync.due"
STATE_FILE = "sync.json"
REPORT_FILE = "fleet-report.json"
SYNC_USER = "serment"
BY_UNIT = "SERMENT_SYNC"  # the agent's unit sets it to « unit »
_SOON_S = 5.0  # news waits so long for more news
_LONGEST_S = 24 * 3600.0
_MARGIN_S = 3600.0  # a clock that is put right a little
_PATIENCE_S = 600.0  # a visit that was asked for and left no trace is asked for again


class FleetSync:
    """See ``children.SyncProcess``: the same to the agent. ``told`` is called with how a visit ended."""

    of_fleet = True

    def __init__(self, data: Path, runtime: Path, told: Callable[[int | None], None]) -> None:
        self._folder = data / FOLDER
        self._state_file = self._folder / STATE_FILE
        self._due_file = runtime / DUE_FILE
        self._by_unit = os.environ.get(BY_UNIT) == "unit"
        self._told = told
        command = ["agent.fleet.sync", "--log", str(data / "audit"), "--fleet", str(self._folder),
                   "--report", str(runtime / REPORT_FILE), "--bell", str(runtime / SOCKET)]  # fmt: skip
        user = sync_user()
        self.child = _AsUser(command, user)
        self._bell = Bell(runtime / SOCKET, user.pw_uid if user is not None else None)
        self._last = self._state()
        self._asked = 0.0  # monotonic; when a visit was asked for that has not ended
        self._news_since = 0.0
        self._retry = 0.0

    def acknowledged(self) -> int:
        """How many records the collector has acknowledged."""
        return self._state().acked

    @property
    def state_file(self) -> Path:
        return self._state_file

    @property
    def reachable(self) -> bool:
        """Whether the collector can call this laptop now, and need not wait for its next visit."""
        return self._bell.held

    def descriptors(self) -> tuple[int, ...]:
        """What else to wait for until the next ``tick``."""
        return self._bell.descriptors()

    def tick(self, records: int, durable: int) -> float | None:
        """Ask for a visit when one is due: there is news, or the collector wished for one or rang. Seconds until the
        next call.
        """
        now = time.monotonic()
        rung = self._bell.look()
        if self._under_way(now):
            return 1.0
        state = self._state()
        if durable > state.acked:
            self._news_since = self._news_since or now
        else:
            self._news_since = 0.0
        wait = self._wait(state, now, rung)
        if wait > 0:
            return max(min(wait, 60.0), 0.1)
        self._ask(now)
        return 1.0

    def _wait(self, state: SpoolState, now: float, rung: float | None) -> float:
        """Seconds until a visit is due; ``rung``: when the bell would have one (monotonic seconds)."""
        clock = time.time()
        if state.trouble:  # what it has been told, or worked out for itself, after a failure
            return max(_until(state.retry_at, clock), self._retry - now)
        waits = [_until(state.next_at, clock)]
        if rung is not None:
            waits.append(rung - now)
        if self._news_since:
            waits.append(self._news_since + _SOON_S - now)
        return max(min(waits), self._retry - now)

    def _under_way(self, now: float) -> bool:
        if not self._asked:
            return False
        state = self._state()
        over = state != self._last if self._by_unit else not self.child.running()
        if not over and now - self._asked < _PATIENCE_S:
            return True
        self._asked, self._news_since = 0.0, 0.0
        if state == self._last:  # it could not even write its state: not again at once
            self._retry = now + random.uniform(60.0, 300.0)  # noqa: S311 - spreads load, hides nothing
        self._last = state
        self._told({"": 0, "unreachable": 75, "refused": 77}.get(state.trouble, 76))
        return False

    def _ask(self, now: float) -> None:
        self._last, self._asked = self._state(), now
        self._bell.visited()
        if self._by_unit:
            with contextlib.suppress(OSError):
                self._due_file.write_bytes(b"")
            return
        self.child.start()

    def _state(self) -> SpoolState:
        try:
            return load_state(self._state_file)
        except HostError:
            return SpoolState("")

    def close(self) -> None:
        self.child.stop()
        self._bell.close()


def _until(when: int, clock: float) -> float:
    """Seconds until ``when``. Nobody puts a visit off for longer than a day: a clock that was ahead wrote what lies
    further away, and it is due.
    """
    wait = when - clock
    return wait if wait <= _LONGEST_S + _MARGIN_S else 0.0


def sync_user() -> pwd.struct_passwd | None:
    """Who syncs, when the agent is root and there is such a user; None: the agent's own."""
    if os.getuid() == 0:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SYNC_USER)
    return None


class _AsUser(Child):
    """A process of another user; None: of our own."""

    def __init__(self, command: list[str], user: pwd.struct_passwd | None) -> None:
        super().__init__(command)
        self._user = user

    def _begin(self) -> subprocess.Popen[bytes]:
        if self._user is None:
            return super()._begin()
        return subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, user=self._user.pw_uid, group=self._user.pw_gid, extra_groups=[], cwd="/",
            umask=0o077,
        )  # fmt: skip
