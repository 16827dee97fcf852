"""A running agent with the documents of two clinicians, and the ways to ask it as one of them. Root only.

Who asks is what the kernel says: the effective uid of this process is another person's while it connects.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.daemon.control import ControlClient
from agent.ui.review.client import ReviewClient
from tests.invented import LETTER, MENU
from tests.running import RunningAgent, wait_for

ANNE, BORIS, STRANGER = 61_101, 61_102, 61_103


@contextlib.contextmanager
def acting_as(uid: int) -> Iterator[None]:
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


class AsPerson(ControlClient):
    """The real client, on the real socket, as somebody else."""

    def __init__(self, path: Path, uid: int) -> None:
        super().__init__(path)
        self._uid = uid

    def call(self, name: str, **arguments: Any) -> Any:
        with acting_as(self._uid):
            return super().call(name, **arguments)


class ReviewBed:
    """Each clinician has a sync folder; what is put there is judged."""

    def __init__(self, base: Path, **options: Any) -> None:
        self.folders = {uid: base / f"Nextcloud-{uid}" for uid in (ANNE, BORIS)}
        for uid, folder in self.folders.items():
            folder.mkdir()
            os.chown(folder, uid, uid)
        self.agent = RunningAgent(base, cloud=list(self.folders.values()), collector="off", **options)

    def put(self, uid: int, name: str | bytes, content: str) -> None:
        path = os.path.join(os.fsencode(self.folders[uid]), os.fsencode(name))
        before = len(self.agent.records("transfer"))
        with open(path, "wb") as file:
            file.write(content.encode())
            os.fchown(file.fileno(), uid, uid)
        wait_for(lambda: len(self.agent.records("transfer")) > before and self.agent.idle(), 60)

    def fill(self) -> None:
        """Two letters and a menu of Anne's, a letter of Boris's."""
        self.put(ANNE, "courrier VERNICOURT.txt", LETTER)
        self.put(ANNE, b"b\x1b[31m<b>[red]\xe2\x80\xae\xff.txt", LETTER + "2")
        self.put(ANNE, "menu.txt", MENU)
        self.put(BORIS, "lettre de Boris.txt", LETTER + "3")

    def client(self, uid: int) -> ReviewClient:
        return ReviewClient(AsPerson(self.agent.base / "run" / "agent.sock", uid))

    def command(self, uid: int, *words: str) -> tuple[int, str, str]:
        """``serment WORDS`` in a process of that person's own: exit code, output, errors."""
        return run_as(uid, [*words, "--config", str(self.agent.config)])


def run_as(uid: int, words: Sequence[str]) -> tuple[int, str, str]:
    """The command line as ``uid``. The interpreter may lie where only root reads: everything is loaded before."""
    from agent.ui.cli import main as cli

    loading = ["audit", "hold", "list", *words[-2:]] if "hold" in words else list(words)
    with (
        contextlib.suppress(SystemExit), open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere),
    ):  # fmt: skip
        cli.main(loading)  # as root: loads what it needs
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.chdir("/")
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            os.dup2(out_write, 1)
            os.dup2(err_write, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            code = cli.main(list(words))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(out_write)
    os.close(err_write)
    texts = []
    for fd in (out_read, err_read):
        with os.fdopen(fd, "rb") as file:
            texts.append(file.read().decode("utf-8", "replace"))
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


@contextlib.contextmanager
def review_bed(prepare: Callable[[Path], dict[str, Any]] = lambda _base: {}) -> Iterator[ReviewBed]:
    """In a folder that everybody may enter, as the real one is; gone afterwards, with its agent."""
    base = Path(tempfile.mkdtemp(prefix="serment-review-"))
    base.chmod(0o755)
    bed = ReviewBed(base, **prepare(base))
    try:
        yield bed
    finally:
        bed.agent.close()
        shutil.rmtree(base, ignore_errors=True)
