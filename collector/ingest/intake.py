"""One request of a laptop, from its bytes to the answer that is true: read what is held, check, commit, acknowledge.

What was decided from a state that has changed meanwhile (another collector, an officer's denial) is decided again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from agent.errors import N_, HostError
from agent.transport import wire
from agent.transport.wire import Letterhead, Reply
from collector.ingest.check import Accepted, Alarm, Refused
from collector.ingest.prepare import overlap
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Busy, Writer
from collector.report import parse_report, refusal
from collector.store.base import Change, Laptop, Store

TRIES = 4
LATE_S = 900  # a connection that hangs is given up by its machine before that (Linux: tcp_retries2)
MAX_REMEMBERED = 4096  # laptops, of which the last state is known without asking
Schedule = Callable[[Laptop, int], int]
"""The seconds after which a laptop is to come back, given its state and the time."""


class Denied(Exception):
    """The laptop is no longer welcome."""


class Unknown(Exception):
    """There is no such laptop."""


class Intake:
    """Takes requests in. Used from one event loop."""

    def __init__(
        self, store: Store, writer: Writer, verifiers: Verifiers, witness: Witness, schedule: Schedule
    ) -> None:
        self._store = store
        self._writer = writer
        self._verifiers = verifiers
        self._witness = witness
        self._schedule = schedule
        self._last: OrderedDict[str, Laptop] = OrderedDict()

    async def take(
        self, letterhead: Letterhead, body: bytes, *, make: bool, reported_us: int = 0
    ) -> tuple[Reply, Laptop]:
        """Store a request; the reply is true when this returns, the laptop is as it is then.

        ``make``: a laptop that is not known is entered. ``reported_us``: when a signed request says that it was made;
        0: the connection itself proves who speaks. Raises UntrustedInputError, Denied, Unknown, Busy and HostError.
        """
        for _ in range(TRIES):
            laptop = await self._laptop(letterhead.device, make=make)
            held: Mapping[int, tuple[bytes, bytes]] = {}
            first, end = overlap(letterhead, laptop.known)
            if first < end:
                held = await asyncio.to_thread(self._store.held, laptop.id, first, end)
            decision, report = await self._verifiers.prepare(letterhead, body, laptop.id, laptop.known, held)
            if isinstance(decision, Refused) and decision.alarm is Alarm.TRUNCATED and _late(letterhead, laptop):
                return Reply(decision.have, why=Alarm.TRUNCATED), laptop
            change = self._change(laptop, letterhead, decision, report, reported_us)
            if _is_replay(decision, laptop, reported_us):
                return self._reply(letterhead, decision, change), laptop
            if await asyncio.wrap_future(self._writer.submit(change)):
                return self._reply(letterhead, decision, change), self._remember(change, letterhead.sent_us)
            self._last.pop(letterhead.device, None)
        raise Busy

    def forget(self, device: str) -> None:
        """Something else about a laptop was changed."""
        self._last.pop(device, None)

    async def _laptop(self, device: str, *, make: bool) -> Laptop:
        laptop: Laptop | None = self._last.get(device)
        if laptop is None:
            laptop = await asyncio.to_thread(self._found, device)
            if laptop is None and make:
                laptop = await asyncio.to_thread(self._writer.enter, device, int(time.time()))
        if laptop is None:
            raise Unknown
        if laptop.denied:
            raise Denied
        return laptop

    def _found(self, device: str) -> Laptop | None:
        try:
            return self._store.laptop(device, 0, make=False)
        except SQLAlchemyError as error:
            raise HostError(N_("the collector's database cannot be read")) from error

    def _change(
        self, laptop: Laptop, letterhead: Letterhead, decision: Accepted | Refused, report: bytes, reported_us: int
    ) -> Change:
        now = time.time_ns() // 1000
        skew = (now - letterhead.sent_us) // 1000 if letterhead.sent_us else None
        fresh = not reported_us or reported_us > laptop.reported  # signed ones might come again
        said = (report or None, reported_us or laptop.reported) if fresh and (report or reported_us) else None
        refuses = refusal(parse_report(report)) if said and report else ("", 0)
        next_at = now // 1_000_000 + self._schedule(laptop, now // 1_000_000)
        if isinstance(decision, Refused):
            alerts = [(decision.alarm.value, decision.index)] if decision.alarm else []
            return Change(laptop, laptop.known, (), alerts, now // 1_000_000, skew, said, next_at, refusal=refuses)
        return Change(
            laptop, decision.known, decision.rows, decision.alerts, now // 1_000_000, skew, said, next_at,
            decision.tallies, refuses,
        )  # fmt: skip

    def _reply(self, letterhead: Letterhead, decision: Accepted | Refused, change: Change) -> Reply:
        if isinstance(decision, Refused):
            return Reply(decision.have, why=decision.alarm or "gap")
        cosigned = b""
        if decision.root is not None and letterhead.log:
            cosigned = self._witness.cosign(letterhead.log, decision.known.size, decision.root)
        skew = max(min(change.skew_ms or 0, wire.MAX_SKEW_MS), -wire.MAX_SKEW_MS)
        return Reply(decision.known.size, max(change.next_at - change.now, 0), "", cosigned, skew)

    def _remember(self, change: Change, sent_us: int) -> Laptop:
        before = change.laptop
        reported = change.report[1] if change.report else before.reported
        laptop = replace(before, version=before.version + 1, known=change.known, reported=reported, seen=change.now,
                         sent_us=sent_us or before.sent_us)  # fmt: skip
        self._last[before.device] = laptop
        self._last.move_to_end(before.device)
        if len(self._last) > MAX_REMEMBERED:
            self._last.popitem(last=False)
        return laptop


def _is_replay(decision: Accepted | Refused, laptop: Laptop, reported_us: int) -> bool:
    """Whether a signed request may be one that came before and that somebody sends again: it is no later than the last
    one and brings nothing. Nothing of it is kept: a silent laptop does not seem alive by it, nor its log cut off.
    """
    if not reported_us or reported_us > laptop.reported:
        return False
    if isinstance(decision, Refused):
        return decision.alarm in {None, Alarm.TRUNCATED}
    return not decision.alerts and decision.known == laptop.known


def _late(letterhead: Letterhead, laptop: Laptop) -> bool:
    """Whether a request hung on its way (a network that fell silent) while a later one came through: its log was
    shorter then. Nothing of it is kept, so that a log that was cut off and a clock set back hide for LATE_S at most.
    """
    return 0 < letterhead.sent_us < laptop.sent_us and time.time() - laptop.seen <= LATE_S
