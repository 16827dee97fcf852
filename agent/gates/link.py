"""The socket between a gate's process and the agent: packets of ``agent.gates.asking``, each with at most a descriptor.

Owns nothing: takes a connected SOCK_SEQPACKET socket. A descriptor that comes with a packet belongs to the caller; one
that was not expected is closed here. Knows no meaning of the messages.
"""

from __future__ import annotations

import array
import os
import socket

from agent.gates.asking import MAX_PACKET, Answer, Done, Question, decode

_RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)


def send(sock: socket.socket, message: Question | Answer | Done, fd: int = -1) -> None:
    """One message, whole; ``fd`` is duplicated by the kernel and stays the caller's. Raises OSError."""
    if fd >= 0:
        socket.send_fds(sock, [message.encode()], [fd])
    else:
        sock.send(message.encode())


def receive(sock: socket.socket) -> tuple[Question | Answer | Done, int] | None:
    """(message, descriptor or -1); None when the other end is gone.

    Raises OSError, and UntrustedInputError for a damaged packet; its descriptors are closed.
    """
    # not socket.recv_fds: in Python 3.11 it drops the flags, and the descriptor would be inherited by children
    packet, ancillary, flags, _ = sock.recvmsg(MAX_PACKET, socket.CMSG_LEN(4), socket.MSG_CMSG_CLOEXEC)
    fds = [fd for level, kind, data in ancillary if (level, kind) == _RIGHTS for fd in _numbers(data)]
    try:
        if not packet and not fds:
            return None
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            packet = b"\0\0"  # as damaged as can be
        return decode(packet), fds.pop(0) if fds else -1
    finally:
        for fd in fds:
            os.close(fd)


def _numbers(data: bytes) -> list[int]:
    return list(array.array("i", data[: len(data) - len(data) % 4]))
