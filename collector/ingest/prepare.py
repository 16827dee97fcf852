"""From a request's bytes to what is to be stored of it. Pure, so that it may run in another process: that of a pool
when there is much to check, since Python computes on one processor a process.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.transport import wire
from agent.transport.wire import Letterhead
from collector.ingest.check import Accepted, Refused, check
from collector.store.base import Known

Held = Mapping[int, tuple[bytes, bytes]]


def prepare(
    letterhead: Letterhead, body: bytes, laptop: int, known: Known, held: Held
) -> tuple[Accepted | Refused, bytes]:
    """What becomes of a request of ``laptop``, of which ``known`` is held, and the report in it.

    ``held`` are the records from ``letterhead.first`` up to ``known.size``, as many as a request can hold. Raises
    UntrustedInputError: the request or a record breaks the format.
    """
    parsed = wire.parse_body(body, letterhead.report)

    def stored(_first: int, _end: int) -> Held:
        return held

    return check(letterhead, parsed, laptop, known, stored), parsed.report


def overlap(letterhead: Letterhead, known: Known) -> tuple[int, int]:
    """Which stored records ``prepare`` must be given: from, up to (equal: none)."""
    return letterhead.first, min(known.size, letterhead.first + wire.MAX_RECORDS)
