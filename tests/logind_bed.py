"""The system's own login manager on a bus of the test: one session of the test's user, which can be locked.

The real systemd-logind, in a mount namespace with a /run of its own. Nothing starts sessions without a service manager:
the session stands in the state files that logind takes up when it begins, as after a restart of it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from agent.helper.bus import Bus
from tests.desktop_bed import DesktopBed, needs
from tests.running import wait_for

LOGIN = "org.freedesktop.login1"
_PROGRAM = "/lib/systemd/systemd-logind"
_BEGIN = """set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/systemd/sessions /run/systemd/users /run/systemd/seats /run/systemd/inhibit /run/systemd/machines /run/user
cp "$0/session" /run/systemd/sessions/c1
cp "$0/user" "/run/systemd/users/$1"
exec "$2"
"""
_SESSION = """UID={uid}
USER=someone
ACTIVE=1
IS_DISPLAY=1
STATE=active
REMOTE=0
TYPE=x11
CLASS=user
SCOPE=session-c1.scope
SERVICE=trial
LEADER={leader}
AUDIT=0
REALTIME=1700000000000000
MONOTONIC=1000000
"""
_USER = """NAME=someone
STATE=active
STOPPING=no
RUNTIME=/run/user/{uid}
DISPLAY=c1
SESSIONS=c1
ACTIVE_SESSIONS=c1
"""


class Session:
    """``lock`` and ``unlock`` as the desktop's lock screen says it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def lock(self) -> None:
        self._hint(True)

    def unlock(self) -> None:
        self._hint(False)

    def _hint(self, locked: bool) -> None:
        path = f"/{LOGIN.replace('.', '/')}/session/c1"
        self._bus.call(LOGIN, path, f"{LOGIN}.Session", "SetLockedHint", "b", (locked,))


@contextlib.contextmanager
def logind(desk: DesktopBed) -> Iterator[Session]:
    """A session of this user; helpers that are started from now on find it on their system bus."""
    needs("unshare", _PROGRAM)
    desk.system_address = desk.bus("system")
    uid, folder = os.getuid(), desk.base / "logind"
    folder.mkdir()
    Path(folder / "session").write_text(_SESSION.format(uid=uid, leader=os.getpid()))
    Path(folder / "user").write_text(_USER.format(uid=uid))
    desk.start("logind", ["unshare", "-m", "sh", "-c", _BEGIN, str(folder), str(uid), _PROGRAM])
    with desk.session(desk.system_address) as bus:
        wait_for(lambda: bus.owner(LOGIN), 60)
        yield Session(bus)
