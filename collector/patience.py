"""How long a connection is waited for, and how much is kept for it: without an end to either, strangers who say
nothing, or a head that never ends, take the place and the memory that laptops need.

What is bounded: the time until a whole head has come, from the beginning and after each answer; bytes that are neither
a body nor a whole head; the time that an answer waits for somebody who does not read it. Bodies are the routes' matter.
"""

from __future__ import annotations

import asyncio
import logging
import time

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 20.0
UNREAD_S = 120.0
MAX_HEAD = 64 << 10  # bytes; what one read brings may come on top
SELDOM_S = 60.0


class PatientProtocol(HttpToolsProtocol):
    """One connection."""

    _loose = 0  # bytes since the last that belonged to something whole
    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._waiting, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._loose += len(data)
        super().data_received(data)
        if self._loose > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._loose = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
        super().resume_writing()

    def _wait(self) -> None:
        """From now on, for the next head."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self.loop.call_later(HEAD_S, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.transport.abort()


class Seldom(logging.Filter):
    """Lets the same words through once a minute: what strangers send does not fill the log."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging.Filter. Errors always pass."""
        now = time.monotonic()
        if record.levelno >= logging.ERROR:
            return True
        if now - self._last.get(str(record.msg), -SELDOM_S) < SELDOM_S:
            return False
        self._last = {words: when for words, when in self._last.items() if now - when < SELDOM_S}
        self._last[str(record.msg)] = now
        return True
