"""A question to the person, in a process of its own: the GTK window, else zenity or kdialog, else nothing.

Nothing waits here: ``Question`` has a descriptor that is readable once the answer is there. No process gets an argument
that names anybody, since every user of the laptop may read arguments: zenity and kdialog show what is ``public`` alone.
An answer is bounded and checked, and decides nothing by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PYTHON = "/usr/bin/python3"  # the distribution's: GTK belongs to it, wherever our own interpreter comes from
_WINDOW = Path(__file__).with_name("window.py")
_NO_WINDOW = 3
_MAX_ANSWER = 16 * 1024
_MAX_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """What a window shows. ``reasons`` and ``buttons``: word and label; ``default``: that of the Return key, if any."""

    title: str
    heading: str
    text: str
    buttons: Sequence[tuple[str, str]]
    default: str
    reasons: Sequence[tuple[str, str]] = ()
    needs_reason: Sequence[str] = ()  # the buttons that a reason of one's own needs words for
    safe: Sequence[str] = ()  # the buttons that stand first, above the reasons
    labels: Mapping[str, str] = field(default_factory=dict)
    public: str = ""  # what may stand in the place of the text where others can read it

    def encode(self) -> bytes:
        table = {
            name: getattr(self, name)
            for name in ("title", "heading", "text", "buttons", "default", "reasons", "needs_reason", "safe")
        }
        return json.dumps({**table, "labels": dict(self.labels)}).encode("ascii")


@dataclass(frozen=True, slots=True)
class Answer:
    button: str
    why: str = ""
    text: str = ""


class Question:
    """One window that is shown. Raises OSError when there is no program for it."""

    def __init__(self, page: Page, environment: Mapping[str, str] = os.environ) -> None:
        self._page = page
        self._environment = dict(environment)
        self._fallback = False
        self._process = self._window()

    def _window(self) -> subprocess.Popen[bytes]:
        if not os.access(_PYTHON, os.X_OK):
            return self._zenity()
        process = subprocess.Popen(
            [_PYTHON, "-I", str(_WINDOW)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=self._environment,
        )  # fmt: skip
        assert process.stdin is not None
        try:
            process.stdin.write(self._page.encode())
            process.stdin.close()
        except OSError:  # it ended at once: ``answer`` says so
            pass
        return process

    def _zenity(self) -> subprocess.Popen[bytes]:
        """A list of what can be done; a yes or no where that is one thing. Raises FileNotFoundError: no program."""
        page, choices, cancel = self._page, self._choices(), self._page.buttons[-1][1]
        text, listed = f"{page.heading}\n\n{page.public}".strip(), [each for choice in choices for each in choice]
        single = choices[0][1] if len(choices) == 1 else ""
        if program := shutil.which("zenity", path=self._environment.get("PATH")):
            words = ["--list", "--print-column=1", "--hide-column=1", "--column=id", f"--column={page.title}"]
            words = ["--question", "--no-markup", f"--ok-label={single}"] if single else [*words, "--height=420"]
            command = [program, *words, "--width=520", f"--title={page.title}", f"--text={_unmarked(text, not single)}",
                       f"--cancel-label={cancel}", *([] if single else listed)]  # fmt: skip
        elif program := shutil.which("kdialog", path=self._environment.get("PATH")):
            words = (
                ["--yesno", text, "--yes-label", single, "--no-label", cancel] if single else ["--menu", text, *listed]
            )
            command = [program, "--title", page.title, *words]
        else:
            raise FileNotFoundError
        self._fallback = True
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment
        )

    def _choices(self) -> list[tuple[str, str]]:
        """The lines of a plain list, word and label. Each says all that it does: its « OK » stands for no button of its
        own. The first, which a Return may take, is a safe way or none.
        """
        page, (*buttons, cancel) = self._page, self._page.buttons
        lines = [] if page.safe or not page.reasons else [cancel]
        for word, label in buttons:
            if word in page.needs_reason:
                lines += [(f"{word}:{why}", f"{label} · {reason}") for why, reason in page.reasons]
            else:
                lines.append((word, label))
        return lines

    def fileno(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def answer(self) -> Answer | None:
        """Once ``fileno`` is readable: what was answered; None: closed, or it could not be shown.

        Raises FileNotFoundError when no window can be shown here at all.
        """
        assert self._process.stdout is not None
        raw = self._process.stdout.read(_MAX_ANSWER)
        code = self._process.wait()
        if code == _NO_WINDOW and not self._fallback:
            self._process = self._zenity()
            return self.answer()
        if code != 0:
            return None
        return self._listed(raw) if self._fallback else self._read(raw)

    def _listed(self, raw: bytes) -> Answer | None:
        choices = dict(self._choices())
        chosen = next(iter(choices)) if len(choices) == 1 else raw.decode("utf-8", "replace").strip()
        if chosen not in choices or chosen == self._page.buttons[-1][0]:
            return None
        word, _, why = chosen.partition(":")
        return Answer(word, why, "—" if why == "other" else "")

    def _read(self, raw: bytes) -> Answer | None:
        try:
            table: dict[str, Any] = json.loads(raw)
            answer = Answer(str(table["button"]), str(table["why"]), str(table["text"])[:_MAX_TEXT])
        except (ValueError, KeyError, TypeError):
            return None
        known = [word for word, _label in self._page.buttons]
        return answer if answer.button in known else None

    def close(self) -> None:
        """Take it away."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def _unmarked(text: str, listed: bool) -> str:
    """``zenity --list`` reads its text as markup."""
    from html import escape

    return escape(text) if listed else text
