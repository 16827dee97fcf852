"""Brings what is stored to every target: in the order of arrival, at least once, each target at its own pace.

A batch is sent, then the cursor moves, in one transaction with its dead letters: whoever is killed in between sends the
batch again, with the same uids. With several collectors on one database one of them serves a target at a time.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from agent.audit import record
from agent.errors import N_, HostError, UntrustedInputError
from collector.forward import targets
from collector.forward.event import Event, make_event
from collector.forward.sending import Later, Unfit, send
from collector.forward.targets import Settings, Target
from collector.store.base import Arrival, Row, Store
from collector.store.tables import forward_dead, laptops
from collector.store.writing import writing

BATCH = 500  # events
ARRIVALS = 256
RUN_S = 30.0  # then another collector may take over
BACKOFF_S = 5.0
LONGEST_S = 600.0
MAX_REPLAYED = 10_000
EVERY_S = 2.0
_d = forward_dead.c
_log = logging.getLogger("serment.collector")


class Item(NamedTuple):
    """A record to send; ``event`` is None when it cannot be decoded. ``after`` is the cursor behind it."""

    laptop: int
    number: int
    event: Event | None
    after: tuple[int, int]


class Batch(NamedTuple):
    """What comes next for a target. ``end`` is the cursor behind all of it, ``lost`` how many records are gone."""

    items: Sequence[Item]
    end: tuple[int, int]
    lost: int
    received_ms: int


class Dead(NamedTuple):
    """An event that a target will never take."""

    item: Item
    why: str


Names = Mapping[int, tuple[str, str]]  # laptop's number → pseudonym and group


class Forwarder:
    """A thread for each target that has something to get. ``run`` is for the clock, ``close`` for the end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[int, threading.Thread] = {}
        self._stop = threading.Event()

    def run(self) -> None:
        """Start what is due and does not run yet; does not wait for it."""
        self._running = {key: thread for key, thread in self._running.items() if thread.is_alive()}
        for target in targets.every(self._store.engine):
            if target.id not in self._running and target.next_at <= time.time() and not self._stop.is_set():
                work = threading.Thread(target=self._serve, args=(target.id,), name=f"forward {target.name}")
                self._running[target.id] = work
                work.start()

    def close(self) -> None:
        """Let every thread finish its batch."""
        self._stop.set()
        for thread in self._running.values():
            thread.join()

    def _serve(self, number: int) -> None:
        try:
            with self._store.exclusive(f"forward {number}") as mine:
                until = time.monotonic() + RUN_S
                while mine and not self._stop.is_set() and time.monotonic() < until:
                    if not forward_once(self._store, number):
                        return
        except SQLAlchemyError:
            return  # the database is away; the next round finds the cursor where it was
        except Exception as error:  # told as a task's is; the next round tries again
            _log.warning("forward %d: %s", number, type(error).__name__)


def forward_once(store: Store, number: int) -> bool:
    """One batch to one target; whether there may be more. A failure is stored with the time of the next attempt."""
    target = next((each for each in targets.every(store.engine) if each.id == number), None)
    if target is None or target.next_at > time.time():
        return False
    batch = next_batch(store, target)
    if batch.end == (target.number, target.skip):
        return False
    dead: list[Dead] = []
    done: list[Item] = []
    problem: Later | None = None
    try:
        deliver(target.settings, batch.items, batch.received_ms, done, dead)
    except Later as error:
        problem = error
    except Exception as error:  # a fault of ours: told with the target, which is tried ever more seldom
        _log.warning("forward %d: %s", number, type(error).__name__)
        problem = Later(type(error).__name__)
    place = batch.end if problem is None else done[-1].after if done else None
    if place is not None:
        with writing(store.engine) as connection:
            _bury(connection, target.id, dead)
            targets.moved(connection, target, place, len(done) - len(dead), batch.lost if problem is None else 0)
    if problem is not None:
        wait = max(backoff(target.failures, random.uniform), problem.after_s)
        targets.failed(store.engine, target, str(problem), int(time.time() + wait) + 1)
    return problem is None


