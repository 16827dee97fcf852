"""A guarded file system of one's own, with the real gate, its real server, and an agent that knows secrets by a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from agent.daemon.gate_answers import Reading
from agent.daemon.gating import Gating
from agent.daemon.holds import GateServer
from agent.daemon.troubles import Troubles
from agent.gates.gate.programs import Programs, shipped
from agent.gates.gate.settings import Folder, FolderKind
from agent.model import ChannelKind, Place

SECRET = b"SENSITIVE"
PATIENCE_S = 30
USER = 61234  # nobody's
READ = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"


class Silent:
    """In the place of the operational log."""

    def warn(self, *_words: object, **_fields: object) -> None: ...

    note = warn


class GateBed:
    """``volume`` is guarded; ``cloud`` a sync folder and ``home`` a document folder on it; ``outside`` neither."""

    def __init__(self, folder: Path, *, size_mb: int = 96, deadline_ms: int = 5000) -> None:
        folder.chmod(0o755)
        for parent in folder.parents[:3]:  # the user is to reach it, whatever the runner of tests is called
            if parent.stat().st_uid == os.getuid() and parent not in (Path("/"), Path("/tmp")):
                parent.chmod(parent.stat().st_mode | 0o011)
        self.image = Path("/dev/shm") / f"serment-gate-{os.getpid()}-{time.monotonic_ns()}"
        self.volume = folder / "volume"
        self.volume.mkdir()
        with self.image.open("wb") as file:
            file.truncate(size_mb << 20)
        self.mounted = self.server = self.gating = None
        self.seen: list[Reading] = []
        self.delay_s = 0.0
        self.troubles = Troubles(lambda _word, _state: None)
        self._folder = folder
        self._deadline_ms = deadline_ms
        try:
            subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1", self.image], check=True, timeout=60)
            subprocess.run(["mount", "-o", "loop", self.image, self.volume], check=True, timeout=60)
            self.mounted = self.volume
            self.home = self.volume / "home"
            self.cloud = self.home / "Cloud"
            self.outside = self.volume / "theirs/outside"  # its owner could move it: it is asked about each time
            for made in (self.home, self.cloud, self.outside.parent, self.outside):
                made.mkdir()
                os.chown(made, USER, USER)
        except BaseException:
            self.close()
            raise

    def arm(self, *, home: bool = True) -> None:
        run = self._folder / "run"
        run.mkdir(mode=0o755)
        self.server = GateServer(run / "gates.sock", Silent())
        self.server.start()
        self.gating = Gating(
            self.server, run / "gates.sock", self._decide, programs=Programs(shipped()), deadline_ms=self._deadline_ms,
            troubles=self.troubles,
        )  # fmt: skip
        folders = [Folder(os.fsencode(self.cloud), FolderKind.SYNC)]
        if home:
            folders.append(Folder(os.fsencode(self.home), FolderKind.DOCUMENTS, skip_hidden=True))
        self.gating.guard(folders)
        assert len(self.gating._armed) == len(folders)

    def _decide(self, reading: Reading) -> bool:
        self.seen.append(reading)
        if self.delay_s:
            time.sleep(self.delay_s)
        return SECRET in os.pread(reading.fd, 1 << 20, 0)

    def place(self) -> Place:
        """The sync folder as its channel finds it."""
        return Place(ChannelKind.CLOUD_SYNC, os.fsencode(self.cloud), USER)

    @property
    def board(self):
        return self.gating._process.board

    def secret(self, where: Path, content: bytes = b"x" * 100 + SECRET) -> Path:
        return self.write(where, content)

    def write(self, where: Path, content: bytes = b"harmless") -> Path:
        with where.open("wb") as file:
            file.write(content)
        os.chown(where, USER, USER)
        return where

    def close(self) -> None:
        if self.gating is not None:
            self.gating.close()
        if self.server is not None:
            self.server.close()
        if self.mounted is not None:
            subprocess.run(["umount", "-l", self.mounted], check=False, timeout=60)
        self.image.unlink(missing_ok=True)


def run(command: Sequence[object], **how: object) -> subprocess.CompletedProcess[bytes]:
    """A program of the user, which must not hang."""
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=PATIENCE_S, check=False, **how)


def reads(path: object, *before: object) -> bytes | None:
    """What a program that nobody knows reads; None when it is refused."""
    done = run([*before, sys.executable, "-I", "-S", "-c", READ, path])
    if done.returncode == 0:
        return done.stdout
    assert b"PermissionError" in done.stderr, done.stderr
    return None


def withheld(path: object) -> bool:
    """Refused, or taken into quarantine before anybody came: which is first depends on the machine's mood."""
    done = run([sys.executable, "-I", "-S", "-c", READ, path])
    return done.returncode != 0 and (b"PermissionError" in done.stderr or b"FileNotFoundError" in done.stderr)


def settled() -> None:
    """Long enough for a file's state to be told from the next one."""
    time.sleep(0.08)


def send(pid: int, signum: signal.Signals) -> None:
    assert pid > 1
    os.kill(pid, signum)
