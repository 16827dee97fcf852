"""The window of the guided tour: one window, page after page, so that nothing jumps about. JSON lines in, words out.

Runs on its own with the distribution's Python (GTK 3) and imports nothing of Serment. Each line of standard input is a
page: heading, text, labels. ``next`` on standard output says that the person wants to go on; until the next page is
there the window says that it is at work. Return goes on, Escape ends; the button that goes on is described by the text
of the page, so that a screen reader reads it when the page comes. Texts are shown as they are, never as markup.
Exit: 0 the pages are over, 1 closed before, 3 no GTK or no display.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

_MOST = 64 * 1024
_ESCAPE = 0xFF1B


class Tour:
    """``run`` until the last page is left; ``left`` is False when the person stopped before."""

    def __init__(self, gtk: Any, glib: Any) -> None:
        self._gtk, self._glib = gtk, glib
        self._come = b""
        self.left = False
        self._window = gtk.Window(title="Serment")
        self._window.set_default_size(600, 340)
        self._window.set_border_width(24)
        self._window.set_icon_name("security-high")
        self._window.set_position(gtk.WindowPosition.CENTER)
        self._window.connect("destroy", gtk.main_quit)
        self._window.connect("key-press-event", self._key)
        box = gtk.Box(orientation=gtk.Orientation.VERTICAL, spacing=14)
        self._window.add(box)
        self._heading, self._text = self._label("title-1"), self._label("")
        box.pack_start(self._heading, False, False, 0)
        box.pack_start(self._text, False, False, 0)
        self._stop, self._next = gtk.Button(), gtk.Button()
        self._spinner, self._wait = gtk.Spinner(), self._label("dim-label")
        self._buttons(box)

    def _label(self, style: str) -> Any:
        label = self._gtk.Label(xalign=0.0)
        label.set_line_wrap(True)
        label.set_max_width_chars(64)
        if style:
            label.get_style_context().add_class(style)
        return label

    def _buttons(self, box: Any) -> None:
        row = self._gtk.Box(orientation=self._gtk.Orientation.HORIZONTAL, spacing=8)
        row.pack_start(self._spinner, False, False, 0)
        row.pack_start(self._wait, False, False, 0)
        row.pack_end(self._next, False, False, 0)
        row.pack_end(self._stop, False, False, 0)
        box.pack_end(row, False, False, 0)
        self._stop.connect("clicked", lambda _button: self._window.destroy())
        self._next.connect("clicked", self._go_on)
        self._next.set_can_default(True)
        self._next.get_style_context().add_class("suggested-action")
        self._window.set_default(self._next)

    def run(self) -> None:
        """Until the last page is left, or the window is closed."""
        os.set_blocking(sys.stdin.fileno(), False)
        watched = self._glib.IO_IN | self._glib.IO_HUP
        self._glib.io_add_watch(sys.stdin.fileno(), self._glib.PRIORITY_DEFAULT, watched, self._readable)
        self._gtk.main()

    def _readable(self, fd: int, _condition: Any) -> bool:
        try:
            data = os.read(fd, _MOST)
        except BlockingIOError:
            return True
        self._come += data
        while b"\n" in self._come:
            line, _, self._come = self._come.partition(b"\n")
            self._show(json.loads(line))
        if not data:  # no page comes any more
            self.left = True
            self._window.destroy()
        return bool(data) and len(self._come) < _MOST

    def _show(self, page: dict[str, str]) -> None:
        self._window.set_title(f"Serment — {page['heading']}")
        for label, word in ((self._heading, "heading"), (self._text, "text"), (self._wait, "wait")):
            label.set_text(page[word])
        for button, word in ((self._stop, "stop"), (self._next, "next")):
            button.set_label(page[word])
            button.get_accessible().set_name(page[word])
            button.set_sensitive(True)
        self._next.get_accessible().set_description(f"{page['heading']}. {page['text']}")
        self._window.show_all()
        self._stop.set_visible(bool(page["stop"]))
        self._busy(False)
        self._next.grab_focus()
        self._window.present()

    def _busy(self, busy: bool) -> None:
        self._next.set_sensitive(not busy)
        self._spinner.set_visible(busy)
        self._wait.set_visible(busy)
        (self._spinner.start if busy else self._spinner.stop)()

    def _go_on(self, _button: Any) -> None:
        self._busy(True)
        try:
            os.write(sys.stdout.fileno(), b"next\n")
        except OSError:
            self._window.destroy()

    def _key(self, _window: Any, event: Any) -> bool:
        if event.keyval == _ESCAPE:
            self._window.destroy()
            return True
        return False


def main() -> int:
    """Show the pages that come."""
    try:
        gi = importlib.import_module("gi")
        gi.require_version("Gtk", "3.0")
        gtk = importlib.import_module("gi.repository.Gtk")
        glib = importlib.import_module("gi.repository.GLib")
        if not gtk.init_check(None)[0]:
            return 3
    except (ImportError, ValueError, RuntimeError):
        return 3
    tour = Tour(gtk, glib)
    tour.run()
    return 0 if tour.left else 1


if __name__ == "__main__":
    sys.exit(main())
