"""Whether a file is the administrator's alone to write: what says to whom documents are sealed must be."""

from __future__ import annotations

import os


def only_administrators_write(fd: int) -> bool:
    """Root's, and neither its group nor the world may write it. Raises OSError.

    Who tries Serment on an account of their own may write it too, and their group.
    """
    state = os.fstat(fd)
    if state.st_uid == 0:
        return not state.st_mode & 0o022
    return state.st_uid == os.geteuid() and not state.st_mode & 0o002
