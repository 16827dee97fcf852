"""May a notice be shown now? Not on a locked screen, not over a full-screen window. Asked when there is one to show.

Locked: what the session's screen saver or the login manager says (freedesktop ScreenSaver and its GNOME, MATE,
Cinnamon and Xfce kin; logind's LockedHint). Full-screen: what the notification service says, and on X11 the active
window's state. Who cannot be asked has no objection. While a notice waits, an unlocking is heard; a full-screen window
is asked after now and then.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
from typing import Any

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
_ANY_TYPE, _BYTES = 0, 4096


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


def full_screen(name: str) -> bool:
    """Whether the active window of the X display ``name`` covers the screen.

    False where there is no X server: the desktops of Wayland keep notices back by themselves.
    """
    library = ctypes.util.find_library("X11") if name else None
    if library is None:
        return False
    try:
        x11 = _typed(ctypes.CDLL(library))
    except OSError:
        return False
    server = x11.XOpenDisplay(name.encode())
    if not server:
        return False
    try:
        root = x11.XDefaultRootWindow(server)
        active = _longs(x11, server, root, b"_NET_ACTIVE_WINDOW")
        if not active or not active[0]:
            return False
        return x11.XInternAtom(server, b"_NET_WM_STATE_FULLSCREEN", 0) in _longs(
            x11, server, active[0], b"_NET_WM_STATE"
        )
    finally:
        x11.XCloseDisplay(server)


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_ignore_error = _HANDLER(lambda _server, _event: 0)  # a window that is gone in between must not end us


def _typed(x11: Any) -> Any:
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    x11.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XFree.argtypes = [ctypes.c_void_p]
    x11.XSetErrorHandler.argtypes = [_HANDLER]
    x11.XGetWindowProperty.argtypes = [
        ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_long, ctypes.c_long, ctypes.c_int, ctypes.c_ulong,
        *[ctypes.c_void_p] * 5,
    ]  # fmt: skip
    x11.XSetErrorHandler(_ignore_error)
    return x11


def _longs(x11: Any, server: int, window: int, name: bytes) -> list[int]:
    """A property of 32-bit values (which Xlib gives as longs)."""
    kind, count, left = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
    form, data = ctypes.c_int(), ctypes.POINTER(ctypes.c_ulong)()
    got = x11.XGetWindowProperty(
        server, window, x11.XInternAtom(server, name, 0), 0, _BYTES // 4, 0, _ANY_TYPE, ctypes.byref(kind),
        ctypes.byref(form), ctypes.byref(count), ctypes.byref(left), ctypes.byref(data),
    )  # fmt: skip
    if got != 0 or not ctypes.cast(data, ctypes.c_void_p).value:
        return []
    try:
        return [int(data[index]) for index in range(count.value)] if form.value == 32 else []
    finally:
        x11.XFree(data)
