"""Figures of the audit log: append, seal, durable append, verify, start, bytes; ratios to bare loops in one run.

    .venv/bin/python bench/audit.py [--records N] [--folder DIR] [--json]

The bare loops do what cannot be left out: one write(2) of a record's bytes; the same with fdatasync; SHA-256 over the
bytes of each record. Best of many short rounds, in processor time where no disk is waited for: the machine is shared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from agent.audit.checkpoint import Why
from agent.audit.limits import Limits
from agent.audit.log import AuditLog
from agent.audit.private import Vault
from agent.audit.segments import read, verify_folder
from agent.crypto.recipients import KeyKind, new_identity, recipient_of

TRANSFER = {
    "channel": "removable", "service": "usb", "arrival": "new", "cause": "written", "strength": "after-write",
    "judgement": "medical", "kind": "lab-report", "confidence": 930, "identified": True, "patients": 1, "format": "pdf",
    "size": 184213, "ext": "pdf", "decision": "encrypt", "wanted": "encrypt", "rule": "usb-01", "policy": "enforce",
    "release": "0123456789ab", "mode": "enforce", "engine": "1", "file": "a" * 16, "volume": "b" * 16,
    "device": {"bus": "usb", "vendor_id": "0951", "product_id": "1666", "vendor": "Kingston", "serial": "c" * 16},
    "user": "d" * 12,
}  # fmt: skip
ROUNDS = 25
DURABLE = 100


def best(work, count: int) -> float:
    """Seconds of processor time for one of ``count``, in the best round."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append((time.process_time() - begin) / count)
    return min(times)


def middle(work) -> float:
    times = []
    for _ in range(DURABLE):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure(folder: Path, records: int) -> dict[str, float]:
    log = AuditLog.open(folder / "audit", flush_after_s=3600)
    log.start(version="bench")
    seal = best(lambda: [log._seal(Why.BEAT) for _ in range(40)], 40)
    batch = records // ROUNDS
    append = best(lambda: [log.append("transfer", TRANSFER) for _ in range(batch)], batch)
    log.flush()
    durable = middle(lambda: log.append("transfer", TRANSFER, durable=True))
    log.close()
    entries = [entry.public for entry in read(folder / "audit")]
    fd = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    data = entries[1]
    bare_write = best(lambda: [os.write(fd, data) for _ in range(batch)], batch)

    def bare_durable():
        os.write(fd, data)
        os.fdatasync(fd)

    durable_floor = middle(bare_durable)
    os.close(fd)
    size = plain_bytes(folder / "plain", 10_000)
    verify = best(lambda: verify_folder(folder / "plain"), 10_001)
    bare_hash = best(lambda: [hashlib.sha256(entry).digest() for entry in entries], len(entries))
    begin = time.perf_counter()
    AuditLog.open(folder / "audit").close()
    start = time.perf_counter() - begin
    named, named_bytes = with_names(folder / "named", batch)
    year, year_seals = a_year(folder / "year")
    return {
        "append_us": append * 1e6,
        "append_named_us": named * 1e6,
        "seal_us": seal * 1e6,
        "append_over_bare_write": append / bare_write,
        "durable_append_ms": durable * 1e3,
        "durable_over_bare_fdatasync": durable / durable_floor,
        "verify_records_per_s": 1 / verify,
        "verify_over_bare_sha256": verify / bare_hash,
        "open_and_close_ms": start * 1e3,
        "bytes_per_record": size,
        "bytes_per_named_record": named_bytes,
        "year_verified_s": year,
        "year_seals": year_seals,
    }


def plain_bytes(folder: Path, count: int) -> float:
    """Bytes a record on the disk, its share of the seals included (one for 64 records)."""
    log = AuditLog.open(folder, flush_after_s=3600)
    for _ in range(count):
        log.append("transfer", TRANSFER)
    log.close()
    return sum(path.stat().st_size for path in folder.glob("*.slog")) / (count + 1)


def with_names(folder: Path, count: int) -> tuple[float, float]:
    """Seconds and bytes a record when each has a document's name in its private part."""
    key = recipient_of(new_identity(KeyKind.X25519))
    log = AuditLog.open(folder, flush_after_s=3600, vault=Vault(folder, lambda _uid: [key]))
    name = {"name": b"Compte rendu 2026-11.pdf"}
    seconds = best(lambda: [log.append("transfer", TRANSFER, private=name, owner=1000) for _ in range(count)], count)
    log.close()
    return seconds, sum(path.stat().st_size for path in folder.glob("*.slog")) / (count * ROUNDS + 1)


def a_year(folder: Path) -> tuple[float, int]:
    """Seconds to verify a year of a laptop: 250 days of ten hours, each with a start and a stop, 50 transfers in ten
    moments (a seal each) and a quiet seal every 15 minutes otherwise.
    """
    log = AuditLog.open(folder, limits=Limits(flush_after_s=36000, beat_s=36000))
    for _ in range(250):
        for moment in range(40):
            if moment % 4 == 0:
                for _ in range(5):
                    log.append("transfer", TRANSFER)
            log._seal(Why.BEAT)
    log.close()
    begin = time.perf_counter()
    found = verify_folder(folder)
    return time.perf_counter() - begin, found.seals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="on which disk; a fresh folder is made in it")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="serment-bench-", dir=chosen.folder))
    try:
        figures = measure(folder, chosen.records)
    finally:
        shutil.rmtree(folder)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:12.2f}")


if __name__ == "__main__":
    main()
