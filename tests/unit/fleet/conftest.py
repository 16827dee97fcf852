"""A real collector with an address for laptops: its own process, its own authority."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from agent.fleet import token
from collector.commands import ADDRESS_FILE
from collector.main import main


class Running:
    """``token()`` makes one; ``command`` runs the collector's command line beside it."""

    def __init__(self, data):
        self.data = data
        self.process = self.start()

    def start(self, port=0):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector.main", "run", "--data", str(self.data), "--port", "0", "--verifiers", "0",
             "--laptops", f"127.0.0.1:{port}", "--name", "127.0.0.1", "--name", "localhost"],
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert self.process.stderr.readline().startswith(b"http://")
        deadline = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return self.process

    def _answers(self):
        import socket

        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except (OSError, ValueError):
            return False
        return True

    @property
    def port(self):
        return int((self.data / ADDRESS_FILE).read_text().rpartition(":")[2])

    def token(self, capsys, *arguments):
        assert main(["token", "--data", str(self.data), *arguments]) == 0
        return token.read(capsys.readouterr().out)

    def fleet(self, capsys):
        assert main(["fleet", "list", "--json", "--data", str(self.data)]) == 0
        return {row["laptop"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}

    def command(self, *arguments):
        return main([*arguments, "--data", str(self.data)])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        self.process.stderr.close()


@pytest.fixture(scope="session")
def collector(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("collector"))
    yield running
    running.stop()
