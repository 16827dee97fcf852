"""The helper is a courtesy: killed, missing, twice or behind a film, everything is guarded as ever,
and the answer can be given later.
"""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop_bed import DesktopBed, desktop, needs, settle
from tests.helper_policies import policy
from tests.running import CHECKOUT, wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("desktop")]


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    base = tmp_path_factory.mktemp("absent")
    with bed(base, policy=policy(base)) as made:
        made.wait_held()
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DesktopBed]:
    with desktop(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _answered(stick: Bed) -> Iterator[None]:
    """Each test begins with nothing that waits."""
    yield
    for batch in stick.agent.client.call("held"):
        stick.agent.client.call("answer", id=batch["id"], how="seal")


def _refused(stick: Bed, name: str, number: int) -> None:
    stick.put(name, letter(number))
    assert stick.copy(name).returncode != 0
    assert name not in stick.listed()


def test_without_any_helper_the_answer_is_given_later(stick: Bed) -> None:
    _refused(stick, "seul.txt", 1)
    (batch,) = stick.agent.client.call("held")
    listed = stick.agent.command("held")
    assert batch["id"] in listed.stdout
    assert "seul.txt" in listed.stdout
    assert stick.agent.command("held", batch["id"], "--why", "soins").returncode == 0
    assert "seul.txt" in stick.listed()


def test_a_helper_that_is_killed_changes_nothing_and_the_next_one_tells(desk: DesktopBed, stick: Bed) -> None:
    desk.helper(stick.agent.config)
    desk.end("helper", signal.SIGKILL)
    _refused(stick, "tue.txt", 2)
    desk.helper(stick.agent.config)
    wait_for(lambda: desk.windows("dunst"))  # « Documents wait for your answer »
    settle()
    desk.screenshot("waiting")
    desk.run("dunstctl", "close-all")
    assert "Documents wait for your answer" in wait_for(lambda: desk.run("dunstctl", "history"))


def test_a_second_helper_of_the_same_person_ends(desk: DesktopBed, stick: Bed) -> None:
    desk.helper(stick.agent.config)
    assert desk.helper(stick.agent.config, name="second", wait=False).wait(30) == 69
    desk.processes.pop("second")
    _refused(stick, "deux.txt", 3)
    wait_for(lambda: desk.windows("dunst"))
    assert len(desk.windows("dunst")) == 1


def test_the_agent_restarts_and_the_helper_is_there_again(desk: DesktopBed, stick: Bed) -> None:
    desk.helper(stick.agent.config)
    stick.agent.kill(signal.SIGKILL)
    stick.agent.start()
    stick.wait_held()
    _refused(stick, "encore.txt", 4)
    wait_for(lambda: desk.windows("dunst"), 60)  # whatever was told meanwhile is told when it has found the agent again


def test_nothing_covers_a_full_screen_window(desk: DesktopBed, stick: Bed) -> None:
    code = (
        "import gi; gi.require_version('Gtk', '3.0'); from gi.repository import Gtk\n"
        "w = Gtk.Window(title='film'); w.fullscreen(); w.show(); w.connect('destroy', Gtk.main_quit); Gtk.main()"
    )
    needs("/usr/bin/python3")
    desk.start("film", ["/usr/bin/python3", "-c", code])
    window = wait_for(lambda: desk.windows("^film$"))[0]
    desk.run("xdotool", "windowactivate", "--sync", window)
    desk.helper(stick.agent.config)
    _refused(stick, "film.txt", 6)
    time.sleep(2.0)
    assert desk.windows("dunst") == []
    desk.end("film")
    wait_for(lambda: desk.windows("dunst"), 40)  # it looks again by itself


def test_who_works_on_a_terminal_is_told_there(stick: Bed, tmp_path: Path) -> None:
    """No desktop at all: the helper writes one line to the terminal from which the copy was made."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime), "LANGUAGE": "en",
        "XDG_STATE_HOME": str(tmp_path / "state"), "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
        "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
    }  # fmt: skip
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(runtime / "told"))
    told.settimeout(60)
    command = [sys.executable, "-m", "agent.helper.main", "--config", str(stick.agent.config)]
    helper = subprocess.Popen(command, cwd=CHECKOUT, env=environment | {"NOTIFY_SOCKET": str(runtime / "told")})
    try:
        while told.recv(100) != b"STATUS=listening":
            pass
        stick.put("terminal.txt", letter(7))
        pid, master = pty.fork()
        if pid == 0:
            os.execvp("sh", ["sh", "-c", f"cp '{stick.base}/terminal.txt' '{stick.stick.point}/'; sleep 20"])
        try:
            said = b""
            while b"serment held" not in said:
                said += os.read(master, 4096)
            text = said.decode()
            assert "« terminal.txt »" in text
            assert text.count("serment: ") == 1
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(master)
    finally:
        helper.terminate()
        helper.wait(10)
        told.close()
