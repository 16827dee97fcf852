"""The collector of a fleet, as the sync process speaks with it: by certificate; where a proxy opens TLS, signed and
sealed.

Which of the two it is shows at the first request: whoever answers has a certificate of our authority, or he has not and
the system's authorities vouch for him. What goes out in the second case tells him sizes and times, nothing else.
docs/formats/fleet-protocol.md, sections 3, 5, 6.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import msgspec

from agent.errors import TransportError
from agent.fleet.identity import Identity
from agent.transport import bell, sealing, signed, wire
from agent.transport.https import Answer, Line, reply_in
from agent.transport.wire import Batch, Reply

ENCODING = "serment-hpke"
CONTENT_TYPE = "application/vnd.serment.frames"
Fetch = Callable[[str, int], bytes]
"""A file of the policy by its path, of at most so many bytes. Raises TransportError."""


class FleetCollector:
    """See ``transport.base.Collector``. ``inspected`` is whether somebody reads along; None: not known yet."""

    def __init__(self, identity: Identity, *, proxy: str | None = None) -> None:
        self._identity = identity
        self._proxy = proxy
        self._line: Line | None = None
        self.inspected: bool | None = None

    def sync(self, batch: Batch) -> Reply:
        """See Collector.sync."""
        headers = {**wire.headers(batch.letterhead), "Content-Type": CONTENT_TYPE}
        if self.inspected is not True:
            try:
                answer = self._pinned().ask("POST", wire.PATH, headers, batch.body, wire.MAX_REPLY_BYTES)
                self.inspected = False
                return reply_in(answer)
            except TransportError as error:
                if self.inspected is False or error.fields.get("kind") != "untrusted":
                    raise
                self.close()
        answer = self._signed(headers, batch.body)
        self.inspected = True
        return reply_in(answer)

    def fetch(self, path: str, limit: int) -> bytes:
        """A file of the policy. Raises TransportError; kind "missing": there is none."""
        line = self._plain() if self.inspected else self._pinned()
        answer = line.ask("GET", path, {}, b"", limit)
        if answer.status == 404 or len(answer.body) > limit:
            raise TransportError("{path} is not there", path=path, kind="missing", detail="404", retry_s=0)
        if answer.status != 200:
            reply_in(answer._replace(status=answer.status if answer.status != 409 else 500))
        return answer.body

    def bell(self, seen: int) -> tuple[socket.socket, int] | None:
        """The connection by which the collector calls us, silent from now on, and its ``keep_s``; None: it keeps
        none. ``seen``: the newest timestamp of the policy that was heard of in this visit. Raises TransportError.
        """
        device = self._identity.member.device
        headers = {wire.DEVICE_HEADER: device, bell.SEEN_HEADER: str(seen)}
        if self.inspected:
            created = time.time_ns() // 1000
            headers |= signed.sign("GET", bell.PATH, headers, b"", device, created, self._identity.key())
        line = self._plain() if self.inspected else self._pinned()
        answer, connection = line.ask_and_hold(bell.PATH, headers, wire.MAX_REPLY_BYTES)
        if connection is None:
            return None
        try:
            keep_s = int(msgspec.json.decode(answer.body, type=dict[str, int])["keep_s"])
        except (msgspec.MsgspecError, KeyError, RecursionError):
            connection.close()
            return None
        return connection, keep_s

    def _signed(self, headers: dict[str, str], body: bytes) -> Answer:
        device = self._identity.member.device
        sealed = sealing.seal(body, self._identity.statement.seal, b"serment sync 1\n" + device.encode())
        headers = {**headers, "Content-Encoding": ENCODING}
        created = time.time_ns() // 1000
        proof = signed.sign("POST", wire.PATH, headers, sealed, device, created, self._identity.key())
        return self._plain().ask("POST", wire.PATH, {**headers, **proof}, sealed, wire.MAX_REPLY_BYTES)

    def _pinned(self) -> Line:
        if self._line is None:
            self._line = Line(self._identity.member.url, context=self._identity.tls(), proxy=self._proxy)
        return self._line

    def _plain(self) -> Line:
        if self._line is None:
            self._line = Line(self._identity.member.url, proxy=self._proxy)
        return self._line

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
