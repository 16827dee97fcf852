"""What the helper remembers for one person: which lessons were given, whether the tour was offered, the month told, and
the answer that is being carried out.

Owns ``$XDG_STATE_HOME/serment/helper.json``. No document, no name. A file that cannot be read is an empty one.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

LESSONS = 3  # the first times a rule acts, it is explained
_MAX_BYTES = 64 * 1024
_MAX_RULES = 1_000


class Memory:
    def __init__(self, path: Path | None = None) -> None:
        state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        self._path = path or Path(state) / "serment/helper.json"
        self._table: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, RecursionError):
            read = json.loads(self._path.read_bytes()[:_MAX_BYTES])
            self._table = read if isinstance(read, dict) else {}

    def lesson_due(self, rule: str) -> bool:
        """Whether this is one of the first times; counts it."""
        given = self._table.get("lessons")
        given = given if isinstance(given, dict) else {}
        count = given.get(rule, 0)
        if type(count) is int and count >= LESSONS:
            return False
        given[rule] = (count if type(count) is int else 0) + 1
        self._table["lessons"] = dict(list(given.items())[-_MAX_RULES:])
        self._save()
        return True

    def tour_due(self) -> bool:
        """True once: the tour was not offered yet."""
        due = not self._table.get("tour")
        self._table["tour"] = True
        if due:
            self._save()
        return due

    def month_told(self) -> str:
        """The month (YYYY-MM) in which those before it were told; empty: none was."""
        told = self._table.get("month")
        return told if isinstance(told, str) else ""

    def tell_month(self, month: str) -> None:
        """Those before ``month`` are told."""
        self._table["month"] = month
        self._save()

    def answer(self) -> tuple[str, str]:
        """(id, way) of the answer whose end was not told yet; empty: none."""
        answer = self._table.get("answer")
        return (str(answer[0]), str(answer[1])) if isinstance(answer, list) and len(answer) == 2 else ("", "")

    def begin_answer(self, held: str = "", how: str = "") -> None:
        """It is being carried out from now on; without arguments none is."""
        self._table["answer"] = [held, how]
        self._save()

    def _save(self) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(self._table), encoding="ascii")
            draft.replace(self._path)
