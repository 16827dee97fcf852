"""7. Records to the collector. What the sender needs from whatever carries them."""

from __future__ import annotations

from typing import Protocol

from agent.transport.wire import Batch, Reply


class Collector(Protocol):
    def sync(self, batch: Batch) -> Reply:
        """Hand over one batch; the reply's ``why`` tells a refusal of the records from an acknowledgement.

        Raises TransportError; its field ``kind`` is "unreachable" (try again later, ``retry_s`` when the collector
        said how much later), "untrusted" (whoever answers is not the collector), "denied" (this laptop is no longer
        welcome) or "refused" (the token, the certificate or the protocol is wrong: waiting does not help).
        """

    def close(self) -> None: ...
