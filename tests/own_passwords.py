"""``serment`` with a password database of its own: a file of the test's lies over /etc/passwd, for this process alone.

Run as ``python -m tests.own_passwords``; SERMENT_TEST_PASSWD names the file. Root only.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 0x1000, 0x4000, 0x40000


def alone_with(passwords: str) -> None:
    """Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    for done in (
        libc.unshare(_CLONE_NEWNS),
        libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None),
        libc.mount(os.fsencode(passwords), b"/etc/passwd", None, _MS_BIND, None),
    ):
        if done != 0:
            raise OSError(ctypes.get_errno(), "no password database of its own")


if __name__ == "__main__":
    alone_with(os.environ["SERMENT_TEST_PASSWD"])
    from agent.ui.cli.main import entry

    sys.exit(entry())
