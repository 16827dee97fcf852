"""The window in which a person says why: one question from standard input, one answer to standard output, both JSON.

Runs on its own with the distribution's Python (``python3-gi``, GTK 3, by which screen readers reach it): it imports
nothing of Serment, and lives while it is shown. Everything has a name for a screen reader and a place in the order of
the Tab key; Escape cancels. Texts come ready in the person's language and are shown as they are, never as markup.
Exit: 0 answered, 1 closed without an answer, 3 no GTK or no display.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

MAX_BYTES = 256 * 1024
MAX_TEXT = 1_000  # characters
_WIDTH = 520


class Window:
    """``question``: title, heading, text, reasons ([id, label]…), labels; a page without reasons has buttons alone.

    The ``safe`` buttons come first, above the reasons, which are for the others.
    """

    def __init__(self, gtk: Any, atk: Any, question: dict[str, Any]) -> None:
        self._gtk, self._atk, self._question = gtk, atk, question
        self.answer: dict[str, Any] | None = None
        self._reason = ""
        self._default: Any = None
        self._window = gtk.Window(title=question["title"])
        self._window.set_default_size(_WIDTH, -1)
        self._window.set_border_width(18)
        self._window.set_icon_name("security-high")
        self._window.connect("destroy", gtk.main_quit)
        self._window.connect("key-press-event", self._key)
        box = gtk.Box(orientation=gtk.Orientation.VERTICAL, spacing=12)
        self._window.add(box)
        self._say(box, question["heading"], large=True)
        self._say(box, question["text"])
        self._text: Any = None
        safe = [pair for pair in question["buttons"] if pair[0] in question.get("safe", ())]
        if safe:
            self._buttons(box, safe)
            box.pack_start(gtk.Separator(), False, False, 6)
        if question.get("reasons"):
            self._ask(box)
        self._buttons(box, [pair for pair in question["buttons"] if pair not in safe])

    def show(self) -> dict[str, Any] | None:
        if self._default is not None:
            self._window.set_default(self._default)
            self._default.grab_focus()
        self._window.show_all()
        self._window.present()
        self._gtk.main()
        return self.answer

    def _say(self, box: Any, text: str, *, large: bool = False) -> None:
        label = self._gtk.Label(label=text, xalign=0.0)
        label.set_line_wrap(True)
        label.set_max_width_chars(60)
        label.set_selectable(False)
        if large:
            label.get_style_context().add_class("title-3")
        box.pack_start(label, False, False, 0)

    def _ask(self, box: Any) -> None:
        """The reasons as radio buttons: the first is chosen, arrow keys go through them."""
        labels = self._question["labels"]
        self._say(box, labels["reasons"])
        group = None
        for word, label in self._question["reasons"]:
            button = self._gtk.RadioButton.new_with_label_from_widget(group, label)
            group = group or button
            self._name(button, label)
            button.connect("toggled", self._chosen, word)
            box.pack_start(button, False, False, 0)
        self._reason = self._question["reasons"][0][0]
        caption = self._gtk.Label(label=labels["text"], xalign=0.0)
        self._text = self._gtk.Entry()
        self._text.set_max_length(MAX_TEXT)
        self._text.set_activates_default(True)
        caption.set_mnemonic_widget(self._text)
        self._name(self._text, labels["text"])
        box.pack_start(caption, False, False, 0)
        box.pack_start(self._text, False, False, 0)

    def _buttons(self, box: Any, pairs: list[list[str]]) -> None:
        row = self._gtk.ButtonBox(orientation=self._gtk.Orientation.HORIZONTAL, spacing=8)
        row.set_layout(self._gtk.ButtonBoxStyle.START)
        for word, label in pairs:
            button = self._gtk.Button(label=label)
            self._name(button, label)
            button.connect("clicked", self._pressed, word)
            if word == self._question.get("default"):
                self._default = button
                button.set_can_default(True)
                button.get_style_context().add_class("suggested-action")
            row.add(button)
        box.pack_start(row, False, False, 0)

    def _name(self, widget: Any, text: str) -> None:
        widget.get_accessible().set_name(text)

    def _chosen(self, button: Any, word: str) -> None:
        if button.get_active():
            self._reason = word

    def _pressed(self, _button: Any, word: str) -> None:
        text = " ".join(self._text.get_text().split()) if self._text is not None else ""
        if word in self._question.get("needs_reason", ()) and self._reason == "other" and not text:
            self._text.grab_focus()  # a reason of one's own needs words
            return
        self.answer = {"button": word, "why": self._reason, "text": text[:MAX_TEXT]}
        self._window.destroy()

    def _key(self, _window: Any, event: Any) -> bool:
        if event.keyval == 0xFF1B:  # Escape
            self._window.destroy()
            return True
        return False


def main() -> int:
    """Show the question."""
    try:
        question = json.loads(sys.stdin.buffer.read(MAX_BYTES))
        gi = importlib.import_module("gi")
        gi.require_version("Gtk", "3.0")
        gtk = importlib.import_module("gi.repository.Gtk")
        atk = importlib.import_module("gi.repository.Atk")
        if not gtk.init_check(None)[0]:
            return 3
    except (ImportError, ValueError, RuntimeError):
        return 3
    answer = Window(gtk, atk, question).show()
    if answer is None:
        return 1
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
