"""What a process does that is killed while it waits for a verdict."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.gates.airlock.session import Request


def until_killed(request: Request) -> Callable[[], None]:
    """A tick that gives the work up: nothing has happened yet, and nothing will."""

    def tick() -> None:
        if request.tick():
            raise OSError(errno.EINTR, os.strerror(errno.EINTR))

    return tick
