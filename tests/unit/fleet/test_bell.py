"""The bell's two ends, and who may have one: real sockets, real collector, real proxies."""

import asyncio
import os
import socket
import threading
from types import SimpleNamespace

import pytest

from agent.daemon import bell as resident
from agent.fleet.visiting import FleetCollector
from agent.transport import bell
from collector.sync.bells import Bells
from tests.proxies import Corporate, Proxy
from tests.unit.fleet.test_enrolment import ask, joined, visit

__all__ = ["joined"]  # the fixture


@pytest.fixture
def place(tmp_path):
    return tmp_path / "bell"


@pytest.fixture
def listener(place):
    with bell.listen(place, None) as found:
        yield found


@pytest.fixture
def line():
    """Two ends of a connection: the laptop's, the collector's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
        with ours, theirs:
            yield ours, theirs


# ---- who may have one, over the real address


def test_a_visit_leaves_a_bell_where_one_is_wanted(joined, place, listener):
    assert visit(joined, bell=place) == 0
    connection = bell.taken(listener)
    assert bell.rung(connection) is None  # whatever was spoken over it is over
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 120
    assert visit(joined, bell=place) == 0  # the next one takes the place of the first, which ends without a ring
    with bell.taken(listener) as second:
        assert bell.rung(second) is None
    connection.setblocking(True)
    connection.settimeout(60)
    assert connection.recv(1) == b""
    connection.close()


def test_a_visit_that_nobody_waits_for_leaves_none(joined, place):
    assert visit(joined, bell=place) == 0
    assert not place.exists()


@pytest.mark.parametrize("inspecting", [False, True])
def test_a_bell_goes_through_proxies(joined, place, listener, tmp_path, monkeypatch, inspecting):
    corporate = Corporate(tmp_path) if inspecting else None
    if corporate is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(corporate.file))
    proxy = Proxy(corporate)
    try:
        assert visit(joined, bell=place, proxy=proxy.url) == 0
        with bell.taken(listener) as connection:
            assert bell.rung(connection) is None
    finally:
        proxy.close()
    assert (b"GET /v1/bell" in proxy.seen) is inspecting


def test_a_bell_is_for_laptops_of_the_fleet(collector, joined):
    from agent.fleet.identity import pinned

    anybody = pinned(joined[0].member.authority.ca)
    for headers in ({}, {"Serment-Device": joined[0].member.device}, {"Serment-Device": "../x"}):
        assert ask(joined[0], "GET", bell.PATH, headers, context=anybody).status == 401
    assert collector.command("fleet", "deny", joined[0].member.device, "--why", "lost") == 0
    assert ask(joined[0], "GET", bell.PATH).status == 403


def test_a_collector_without_bells_is_no_trouble(joined, place, listener, monkeypatch):
    monkeypatch.setattr(bell, "PATH", "/v1/elsewhere")
    assert FleetCollector(joined[0]).bell(0) is None
    assert visit(joined, bell=place) == 0
    assert bell.taken(listener) is None


# ---- what may be handed over


def test_only_a_tcp_connection_is_a_bell(place, listener, line):
    here, there = os.pipe()
    with socket.socketpair()[0] as local, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        for fd in (here, local.fileno(), datagram.fileno()):
            assert bell.hand_over(place, SimpleNamespace(fileno=lambda fd=fd: fd))
            before = len(os.listdir("/proc/self/fd"))
            assert bell.taken(listener) is None
            assert len(os.listdir("/proc/self/fd")) == before  # and it was closed
    os.close(here)
    os.close(there)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(place))
        sender.send(b"words without a descriptor")
        socket.send_fds(sender, [b"x"], [line[0].fileno()] * 3)
    assert bell.taken(listener) is None
    with bell.taken(listener) as found:
        assert not os.get_inheritable(found.fileno())
        assert found.getpeername() == line[0].getpeername()
    assert bell.taken(listener) is None


# ---- the agent's end


@pytest.fixture
def clock(monkeypatch):
    found = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(resident, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


@pytest.fixture
def held(place, line):
    """An agent's end that holds a bell, and how to give it another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = resident.Bell(place, None)
        ends = []

        def give():
            with socket.create_connection(server.getsockname()) as connection:
                ends.append(server.accept()[0])
                assert bell.hand_over(place, connection)
            ours.look()
            return ends[-1]

        yield ours, give
        ours.close()
        for end in ends:
            end.close()


