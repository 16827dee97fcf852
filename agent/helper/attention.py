"""May a notice be shown now? Not on a locked screen, not over a full-screen window. Asked when there is one to show.

Locked: what the session's screen saver or the login manager says (freedesktop ScreenSaver and its GNOME, MATE,
Cinnamon and Xfce kin; logind's LockedHint). Full-screen: what the notification service says, and on X11 the active
window's state. Who cannot be asked has no objection. While a notice waits, an unlocking is heard; a full-screen window
is asked after now and then.
"""

from __future__ import annotations

import contextlib
import os

from agent.helper.bus import Bus, BusError, Came

_SAVERS = (
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.mate.ScreenSaver", "/"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
)
_LOGIN, _LOGIN_PATH = "org.freedesktop.login1", "/org/freedesktop/login1"
_PROPERTIES = "org.freedesktop.DBus.Properties"


class Attention:
    """``system`` is the system bus, where there is one."""

    def __init__(self, session: Bus, system: Bus | None) -> None:
        self._session = session
        self._system = system
        for name, _path in _SAVERS:
            session.listen("", name, "ActiveChanged")
        if system is not None:
            with contextlib.suppress(BusError):
                system.listen(_LOGIN, _PROPERTIES, "PropertiesChanged")

    def locked(self) -> bool:
        """Whether the person's screen is locked."""
        return any(self._saver_active(name, path) for name, path in _SAVERS) or self._locked_hint()

    def _saver_active(self, name: str, path: str) -> bool:
        if not self._session.owner(name):
            return False
        try:
            return bool(self._session.call(name, path, name, "GetActive", start=False, seconds=1.0)[0])
        except (BusError, IndexError):
            return False

    def _locked_hint(self) -> bool:
        """logind: of the session that this person's display is."""
        if self._system is None:
            return False
        try:
            user = self._system.call(
                _LOGIN, _LOGIN_PATH, f"{_LOGIN}.Manager", "GetUser", "u", (os.getuid(),), start=False
            )
            session, path = self._system.get(_LOGIN, user[0], f"{_LOGIN}.User", "Display")
            return bool(session) and bool(self._system.get(_LOGIN, path, f"{_LOGIN}.Session", "LockedHint"))
        except (BusError, IndexError, TypeError, ValueError):
            return False

    @staticmethod
    def is_about(came: Came) -> bool:
        """Whether this signal may have changed the answer."""
        if came.is_call:
            return False
        if came.member == "ActiveChanged" and came.interface in dict(_SAVERS):
            return True
        if came.member == "NameOwnerChanged" and came.body[0] in dict(_SAVERS):
            return True  # it ended, and with it what it said
        return came.member == "PropertiesChanged" and came.path.startswith(_LOGIN_PATH + "/session")
