"""Whose program is at the other end of a connection on the loopback interface, as the kernel says it.

TCP has no SO_PEERCRED. The kernel's table of sockets names the user of each; a socket that nobody holds any more (its
program closed it, or ended) is listed there as root's and with no inode, so that such a one counts for nobody.
"""

from __future__ import annotations

import socket
import struct

_TABLE = "/proc/net/tcp"
_ESTABLISHED = "01"
_MAX_LINES = 200_000


def uid_behind(connection: socket.socket) -> int | None:
    """The uid that holds the other end of an accepted IPv4 connection on this machine; None: nobody known."""
    try:
        theirs, ours = _written(connection.getpeername()), _written(connection.getsockname())
        with open(_TABLE, encoding="ascii") as table:
            for number, line in enumerate(table):
                if number > _MAX_LINES:
                    return None
                words = line.split(maxsplit=10)
                if words[1:3] == [theirs, ours]:
                    return int(words[7]) if words[3] == _ESTABLISHED and words[9] != "0" else None
    except (OSError, ValueError, IndexError):
        return None
    return None


def _written(address: tuple[str, int]) -> str:
    """« 0100007F:1F90 »: as the table spells an address."""
    (number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{number:08X}:{address[1]:04X}"
