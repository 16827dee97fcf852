"""A running agent of its own for a test or the demonstration: own folders, own configuration, real everything."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from agent.audit.segments import read
from agent.daemon.control import ControlClient
from agent.errors import HostError

_T = TypeVar("_T")
COMMAND = [sys.executable, "-m", "agent.ui.cli.main"]
CHECKOUT = Path(__file__).resolve().parent.parent


def wait_for(what: Callable[[], _T], timeout_s: float = 30.0, every_s: float = 0.05) -> _T:
    """The first truthy answer of ``what``; TimeoutError when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {timeout_s} s from {what}")
        time.sleep(every_s)


@dataclass
class RunningAgent:
    """Folders below ``base``: data, run, volumes to guard, sync and download folders; ``start`` and ``kill`` at will."""

    base: Path
    volumes: Sequence[Path] = ()
    cloud: Sequence[Path] = ()
    downloads: Sequence[Path] = ()
    profile: str = "enforce"
    policy: Path | None = None
    collector: str = "embedded"
    discover_volumes: bool = False  # never the real sticks of the machine
    airlock: bool = False  # take volumes over, where we are root; else the watch acts after the write
    gate: bool = False  # hold the sync folders: their whole file system is asked about, so let it be one of your own
    deadline_s: int = 0  # a verdict's, for programs behind an airlock; 0: as it comes
    pictures: bool = False  # reading them takes seconds each: for the tests that are about it
    main: str = "agent.ui.cli.main"  # or tests.picture_reader: the same, with readers that obey the picture
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def config(self) -> Path:
        return self.base / "agent.toml"

    @property
    def client(self) -> ControlClient:
        return ControlClient(self.base / "run" / "agent.sock")

    def write_config(self) -> None:
        if self.gate and any(os.stat(folder).st_dev == os.stat("/").st_dev for folder in self.cloud):
            raise AssertionError("a gate would hold everybody on this machine: give it a volume of its own")

        def listed(paths: Sequence[Path]) -> str:
            return json.dumps([str(path) for path in paths])

        policy = f'file = "{self.policy}"' if self.policy else f'profile = "{self.profile}"'
        self.config.write_text(
            f'[agent]\ndata_dir = "{self.data}"\nruntime_dir = "{self.base / "run"}"\nlanguage = ""\n'
            f"[policy]\n{policy}\n"
            f"[channels.removable]\nvolumes = {listed(self.volumes)}\ndiscover = {str(self.discover_volumes).lower()}\n"
            f"[channels.cloud_sync]\nfolders = {listed(self.cloud)}\ndiscover = false\n"
            f"[channels.downloads]\nfolders = {listed(self.downloads)}\ndiscover = false\n"
            f"[gates]\nairlock = {str(self.airlock).lower()}\ngate = {str(self.gate).lower()}\n"
            + (f"deadline_s = {self.deadline_s}\npicture_wait_s = 3\n" if self.deadline_s else "")
            + f"[pictures]\nenabled = {str(self.pictures).lower()}\n"
            f'[collector]\nurl = "{self.collector}"\nport = 0\n',
            encoding="utf-8",
        )

    def start(self, timeout_s: float = 60.0) -> RunningAgent:
        """Start it and wait until it is ready."""
        self.write_config()
        with (self.base / "agent.err").open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.main, "run", "--foreground", "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=os.environ | self.environment,
                cwd=CHECKOUT,  # where the modules of the tests are found
            )  # fmt: skip
        wait_for(self._is_ready, timeout_s)
        return self

    def _is_ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the agent ended: {(self.base / 'agent.err').read_text(errors='replace')[-2000:]}")
        try:
            return bool(self.client.call("status")["ready"])
        except HostError:
            return False

    def kill(self, signum: int = signal.SIGKILL) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signum)
        self.process.wait(60)
        self.process = None

    def gates(self) -> list[int]:
        """The processes of its gate: they outlive it, and each other."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdecimal() else []
                if b"agent.gates.gate" in words and os.fsencode(self.base / "run/gates.sock") in words:
                    found.append(int(folder.name))
        return found

    def holders(self) -> list[int]:
        """Its holder, and what that has put in the place of a dead gate."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdecimal() else []
                if b"agent.gates.holder" in words and os.fsencode(self.base / "run") in words:
                    found.append(int(folder.name))
        return sorted(found)

    def successors(self) -> list[int]:
        """Copies of the agent that it has put in the place of a gate that was stopped or killed: named as it is."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdecimal() else []
                if b"run" in words and os.fsencode(self.config) in words:
                    found.append(int(folder.name))
        return found

    def close(self) -> None:
        """Leave nothing of it: neither the agent nor a gate that it has left."""
        self.kill()
        while pids := self.holders() + self.gates() + self.successors():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def stop(self) -> None:
        self.kill(signal.SIGTERM)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.call("status")
        return answer

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The audit records on disk, oldest first."""
        return [entry.fields for entry in read(self.data / "audit") if kind in (None, entry.fields["k"])]

    def idle(self) -> bool:
        """Nothing queued, nothing under way."""
        status = self.status()
        depth = status["queue"]
        return not (depth["fresh"] or depth["existing"] or depth["active"] or status["pictures"]["waiting"])

    def settle(self, transfers: int, timeout_s: float = 120.0) -> None:
        """Wait until that many files have a transfer record and nothing is under way."""

        def settled() -> bool:
            return self.idle() and len({record["file"] for record in self.records("transfer")}) >= transfers

        wait_for(settled, timeout_s, 0.2)

    def command(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run ``serment WORDS --config …`` as a person would."""
        return subprocess.run(
            [*COMMAND, *words, "--config", str(self.config)], capture_output=True, text=True, check=check, timeout=120,
            env=os.environ | self.environment,
        )  # fmt: skip


@contextlib.contextmanager
def loop_volume(base: Path, filesystem: str = "ext4", size_mib: int = 64) -> Iterator[Path]:
    """A scratch stick: a file system in a file, on a loop device, mounted below ``base``; gone afterwards. Root only."""
    image, mount = base / f"{filesystem}.img", base / f"stick-{filesystem}"
    mount.mkdir(exist_ok=True)
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    make = {"ext4": ["mkfs.ext4", "-q", "-F"], "vfat": ["mkfs.vfat"], "exfat": ["mkfs.exfat"]}[filesystem]
    subprocess.run([*make, str(image)], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True, capture_output=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False, capture_output=True)
