"""A second process for each document that is looked at: when the first is killed, it sees to the document instead.

Forked before the document is in memory; it holds the folder's lock as well, so nobody takes the folder for abandoned.
It hears of the first through a pipe that only the two have: a line says what is shown, the end without a word of
farewell means a kill. Signals of a log-out are the first one's business. Owns no document and no terminal: what is to
be done then is given to it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable

_FAREWELL = b"done"
_MAX_LINE = 4096  # bytes
_IGNORED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Second:
    """``take_over`` is called in the second process, with what ``tell`` was last told, once this one was killed."""

    def __init__(self, take_over: Callable[[str], None]) -> None:
        read, self._write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._write)
                _stand_by(read, take_over)
            finally:
                os._exit(0)
        os.close(read)

    def tell(self, word: str) -> None:
        """What the second has to know: the program that the document was handed over to."""
        self._say(word.encode("utf-8", "surrogateescape")[: _MAX_LINE - 1] + b"\n")

    def dismiss(self) -> None:
        """All is done; the second ends."""
        self._say(_FAREWELL + b"\n")
        os.close(self._write)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _say(self, line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # it was killed: this one is still here
            os.write(self._write, line)


def _stand_by(read: int, take_over: Callable[[str], None]) -> None:
    for each in _IGNORED:
        signal.signal(each, signal.SIG_IGN)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # whoever waits for the first one's output does not wait for this
        os.dup2(nowhere, fd)
    lines = [b""]
    while piece := os.read(read, _MAX_LINE):
        lines = (lines[-1] + piece).split(b"\n")[-3:]  # what was said last: its two lines, and what is not whole yet
        if _FAREWELL in lines[:-1]:
            return
        said = [line for line in lines[:-1] if line]
        lines = [*said[-1:], lines[-1]]
    take_over(lines[0].decode("utf-8", "surrogateescape") if len(lines) > 1 else "")
