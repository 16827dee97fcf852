"""Figures of the collector: verified records a second, over HTTP on loopback, stored durably before each reply.

    .venv/bin/python bench/collector.py [--records N] [--batch N] [--senders N] [--seal-every N] [--postgresql] [--json]

Verified: canonical form, numbering, links, the tree, and each seal's root and signature. The load is made beforehand
and sent by a process of its own, on the same machine; its logs are sealed every 64 records, as a writer under load
does. The bare loops of the same run insert the same records, without HTTP, checks or hashes, into a fresh SQLite
database of the same settings (executemany) or a table of the same PostgreSQL (COPY, one sender), and compute nothing
but the two SHA-256 of each record's leaf.
"""

from __future__ import annotations

import argparse
import http.client
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
from hashlib import sha256
from pathlib import Path

import psutil
import urllib3

from agent.audit import chain, checkpoint, record, tree
from agent.audit.checkpoint import Seal, Why
from agent.crypto.signing import FileKey, OnceKey
from agent.transport import wire

sys.path.insert(0, str(Path(__file__).parent))
from audit import TRANSFER

sys.path.insert(0, str(Path(__file__).parents[1]))

TOKEN = "a-token-of-more-than-sixteen"


class Log:
    """A log as its writer makes it, without the disk."""

    def __init__(self) -> None:
        self._identity, self._start = FileKey(), FileKey()
        self._key = OnceKey()
        self._frontier: tree.Frontier = []
        self._size = 0
        self.name = checkpoint.origin(self._identity.public)
        bare = Seal(
            Why.OPEN, 0, 1_795_289_704_000_000, tree.EMPTY_ROOT, self._key.public, b"", self._identity.public,
            self._identity.public, self._start.public,
        )  # fmt: skip
        signature = self._identity.sign(checkpoint.text(bare, self.name))
        self.items: list[wire.Item] = [checkpoint.pack(bare._replace(signature=signature))]
        self._head = chain.EMPTY_HEAD

    def add(self, count: int) -> None:
        leaves = []
        for index in range(self._size, self._size + count):
            public = record.encode(
                index, 1_795_289_704_000_000 + index, index, "0badcafe", "transfer", chain.link(self._head), TRANSFER
            )
            self._head = chain.leaf(public)
            leaves.append(self._head)
            self.items.append((public, b""))
        tree.extend(self._frontier, leaves)
        self._size += count
        following = OnceKey()
        bare = Seal(Why.FLUSH, self._size, 1_795_289_704_000_000, tree.root(self._frontier), following.public)
        signed = bare._replace(signature=self._key.sign(checkpoint.text(bare, self.name)))
        self._key = following
        self.items.append(checkpoint.pack(signed))


def make_batches(device: str, records: int, batch: int, seal_every: int = 64) -> list[wire.Batch]:
    log = Log()
    for begin in range(0, records, seal_every):
        log.add(min(seal_every, records - begin))
    made: list[wire.Batch] = []
    first = at = 0
    while first < records:  # a batch may hold fewer records than asked for: its bytes are limited too
        part, count = [], 0
        for item in log.items[at : at + wire.MAX_FRAMES]:
            count += not isinstance(item, bytes)
            if count > batch:
                break
            part.append(item)
        made.append(wire.build(wire.Letterhead(device, first, records, log=log.name), part))
        first += made[-1].count
        at += made[-1].items
    return made


