"""What a command said, and how tests of this folder call one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Said:
    code: int
    out: str
    err: str


Serment = Callable[..., Said]
