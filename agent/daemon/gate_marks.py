"""Which file systems the gate is asked about: those that hold a guarded folder and that the kernel alone stands behind.

Owns a descriptor of a folder on each. Called by one thread at a time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from agent.gates.gate import fanotify
from agent.gates.gate.settings import Folder
from agent.gates.gate.walk import BehindProgramError, open_unasked


class Marks:
    """``problem``: what the system said to the last folder that could not be guarded, or empty."""

    def __init__(self) -> None:
        self._devices: dict[int, int] = {}  # device → a folder on it
        self._device_of: dict[bytes, int] = {}  # root of a folder that is guarded → its device
        self.problem = ""

    def set(self, group: int, folders: Iterable[Folder]) -> frozenset[bytes]:
        """Be asked about these folders' file systems and no others; the roots of the folders that are guarded. One that
        a person's program has covered since stays so.
        """
        devices: dict[int, int] = {}
        guarded: dict[bytes, int] = {}
        self.problem = ""
        for folder in folders:
            try:
                fd = open_unasked(folder.root)
            except BehindProgramError:
                if (device := self._device_of.get(folder.root)) is not None:
                    guarded[folder.root] = device
                continue
            except OSError:
                continue
            device = os.fstat(fd).st_dev
            if not self._arm(group, fd, device):
                os.close(fd)
                continue
            guarded[folder.root] = device
            if devices.setdefault(device, fd) != fd:
                os.close(fd)
        for device, fd in self._devices.items():
            if device in guarded.values() and device not in devices:
                devices[device] = fd
                continue
            if device not in devices:
                with contextlib.suppress(OSError):
                    fanotify.release_filesystem(group, fd)
            os.close(fd)
        self._devices, self._device_of = devices, guarded
        return frozenset(guarded)

    def _arm(self, group: int, fd: int, device: int) -> bool:
        from agent.gates.gate.folders import is_local  # the greater part of a gate, for who has a folder

        if not is_local(fd):
            return False
        if device not in self._devices:
            try:
                fanotify.guard_filesystem(group, fd)
            except OSError as error:
                self.problem = error.strerror or ""
                return False
        return True

    def close(self) -> None:
        """The group goes first, or its marks stay."""
        for fd in self._devices.values():
            os.close(fd)
        self._devices, self._device_of = {}, {}
