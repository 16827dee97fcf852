"""The display of this session, for the windows that are opened: the helper may have begun before there was one.

The service manager of the person knows it: desktops tell it their variables (``dbus-update-activation-environment``).
"""

from __future__ import annotations

import os

from agent.helper.bus import Bus, BusError

WANTED = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP")
_SYSTEMD = "org.freedesktop.systemd1"


def environment(bus: Bus | None) -> dict[str, str]:
    """Our environment with the session's display."""
    found = dict(os.environ)
    if bus is None:
        return found
    try:
        told = bus.get(_SYSTEMD, "/org/freedesktop/systemd1", f"{_SYSTEMD}.Manager", "Environment")
    except BusError:  # no service manager: what we were started with
        return found
    for line in told if isinstance(told, list) else ():
        name, equals, value = str(line).partition("=")
        if equals and name in WANTED:
            found[name] = value
    return found
