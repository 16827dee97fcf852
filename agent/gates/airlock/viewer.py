"""``python -m agent.gates.airlock.viewer``: serves the files of ``agent.gates.airlock.view``. Not for people.

Is told by its airlock which encrypted file has which number, and answers reads of it with clear bytes. Ends when the
airlock ends; whoever still reads then gets an error, and so does not judge half a file.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import sys
import threading
from collections import Counter

from agent.gates.airlock import protocol as wire
from agent.gates.airlock.descriptor import Descriptor
from agent.gates.airlock.protocol import Attributes
from agent.gates.airlock.session import Request, Session
from agent.gates.airlock.spill import SealedBlob
from agent.gates.airlock.view import FIRST, OFFER

_ROOT = 1
_DIRECT_IO = 1  # no clear page stays behind in a cache


class Viewer:
    """Owns the descriptor of the connection."""

    def __init__(self, device: int) -> None:
        self._offered: dict[int, SealedBlob] = {}
        self._opens: Counter[int] = Counter()
        self._lock = threading.Lock()
        self.session = Session(
            device,
            {
                wire.INIT: self._init,
                wire.LOOKUP: self._lookup,
                wire.GETATTR: self._attributes,
                wire.OPEN: self._open,
                wire.READ: self._read,
                wire.FORGET: lambda _: None,
                wire.BATCH_FORGET: lambda _: None,
                wire.RELEASE: self._release,
            },
            name="viewer",
        )

    def offer(self, packet: bytes, ciphertext: Descriptor) -> None:
        number, blob, size, key = OFFER.unpack(packet)
        offered = SealedBlob(ciphertext, key, blob, None)
        offered.size = size
        self._offered[max(number, FIRST)] = offered

    def _init(self, request: Request) -> bytes:
        return wire.init_reply(wire.parse_init(request.body), passthrough=False)[0]

    def _blob(self, number: int) -> SealedBlob:
        blob = self._offered.get(number)
        if blob is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return blob

    def _shown(self, number: int) -> Attributes:
        if number == _ROOT:
            return Attributes(_ROOT, stat.S_IFDIR | 0o500, 2, 0, 0, 0, 0, 0, 0, 0)
        size = self._blob(number).size
        return Attributes(number, stat.S_IFREG | 0o400, 1, 0, 0, size, -(-size // 512), 0, 0, 0)

    def _lookup(self, request: Request) -> bytes:
        number = int(wire.one_name(request.body))
        return wire.entry_reply(number, self._shown(number), 0, 0)

    def _attributes(self, request: Request) -> bytes:
        return wire.attributes_reply(self._shown(request.node), 0)

    def _read(self, request: Request) -> tuple[memoryview]:
        _, offset, size, *_ = wire.READ_IN.unpack_from(request.body)
        buffer = request.scratch(min(size, wire.MAX_WRITE))
        return (buffer[: self._blob(request.node).read(buffer, offset)],)

    def _open(self, request: Request) -> bytes:
        with self._lock:
            self._blob(request.node)
            self._opens[request.node] += 1
        return wire.OPENED.pack(0, _DIRECT_IO, 0)

    def _release(self, request: Request) -> bytes:
        """Nobody reads it any more: its room is given back. The kernel forgets a number only when memory is short."""
        with self._lock:
            self._opens[request.node] -= 1
            if self._opens[request.node] <= 0:
                del self._opens[request.node]
                self._offered.pop(request.node, None)
        return b""


def main() -> int:
    device, control = map(int, sys.argv[1:3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    viewer = Viewer(device)
    viewer.session.start()
    with socket.socket(fileno=control) as told:
        while True:
            packet, fds, _, _ = socket.recv_fds(told, OFFER.size, 1)
            if not packet or not fds:
                return 0
            viewer.offer(packet, Descriptor(fds[0]))
            told.send(b"!")


if __name__ == "__main__":
    sys.exit(main())
