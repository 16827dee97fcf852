"""What every command needs to speak: the reader's language, calm lines, JSON lines, progress on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, TypeVar

from agent.i18n import catalogue, preferred
from agent.ui.printable import printable

_T = TypeVar("_T")


def hush(stream: TextIO) -> None:
    """What is still to be written goes nowhere, so that the interpreter's end does not stumble over it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Terminal:
    """``_`` translates; ``line`` prints; ``data`` prints one JSON object a line."""

    def __init__(self, language: str = "") -> None:
        self.language = language or preferred()
        self.translate = catalogue(self.language).gettext

    def line(self, text: str = "") -> None:
        print(text, flush=True)

    def data(self, value: Any) -> None:
        print(json.dumps(value, ensure_ascii=True, separators=(", ", ": ")), flush=True)

    def error(self, text: str) -> None:
        """A calm complaint on standard error; whatever it repeats cannot move the cursor. Nothing where that is closed:
        standard output is for whoever reads the answer.
        """
        if sys.stderr is None:
            return
        shown = "\n".join(printable(line, 4000) for line in text.split("\n"))
        try:
            print(f"serment: {shown}", file=sys.stderr, flush=True)
        except OSError:  # a full disk, a reader that went: nobody can be told, and the exit status still says it
            hush(sys.stderr)

    def shows_progress(self) -> bool:
        """Whether somebody is looking: standard error is a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()

    def progress(self, items: Iterable[_T], total: int | None, label: str) -> Iterator[_T]:
        """Go through ``items`` with a bar on standard error, when that is a terminal and the work is long."""
        if not self.shows_progress() or (total is not None and total < 50):
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        yield from track(items, description=label, total=total, console=Console(stderr=True), transient=True)
