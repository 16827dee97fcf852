"""The collector, killed again and again while laptops send: what was acknowledged is there, and there once.

A collector is started many times over, so the starts are made cheap: one process has everything imported and forks a
child for each life; the child is the real one, with its own server, thread and database connection.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import create_engine

from agent.audit.log import AuditLog
from agent.audit.segments import verify_folder
from agent.errors import TransportError
from agent.transport import spool, sync
from agent.transport.https import HttpsCollector

KILLS = 200 if os.environ.get("SERMENT_LONG") else 50
FORKER = """
import os, socket, sys
import uvicorn
from pathlib import Path
import alembic.command, alembic.config
from collector import app, main, serving
from collector.store import engine, sqlite, postgresql, migrate, retention
from collector.ingest import verifiers, witness, writer
data, fd = Path(sys.argv[1]), int(sys.argv[2])
while sys.stdin.readline():
    child = os.fork()
    if child == 0:
        os.close(0)
        status = main.main(["run", "--data", str(data), "--fd", str(os.dup(fd)), "--verifiers", "0"])
        os._exit(status)
    print(child, flush=True)
    os.waitpid(child, 0)
"""

pytestmark = pytest.mark.system


@pytest.fixture
def forker(tmp_path):
    """(start a life and return its pid, the address, the folder of the data)."""
    data = tmp_path / "collector"
    listening = socket.create_server(("127.0.0.1", 0))
    process = subprocess.Popen(
        [sys.executable, "-c", FORKER, str(data), str(listening.fileno())],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        pass_fds=[listening.fileno()],
    )  # fmt: skip
    lives = []

    def start():
        process.stdin.write("go\n")
        process.stdin.flush()
        lives.append(int(process.stdout.readline()))
        return lives[-1]

    yield start, f"http://127.0.0.1:{listening.getsockname()[1]}", data
    process.stdin.close()
    for pid in lives[-1:]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait(20)
    listening.close()


def write_some(log, count):
    for number in range(count):
        log.append("transfer", {"n": number, "channel": "removable", "decision": "block"})
    log.flush()


class Sender(threading.Thread):
    """A laptop: its log grows, and whatever happens it goes on sending. ``acked`` is the highest acknowledged size."""

    def __init__(self, folder, url, token, stop):
        super().__init__()
        self.folder, self.url, self.token, self.stop = folder, url, token, stop
        self.log = AuditLog.open(folder / "audit")
        self.state_file = folder / "spool.json"
        self.failures, self.surprises = 0, []

    @property
    def acked(self):
        return spool.load_state(self.state_file).acked

    def run(self):
        collector = HttpsCollector(self.url, self.token)
        while not self.stop.is_set():
            if self.log.size - self.acked < 20_000:
                write_some(self.log, 400)
            self.send(collector)
        collector.close()

    def send(self, collector):
        worker = sync.Sync(self.folder / "audit", self.state_file, collector, spool.load_state(self.state_file))
        try:
            if worker.run(0) != sync.EXIT_DONE:
                self.surprises.append(worker.state)
        except TransportError as error:
            self.failures += 1
            if error.fields["kind"] != "unreachable":
                self.surprises.append(error)
            time.sleep(0.01)


def served(laptops):
    before = [laptop.acked for laptop in laptops]
    deadline = time.monotonic() + 30
    while [laptop.acked for laptop in laptops] == before and time.monotonic() < deadline:
        time.sleep(0.005)


def rows(data, query):
    engine = create_engine(f"sqlite:///{data}/collector.db")
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return found


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(forker, tmp_path):
    start, url, data = forker
    randomness = random.Random(2026)
    token = "a-token-of-more-than-sixteen"
    data.mkdir()
    (data / "token").write_text(token)
    pid = start()
    stop = threading.Event()
    laptops = [Sender(tmp_path / name, url, token, stop) for name in ("one", "two")]
    for laptop in laptops:
        laptop.start()
    try:
        for _ in range(KILLS):
            served(laptops)  # each life serves before it ends
            time.sleep(randomness.uniform(0.0, 0.15))
            acked = [laptop.acked for laptop in laptops]
            os.kill(pid, signal.SIGKILL)
            pid = start()
            for laptop, size in zip(laptops, acked, strict=True):
                device = spool.load_state(laptop.state_file).device
                held = rows(data, f"SELECT size FROM laptops WHERE device = '{device}'") if size else [(0,)]
                assert held[0][0] >= size
    finally:
        stop.set()
        for laptop in laptops:
            laptop.join(60)
    finish(laptops, url, token)
    assert sum(laptop.failures for laptop in laptops) > KILLS // 4  # the kills did hit
    assert [laptop.surprises for laptop in laptops] == [[], []]
    for laptop in laptops:
        check_whole(laptop, data)
    assert rows(data, "SELECT * FROM alerts") == []
    assert rows(data, "PRAGMA integrity_check") == [("ok",)]


def finish(laptops, url, token):
    collector = HttpsCollector(url, token)
    deadline = time.monotonic() + 60
    for laptop in laptops:
        laptop.log.close()
        while laptop.acked < verify_folder(laptop.folder / "audit").records:
            assert time.monotonic() < deadline
            laptop.send(collector)
    collector.close()


def check_whole(laptop, data):
    total = verify_folder(laptop.folder / "audit").records
    device = spool.load_state(laptop.state_file).device
    counts = rows(
        data,
        "SELECT count(*), count(DISTINCT idx), min(idx), max(idx) FROM events"
        f" WHERE device = (SELECT id FROM laptops WHERE device = '{device}')",
    )
    assert counts == [(total, total, 0, total - 1)]
    assert total > 1000


@pytest.fixture
def command(tmp_path):
    """Start the real command; ended with the test."""
    started = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, "-m", "collector.main", "run", "--data", str(tmp_path / "data"), *arguments],
            stderr=subprocess.PIPE, **options,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def health(url):
    import urllib3

    return urllib3.request("GET", url + "/health", retries=False, timeout=20).json()["status"]


def test_an_inherited_socket_and_the_way_out_when_idle(command, tmp_path):
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    for _ in range(2):  # the socket outlives the process: the next life serves it again
        process = command("--fd", str(listening.fileno()), "--idle-exit", "0.3", pass_fds=[listening.fileno()])
        assert health(url) == "ok"
        assert process.wait(30) == 0
    listening.close()


def test_a_stop_is_graceful_and_the_token_stays_out_of_the_log(command, tmp_path):
    process = command("--port", "0")
    line = process.stderr.readline().decode()
    assert health(line.strip().rstrip("/")) == "ok"
    token = (tmp_path / "data" / "token").read_text().strip()
    assert token not in line
    second = command("--port", "0")
    assert second.wait(30) == 69  # one collector a folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