def settled(ours, until):
    """Go round until it is so: what is sent over loopback arrives soon, not at once."""
    import select

    while not until():
        poll = select.poll()
        for fd in ours.descriptors():
            poll.register(fd, select.POLLIN)
        assert poll.poll(60_000)
        ours.look()


def test_a_ring_makes_a_visit_due_at_once_and_many_rings_ever_fewer(held, place, clock):
    ours, give = held
    dues = []
    for _ in range(5):
        end = give()
        assert ours.held
        assert not place.exists()
        end.sendall(b"\0")
        settled(ours, lambda: not ours.held)
        dues.append(ours.look())
        ours.visited()
        assert place.exists()  # another one is welcome
        clock.now = max(clock.now, dues[-1])
    assert dues[0] == 1000.0
    assert [later - sooner for sooner, later in zip(dues, dues[1:], strict=False)] == [10, 20, 40, 80]
    clock.now += 86400
    give().sendall(b"\0")
    settled(ours, lambda: not ours.held)
    assert ours.look() == clock.now  # after a quiet day, at once again


def test_a_lost_bell_is_no_ring(held, clock, monkeypatch):
    ours, give = held
    monkeypatch.setattr(resident.random, "uniform", lambda _low, high: high)
    dues = []
    for _ in range(4):
        give().close()
        settled(ours, lambda: not ours.held)
        dues.append(ours.look() - clock.now)
        ours.visited()
    assert dues == [600, 1200, 2400, 4800]  # one that never lasts is asked for less and less
    end = give()
    clock.now += 3600
    end.close()
    settled(ours, lambda: not ours.held)
    assert ours.look() - clock.now == 300


def test_an_agent_that_ends_leaves_nothing(held, place, line):
    ours, give = held
    end = give()
    assert len(ours.descriptors()) == 1
    ours.close()
    assert ours.descriptors() == ()
    assert end.recv(1) == b""
    assert not place.exists()


# ---- the collector's end


class Serving:
    """A loop with the collector's end in it; ``call`` hands it a connection and gives the laptop's end."""

    def __init__(self, most=10):
        self.loop = asyncio.new_event_loop()
        self.bells = Bells(most)
        self.server = self.run(self.started())
        self.device = ""
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, work):
        return self.loop.run_until_complete(work)

    async def started(self):
        return await asyncio.start_server(self.taken, "127.0.0.1", 0)

    async def taken(self, reader, writer):
        device = (await reader.readline()).strip().decode()
        self.bells.hold(device.removeprefix("!"), writer.transport, call=device.startswith("!"))

    def call(self, device):
        before = len(self.bells)
        connection = socket.create_connection(self.server.sockets[0].getsockname(), timeout=60)
        connection.sendall(device.encode() + b"\n")
        return connection, before

    def close(self):
        self.loop.call_soon_threadsafe(self.bells.close)
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()


@pytest.fixture
def serving():
    found = Serving()
    yield found
    found.close()


def test_a_ring_reaches_everybody_and_is_a_byte_and_an_end(serving):
    from tests.running import wait_for

    lines = [serving.call(f"dev_{number}")[0] for number in range(3)]
    wait_for(lambda: len(serving.bells) == 3, 60)
    serving.bells.ring()
    for line in lines:
        assert (line.recv(10), line.recv(10)) == (b"\0", b"")
        line.close()
    assert len(serving.bells) == 0


def test_who_missed_something_is_called_at_once(serving):
    line, _ = serving.call("!dev_late")
    with line:
        assert (line.recv(10), line.recv(10)) == (b"\0", b"")


def test_a_laptop_has_one_bell_and_one_that_left_has_none(serving):
    from tests.running import wait_for

    first, _ = serving.call("dev_one")
    wait_for(lambda: "dev_one" in serving.bells, 60)
    second, _ = serving.call("dev_one")
    with first:
        assert first.recv(10) == b""  # let go, not rung
    wait_for(lambda: len(serving.bells) == 1, 60)
    second.sendall(b"anything at all")  # whoever speaks on it gives it up
    wait_for(lambda: "dev_one" not in serving.bells, 60)
    second.close()
