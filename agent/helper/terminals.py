"""A line on the terminal from which a refused copy was started: for who works there, without a desktop.

Written with the person's own rights, on a terminal of the person's own, never to all; it waits for nothing.
"""

from __future__ import annotations

import os
import re
import stat

_TERMINAL = re.compile(r"(pts/\d{1,6}|tty\d{1,2})")


def write(terminal: str, text: str) -> bool:
    """Write ``text``, which holds no control characters. False: no such terminal, or not this person's."""
    if not _TERMINAL.fullmatch(terminal):
        return False
    try:
        fd = os.open(f"/dev/{terminal}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        state = os.fstat(fd)
        if state.st_uid != os.getuid() or not stat.S_ISCHR(state.st_mode) or not os.isatty(fd):
            return False
        os.write(fd, ("\r\n" + text.replace("\n", "\r\n") + "\r\n").encode("utf-8", "replace"))
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
