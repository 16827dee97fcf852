"""Ways into guarded volumes that do not keep them from being unmounted.

A mount is busy while anybody has anything open on it, so an eject would fail whenever the agent looks at a document
there. It goes in by a copy of the mount instead, which is in no namespace (open_tree(2)): what is open by way of that
keeps the file system alive, not the person's mount. Whoever looks after a volume offers the way, and shuts it as soon
as that mount has gone; the file system then ends with the last document in hand.

One table for the whole process, by the path of the root; it owns the copies' descriptors. Only for volumes of which
nothing is lost when the file system lives a moment longer than its mount: those behind an airlock, and read-only ones.
"""

from __future__ import annotations

import errno
import os
import threading

from agent.fsys.openat import open_beneath, open_folder, open_point

_lock = threading.Lock()
_ways: dict[bytes, Way] = {}


class Way:
    """One volume's: open, then shut (nobody of ours goes in, also by path), then closed (by path, as anywhere)."""

    def __init__(self, root: bytes, fd: int = -1) -> None:
        """``fd``: of the copy's root, which it closes; -1: shut from the beginning. It takes the place of another
        one's for the same path, which then has no say any more.
        """
        self._root = root
        self._fd = fd
        with _lock:
            _ways[root] = self

    def shut(self) -> None:
        """What is open stays that; the copy goes with the last of it. Asks no file system."""
        with _lock:
            fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:  # the last one out may have to wait for whoever serves the file system
            threading.Thread(target=os.close, args=(fd,), name="way", daemon=True).start()
        except RuntimeError:  # no thread to be had
            os.close(fd)

    def close(self) -> None:
        """From now on its path leads in again."""
        with _lock:
            if _ways.get(self._root) is self:
                del _ways[self._root]
        self.shut()

    def copy(self) -> int:
        """A duplicate of the descriptor. Raises OSError ENODEV when it is shut. Under the lock."""
        if self._fd < 0:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return os.dup(self._fd)


def open_root(root: bytes) -> int:
    """A descriptor of a guarded place's folder, as ``open_folder``: by the way that is offered, else by path.

    Raises OSError; ENODEV when it is being unmounted.
    """
    way = _copied(root)
    if way < 0:
        return open_folder(root)
    try:
        return open_beneath(way, b"", os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(way)


def reach_root(root: bytes) -> int:
    """An O_PATH descriptor of it, as ``open_point``: the file system is asked nothing. Raises OSError."""
    way = _copied(root)
    return open_point(root) if way < 0 else way


def _copied(root: bytes) -> int:
    with _lock:
        way = _ways.get(root)
        return -1 if way is None else way.copy()
