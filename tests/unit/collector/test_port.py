"""Two that want one port: a collector of its own, and the one that an agent embeds on the same machine."""

import json
import socket
import subprocess
import sys
import urllib.request

import pytest

from agent.daemon.children import EmbeddedCollector
from collector import main


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
