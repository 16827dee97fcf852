"""A collector's database in a fresh folder, and a server for its application."""

import socket
import threading
import time

import pytest
import uvicorn

from agent.transport import wire
from collector.schema import open_database
from collector.store import take
from tests.unit.collector.browser import Browser


@pytest.fixture
def engine(tmp_path):
    engine = open_database(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def send(engine):
    def send_(batch):
        with engine.begin() as connection:
            return take(connection, batch.letterhead, wire.parse_body(batch.body))

    return send_


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
