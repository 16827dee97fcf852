"""From the refused copy to the visible notice, and what the helper costs: a real desktop under Xvfb, Debian's dunst.

``python -m bench notice``: documents are copied one after another by cp(1) onto a stick behind its airlock, each after
the notice of the one before was closed; the clock runs from the end of cp to the first sight of the notice's window on
the X server (asked every 5 ms by a client of its own). Root, and Xvfb, dunst, openbox, xdotool, dbus-daemon.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import statistics
import tempfile
import time
from pathlib import Path

from agent.helper.full_screen import _typed
from bench.measure import Figure

COPIES = 12
PATIENCE_S = 10.0
IDLE_S = 60.0


class Screen:
    """The mapped top-level windows of an X display."""

    def __init__(self, display: str) -> None:
        self._x11 = _typed(ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6"))
        self._x11.XQueryTree.argtypes = [ctypes.c_void_p, ctypes.c_ulong, *[ctypes.c_void_p] * 4]
        self._x11.XGetWindowAttributes.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p]
        self._server = self._x11.XOpenDisplay(display.encode())
        self._root = self._x11.XDefaultRootWindow(self._server)

    def mapped(self) -> set[int]:
        """Windows that are to be seen now."""
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        self._x11.XQueryTree(
            self._server,
            self._root,
            ctypes.byref(root),
            ctypes.byref(parent),
            ctypes.byref(children),
            ctypes.byref(count),
        )
        found = {int(children[index]) for index in range(count.value)}
        if count.value:
            self._x11.XFree(children)
        return {window for window in found if self._viewable(window)}

    def _viewable(self, window: int) -> bool:
        attributes = (ctypes.c_byte * 256)()
        if not self._x11.XGetWindowAttributes(self._server, window, ctypes.byref(attributes)):
            return False
        return ctypes.cast(attributes, ctypes.POINTER(ctypes.c_int))[_MAP_STATE] == 2  # IsViewable


_MAP_STATE = 23  # of XWindowAttributes on 64 bits, counted in ints


def main() -> list[Figure]:
    """The figures."""
    from tests.desktop_bed import desktop
    from tests.helper_policies import policy
    from tests.running import wait_for
    from tests.stick_bed import bed, letter

    with tempfile.TemporaryDirectory(prefix="serment-bench-") as name:
        base = Path(name)
        with bed(base, policy=policy(base, "block")) as stick, desktop(base) as desk:
            stick.wait_held()
            helper = desk.helper(stick.agent.config)
            with desk.session() as bus:
                wait_for(lambda: bus.owner("org.serment.Helper"))
            time.sleep(2.0)
            screen, waits = Screen(desk.display), []
            for number in range(COPIES):
                stick.put(f"lettre-{number}.txt", letter(number + 1))
                before = screen.mapped()
                stick.copy(f"lettre-{number}.txt")
                waits.append(_seen(screen, before))
                desk.end("helper")  # a batch is one notice: the next one is to be another's
                desk.run("dunstctl", "close-all")
                helper = desk.helper(stick.agent.config)
                with desk.session() as bus:
                    wait_for(lambda: bus.owner("org.serment.Helper"))
                    time.sleep(1.0)
                desk.run("dunstctl", "close-all")
                time.sleep(0.5)
            switches, pss, rss = _idle(helper.pid)
    return [
        Figure("refused copy to visible notice, median", statistics.median(waits) * 1000, "ms", 300),
        Figure("refused copy to visible notice, slowest", max(waits) * 1000, "ms"),
        Figure("helper: context switches in 60 s idle", switches, "", 0),
        Figure("helper: resident memory (RSS)", rss / 1024, "MB", 40),
        Figure("helper: proportional share (PSS)", pss / 1024, "MB"),
    ]


def _seen(screen: Screen, before: set[int]) -> float:
    """Seconds until a window is there that was not before."""
    start = time.monotonic()
    while not screen.mapped() - before:
        if time.monotonic() - start > PATIENCE_S:
            raise TimeoutError("no notice")
        time.sleep(0.005)
    return time.monotonic() - start


def _idle(pid: int) -> tuple[int, int, int]:
    """Context switches in a minute once it is at rest, PSS and RSS in kB."""
    from tests.system.test_helper_panel import _at_rest, switches

    before = _at_rest(pid)
    time.sleep(IDLE_S)
    after = switches(pid)
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as table:
        figures = {line.split(":")[0]: int(line.split()[1]) for line in table if line.endswith("kB\n")}
    return after - before, figures["Pss"], figures["Rss"]
