"""Two that want one port: a collector of its own, and the one that an agent embeds on the same machine."""

import json
import logging
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from agent.daemon.children import EmbeddedCollector
from collector import main, patience, serving


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def run(tmp_path, *words):
    return main.main(["run", "--data", str(tmp_path / "data"), "--verifiers", "0", *words])


def test_a_collector_that_comes_second_says_who_may_have_its_port_and_what_to_do(tmp_path, port, capsys):
    embedded = EmbeddedCollector(tmp_path / "agent", port)
    try:
        assert embedded.port == port
        assert run(tmp_path, "--port", str(port)) == 69
    finally:
        embedded.close()
    said = capsys.readouterr().err
    assert str(port) in said and "--port" in said and "agent" in said
    assert not (tmp_path / "data").exists()  # nothing was begun


def test_the_laptops_port_has_an_option_of_its_own(tmp_path, port, capsys):
    with socket.create_server(("127.0.0.1", port)):
        assert run(tmp_path, "--port", "0", "--laptops", f"127.0.0.1:{port}", "--name", "localhost") == 69
    said = capsys.readouterr().err
    assert "--laptops" in said and "--port" not in said


def test_what_is_not_a_matter_of_being_taken_is_not_called_so(tmp_path, capsys):
    assert run(tmp_path, "--host", "192.0.2.1", "--port", "8440") == 69
    assert "agent" not in capsys.readouterr().err.replace("Serment", "")


def test_an_agent_that_comes_second_takes_another_port_and_both_are_there(tmp_path, port):
    command = [sys.executable, "-m", "collector.main", "run", "--data", str(tmp_path / "data"), "--port", str(port)]
    process = subprocess.Popen([*command, "--verifiers", "0"], stderr=subprocess.PIPE)
    embedded = None
    try:
        assert process.stderr.readline().startswith(b"http")
        embedded = EmbeddedCollector(tmp_path / "agent", port)
        assert embedded.port != port and str(embedded.port) in embedded.url
        embedded.wake()
        for url in (f"http://127.0.0.1:{port}", embedded.url):
            with urllib.request.urlopen(url + "/health", timeout=60) as answer:
                assert json.load(answer)["status"] == "ok"
    finally:
        if embedded is not None:
            embedded.close()
        process.terminate()
        process.wait(60)
        process.stderr.close()


ASK = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def impatient(monkeypatch):
    """The port of a server as the collector has it, which waits for half a second."""
    monkeypatch.setattr(patience, "HEAD_S", 0.5)
    monkeypatch.setattr(patience, "UNREAD_S", 0.5)

    async def application(scope, receive, send):
        size = 30_000_000 if scope["path"] == "/large" else 2
        await PlainTextResponse("x" * size)(scope, receive, send)

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(serving._config(application))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1], server
    server.should_exit = True
    thread.join(20)
    logging.getLogger("uvicorn.error").filters.clear()


def ended(connection, trickle=b""):
    """What came until the server ended it; None: it did not within some seconds."""
    came, end = b"", time.monotonic() + 8
    connection.settimeout(0.1)
    while time.monotonic() < end:
        try:
            if trickle:
                connection.send(trickle)
            piece = connection.recv(1 << 16)
        except TimeoutError:
            continue
        except OSError:
            return came
        if not piece:
            return came
        came += piece
    return None


@pytest.mark.parametrize(
    ("said", "trickle", "answered"),
    [
        (b"", b"", b""), (b"GET / HTTP/1.1\r\nX: ", b"y", b""), (b"", b"\r\n", b""),
        (ASK + b"Content-Length: 99999\r\n\r\n", b"y", b"200"),  # answered, and then there is no end to it
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"", b"200"),
    ],
)  # fmt: skip
def test_who_says_nothing_or_never_ends_keeps_no_place(impatient, said, trickle, answered):
    port, server = impatient
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(said)
        came = ended(connection, trickle)
    assert came is not None and answered in came and not server.server_state.connections


def test_who_does_not_read_the_answer_keeps_no_place(impatient):
    port, server = impatient
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 8
        time.sleep(0.2)
        while server.server_state.connections and time.monotonic() < end:
            time.sleep(0.05)
        assert not server.server_state.connections


@pytest.mark.parametrize(
    "said",
    [b"GET / HTTP/1.1\r\nX: ", b"GET /", ASK + b"Transfer-Encoding: chunked\r\n\r\n2;",
     ASK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\nX: "],
)  # fmt: skip
def test_a_head_or_a_tail_without_an_end_is_not_kept(impatient, monkeypatch, said):
    monkeypatch.setattr(patience, "HEAD_S", 60.0)
    with socket.create_connection(("127.0.0.1", impatient[0])) as connection:
        connection.settimeout(20)
        sent = 0
        with pytest.raises(OSError, match="reset|pipe"):
            connection.sendall(said)
            while sent < 200 << 20:
                sent += connection.send(b"y" * 65536)
        assert sent < 20 << 20  # what lies in the kernel on its way


def test_requests_that_follow_each_other_are_answered(impatient):
    with socket.create_connection(("127.0.0.1", impatient[0])) as connection:
        connection.settimeout(5)
        for body in (b"", b"z" * 300_000, b"z"):
            connection.sendall(ASK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            came = b""
            while not came.endswith(b"xx"):
                came += connection.recv(4096)
            time.sleep(0.2)


def test_what_strangers_send_fills_no_log(impatient, caplog):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", impatient[0])) as connection:
            connection.sendall(b"\0\r\n\r\n")
            assert b"400" in ended(connection)
    assert [record.msg for record in caplog.records if record.name == "uvicorn.error"] == [
        "Invalid HTTP request received."
    ]
