"""A fleet that comes back after an outage: how many visits a second reach the collector, by a clock of its own.

    .venv/bin/python -m bench.reconnect [--laptops N] [--outage S] [--json]

The laptops' own back-off, the collector's admission and its schedule, as they are; what is simulated is time. Laptops
visit every 15 minutes; when the outage begins they are anywhere in that quarter of an hour. Peak: the busiest second
(or ten, for fleets too small for a second to mean something) over the mean from the end of the outage until the last
is served.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import time
from dataclasses import dataclass

from agent.transport.spool import backoff
from collector.sync.admission import Admission
from collector.sync.schedule import QUIET_S, VISITS_PER_S, Rhythm, next_visit

HORIZON_S = 5400


@dataclass(frozen=True)
class Outcome:
    """Seconds from the end of the outage on. ``later`` were sent away for later (429); none is ever answered with
    5xx.
    """

    laptops: int
    drained_s: float
    peak_over_mean: float
    peak_per_s: float
    later: int
    echo_over_mean: float  # the busiest moment of the hour after, in which everybody visits as he was told


def simulate(laptops: int, outage_s: int, rate: float = VISITS_PER_S, bucket_s: int = 1, seed: int = 1) -> Outcome:
    chance = random.Random(seed)
    queue: list[tuple[float, int]] = [(_returns(chance, outage_s), number) for number in range(laptops)]
    heapq.heapify(queue)
    admission, rhythm = Admission(rate, rate * 4), Rhythm(laptops, recovering_until=1800)
    served: set[int] = set()
    counts: dict[int, int] = {}
    later, drained = 0, 0.0
    while queue and queue[0][0] < HORIZON_S:
        at, number = heapq.heappop(queue)
        counts[int(at) // bucket_s] = counts.get(int(at) // bucket_s, 0) + 1
        wait = admission.ask(at, chance.random())
        if wait:
            later += 1
        else:
            if number not in served:
                served.add(number)
                drained = at
            wait = next_visit(rhythm, int(at), 0, chance.random())
        heapq.heappush(queue, (at + wait, number))
    first = {bucket: count for bucket, count in counts.items() if bucket * bucket_s <= drained}
    rest = {bucket: count for bucket, count in counts.items() if bucket * bucket_s > drained}
    mean = len(served) / max(1.0, drained / bucket_s)  # each laptop once: who comes again counts for the peak alone
    quiet = sum(rest.values()) / max(1, (HORIZON_S - drained) / bucket_s)
    return Outcome(
        len(served), drained, max(first.values()) / mean, max(first.values()) / bucket_s, later,
        max(rest.values(), default=0) / max(quiet, 1e-9),
    )  # fmt: skip


def _returns(chance: random.Random, outage_s: int) -> float:
    """When a laptop that found nobody during the outage comes for the first time after it."""
    at, failures = -outage_s + chance.uniform(0, QUIET_S * 1.1), 0
    while at < 0:
        failures += 1
        at += backoff(failures, chance.uniform)
    return at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--laptops", type=int, default=100_000)
    parser.add_argument("--outage", type=int, default=1800, metavar="S")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    begin = time.perf_counter()
    outcome = simulate(chosen.laptops, chosen.outage)
    figures = {**vars(outcome), "simulated_in_s": time.perf_counter() - begin}
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:12.2f}")


if __name__ == "__main__":
    main()
