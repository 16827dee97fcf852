"""The collector's end of the bells: connections of laptops that may be called, held without TLS and without a word.

When the answer to a laptop that asked for one is out, TLS is let go and the bare socket kept; it costs its buffers in
the kernel and one entry here. To ring is to write a byte and to close. Nobody reads what comes.
docs/formats/fleet-protocol.md, section 7.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from typing import Any

from agent.transport import bell

KEEP_S = 120  # of silence, before the kernel asks: most middle boxes forget after 300
RINGS_PER_S = 500  # a fleet that is called comes as fast as one collector bears with ease
_RESERVED = 3072  # descriptors for all else
_MOST = 100_000


class Bells:
    """In the event loop's thread, but for ``ring``. ``most`` are held at once; more laptops wait for their visits."""

    def __init__(self, most: int | None = None) -> None:
        self.most = room() if most is None else most
        self._held: dict[str, int] = {}  # laptop → descriptor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ringing: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, device: str) -> bool:
        return device in self._held

    def hold(self, device: str, transport: Any, *, call: bool = False) -> None:
        """Keep the laptop's connection, and end what is spoken over it; ``call``: ring at once. An earlier one of
        the same laptop is let go.
        """
        self._loop = asyncio.get_running_loop()
        fd = -1
        with contextlib.suppress(OSError):  # no descriptor left, or the laptop has gone: it has no bell then
            connection = transport.get_extra_info("socket")
            bell.keep_alive(connection, KEEP_S)
            fd = os.dup(connection.fileno())
        transport.abort()  # no farewell on the wire: it would ring
        if fd < 0:
            return
        self._let_go(device)
        self._held[device] = fd
        self._loop.add_reader(fd, self._gone, device, fd)
        if call:
            self._call(device)

    def ring(self) -> None:
        """Call every laptop that can be called, spread so that they can all be served. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ring)

    def close(self) -> None:
        """Let go of all: they come back by and by."""
        if self._ringing is not None:
            self._ringing.cancel()
        for device in list(self._held):
            self._let_go(device)

    def _ring(self) -> None:
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.get_running_loop().create_task(self._ring_all(list(self._held)))

    async def _ring_all(self, devices: list[str]) -> None:
        for number, device in enumerate(devices, 1):
            self._call(device)
            if number % (RINGS_PER_S // 10) == 0:
                await asyncio.sleep(0.1)

    def _call(self, device: str) -> None:
        if (fd := self._held.get(device)) is not None:
            with contextlib.suppress(OSError):
                os.write(fd, b"\0")
        self._let_go(device)

    def _gone(self, device: str, fd: int) -> None:
        if self._held.get(device) == fd:
            self._let_go(device)

    def _let_go(self, device: str) -> None:
        fd = self._held.pop(device, None)
        if fd is not None and self._loop is not None:
            self._loop.remove_reader(fd)
            os.close(fd)


def room() -> int:
    """How many connections this process may hold besides its work; the limit of descriptors is raised for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _RESERVED if hard == resource.RLIM_INFINITY else min(hard, _MOST + _RESERVED)
    if wanted > soft:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(0, min(soft - _RESERVED, _MOST))
