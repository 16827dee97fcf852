"""The bell: a connection to the collector on which nobody speaks, until somebody should come by.

The sync process opens it as its last act and hands the bare socket to the resident agent; the collector lets go of TLS
and keeps the other end. So it costs either side a socket in the kernel: no memory of TLS, no timer, no wake-up. What
comes over it is never parsed. A byte means « come by »; an end means that the bell is lost, and nothing more. Whoever
sits between them can ring or cut, which makes a laptop visit; the visit is what is authenticated.
docs/formats/fleet-protocol.md, section 7.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
from pathlib import Path

PATH = "/v1/bell"
SEEN_HEADER = "Serment-Seen"
SOCKET = "bell"
"""In the agent's runtime folder, while it wants a bell; the sync process sends it there."""
KEEP_S = (15, 3600)
"""Between these the collector chooses after how many silent seconds the kernel asks whether the other end is there."""
_PROBES, _PROBE_S = 3, 15
_FD_BYTES = array.array("i").itemsize
_STREAMS = frozenset({socket.AF_INET, socket.AF_INET6})


def keep_alive(connection: socket.socket, keep_s: int) -> None:
    """Have the kernel notice that the other end is gone: ``keep_s`` seconds of silence, then three questions. Raises
    OSError.
    """
    low, high = KEEP_S
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, min(max(keep_s, low), high))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def hand_over(place: Path, connection: socket.socket) -> bool:
    """Give ``connection`` to whoever listens at ``place``; whether somebody took it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        try:
            sender.connect(str(place))
            socket.send_fds(sender, [b"bell"], [connection.fileno()])
        except OSError:
            return False
    return True


def listen(place: Path, owner: int | None) -> socket.socket:
    """Where a bell may be handed over: only ``owner`` (a uid; None: who calls) and root can. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
        listener.bind(str(place))  # with any usual umask nobody else may write, and so connect, from the first moment
        os.chmod(place, 0o600)
        if owner is not None:
            os.chown(place, owner, -1, follow_symlinks=False)
    except OSError:
        listener.close()
        raise
    return listener


def taken(listener: socket.socket) -> socket.socket | None:
    """The bell that was handed over; None: there is none. What is no TCP connection is closed and does not count."""
    room = socket.CMSG_SPACE(_FD_BYTES)
    try:
        # not socket.recv_fds: in Python 3.11 it drops the flags, and children would inherit the descriptor
        _, ancillary, _, _ = listener.recvmsg(16, room, socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT)
    except OSError:
        return None
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % _FD_BYTES])
    found = [_connection(number) for number in numbers]
    good = [each for each in found if each is not None]
    for each in good[1:]:
        each.close()
    return good[0] if good else None


def _connection(number: int) -> socket.socket | None:
    try:
        connection = socket.socket(fileno=number)
    except OSError:
        os.close(number)
        return None
    if connection.family in _STREAMS and connection.type == socket.SOCK_STREAM:
        with contextlib.suppress(OSError):
            connection.setblocking(False)
            return connection
    connection.close()
    return None


def rung(connection: socket.socket) -> bool | None:
    """What happened on a bell that woke us: True, it rang; False, it is lost; None, nothing."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return None
    except OSError:
        return False