def send(url: str, batches: list[wire.Batch]) -> None:
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=120)
    for batch in batches:
        headers = {**wire.headers(batch.letterhead), "Authorization": f"Bearer {TOKEN}"}
        connection.request("POST", wire.PATH, body=batch.body, headers=headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200 or "cosigned" not in json.loads(said):
            raise RuntimeError(f"status {answer.status}: {said!r}")


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
        [
            (1, batch.letterhead.first + at, at, leaf.public)
            for at, leaf in enumerate(wire.parse_body(batch.body).leaves)
        ]
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


def bare_copy(database: str, load: list[wire.Batch]) -> float:
    """Seconds a record for COPY alone."""
    import psycopg

    groups = [
        [
            (1, batch.letterhead.first + at, at, leaf.public)
            for at, leaf in enumerate(wire.parse_body(batch.body).leaves)
        ]
        for batch in load
    ]
    with psycopg.connect(database) as connection:
        connection.execute(
            "CREATE TABLE bare (device bigint, idx bigint, t bigint, public bytea, PRIMARY KEY (device, idx))"
        )
        connection.commit()
        begin = time.perf_counter()
        for group in groups:
            with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN WITH (FORMAT BINARY)") as copy:
                copy.set_types(["int8", "int8", "int8", "bytea"])
                for row in group:
                    copy.write_row(row)
            connection.commit()
        total = time.perf_counter() - begin
    return total / sum(batch.count for batch in load)


def bare_hashes(load: list[wire.Batch]) -> float:
    """Seconds a record for its leaf hash alone."""
    publics = [leaf.public for batch in load for leaf in wire.parse_body(batch.body).leaves]
    begin = time.perf_counter()
    for public in publics:
        sha256(b"\x00" + sha256(public).digest() + chain.NO_PRIVATE).digest()
    return (time.perf_counter() - begin) / len(publics)


def cpu_seconds(process: psutil.Process) -> float:
    """Of the collector and its verifiers."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def peak_mb(process: psutil.Process) -> float:
    peak = 0.0
    for each in (process, *process.children(recursive=True)):
        status = Path(f"/proc/{each.pid}/status").read_text()
        peak += int(status.split("VmHWM:")[1].split()[0]) / 1024
    return peak


def measure(
    folder: Path, records: int, batch: int, senders: int, *, seal_every: int = 64, verifiers: int | None = None,
    database: str = "",
) -> dict[str, float]:  # fmt: skip
    data = folder / "data"
    data.mkdir()
    (data / "token").write_text(TOKEN)
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    loads = [make_batches(f"dev_{number}", records // senders, batch, seal_every) for number in range(senders)]
    process = subprocess.Popen(
        [sys.executable, "-m", "collector.main", "run", "--data", str(data), "--fd", str(listening.fileno()),
         *(["--database", database] if database else []),
         *(["--verifiers", str(verifiers)] if verifiers is not None else [])],
        pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        urllib3.request("GET", url + "/health", retries=False, timeout=60)
        send_all(url, [make_batches(f"warm_{number}", 4000, 2000) for number in range(2)])  # verifiers are there now
        watched = psutil.Process(process.pid)
        before = cpu_seconds(watched)
        seconds = send_all(url, loads)
        used = cpu_seconds(watched) - before
        peak = peak_mb(watched)
    finally:
        process.terminate()
        process.wait()
        listening.close()
    total = sum(item.count for load in loads for item in load)
    floor = bare_copy(database, loads[0]) if database else bare(folder, loads[0])
    hashes = bare_hashes(loads[0])
    return {
        "records": total,
        "records_per_s": total / seconds,
        "over_bare_copy" if database else "over_bare_insert": seconds / total / floor,
        "over_bare_sha256": seconds / total / hashes,
        "collector_cpu_us_per_record": used / total * 1e6,
        "wire_bytes_per_record": sum(len(item.body) for load in loads for item in load) / total,
        "disk_bytes_per_record": sum(path.stat().st_size for path in data.glob("*.db*")) / total,
        "peak_rss_mb": peak,
        "cores": os.cpu_count() or 1,
        "load_average": os.getloadavg()[0],
    }


def measure_postgresql(folder: Path, records: int, batch: int, senders: int, **options: int | None) -> dict[str, float]:
    """In a cluster of its own, from Debian's package."""
    from tests.postgresql import Cluster

    cluster = Cluster()
    try:
        return measure(folder, records, batch, senders, database=cluster.database("bench"), **options)
    finally:
        cluster.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=120_000)
    parser.add_argument("--batch", type=int, default=2000)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--seal-every", type=int, default=64)
    parser.add_argument("--verifiers", type=int)
    parser.add_argument("--postgresql", action="store_true", help="in a cluster of its own, from Debian's package")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="serment-bench-"))
    options = {"seal_every": chosen.seal_every, "verifiers": chosen.verifiers}
    try:
        run = measure_postgresql if chosen.postgresql else measure
        figures = run(folder, chosen.records, chosen.batch, chosen.senders, **options)
    finally:
        shutil.rmtree(folder)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:12.2f}")


if __name__ == "__main__":
    main()
