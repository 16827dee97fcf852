"""Figures of the collector: verified records a second, over HTTP on loopback, stored durably before each reply.

    .venv/bin/python bench/collector.py [--records N] [--batch N] [--senders N] [--json]

The load is made beforehand and sent by a process of its own, on the same machine. The bare loop of the same run inserts
the same records into a fresh SQLite database of the same settings, without HTTP, checks or hashes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3

from agent.audit import chain, record
from agent.transport import wire

sys.path.insert(0, str(Path(__file__).parent))
from audit import TRANSFER

TOKEN = "a-token-of-more-than-sixteen"


def make_batches(device: str, records: int, batch: int) -> list[wire.Batch]:
    head, publics = chain.EMPTY_HEAD, []
    for index in range(records):
        public = record.encode(
            index, 1_795_289_704_000_000 + index, index, "0badcafe", "transfer", chain.link(head), TRANSFER
        )
        head = chain.head_after(head, public, chain.leaf(public))
        publics.append((public, b""))
    made: list[wire.Batch] = []
    first = 0
    while first < records:  # a batch may hold fewer records than asked for: its bytes are limited too
        made.append(wire.build(wire.Letterhead(device, first, records), publics[first : first + batch]))
        first += made[-1].count
    return made


def send(url: str, batches: list[wire.Batch]) -> None:
    pool = urllib3.PoolManager(num_pools=1, retries=False, timeout=60)
    for batch in batches:
        headers = {**wire.headers(batch.letterhead), "Authorization": f"Bearer {TOKEN}"}
        answer = pool.request("POST", url + wire.PATH, body=batch.body, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}: {answer.data!r}")


def send_all(url: str, loads: list[list[wire.Batch]]) -> float:
    """Seconds for all; the figures of a load that was refused are worth nothing, so that raises."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(len(loads)) as pool:
        list(pool.map(lambda load: send(url, load), loads))
    return time.perf_counter() - begin


def bare(folder: Path, load: list[wire.Batch]) -> float:
    """Seconds a record for the insert alone."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE events (device INTEGER, idx INTEGER, t INTEGER, public BLOB, PRIMARY KEY (device, idx))"
        " WITHOUT ROWID"
    )
    rows = [
        [(1, batch.letterhead.first + at, at, leaf.public) for at, leaf in enumerate(wire.parse_body(batch.body))]
        for batch in load
    ]
    begin = time.perf_counter()
    for group in rows:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", group)
        connection.execute("COMMIT")
    total = time.perf_counter() - begin
    connection.close()
    return total / sum(batch.count for batch in load)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(folder: Path, records: int, batch: int, senders: int) -> dict[str, float]:
    data = folder / "data"
    data.mkdir()
    (data / "token").write_text(TOKEN)
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    loads = [make_batches(f"dev_{number}", records // senders, batch) for number in range(senders)]
    process = subprocess.Popen(
        [sys.executable, "-m", "collector.main", "run", "--data", str(data), "--fd", str(listening.fileno())],
        pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        urllib3.request("GET", url + "/health", retries=False, timeout=60)
        before = cpu_seconds(process.pid)
        seconds = send_all(url, loads)
        used = cpu_seconds(process.pid) - before
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        process.wait()
        listening.close()
    total = sum(item.count for load in loads for item in load)
    floor = bare(folder, loads[0])
    return {
        "records": total,
        "records_per_s": total / seconds,
        "over_bare_insert": seconds / total / floor,
        "collector_cpu_us_per_record": used / total * 1e6,
        "wire_bytes_per_record": sum(len(item.body) for load in loads for item in load) / total,
        "disk_bytes_per_record": sum(path.stat().st_size for path in data.glob("*.db*")) / total,
        "peak_rss_mb": int(status.split("VmHWM:")[1].split()[0]) / 1024,
        "cores": os.cpu_count() or 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="serment-bench-"))
    try:
        figures = measure(folder, chosen.records, chosen.batch, chosen.senders)
    finally:
        shutil.rmtree(folder)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:12.2f}")


if __name__ == "__main__":
    main()
