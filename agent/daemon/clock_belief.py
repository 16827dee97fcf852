"""How far the clock is believed when something is to be destroyed because its time is over.

A clock that stands years ahead for an hour (a wrong time server, a slip of an administrator) would have every copy in
quarantine and every name of the log destroyed at once, for good. So the time by which things are destroyed goes forward
by eight days at most each time that the house is kept: at a start, and every day. A laptop that was off for three
months has caught up after twelve times. Owns the file that remembers how far it has come; who keeps the house names it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from agent.fsys.atomic import replace_file

MOST_US = 8 * 86_400 * 1_000_000
_MOST_BYTES = 20


def believed(file: Path, now_us: int) -> int:
    """The time by which things may be destroyed, in microseconds since 1970 (UTC): ``now_us``, or earlier.

    Without a file, or with one that says nothing, the clock is believed as it is.
    """
    came = _came(file)
    until = now_us if came is None else min(now_us, came + MOST_US)
    if until != came:
        with contextlib.suppress(OSError):  # on a full disk what is due goes all the same, and the step stays this one
            replace_file(file, b"%d\n" % until)
    return until


def _came(file: Path) -> int | None:
    try:
        with file.open("rb") as opened:
            said = opened.read(_MOST_BYTES).strip()
    except OSError:
        return None
    return int(said) if said.isdigit() else None
