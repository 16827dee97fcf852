"""The kernel's list of FUSE connections, by a mount of it that is nowhere: no path of the machine is needed."""

from __future__ import annotations

import os

from agent.gates.takeover import mounting


def abort(number: int) -> None:
    """End the connection of the FUSE file system whose device has this minor number: everybody who waits in it gets
    ECONNABORTED, whoever holds it, stopped or not. Nothing happens when it has gone. Raises OSError.
    """
    folder = mounting.mounted(b"fusectl", {}, mounting.NOSUID | mounting.NODEV | mounting.NOEXEC)
    try:
        fd = os.open(f"{number}/abort", os.O_WRONLY | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return
    finally:
        os.close(folder)
    try:
        os.write(fd, b"1")
    finally:
        os.close(fd)
