"""What a laptop costs its collector as the fleet grows: 1,000, 10,000 and 100,000 laptops, the same work for each.

    .venv/bin/python -m bench.growth [--laptops 1000 10000 100000] [--visits N] [--postgresql] [--json]

The real intake (headers, chain, seals, the co-signature) and the real store, without HTTP, whose cost does not depend
on the fleet (bench.collector tells it). One laptop joins with a log of two records; the others' rows are copies of its
own, under other names. Then some of them, by chance, bring five more records, forty at a time. Beside it: what each of
the officers' pages asks of the store (every second laptop has an alert then), and what a ring is judged by. With SQLite
their processor time is told, with PostgreSQL, which works in a process of its own, the time until the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert, text

from agent.crypto.signing import FileKey
from agent.transport import wire
from bench.collector import Log
from collector import queries
from collector.ingest.intake import Intake
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.pages import roster, watching
from collector.store.base import Store
from collector.store.engine import open_store
from collector.store.tables import alerts
from collector.tuf import figures
from collector.tuf.rollout import Figures

AT_ONCE = 40
JOINED, MORE = 2, 5
REPORT = json.dumps({"v": "0.1.0", "tuf": 3, "policy": {"number": 2, "state": "in-force"}}).encode()


def batches() -> tuple[wire.Batch, wire.Batch]:
    """What every laptop brings when it joins, and later."""
    log = Log()
    log.add(JOINED)
    first = list(log.items)
    log.add(MORE)
    size = JOINED + MORE
    return (
        wire.build(wire.Letterhead("dev_x", 0, JOINED, log=log.name), first, REPORT),
        wire.build(wire.Letterhead("dev_x", JOINED, size, log=log.name), log.items[len(first) :], REPORT),
    )


async def bring(intake: Intake, batch: wire.Batch, numbers: Iterable[int]) -> None:
    """``batch`` by each of these laptops, some at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            head = replace(batch.letterhead, device=f"dev_{number}")
            reply, _ = await intake.take(head, batch.body, make=True, reported_us=1)
            if reply.why:
                raise RuntimeError(reply.why)

    await asyncio.gather(*(one(number) for number in numbers))


def multiply(store: Store, laptops: int) -> None:
    """Enter the others, as the first one is."""
    month = store.months()[-1]
    with store.engine.begin() as connection:
        for table in ("laptops", f"events_{month:06d}"):
            rows = [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table}"))]
            names = list(rows[0])
            insert = text(f"INSERT INTO {table} ({', '.join(names)}) VALUES (:{', :'.join(names)})")
            for begin in range(1, laptops, 2000):
                numbers = range(begin, min(begin + 2000, laptops))
                connection.execute(insert, [copied(row, number) for number in numbers for row in rows])


def copied(row: dict[str, object], number: int) -> dict[str, object]:
    """For the laptop after so many others; ``device`` is a name in one table, a number in the other."""
    if "id" in row:
        return {**row, "id": number + 1, "device": f"dev_{number}"}
    return {**row, "device": number + 1}


def measure(store: Store, folder: Path, laptops: int, visits: int) -> dict[str, float]:
    writer, verifiers = Writer(store), Verifiers(0)
    intake = Intake(store, writer, verifiers, Witness(FileKey()), lambda _laptop, _now: 300)
    joining, visiting = batches()
    try:
        asyncio.run(bring(intake, joining, [0]))
        multiply(store, laptops)
        disk = sum(path.stat().st_size for path in folder.glob("*.db*"))
        chosen = random.Random(5).sample(range(laptops), min(visits, laptops))
        cpu, begin = time.process_time(), time.perf_counter()
        asyncio.run(bring(intake, visiting, chosen))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - begin
    finally:
        verifiers.close()
        writer.close()
    with store.engine.begin() as connection:  # every second laptop has an alert
        rows = [(number, "fork", 1, 1, number, 1) for number in range(1, laptops + 1, 2)]
        names = ("device", "kind", "idx", "first_at", "last_at", "times")
        connection.execute(insert(alerts), [dict(zip(names, row, strict=True)) for row in rows])
    now, engine = int(time.time()), store.engine
    clock = time.process_time if engine.dialect.name == "sqlite" else time.perf_counter
    pages = {
        "fleet_page_ms": lambda: (
            roster.groups(engine), roster.page(engine, now, only="weak"), roster.counts(engine, now)
        ),
        "today_page_ms": lambda: (
            roster.counts(engine, now), roster.page(engine, now, only="silent", limit=10),
            queries.today(engine, 0), watching.stories(engine, now, 0, 10), watching.asked(engine, 0, 10),
        ),
        "alerts_page_ms": lambda: watching.stories(engine, now),
        "policies_page_ms": lambda: (roster.in_force(engine), store.refused(200)),
        "judging_ms": lambda: figures.on_release(store, 2, Figures()),
    }  # fmt: skip
    return {
        "laptops": laptops,
        "visit_us": wall / len(chosen) * 1e6,
        "visit_cpu_us": cpu / len(chosen) * 1e6,
        "disk_bytes_a_laptop": disk / laptops,
        **{name: taken(work, clock) * 1000 for name, work in pages.items()},
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def taken(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """The least of three."""
    found = []
    for _ in range(3):
        begin = clock()
        work()
        found.append(clock() - begin)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--laptops", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--postgresql", action="store_true", help="in a cluster of its own, from Debian's package")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    cluster = None
    if chosen.postgresql:
        from tests.postgresql import Cluster

        cluster = Cluster()
    found = []
    try:
        for laptops in chosen.laptops:
            folder = Path(tempfile.mkdtemp(prefix="serment-bench-"))
            store = open_store(folder, cluster.database(f"fleet{laptops}") if cluster else "")
            try:
                found.append(measure(store, folder, laptops, chosen.visits))
            finally:
                store.close()
                shutil.rmtree(folder)
    finally:
        if cluster:
            cluster.stop()
    if chosen.json:
        print(json.dumps(found))
        return
    for name in found[0]:
        print(f"{name:24}" + "".join(f"{each[name]:14.1f}" for each in found))


if __name__ == "__main__":
    main()
