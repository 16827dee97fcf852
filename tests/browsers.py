"""Real browsers for tests, without a window: Chromium by its driver, Firefox by itself; both speak WebDriver BiDi.

BiDi (https://www.w3.org/TR/webdriver-bidi/) over one web socket is all that is needed; a driver for each browser would
have to be fetched from elsewhere. Profiles and downloads lie in the folder that the test gives.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

DEADLINE_S = 60.0
NAMES = ("chromium", "firefox")
_PROGRAMS = {"chromium": ("chromium", "chromedriver"), "firefox": ("firefox-esr",)}


def missing(name: str) -> str:
    """Which program of a browser is not installed; empty: all are there."""
    return next((program for program in _PROGRAMS[name] if shutil.which(program) is None), "")


class Page:
    """One tab. Every call has a deadline."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire, self._number = wire, 0
        self.events: list[dict[str, Any]] = []
        self.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.context = self.call("browsingContext.create", type="tab")["context"]

    def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._wire.send(json.dumps({"id": self._number, "method": method, "params": params}))
        until = time.monotonic() + DEADLINE_S
        while True:
            message = json.loads(self._wire.recv(timeout=max(0.1, until - time.monotonic())))
            if message.get("id") == self._number:
                assert message["type"] == "success", f"{method}: {message.get('error')}: {message.get('message')}"
                return message["result"]
            self.events.append(message)

    def go(self, path: Path) -> None:
        self.call("browsingContext.navigate", context=self.context, url=path.as_uri(), wait="complete")
        self.call("browsingContext.activate", context=self.context)  # without the focus Firefox presses no button

    def run(self, expression: str) -> Any:
        """The value of an expression, JSON-like; promises are waited for."""
        found = self.call(
            "script.evaluate", expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.context}, awaitPromise=True, resultOwnership="none",
        )  # fmt: skip
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        value = found["result"].get("value")
        return None if value is None else json.loads(value)

    def until(self, expression: str) -> Any:
        """Wait until the expression is true; its value."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            if value := self.run(expression):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}; the page says {self.run('document.body.innerText')!r}")

    def choose(self, selector: str, *files: Path) -> None:
        """Pick files, as in the dialogue of the system."""
        found = self.call(
            "script.evaluate", expression=f"document.querySelector({json.dumps(selector)})",
            target={"context": self.context}, awaitPromise=False, resultOwnership="root",
        )["result"]  # fmt: skip
        self.call(
            "input.setFiles", context=self.context, element={"sharedId": found["sharedId"]},
            files=[str(path) for path in files],
        )  # fmt: skip

    def keys(self, text: str) -> None:
        """Press keys one by one; ``\\ue004`` is Tab, ``\\ue007`` Enter, ``\\ue00d`` the space bar."""
        presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": presses}]
        self.call("input.performActions", context=self.context, actions=actions)

    def requests(self) -> list[str]:
        """Addresses that were asked for so far, but for files and what is within the page."""
        self.call("session.status")
        asked = [event for event in self.events if event.get("method") == "network.beforeRequestSent"]
        urls = [event["params"]["request"]["url"] for event in asked]
        return [url for url in urls if not url.startswith(("file:", "blob:", "data:", "about:"))]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console: a broken content security policy is one."""
        entries = [event["params"] for event in self.events if event.get("method") == "log.entryAdded"]
        return [entry["text"] for entry in entries if entry["level"] in {"error", "warn"}]


@contextlib.contextmanager
def browser(name: str, folder: Path, *, any_certificate: bool = False) -> Iterator[Page]:
    """A fresh browser whose downloads go to ``folder/downloads``. ``any_certificate``: Chromium takes a server's of a
    test's own authority.
    """
    downloads = folder / "downloads"
    downloads.mkdir()
    start = partial(_chromium, any_certificate) if name == "chromium" else _firefox
    with start(folder, downloads) as address, connect(address, max_size=None, open_timeout=DEADLINE_S) as wire:
        if name == "firefox":
            wire.send(json.dumps({"id": 0, "method": "session.new", "params": {"capabilities": {}}}))
            assert json.loads(wire.recv(timeout=DEADLINE_S))["type"] == "success"
        yield Page(wire)


@contextlib.contextmanager
def _started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    with (
        (folder / "browser.log").open("wb") as log,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own,  # short: a socket's path has 107 bytes at most
    ):
        environment["TMPDIR"] = own
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)  # a group of its own, begun by us
            process.wait()


@contextlib.contextmanager
def _chromium(any_certificate: bool, folder: Path, downloads: Path) -> Iterator[str]:
    port = _free_port()
    with _started(["chromedriver", f"--port={port}"], folder):
        _answers(port)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=fr"]
        options = {
            "args": [*arguments, f"--user-data-dir={folder / 'profile'}"],
            "prefs": {"download.default_directory": str(downloads), "download.prompt_for_download": False},
        }
        wanted = {"webSocketUrl": True, "acceptInsecureCerts": any_certificate, "goog:chromeOptions": options}
        asked = {"capabilities": {"alwaysMatch": wanted}}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/session", json.dumps(asked).encode())
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as reply:
            yield json.load(reply)["value"]["capabilities"]["webSocketUrl"]


@contextlib.contextmanager
def _firefox(folder: Path, downloads: Path) -> Iterator[str]:
    port, profile = _free_port(), folder / "profile"
    profile.mkdir()
    settings = {
        "browser.download.folderList": 2, "browser.download.dir": str(downloads), "browser.download.useDownloadDir": True,
        "browser.download.always_ask_before_handling_new_types": False, "intl.accept_languages": "fr",
        "app.update.enabled": False, "datareporting.policy.dataSubmissionEnabled": False, "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False, "services.settings.server": "data:,", "remote.active-protocols": 1,
        "focusmanager.testmode": True, "browser.download.alwaysOpenPanel": False,  # nothing takes the focus away
    }  # fmt: skip
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
    (profile / "user.js").write_text("".join(lines), "utf-8")
    command = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile), f"--remote-debugging-port={port}"]
    with _started([*command, "about:blank"], folder):
        _answers(port)
        yield f"ws://127.0.0.1:{port}/session"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _answers(port: int) -> None:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the browser does not answer")
