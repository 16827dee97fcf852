"""How the pages of the tour are shown: in one window (GTK), else one question after another, else in the terminal.

``Slides.show`` returns False when the person wants no more. What is shown decides nothing and names nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.errors import N_, HostError
from agent.ui.asking import Page, Question
from agent.ui.terminal import Terminal

_PYTHON = "/usr/bin/python3"
_WINDOW = Path(__file__).with_name("window.py")
_NO_WINDOW = 3
Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Slide:
    """One page: ``number`` of ``of``, counted from 1."""

    heading: str
    text: str
    number: int
    of: int

    @property
    def is_last(self) -> bool:
        return self.number == self.of


class Slides(Protocol):
    def show(self, slide: Slide) -> bool:
        """False: no more. Raises HostError: it cannot be shown here."""

    def __enter__(self) -> Slides: ...

    def __exit__(self, *_: object) -> None: ...


class TerminalSlides(contextlib.AbstractContextManager["TerminalSlides"]):
    """``wait``: for the Return key after each."""

    def __init__(self, terminal: Terminal, *, wait: bool) -> None:
        self._terminal, self._wait = terminal, wait

    def show(self, slide: Slide) -> bool:
        terminal = self._terminal
        terminal.line(f"\n{slide.heading}\n{'─' * min(len(slide.heading), 70)}\n{slide.text}")
        if not self._wait or slide.is_last:
            return True
        try:
            input(terminal.translate(N_("(Return goes on, Ctrl+C ends) ")))
        except (EOFError, KeyboardInterrupt):
            terminal.line()
            return False
        return True

    def __exit__(self, *_: object) -> None:
        return


class WindowSlides(contextlib.AbstractContextManager["WindowSlides"]):
    """The window is there while this is; where GTK is missing, zenity or kdialog ask page by page."""

    def __init__(self, translate: Translate) -> None:
        self._t = translate
        self._window: subprocess.Popen[bytes] | None = None
        if os.access(_PYTHON, os.X_OK):
            self._window = subprocess.Popen(
                [_PYTHON, "-I", str(_WINDOW)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )

    def show(self, slide: Slide) -> bool:
        window = self._window
        if window is not None and window.stdin is not None and window.stdout is not None:
            with contextlib.suppress(OSError):
                window.stdin.write(self._line(slide))
                window.stdin.flush()
            if window.stdout.readline():
                return True
            if window.wait() != _NO_WINDOW or slide.number > 1:
                return False
            self._window = None
        return self._ask(slide)

    def _line(self, slide: Slide) -> bytes:
        t = self._t
        labels = {
            "heading": slide.heading, "text": slide.text,
            "next": t(N_("Close")) if slide.is_last else t(N_("Next")),
            "stop": "" if slide.is_last else t(N_("Stop")), "wait": t(N_("One moment…")),
        }  # fmt: skip
        return json.dumps(labels).encode("ascii") + b"\n"

    def _ask(self, slide: Slide) -> bool:
        buttons = [("next", self._t(N_("Next"))), ("stop", self._t(N_("Stop")))]
        try:
            answer = Question(Page("Serment", slide.heading, slide.text, buttons, "next", public=slide.text)).answer()
        except OSError as error:
            raise HostError(N_("no window can be shown here"), hint=N_("type: serment tour")) from error
        return answer is not None and answer.button == "next"

    def __exit__(self, *_: object) -> None:
        if self._window is not None and self._window.stdin is not None and self._window.stdout is not None:
            with contextlib.suppress(OSError):
                self._window.stdin.close()
            try:
                self._window.wait(10)
            except subprocess.TimeoutExpired:
                self._window.kill()
                self._window.wait()
            self._window.stdout.close()
