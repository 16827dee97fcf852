"""A collector's database in a fresh folder, and a server for its application."""

import socket
import threading
import time

import pytest
import uvicorn

from collector.store.engine import open_store
from tests.postgresql import Cluster, binaries
from tests.unit.collector.browser import Browser
from tests.unit.collector.taking import Taking


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL of our own; gives the address of an empty database."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster, made = Cluster(), []

    def database():
        made.append(f"test{len(made)}")
        return cluster.database(made[-1])

    yield database
    cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """A fresh store, on each of the engines."""
    database = request.getfixturevalue("postgresql")() if request.param == "postgresql" else ""
    store = open_store(tmp_path, database)
    yield store
    store.close()


@pytest.fixture
def light_store(tmp_path):
    """A fresh store, for what is the same on both."""
    store = open_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def engine(store):
    return store.engine


@pytest.fixture
def taking(store):
    taking = Taking(store)
    yield taking
    taking.close()


@pytest.fixture
def send(taking):
    """Bring a batch; gives the reply."""
    return taking.send


class Switch:
    """One server for all tests; each puts its own application behind it."""

    def __init__(self):
        self.application = None

    async def __call__(self, scope, receive, send):
        await self.application(scope, receive, send)


@pytest.fixture(scope="session")
def server():
    """The switch and the port of a server on this machine, run by a thread."""
    switch = Switch()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(switch, log_config=None, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    port = listening.getsockname()[1]
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    yield switch, port
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def serve(server):
    """Serve an application; gives a client for it."""
    switch, port = server
    browsers = []

    def serve_(application):
        switch.application = application
        browsers.append(Browser(port))
        return browsers[-1]

    yield serve_
    for browser in browsers:
        browser.close()
