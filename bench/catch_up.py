"""A laptop that was offline for long catches up, while others visit: how long it takes, and what the others notice.

    .venv/bin/python -m bench.catch_up [--records N] [--json]

A real log on the disk, the real sender, the real collector (SQLite, plain HTTP on loopback). Another laptop brings one
record at a time meanwhile; its visits are compared with the same visits before and after.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import urllib3

from agent.audit.log import AuditLog
from agent.transport import spool, sync
from agent.transport.https import HttpsCollector

TOKEN = "a-token-of-more-than-sixteen"
FIELDS = {"channel": "removable", "decision": "observe", "judgement": "not_medical", "size": 12345, "rule": "usb-01"}


class Neighbour(threading.Thread):
    """Visits with one record again and again; ``times`` are seconds each."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(daemon=True)
        self.folder, self.url, self.stop, self.times = folder, url, threading.Event(), []
        self.log = AuditLog.open(folder / "audit")
        self.log.start(version="0")

    def visit(self) -> float:
        self.log.append("transfer", FIELDS, durable=True)
        collector = HttpsCollector(self.url, TOKEN)
        state = spool.load_state(self.folder / "spool.json", "dev_neighbour")
        begin = time.perf_counter()
        sync.Sync(self.folder / "audit", self.folder / "spool.json", collector, state).run(0)
        collector.close()
        return time.perf_counter() - begin

    def run(self) -> None:
        while not self.stop.is_set():
            self.times.append(self.visit())
            self.stop.wait(0.2)


def measure(folder: Path, records: int) -> dict[str, float]:
    data = folder / "data"
    data.mkdir()
    (data / "token").write_text(TOKEN)
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    log = AuditLog.open(folder / "audit")
    log.start(version="0")
    for _ in range(records):
        log.append("transfer", FIELDS)
    log.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "collector.main", "run", "--data", str(data), "--fd", str(listening.fileno())],
        pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        urllib3.request("GET", url + "/health", retries=False, timeout=60)
        (folder / "neighbour").mkdir()
        neighbour = Neighbour(folder / "neighbour", url)
        alone = [neighbour.visit() for _ in range(20)]
        neighbour.start()
        begin = time.perf_counter()
        code = ["agent.transport.sync", "--log", str(folder / "audit"), "--state", str(folder / "spool.json"),
                "--url", url, "--token-file", str(data / "token"), "--device", "dev_catching_up", "--once"]  # fmt: skip
        status = subprocess.run([sys.executable, "-m", *code]).returncode
        seconds = time.perf_counter() - begin
        neighbour.stop.set()
        neighbour.join()
        held = spool.load_state(folder / "spool.json").acked
    finally:
        process.terminate()
        process.wait()
        listening.close()
    if status or held < records:
        raise RuntimeError(f"status {status}, {held} records acknowledged")
    return {
        "records": held,
        "seconds": seconds,
        "records_per_s": held / seconds,
        "sender_peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "neighbour_alone_ms": statistics.median(alone) * 1000,
        "neighbour_meanwhile_ms": statistics.median(neighbour.times) * 1000,
        "neighbour_slowest_ms": max(neighbour.times) * 1000,
        "neighbour_visits": len(neighbour.times),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="serment-bench-"))
    try:
        figures = measure(folder, chosen.records)
    finally:
        shutil.rmtree(folder)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value:14.2f}")


if __name__ == "__main__":
    main()
