"""The end of the log on the disk: appends frames to the last segment, cuts half of one off, begins the next.

Where the end is stands in the writer's ``State``; this owns the descriptor and nothing else. Not thread-safe: the
writer's lock guards it.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.audit.disk import translated, unwritable
from agent.audit.recovery import State
from agent.audit.segments import segment_path
from agent.errors import N_, AuditError
from agent.fsys.atomic import sync_folder, write_all

_FILE_MODE = 0o640


class Tail:
    """Begins at the end of ``state.segment``. Raises OSError."""

    def __init__(self, folder: Path, state: State, segment_bytes: int) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._torn = False  # half a frame is at the end, and could not be cut off yet
        self._fd = self._open(state.segment)

    def write(self, frame: bytes, state: State) -> None:
        """Append a frame, and count it in ``state.offset``. Raises HostError: it is not there then."""
        try:
            if self._torn:
                self._cut(state)
            self._torn = True
            done = os.write(self.fd, frame)
            if done < len(frame):
                write_all(self.fd, memoryview(frame)[done:])
            self._torn = False
        except OSError as error:
            self.cut(state)  # half a frame must not stand in the middle
            raise unwritable(self._folder, error) from error
        state.offset += len(frame)

    @property
    def fd(self) -> int:
        """The descriptor of the last segment. Raises AuditError: closed."""
        if self._fd < 0:
            raise AuditError(N_("the audit log is closed"))
        return self._fd

    def make_room(self, length: int, state: State) -> None:
        """Begin the next segment when ``length`` more bytes would make this one too large. Raises HostError."""
        if state.offset + length > self._segment_bytes and state.offset:
            translated(self._folder, lambda: self._next(state))

    def cut(self, state: State) -> None:
        """Take away what is behind ``state.offset``; tried again before the next frame when it fails."""
        self._torn = True
        try:
            self._cut(state)
        except OSError:
            return

    def close(self) -> None:
        os.close(self._fd)
        self._fd = -1

    def _cut(self, state: State) -> None:
        os.ftruncate(self._fd, state.offset)
        self._torn = False

    def _next(self, state: State) -> None:
        if self._torn:  # only the last segment may end in half a frame
            self._cut(state)
        os.fdatasync(self.fd)
        fd = self._open(state.segment + 1)
        os.close(self._fd)
        self._fd = fd
        state.segment += 1
        state.offset = 0

    def _open(self, number: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(segment_path(self._folder, number), flags, _FILE_MODE)
        sync_folder(self._folder)
        return fd
