"""A question to the person, in a process of its own: the GTK window, else zenity or kdialog, else nothing.

Nothing waits here: ``Question`` has a descriptor that is readable once the answer is there. The window's process gets
no argument that names anybody; its answer is bounded and checked, and decides nothing by itself.
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
        """A list of the reasons; a yes or no where one safe button is all that one « OK » can stand for.

        The arguments of a process are anybody's to read: the heading is among them, and not the text, which names
        documents. Raises FileNotFoundError when there is neither program, or no one thing that « OK » could mean.
        """
        page = self._page
        ok, cancel = dict(page.buttons)[self._sure()], page.buttons[-1][1]
        text, listed = f"{page.heading}\n\nOK: {ok}", [each for reason in self._reasons() for each in reason]
        if program := shutil.which("zenity", path=self._environment.get("PATH")):
            words = ["--list", "--print-column=1", "--hide-column=1", "--column=id", f"--column={page.title}"]
            words = [*words, "--width=520", "--height=420"] if listed else ["--question", "--no-markup", "--width=520"]
            command = [program, *words, f"--title={page.title}", f"--text={_unmarked(text, bool(listed))}",
                       f"--ok-label={ok}", f"--cancel-label={cancel}", *listed]  # fmt: skip
        elif program := shutil.which("kdialog", path=self._environment.get("PATH")):
            command = [program, "--title", page.title, "--menu" if listed else "--yesno", text, *listed]
        else:
            raise FileNotFoundError
        self._fallback = True
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment
        )

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
        why = raw.decode("utf-8", "replace").strip()
        known = [word for word, _label in self._reasons()]
        if not known:
            return Answer(self._sure())
        return Answer(self._sure(), why, "—" if why == "other" else "") if why in known else None

    def _sure(self) -> str:
        """The button that the one « OK » stands for: the safe one; without one the default, or what the person asked
        for. Raises FileNotFoundError: there are several.
        """
        page = self._page
        wanted = [*page.safe[:1]] or [page.default] * bool(page.default) or list(page.needs_reason)
        if page.safe or len(wanted) == 1 or "reason" in wanted:
            return wanted[0]
        raise FileNotFoundError

    def _reasons(self) -> Sequence[tuple[str, str]]:
        """What the list offers; nothing where « OK » is safe and needs no reason."""
        return () if self._sure() in self._page.safe else self._page.reasons

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
