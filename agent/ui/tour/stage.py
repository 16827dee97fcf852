"""The scratch place of the tour: folders that a Serment of its own guards, gone at the end. Nothing of the person's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agent.daemon.control import ControlClient
from agent.errors import N_, HostError
from agent.ui.tour.documents import POLICY

PATIENCE_S = 30.0
_COMMAND = [sys.executable, "-m", "agent.ui.cli.main"]


class Stage:
    """``stick`` and ``cloud`` are guarded; ``client`` speaks to the tour's own agent."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.stick, self.cloud = base / "stick", base / "cloud"
        for folder in (self.stick, self.cloud):
            folder.mkdir(mode=0o700)
        (base / "policy.yaml").write_text(POLICY, encoding="utf-8")
        self.config = base / "agent.toml"
        self.config.write_text(
            f'[agent]\ndata_dir = "{base}/data"\nruntime_dir = "{base}/run"\nworkers = 1\n'
            f'[policy]\nfile = "{base}/policy.yaml"\n'
            f'[channels.removable]\nvolumes = ["{self.stick}"]\ndiscover = false\n'
            f'[channels.cloud_sync]\nfolders = ["{self.cloud}"]\ndiscover = false\n'
            "[channels.downloads]\nenabled = false\n[gates]\nairlock = false\ngate = false\n"
            '[pictures]\nenabled = false\n[keys]\nprotection = "host"\n[collector]\nurl = "off"\n',
            encoding="utf-8",
        )
        self.client = ControlClient(base / "run/agent.sock")

    def put(self, folder: Path, name: str, text: str) -> list[dict[str, Any]]:
        """Copy a document there and wait until Serment is done with it; returns what it has to say about it."""
        before = self.client.call("status")["counts"]["judged"]
        (folder / name).write_text(text, encoding="utf-8")
        self.wait(lambda: self.client.call("status")["counts"]["judged"] > before and self._idle())
        return [notice for notice in self.client.call("notices") if notice["folder"] and notice["count"]]

    def _idle(self) -> bool:
        queue = self.client.call("status")["queue"]
        return not (queue["fresh"] or queue["existing"] or queue["active"])

    @staticmethod
    def wait(what: Callable[[], bool]) -> None:
        """Raises HostError when it does not happen."""
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            if time.monotonic() > deadline:
                raise HostError(N_("the tour got stuck"), hint=N_("run: serment doctor"))
            time.sleep(0.1)


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """A stage with its agent at work. Raises HostError when it does not start."""
    with tempfile.TemporaryDirectory(prefix="serment-tour-") as folder:
        made = Stage(Path(folder))
        process = subprocess.Popen(
            [*_COMMAND, "run", "--foreground", "--config", str(made.config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "NOTIFY_SOCKET": ""},
        )  # fmt: skip
        try:
            made.wait(lambda: _ready(made.client, process))
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(client: ControlClient, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise HostError(N_("the tour could not begin: its Serment ended"), hint=N_("run: serment doctor"))
    try:
        return bool(client.call("status")["ready"])
    except HostError:
        return False
