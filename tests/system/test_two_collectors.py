"""Two collectors on one PostgreSQL, behind a balancer that knows nothing but TCP, each on a network of its own: one dies,
or its machine falls silent, and nothing is lost. PostgreSQL is on a machine of its own too, reached by TCP and TLS.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from agent.audit.segments import verify_folder
from agent.transport import spool
from tests.balancer import Balancer
from tests.postgresql import Cluster, binaries
from tests.siem import make_certificates
from tests.system.test_collector_kill import Sender, finish, served

pytestmark = [pytest.mark.system, pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")]
TOKEN = "a-token-of-more-than-sixteen"
PORT = 8440
CHECKOUT = Path(__file__).resolve().parents[2]
ROUNDS = 20 if os.environ.get("SERMENT_LONG") else 2


class Machine:
    """A network of its own: a namespace with one link to each neighbour."""

    def __init__(self, name):
        self.name, self.links = name, []
        ip("netns", "add", name)
        self.inside("ip", "link", "set", "lo", "up")

    def inside(self, *words):
        subprocess.run(self.command(*words), check=True, capture_output=True)

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def connect(self, other, net):
        """A cable to ``other`` (None: to the machine that we are on); .1 here, .2 there."""
        here, there = f"c{self.name}{net.split('.')[2]}"[:15], f"d{self.name}{net.split('.')[2]}"[:15]
        ip("link", "add", here, "type", "veth", "peer", "name", there)
        ip("link", "set", here, "netns", self.name)
        self.inside("ip", "addr", "add", f"{net}.1/24", "dev", here)
        self.inside("ip", "link", "set", here, "up")
        if other is None:
            ip("addr", "add", f"{net}.2/24", "dev", there)
            ip("link", "set", there, "up")
            return
        ip("link", "set", there, "netns", other.name)
        other.inside("ip", "addr", "add", f"{net}.2/24", "dev", there)
        other.inside("ip", "link", "set", there, "up")
        other.links.append(there)

    def remove(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Collector:
    def __init__(self, data, database, machine, host):
        self.data, self.database, self.machine, self.place = data, database, machine, (host, PORT)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.machine.command(sys.executable, "-m", "collector.main", "run", "--data", str(self.data), "--database",
                                 self.database, "--host", self.place[0], "--port", str(PORT), "--verifiers", "0"),
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr.readline().startswith(b"http")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def network():
    """The balancer's machine with a cable to us and to each of two others, who have one to the database's machine each;
    (balancer, others, database's, nets).
    """
    word, net = f"{os.getpid() % 10_000}", f"10.{os.getpid() % 200 + 20}"
    made = []
    try:
        try:
            for letter in "ldab":
                made.append(Machine(f"s{letter}{word}"))
            balancer, keeper, *others = made
            balancer.connect(None, f"{net}.0")
            for number, other in enumerate(others, 1):
                balancer.connect(other, f"{net}.{number}")
                keeper.connect(other, f"{net}.{number + 2}")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no networks of one's own here: {error}")
        yield balancer, others, keeper, net
    finally:
        for machine in made:
            machine.remove()


@pytest.fixture
def kept(tmp_path, network):
    """PostgreSQL on its machine: where each collector reaches it, by TLS and with a password; where we look into it."""
    *_, keeper, net = network
    hosts = [f"{net}.{number}.1" for number in (3, 4)]
    authority, certificate, key = make_certificates(tmp_path)
    cluster = Cluster(keeper.command(), may=f"hostssl all serment {net}.0.0/16 scram-sha-256\n")
    try:
        files = {"ssl_cert_file": str(cluster.own(certificate)), "ssl_key_file": str(cluster.own(key))}
        cluster.restart(listen_addresses=",".join(hosts), ssl="on", **files)
        cluster.say("ALTER USER serment PASSWORD 'a password'")
        looking = cluster.database("fleet")
        passwords = tmp_path / "passwords"
        passwords.write_text("localhost:5432:*:serment:a password\n")
        passwords.chmod(0o600)
        tls = f"sslmode=verify-full&sslrootcert={authority}&passfile={passwords}"  # its certificate says localhost
        yield [f"postgresql://serment@localhost/fleet?hostaddr={host}&{tls}" for host in hosts], looking
    finally:
        cluster.stop()


@pytest.fixture
def pair(tmp_path, network, kept):
    """Both collectors, the balancer's address, the database."""
    balancer, others, _, net = network
    (databases, looking), running = kept, []
    try:
        collectors = []
        for number, (name, machine) in enumerate(zip("ab", others, strict=True), 1):
            (tmp_path / name).mkdir()
            (tmp_path / name / "token").write_text(TOKEN)
            if collectors:  # the second one has the same keys
                shutil.copy(tmp_path / "a" / "witness.key", tmp_path / name / "witness.key")
            collectors.append(Collector(tmp_path / name, databases[number - 1], machine, f"{net}.{number}.2"))
            running.append(collectors[-1])
        places = [f"{host}:{port}" for host, port in (each.place for each in collectors)]
        program = subprocess.Popen(
            balancer.command(sys.executable, "-m", "tests.balancer", f"{net}.0.1:{PORT}", *places),
            stdout=subprocess.PIPE, cwd=CHECKOUT,
        )  # fmt: skip
        try:
            assert program.stdout.readline() == b"ready\n"
            front = Balancer([(f"{net}.0.1", PORT)])  # laptops speak plain HTTP to their own machine alone
            yield collectors, front.url, looking
            front.close()
        finally:
            program.kill()
            program.wait()
            program.stdout.close()
    finally:
        for collector in running:
            if collector.process.poll() is None:
                collector.kill()


def everybody_served(laptops):
    before = [laptop.acked for laptop in laptops]
    deadline = time.monotonic() + 60
    while any(laptop.acked == size for laptop, size in zip(laptops, before, strict=True)):
        assert time.monotonic() < deadline, "somebody is served no more"
        time.sleep(0.01)


def killed(collector):
    """Its process is gone at once."""
    collector.kill()
    yield
    collector.start()


def cut_off(collector):
    """Its machine falls silent, to the balancer and to the database: nobody is told, connections just hang."""
    for link in collector.machine.links:
        collector.machine.inside("ip", "link", "set", link, "down")
    yield
    for link in collector.machine.links:
        collector.machine.inside("ip", "link", "set", link, "up")


KEEPER = """
import sys, time
from pathlib import Path
from sqlalchemy import text
from collector.store.engine import open_engine
connection = open_engine(Path("/"), sys.argv[1]).connect()
connection.execute(text("SELECT * FROM one FOR UPDATE"))
print("mine", flush=True)
time.sleep(600)
"""


def test_a_machine_that_fell_silent_keeps_no_row_from_the_other(network, kept):
    """In the middle of a transaction, with a row locked: the database must notice, within the minute."""
    (there, _), looking = kept
    engine = create_engine(looking.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE one AS SELECT 1 AS row"))
    machine = network[1][0]
    process = subprocess.Popen(
        machine.command(sys.executable, "-c", KEEPER, there), stdout=subprocess.PIPE, cwd=CHECKOUT
    )
    try:
        assert process.stdout.readline() == b"mine\n"
        for link in machine.links:
            machine.inside("ip", "link", "set", link, "down")
        with engine.begin() as connection:
            connection.execute(text("SET lock_timeout = '120s'"))  # keep-alives of the system take two hours
            assert connection.execute(text("SELECT * FROM one FOR UPDATE")).scalar_one() == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        engine.dispose()


def by_tls(looking):
    """How many connections come from other machines by TLS, and how many without."""
    engine = create_engine(looking.replace("postgresql://", "postgresql+psycopg://"))
    query = "SELECT ssl, count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE client_addr IS NOT NULL GROUP BY ssl"
    try:
        with engine.connect() as connection:
            return dict(connection.execute(text(query)).all())
    finally:
        engine.dispose()


@pytest.mark.parametrize("ending", [killed, cut_off])
def test_one_dies_and_nothing_is_lost_and_nothing_is_there_twice(pair, tmp_path, ending):
    collectors, url, database = pair
    stop, chance = threading.Event(), random.Random(7)
    laptops = [Sender(tmp_path / name, url, TOKEN, stop) for name in ("one", "two", "three")]
    for laptop in laptops:
        laptop.start()
    try:
        served(laptops)
        assert by_tls(database).keys() == {True}
        for number in range(ROUNDS):
            served(laptops)
            time.sleep(chance.uniform(0, 0.2))
            for _ in ending(collectors[number % 2]):
                everybody_served(laptops)  # by the other one
    finally:
        stop.set()
        for laptop in laptops:
            laptop.join(60)
    finish(laptops, url, TOKEN)
    assert [laptop.surprises for laptop in laptops] == [[], [], []]
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        for laptop in laptops:
            device = spool.load_state(laptop.state_file).device
            total = verify_folder(laptop.folder / "audit").records
            query = text("SELECT count(*), count(DISTINCT idx), min(idx), max(idx) FROM events"
                         " WHERE device = (SELECT id FROM laptops WHERE device = :device)")  # fmt: skip
            assert tuple(connection.execute(query, {"device": device}).one()) == (total, total, 0, total - 1)
        assert list(connection.execute(text("SELECT * FROM alerts"))) == []
        brought = connection.execute(text("SELECT sum(brought) FROM arrivals")).scalar_one()
        assert brought == connection.execute(text("SELECT count(*) FROM events")).scalar_one()
    engine.dispose()
