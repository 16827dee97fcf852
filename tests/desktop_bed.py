"""A desktop of its own for a test: X server, session bus, window manager, notification service, and the session helper.

Everything is Debian's own, real, below one folder, and gone afterwards; only its own processes are ended, by number.
What cannot be had is a skipped test with that reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.helper.bus import Bus, BusError
from tests.running import CHECKOUT, wait_for

SERVICES = {
    "dunst": ["dunst", "-conf", "{conf}"],
    "notification-daemon": ["/usr/lib/notification-daemon/notification-daemon"],
}
# A right click asks this program which action is meant: it takes the one whose label it is started with.
_DUNST = "[global]\n    dmenu = {menu}\n    mouse_right_click = context\n    width = 420\n    height = 400\n    origin = top-right\n    markup = full\n    mouse_left_click = do_action\n    title = dunst\n"


def needs(*programs: str) -> None:
    """Skip where a program of the desktop is not installed."""
    for program in programs:
        if shutil.which(program) is None and not os.access(program, os.X_OK):
            pytest.skip(f"needs {program}")


@dataclass
class DesktopBed:
    base: Path
    service: str = "dunst"
    language: str = "en"
    display: str = ""
    address: str = ""
    system_address: str = "unix:path=/nonexistent"
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        runtime = self.base / "runtime"
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.base / "home"), "XDG_RUNTIME_DIR": str(runtime),
            "XDG_STATE_HOME": str(self.base / "state"), "XDG_CONFIG_HOME": str(self.base / "config"),
            "DISPLAY": self.display, "DBUS_SESSION_BUS_ADDRESS": self.address,
            "DBUS_SYSTEM_BUS_ADDRESS": self.system_address, "LANG": "C.UTF-8", "LANGUAGE": self.language,
            "GTK_MODULES": "", "NO_AT_BRIDGE": "0", "GTK_A11Y": "atspi", "XDG_SESSION_TYPE": "x11",
        }  # fmt: skip

    def start(self, name: str, command: Sequence[str], **more: str) -> subprocess.Popen[bytes]:
        with (self.base / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, **more},
                cwd=CHECKOUT,
            )
        self.processes[name] = process
        return process

    def begin(self) -> None:
        for name, mode in (("runtime", 0o700), ("home", 0o700), ("state", 0o700), ("config", 0o700)):
            (self.base / name).mkdir(mode=mode, exist_ok=True)
        self._x_server()
        self.address = self.bus("session")
        self.start("openbox", ["openbox"])
        if self.service:
            self.notifications(self.service)

    def _x_server(self) -> None:
        read, write = os.pipe()
        with (self.base / "xvfb.log").open("ab") as log:
            self.processes["xvfb"] = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
                pass_fds=(write,), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as pipe:
            self.display = f":{pipe.readline().strip()}"

    def bus(self, name: str) -> str:
        """A message bus of our own; returns its address."""
        address = f"unix:path={self.base}/{name}.bus"
        services = self.base / f"{name}.conf"
        services.write_text(
            "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'"
            " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>"
            f"<busconfig><type>session</type><listen>{address}</listen>"
            "<servicedir>/usr/share/dbus-1/accessibility-services</servicedir>"
            "<policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>"
            "<allow own='*'/></policy></busconfig>"
        )
        self.start(f"{name}-bus", ["dbus-daemon", f"--config-file={services}", "--nofork", "--nopidfile"])
        wait_for(lambda: os.path.exists(f"{self.base}/{name}.bus"))
        return address

    def notifications(self, service: str) -> None:
        conf = self.base / "dunstrc"
        conf.write_text(_DUNST.replace("{menu}", f"/bin/grep -m1 -f {self.base}/wanted"))
        (self.base / "wanted").write_text("#")
        self.start("notifications", [word.format(conf=conf) for word in SERVICES[service]])
        with self.session() as bus:
            wait_for(lambda: bus.owner("org.freedesktop.Notifications"))

    @contextlib.contextmanager
    def session(self, address: str = "") -> Iterator[Bus]:
        """A connection of the test's own to the session bus."""
        before = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address or self.address
        try:
            bus = Bus("SESSION")
        finally:
            os.environ.pop("DBUS_SESSION_BUS_ADDRESS")
            if before is not None:
                os.environ["DBUS_SESSION_BUS_ADDRESS"] = before
        try:
            yield bus
        finally:
            bus.close()

    def helper(
        self, config: Path, *, tour: bool = False, name: str = "helper", wait: bool = True,
        main: str = "agent.helper.main", **more: str,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        """The session helper; ``tour``: offer the tour, as at a very first start. ``wait``: until it listens. ``main``
        stands in for its module, ``more`` for its environment.
        """
        if not tour:
            state = self.base / "state/serment"
            state.mkdir(exist_ok=True)
            if not (state / "helper.json").exists():
                (state / "helper.json").write_text('{"tour": true}')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            address = self.base / f"{name}-{time.monotonic_ns()}"
            told.bind(str(address))
            told.settimeout(60)
            command = [sys.executable, "-m", main, "--config", str(config)]
            process = self.start(name, command, NOTIFY_SOCKET=str(address), **more)
            while wait and told.recv(100) != b"STATUS=listening":
                pass
        return process

    def end(self, name: str, signum: int = signal.SIGTERM) -> None:
        process = self.processes.pop(name)
        process.send_signal(signum)
        process.wait(10)

    def screen_reader(self) -> None:
        """What screen readers ask: the accessibility bus. Before the windows are opened."""
        needs("/usr/libexec/at-spi-bus-launcher")
        self.start("at-spi", ["/usr/libexec/at-spi-bus-launcher", "--launch-immediately"])
        with self.session() as bus:
            wait_for(lambda: bus.owner("org.a11y.Bus"))

    def accessible(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader finds in all windows."""
        with self.session() as bus:
            (address,) = bus.call("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress")
        found: list[tuple[str, str]] = []
        with self.session(address) as reader:
            _walk(reader, "org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root", found, 12)
        return found

    def run(self, *command: str, timeout_s: float = 20.0) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env=self.environment)
        return done.stdout

    def press(self, label: str) -> None:
        """The button ``label`` of the notice that is shown, through dunst's menu of actions."""
        (self.base / "wanted").write_text(label + "\n")
        self.run("xdotool", "mousemove", "1000", "90", "click", "3")

    def told(self) -> list[dict[str, str]]:
        """The notices that were shown so far, the oldest first; what still is shown is closed by that."""
        self.run("dunstctl", "close-all")
        table = json.loads(self.run("dunstctl", "history") or '{"data": [[]]}')
        return [{key: str(each[key]["data"]) for key in ("summary", "body")} for each in reversed(table["data"][0])]

    def question(self) -> str:
        """The window that asks, opened by a click on the notice: again when the notice was just being drawn anew."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.run("xdotool", "mousemove", "1000", "90", "click", "1")
            with contextlib.suppress(TimeoutError):
                window = wait_for(lambda: self.windows("^Serment$"), 10)[0]
                settle()
                return window
        raise TimeoutError("no window")

    def windows(self, name: str) -> list[str]:
        """Visible windows whose title matches."""
        return self.run("xdotool", "search", "--onlyvisible", "--name", name).split()

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the screen with the output of the tests."""
        folder = Path(os.environ.get("SERMENT_SCREENSHOTS") or self.base / "screenshots")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        path.unlink(missing_ok=True)
        if shutil.which("scrot"):
            self.run("scrot", "-o", str(path))
        return path

    def close(self) -> None:
        for name in reversed(list(self.processes)):
            process = self.processes.pop(name)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@contextlib.contextmanager
def desktop(base: Path, service: str = "dunst", language: str = "en") -> Iterator[DesktopBed]:
    needs("Xvfb", "dbus-daemon", "openbox", "xdotool", *([SERVICES[service][0]] if service else []))
    made = DesktopBed(base / "desktop", service, language)
    made.base.mkdir()
    try:
        made.begin()
        yield made
    finally:
        made.close()


def _walk(bus: Bus, name: str, path: str, found: list[tuple[str, str]], depth: int) -> None:
    accessible = "org.a11y.atspi.Accessible"
    with contextlib.suppress(BusError):
        role = bus.call(name, path, accessible, "GetRoleName")[0]
        found.append((str(role), str(bus.get(name, path, accessible, "Name"))))
        for child, where in bus.call(name, path, accessible, "GetChildren")[0] if depth else ():
            _walk(bus, child, where, found, depth - 1)


def settle() -> None:
    """Give a window manager a moment to draw; only before a picture is taken."""
    time.sleep(0.4)
