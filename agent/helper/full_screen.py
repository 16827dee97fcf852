"""Whether a full-screen window is shown: asked of the X server when there is a notice to show, never kept open."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

_ANY_TYPE, _BYTES = 0, 4096


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
