"""Clear bytes of encrypted staged files, behind ordinary read-only descriptors: a second, tiny FUSE connection.

Its file system is mounted nowhere: the mount is a descriptor (fsmount(2)), so no name leads to it and it goes with its
last user. A judge's read decrypts a few sectors; nothing is kept. Chosen over a clear copy in memory, which the file
was too big for, and over a clear copy on the disk, which is what encryption is to avoid.

The connection is served by a process of its own (``agent.gates.airlock.viewer``), started with the first file that
needs it: a process that waits for its own FUSE answers cannot be killed (its dead threads never answer the one that
waits, which keeps the device open).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys
import threading
from itertools import count

from agent.gates.airlock.descriptor import Descriptor

_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
_CLOEXEC = 1
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_MOUNT_ATTRIBUTES = 1 | 2 | 4 | 8  # read-only, nosuid, nodev, noexec
OFFER = struct.Struct("=QQQ64s")  # number, blob, size in bytes, key
FIRST = 2  # the root is 1


class View:
    """Raises OSError when this kernel or our rights do not allow the mount."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(FIRST)
        self._device: Descriptor | None = Descriptor(os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC))
        self._mount = Descriptor(_detached(self._device.fd))
        self._viewer: socket.socket | None = None

    def open(self, ciphertext: int, blob: int, size: int, key: bytes) -> Descriptor:
        """A descriptor of the clear bytes of an encrypted blob. Raises OSError."""
        with self._lock:
            if self._viewer is None:
                self._viewer = self._start()
            number = next(self._numbers)
            socket.send_fds(self._viewer, [OFFER.pack(number, blob, size, key)], [ciphertext])
            if not self._viewer.recv(1):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return Descriptor(os.open(b"%d" % number, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._mount.fd))

    def _start(self) -> socket.socket:
        """The viewer ends when the other end of the socket is closed, that is, with us."""
        device = self._device
        if device is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # it died once: not again in this life
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-I", "-m", "agent.gates.airlock.viewer", str(device.fd), str(theirs.fileno())]
            subprocess.Popen(command, pass_fds=(device.fd, theirs.fileno()), stdin=subprocess.DEVNULL)
        self._device = None
        return ours


def _detached(device: int) -> int:
    """A mounted file system of this connection that has no place in any tree."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(*arguments: object) -> int:
        result: int = libc.syscall(*arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    context = Descriptor(call(_FSOPEN, b"fuse", _CLOEXEC))
    settings = ((b"source", b"serment-view"), (b"fd", b"%d" % device), (b"rootmode", b"40000"))
    for key, value in (*settings, (b"user_id", b"0"), (b"group_id", b"0")):
        call(_FSCONFIG, context.fd, _SET_STRING, key, value, 0)
    call(_FSCONFIG, context.fd, _SET_FLAG, b"allow_other", None, 0)
    call(_FSCONFIG, context.fd, _CREATE, None, None, 0)
    return call(_FSMOUNT, context.fd, _CLOEXEC, _MOUNT_ATTRIBUTES)