def backoff(failures: int, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after ``failures`` in a row: all of the time is drawn, after the limit."""
    return max(1.0, uniform(0.0, min(LONGEST_S, BACKOFF_S * 2.0 ** min(failures, 20))))


def deliver(settings: Settings, items: Sequence[Item], received_ms: int, done: list[Item], dead: list[Dead]) -> None:
    """Send in order, halving what is refused until the one that is unfit stands alone. ``done`` and ``dead`` grow as
    it goes; everything in ``dead`` is in ``done`` too. Raises Later.
    """
    if not items:
        return
    events = [item.event for item in items if item.event is not None]
    try:
        answers = iter(send(settings, events, received_ms) if events else ())
    except Unfit as error:
        if len(items) > 1:
            middle = len(items) // 2
            deliver(settings, items[:middle], received_ms, done, dead)
            deliver(settings, items[middle:], received_ms, done, dead)
            return
        answers = iter([str(error)])
    for item in items:
        why = "the record cannot be decoded" if item.event is None else next(answers)
        if why:
            dead.append(Dead(item, why))
        done.append(item)


def next_batch(store: Store, target: Target) -> Batch:
    """What the target is to get now: at most BATCH records, and where its cursor is after them."""
    number, skip = target.number, target.skip
    waiting = store.arrivals(number - 1 if skip else number, ARRIVALS)
    names = _names(store, {arrival.laptop for arrival in waiting})
    items: list[Item] = []
    end, lost, at = (number, skip), 0, 0
    for arrival in waiting:
        passed = skip if arrival.number == number else 0
        room = BATCH - len(items)
        upto = min(arrival.brought, passed + room)
        found = list(_items(store, arrival, passed, upto, names, target.settings))
        items += found
        lost += upto - passed - len(found)
        end, at = ((arrival.number, upto) if upto < arrival.brought else (arrival.number, 0)), max(at, arrival.at)
        if len(items) >= BATCH or end[1]:
            break
    return Batch(items, end, lost, at * 1000)


def _items(store: Store, arrival: Arrival, passed: int, upto: int, names: Names, settings: Settings) -> Iterator[Item]:
    for row in store.records(arrival.laptop, arrival.first + passed, arrival.first + upto):
        behind = row.idx - arrival.first + 1
        after = (arrival.number, behind if behind < arrival.brought else 0)
        yield Item(row.device, row.idx, _event(row, names, settings), after)


def _event(row: Row, names: Names, settings: Settings) -> Event | None:
    try:
        fields = record.decode(row.public)
    except UntrustedInputError:
        return None
    name, group = names.get(row.device, (f"laptop-{row.device}", ""))
    return make_event(name, group, fields, settings.redact)


def _names(store: Store, wanted: set[int]) -> Names:
    query = select(laptops.c.id, laptops.c.device, laptops.c.group_name).where(laptops.c.id.in_(wanted))
    with store.engine.connect() as connection:
        return {row.id: (row.device, row.group_name) for row in connection.execute(query)}


# ---- dead letters


def _bury(connection: Connection, target: int, dead: Sequence[Dead]) -> None:
    """Keep them, in this transaction; one that is there already stays as it is."""
    for each in dead:
        key = (_d.target == target, _d.laptop == each.item.laptop, _d.idx == each.item.number)
        if connection.execute(select(_d.id).where(*key)).first() is None:
            values = {"target": target, "laptop": each.item.laptop, "idx": each.item.number, "at": int(time.time()),
                      "why": each.why[:200]}  # fmt: skip
            connection.execute(insert(forward_dead).values(values))


def dead_letters(store: Store, target: Target, limit: int = 500) -> list[dict[str, object]]:
    """The oldest ones, with the pseudonym of their laptop."""
    query = select(forward_dead).where(_d.target == target.id).order_by(_d.id).limit(limit)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    names = _names(store, {row.laptop for row in rows})
    return [
        {"laptop": names.get(row.laptop, ("?", ""))[0], "record": row.idx, "at": row.at, "why": row.why} for row in rows
    ]


def replay(store: Store, target: Target) -> tuple[int, int]:
    """Send every dead letter again, one by one: how many went, how many stay. Raises HostError: no connection."""
    query = select(forward_dead).where(_d.target == target.id).order_by(_d.id).limit(MAX_REPLAYED)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    names = _names(store, {row.laptop for row in rows})
    went = 0
    for row in rows:
        stored = next(iter(store.records(row.laptop, row.idx, row.idx + 1)), None)
        event = _event(stored, names, target.settings) if stored else None
        try:
            if event is None or send(target.settings, [event], row.at * 1000)[0]:
                continue
        except Unfit:
            continue
        except Later as error:
            raise _unreachable(target, error) from error
        with writing(store.engine) as connection:
            connection.execute(delete(forward_dead).where(_d.id == row.id))
        went += 1
    return went, len(rows) - went


def send_test(target: Target, now_us: int) -> str:
    """Send one event that says it is a test; its uid. Raises HostError."""
    fields = {"i": 0, "t": now_us, "k": "test", "what": "test", "state": "test"}
    event = Event(f"test-{now_us}", "", 0, fields)
    try:
        refused = send(target.settings, [event], now_us // 1000)[0]
    except (Later, Unfit) as error:
        raise _unreachable(target, error) from error
    if refused:
        raise _unreachable(target, Unfit(refused))
    return event.uid


def _unreachable(target: Target, error: Exception) -> HostError:
    return HostError(
        N_("the target did not take the event: {why}"), where=target.name, why=str(error)[:200],
        hint=N_("see its address, its secret and the certificate authority that it is trusted by"),
    )  # fmt: skip
