"""A collector's database in a fresh folder, and laptops that make honest logs in memory."""

import socket
import threading
import time

import pytest
import uvicorn

from agent.audit import chain, record
from agent.transport import wire
from collector.schema import open_database

DAY_US = 86_400_000_000
START_US = 1_795_289_704_000_000


class Laptop:
    """The log of a laptop: ``add`` records, ``batch`` some of them."""

    def __init__(self, device="dev_one", seed=""):
        self.device, self.seed = device, seed
        self.head, self.publics, self.heads = chain.EMPTY_HEAD, [], [chain.EMPTY_HEAD]

    def add(self, kind="transfer", /, *, time_us=START_US, private=b"", **fields):
        if kind in {"start", "trouble"}:
            fields["head"] = self.head.hex()
        if self.seed:
            fields["seed"] = self.seed
        public = record.encode(len(self.publics), time_us, 1, "0badcafe", kind, chain.link(self.head), fields)
        self.publics.append((public, private))
        self.head = chain.advance(self.head, chain.leaf(public, chain.private_hash(private)))
        self.heads.append(self.head)
        return len(self.publics) - 1

    def fill(self, count):
        for number in range(count):
            self.add(n=number)
        return self

    def batch(self, first=0, end=None, size=None, missing=None):
        letterhead = wire.Letterhead(self.device, first, len(self.publics) if size is None else size, missing, START_US)
        return wire.build(letterhead, self.publics[first:end])


@pytest.fixture
def engine(tmp_path):
    engine = open_database(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def send(engine):
    from collector.store import take

    def send_(batch):
        with engine.begin() as connection:
            return take(connection, batch.letterhead, wire.parse_body(batch.body))

    return send_


class Answer:
    def __init__(self, response):
        self.status_code, self.headers, self.content = response.status, response.headers, response.data

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        import json

        return json.loads(self.content)


class Browser:
    """A client over a real socket that keeps cookies, and follows nothing by itself."""

    def __init__(self, port):
        import urllib3

        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=20)
        self.cookies = {}

    def get(self, path, params=None, headers=None):
        from urllib.parse import urlencode

        return self.request("GET", path + ("?" + urlencode(params) if params else ""), headers=headers)

    def post(self, path, content, headers):
        return self.request("POST", path, body=content, headers=headers)

    def request(self, method, target, body=None, headers=None):
        sent = {**(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self._pool.urlopen(method, target, body=body, headers=sent, redirect=False)
        for line in response.headers.getlist("set-cookie"):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.split(";")[0]
        return Answer(response)

    def close(self):
        self._pool.close()


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
