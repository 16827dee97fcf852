"""Every bench as a list of figures: what ``python -m bench`` runs, each suite in a process of its own.

The scripts beside this one measure and can be run alone; here their numbers get the budget of the design they answer
to. ``BY_TESTS`` are the budgets that a test keeps, with its file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measure import Figure

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus" / "manifest.jsonl"
BY_TESTS = {"policy: edit to enforced within 60 s online": "tests/system/test_bell.py"}


def decide() -> list[Figure]:
    from bench import decide as bench

    return bench.main()


def worker() -> list[Figure]:
    from bench import worker as bench

    found = bench.round_trips(2000)
    real = bench.start_ms("agent.extraction.worker", 3)
    figures = [
        Figure("worker: round trip", found["round_trip_ms"], "ms", bench.BUDGET_MS, False, "bare socketpair",
               found["round_trip_ms"] / found["bare_ms"]),
        Figure("worker: round trip, 99 of 100", found["round_trip_p99_ms"], "ms"),
        Figure("worker: arming the sandbox", found["arming_ms"], "ms"),
    ]  # fmt: skip
    return figures if real is None else [*figures, Figure("worker: start to first question", real, "ms")]


def policy() -> list[Figure]:
    from agent.policy import load_policy
    from agent.policy.given import facts_from_words
    from bench import policy as bench

    data = bench.policy_text(100)
    words = {"action": "copy", "extension": "e99", "patients": "1", "group": "g0", "device": "usb:0781:5567:AA"}
    found = bench.measure(load_policy(data, "bench"), facts_from_words(words), data)
    bare = found["bare_call_us"]
    return [
        Figure("policy: decision, 100 rules, class seen before", found["seen_us"], "µs", bench.BUDGET_US, False,
               "bare call", found["seen_us"] / bare),
        Figure("policy: decision, 100 rules, first of its class", found["first_us"], "µs", bench.BUDGET_US, False,
               "bare call", found["first_us"] / bare),
        Figure("policy: load 100 rules and their tests", found["load_ms"], "ms"),
    ]  # fmt: skip


def audit() -> list[Figure]:
    from bench import audit as bench

    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        found = bench.measure(Path(folder), 20_000)
    return [
        Figure("audit: append", found["append_us"], "µs", 15, False, "write(2)", found["append_over_bare_write"]),
        Figure("audit: append, with names for those concerned", found["append_named_us"], "µs", 15),
        Figure("audit: durable append", found["durable_append_ms"], "ms", 5, False, "write and fdatasync",
               found["durable_over_bare_fdatasync"]),
        Figure("audit: verify", found["verify_records_per_s"], "records/s", 100_000, True, "SHA-256 of the same",
               found["verify_over_bare_sha256"]),
        Figure("audit: size of a record", found["bytes_per_record"], "bytes", 400),
        Figure("audit: size of a record with names", found["bytes_per_named_record"], "bytes", 400),
        Figure("audit: a seal", found["seal_us"], "µs", 200),
        Figure("audit: a year of a laptop verified", found["year_verified_s"], "s", 2),
    ]  # fmt: skip


def collector() -> list[Figure]:
    from bench import collector as bench

    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        found = bench.measure(Path(folder), 120_000, 2000, 8)
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        other = bench.measure_postgresql(Path(folder), 120_000, 2000, 8)
    return [
        Figure("collector: verified events, senders on the same cores", found["records_per_s"], "events/s", 50_000,
               True, "SQLite insert", found["over_bare_insert"]),
        Figure("collector: the same, PostgreSQL", other["records_per_s"], "events/s", 40_000, True, "COPY",
               other["over_bare_copy"]),
        Figure("collector: the same, in leaf hashes", found["over_bare_sha256"], "× SHA-256"),
        Figure("collector: processor time an event", found["collector_cpu_us_per_record"], "µs"),
        Figure("collector: peak memory", found["peak_rss_mb"], "MB"),
    ]  # fmt: skip


def seal() -> list[Figure]:
    from bench import seal as bench

    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        return bench.measure(Path(folder), 128, 5)


def resident() -> list[Figure]:
    from bench import resident as bench

    return bench.main()


def gates() -> list[Figure]:
    """Nothing without root: it mounts."""
    if os.getuid() != 0:
        return []
    from bench import gates as bench

    return bench.main()


def detection() -> list[Figure]:
    """Shares over the development corpus; nothing when it is not beside the checkout."""
    if not CORPUS.is_file():
        return []
    from bench import detection as bench

    rows = bench.run(CORPUS, 2)
    shares = [
        Figure(f"detection: {name} (of {of})", 100 * hits / of, "%")
        for name, (hits, of) in bench.summary(rows).items()
        if of and "pictures" not in name  # nobody reads pictures here: `python -m bench.detection --ocr` does
    ]
    times = sorted(row["ms"] for row in rows)
    return [
        *shares,
        Figure("any file: 95 of 100 of the corpus", times[len(times) * 95 // 100], "ms"),
        Figure("any file: how many pass the soft limit, 250 ms", sum(time > 250 for time in times), "files", 0),
        Figure("any file: the slowest, against the hard limit", times[-1], "ms", 2000),
    ]


def notice() -> list[Figure]:
    if os.geteuid() != 0:
        return []
    from bench import notice as bench

    return bench.main()


def peers() -> list[Figure]:
    from bench import beside as bench

    return bench.main()


SUITES: dict[str, tuple[Callable[[], list[Figure]], float]] = {
    "decide": (decide, 60),
    "worker": (worker, 60),
    "policy": (policy, 30),
    "audit": (audit, 60),
    "collector": (collector, 60),
    "seal": (seal, 60),
    "resident": (resident, 300),
    "gates": (gates, 200),
    "detection": (detection, 150),
    "notice": (notice, 180),
    "peers": (peers, 150),
}
"""What is measured, and after how many seconds it is given up."""
