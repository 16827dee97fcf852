"""Checking on several processors: processes that hold nothing, are given bytes and give back rows.

Small requests are checked where they are, and so is everything when there is one processor or no wish for more: a
collector that is embedded in a laptop has no processes to spare. A verifier that dies takes nothing with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import msgspec

from agent.transport.wire import Letterhead
from collector.ingest.check import Accepted, Refused
from collector.ingest.prepare import prepare
from collector.store.base import Known, Row

SMALL_BYTES = 64 << 10
MAX_PROCESSES = 8
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Row]).decode


class Verifiers:
    """At most ``processes`` of them (0: none), started with the first large request."""

    def __init__(self, processes: int) -> None:
        self._processes = min(processes, MAX_PROCESSES)
        self._pool: ProcessPoolExecutor | None = None

    async def prepare(
        self, letterhead: Letterhead, body: bytes, laptop: int, known: Known, held: Mapping[int, tuple[bytes, bytes]]
    ) -> tuple[Accepted | Refused, bytes]:
        """See ``prepare.prepare``."""
        if len(body) <= SMALL_BYTES:
            return prepare(letterhead, body, laptop, known, held)
        if not self._processes:
            return await asyncio.to_thread(prepare, letterhead, body, laptop, known, held)
        try:
            packed, decision, report = await asyncio.wrap_future(
                self._started().submit(_prepare_packed, letterhead, body, laptop, known, held)
            )
        except BrokenProcessPool:
            self.close()
            return await asyncio.to_thread(prepare, letterhead, body, laptop, known, held)
        if isinstance(decision, Accepted):
            decision = replace(decision, rows=_decode(packed))
        return decision, report

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_signals
            )
        return self._pool

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with contextlib.suppress(OSError):
                pool.shutdown(wait=True, cancel_futures=True)


def _ignore_signals() -> None:
    """A stop is for the collector: it lets its verifiers finish."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _prepare_packed(
    letterhead: Letterhead, body: bytes, laptop: int, known: Known, held: Mapping[int, tuple[bytes, bytes]]
) -> tuple[bytes, Accepted | Refused, bytes]:
    """The rows apart and packed: they are most of what goes from process to process."""
    decision, report = prepare(letterhead, body, laptop, known, held)
    if isinstance(decision, Refused):
        return b"", decision, report
    return _encode(decision.rows), replace(decision, rows=()), report
