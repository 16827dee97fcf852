"""Two collectors on one PostgreSQL, behind a balancer that knows nothing but TCP: one dies, nothing is lost."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import create_engine, text

from agent.audit.segments import verify_folder
from agent.transport import spool
from tests.postgresql import Cluster, binaries
from tests.system.test_collector_kill import Sender, finish, served

pytestmark = [pytest.mark.system, pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")]
TOKEN = "a-token-of-more-than-sixteen"
ROUNDS = 20 if os.environ.get("SERMENT_LONG") else 2


class Balancer:
    """Each connection goes to one of the ports that answer, by chance."""

    def __init__(self, ports):
        self.ports = ports
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        for port in random.sample(self.ports, len(self.ports)):
            try:
                server = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                continue
        else:
            client.close()
            return
        threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
        self._copy(client, server)

    def _copy(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listening.close()


class Collector:
    def __init__(self, data, database):
        self.data, self.database = data, database
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        listening.close()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector.main", "run", "--data", str(self.data), "--database", self.database,
             "--port", str(self.port), "--verifiers", "0"], stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr.readline().startswith(b"http")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def pair(tmp_path):
    cluster = Cluster()
    database = cluster.database("fleet")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "token").write_text(TOKEN)
    first = Collector(tmp_path / "a", database)
    (tmp_path / "b").mkdir()
    for name in ("token", "witness.key"):  # the second one has the same keys
        shutil.copy(tmp_path / "a" / name, tmp_path / "b" / name)
    collectors = [first, Collector(tmp_path / "b", database)]
    balancer = Balancer([collector.port for collector in collectors])
    yield collectors, balancer, database
    balancer.close()
    for collector in collectors:
        if collector.process.poll() is None:
            collector.kill()
    cluster.stop()


def test_one_dies_and_nothing_is_lost_and_nothing_is_there_twice(pair, tmp_path):
    collectors, balancer, database = pair
    stop, chance = threading.Event(), random.Random(7)
    laptops = [Sender(tmp_path / name, balancer.url, TOKEN, stop) for name in ("one", "two", "three")]
    for laptop in laptops:
        laptop.start()
    try:
        for number in range(ROUNDS):
            served(laptops)
            time.sleep(chance.uniform(0, 0.2))
            dead = collectors[number % 2]
            dead.kill()
            served(laptops)  # the other one serves everybody
            dead.start()
    finally:
        stop.set()
        for laptop in laptops:
            laptop.join(60)
    finish(laptops, balancer.url, TOKEN)
    assert [laptop.surprises for laptop in laptops] == [[], [], []]
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        for laptop in laptops:
            device = spool.load_state(laptop.state_file).device
            total = verify_folder(laptop.folder / "audit").records
            query = text("SELECT count(*), count(DISTINCT idx), min(idx), max(idx) FROM events"
                         " WHERE device = (SELECT id FROM laptops WHERE device = :device)")  # fmt: skip
            assert tuple(connection.execute(query, {"device": device}).one()) == (total, total, 0, total - 1)
        assert connection.execute(text("SELECT count(*) FROM alerts")).scalar_one() == 0
        brought = connection.execute(text("SELECT sum(brought) FROM arrivals")).scalar_one()
        assert brought == connection.execute(text("SELECT count(*) FROM events")).scalar_one()
    engine.dispose()
