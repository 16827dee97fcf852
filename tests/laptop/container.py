"""The laptop's disk as a container: systemd as process 1 on the host's kernel, at native speed, ready in a second.

For what needs neither USB, udev, a login session nor a kernel of its own: units, the package, fanotify, FUSE. Needs root
and systemd-nspawn. What it writes is in memory and lost at the end.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.laptop.places import CACHE, CommandFailed, LaptopError, Result

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Container:
    def __init__(self, image: str = "bookworm") -> None:
        self.disk = CACHE / image / "base.raw"
        if not self.disk.exists():
            raise LaptopError(f"no image {self.disk.parent}: run build-image")
        self.root = ""
        self.leader: str | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self, timeout: float = 60) -> Container:
        self.root = tempfile.mkdtemp(prefix="laptop-")  # mounted here: nspawn's --image needs a host with udev
        subprocess.run(["mount", "-o", "loop,ro,noload", str(self.disk), self.root], check=True)
        try:
            self.boot(time.monotonic() + timeout)
        except BaseException:
            self.__exit__()
            raise
        return self

    def boot(self, deadline: float) -> None:
        with Path(self.root + ".log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "systemd-nspawn", "-q", "--register=no", "--keep-unit", "--private-network",
                    "--machine", Path(self.root).name.replace("_", ""), "--read-only", "--volatile=overlay",
                    "--bind=/dev/fuse", "--console=pipe",
                    "--system-call-filter=fanotify_init fanotify_mark", "-D", self.root, "--boot",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        while not self.ready(children):
            if self.process.poll() is not None or time.monotonic() > deadline:
                words = Path(self.root + ".log").read_text(errors="replace")[-1500:]
                raise LaptopError(f"the container did not become ready:\n{words}")
            time.sleep(0.05)

    def ready(self, children: Path) -> bool:
        with contextlib.suppress(OSError):
            self.leader = next(iter(children.read_text().split()), None)
        return bool(self.leader) and self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def __exit__(self, *_: object) -> None:
        if self.leader:
            with contextlib.suppress(OSError):
                os.kill(int(self.leader), signal.SIGKILL)
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()
            self.process.wait()
        subprocess.run(["umount", self.root], check=True)
        Path(self.root).rmdir()
        Path(self.root + ".log").unlink(missing_ok=True)

    def run(
        self, command: str | Sequence[str], user: str = "root", check: bool = False, stdin: bytes = b"",
        timeout: float = 120,
    ) -> Result:  # fmt: skip
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        inside = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "-w", "env", "-i"]
        as_user = ["LANG=C.UTF-8", "PATH=" + SEARCH, "runuser", "-u", user, "--", *argv]
        done = subprocess.run(inside + as_user, input=stdin, capture_output=True, timeout=timeout)
        result = Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        if check and result.rc:
            raise CommandFailed(command, result)
        return result

    def put(self, source: Path | str, target: str | Path, user: str = "root", mode: int = 0o644) -> None:
        line = f"cat > {shlex.quote(str(target))} && chmod {mode:o} {shlex.quote(str(target))}"
        self.run(line, user, check=True, stdin=Path(source).read_bytes())
