"""Which file, in which state. Apart from ``model``, so that the small processes of the gates need no more than this."""

from __future__ import annotations

from typing import NamedTuple


class Stamp(NamedTuple):
    """The judged bytes are these, or the action does not happen."""

    device: int
    inode: int
    size: int  # bytes
    mtime_ns: int
    ctime_ns: int
