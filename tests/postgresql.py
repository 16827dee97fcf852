"""A PostgreSQL of the tests' own: Debian's package, a cluster in a scratch folder, a Unix socket, no right of root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

USERS = ("postgres", "nobody")


def binaries() -> Path | None:
    """Where initdb is; None: PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """Runs until ``stop``; ``database(name)`` makes an empty database and gives its address."""

    def __init__(self, **settings: str) -> None:
        programs = binaries()
        if programs is None:
            raise RuntimeError("PostgreSQL is not installed")
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="serment-pg-"))
        self.user = _user()
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "serment", "-E", "UTF8", "--no-sync",
                  "--locale=C.UTF-8")  # fmt: skip
        self._settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), **settings}
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("ab"), **self._as_user(),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        return self.process

    def url(self, name: str) -> str:
        return f"postgresql://serment@/{name}?host={self.folder}"

    def database(self, name: str) -> str:
        self._run("createdb", "-h", str(self.folder), "-U", "serment", name)
        return self.url(name)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # at once; nothing is kept
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            self._run("psql", "-h", str(self.folder), "-U", "serment", "-c", "SELECT 1", "postgres")
        except subprocess.CalledProcessError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments], check=True, capture_output=True, cwd="/", **self._as_user()
        )

    def _as_user(self) -> dict[str, object]:
        return {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": ()}


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is no user to run PostgreSQL as")
