"""Where images are kept, what goes wrong, and what a command gave back. Everything else here imports this."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
CACHE = Path(
    os.environ.get("SERMENT_LAPTOP_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serment-laptop"
)
USERS = ("root", "medecin")
CHUNK = 1 << 20
IN_USE_S = 3600  # what was used that lately may belong to a run of another checkout


def used(*paths: Path) -> None:
    """Says of what lies in the cache that somebody wants it."""
    for path in paths:
        if path.exists():
            os.utime(path)


def unused(found: Iterable[Path]) -> list[Path]:
    """Of what lies in the cache: what can go."""
    return [path for path in found if time.time() - path.stat().st_mtime > IN_USE_S]


class LaptopError(Exception):
    """The machine, or its image, is not in the state that was asked for."""


class Result(NamedTuple):
    rc: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


class CommandFailed(LaptopError):
    """A command that had to succeed did not: its words and its output."""

    def __init__(self, command: object, result: Result) -> None:
        super().__init__(f"rc {result.rc}: {command}\n{result.text}")
        self.result = result
