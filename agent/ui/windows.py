"""A word with the person at the desktop, where no terminal is: asks for a phrase, says what went wrong.

By zenity or kdialog, whichever is installed; without either nothing is asked and errors go to standard error. What is
said often names a document, so it goes over standard input: arguments are for every user of the laptop to read. It is
shown as it is (no markup).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from agent.errors import N_

_ASK = {
    "zenity": ["zenity", "--entry", "--hide-text", "--title=Serment", "--text"],
    "kdialog": ["kdialog", "--title", "Serment", "--password"],
}
_SAY = {
    "zenity": ["zenity", "--text-info", "--title=Serment", "--width=480", "--height=220"],
    "kdialog": ["kdialog", "--title", "Serment", "--textbox", "-", "480", "220"],
}
_WAIT_S = 600.0  # a window that nobody answers
_MAX_PHRASE = 1000  # characters


def asking(translate: Callable[[str], str]) -> Callable[[str], str] | None:
    """Asks for the phrase in a window; None where there is no program for it."""
    program = _program()
    if program is None:
        return None

    def ask(_what: str) -> str:
        text = translate(N_("Your phrase, to open this document:"))
        try:
            done = subprocess.run(
                [*_ASK[program], text], capture_output=True, text=True, errors="replace", timeout=_WAIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.rstrip("\n")[:_MAX_PHRASE] if done.returncode == 0 else ""

    return ask


def say(text: str) -> None:
    """Show ``text`` until it is closed; nothing where there is no program for it."""
    program = _program()
    if program is not None:
        try:
            subprocess.run(_SAY[program], input=text.encode(), capture_output=True, timeout=_WAIT_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return


def _program() -> str | None:
    return next((name for name in ("zenity", "kdialog") if shutil.which(name)), None)
