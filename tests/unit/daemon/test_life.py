"""The life of the process: a stop right after the start is a clean one, with a manager that never reads its socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.running import COMMAND, RunningAgent, wait_for


def test_a_stop_at_the_moment_of_ready_is_clean(tmp_path: Path) -> None:
    folder = tmp_path / "Downloads"
    folder.mkdir()
    agent = RunningAgent(tmp_path, downloads=[folder], collector="off")
    agent.write_config()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        agent.process = subprocess.Popen(
            [*COMMAND, "run", "--foreground", "--config", str(agent.config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "40000"},
        )  # fmt: skip
        process = agent.process
        try:
            assert manager.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: process.poll() is not None, 60)
        finally:
            agent.kill()
    assert process.returncode == 0
    assert agent.records()[-1]["k"] == "stop"


def test_pings_that_nobody_reads_hold_up_neither_work_nor_stop(tmp_path: Path) -> None:
    folder = tmp_path / "Downloads"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000"}  # a ping each millisecond
        agent = RunningAgent(tmp_path, downloads=[folder], collector="off", environment=environment)
        try:
            agent.start()
            (folder / "menu.txt").write_text("Carottes râpées, riz, compote. " * 30)
            agent.settle(1)
            process = agent.process
            assert process is not None
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: process.poll() is not None, 30)
        finally:
            agent.kill()
    assert process.returncode == 0
