"""A PostgreSQL of the tests' own: Debian's package, a cluster in a scratch folder, a Unix socket, no right of root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

USERS = ("postgres", "nobody")


def binaries() -> Path | None:
    """Where initdb is; None: PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """Runs until ``stop``; ``database(name)`` makes an empty database and gives its address.

    ``inside``: the words before a program that is to run on another machine (``ip netns exec …``); the Unix socket is
    within reach all the same. ``may``: who else may come in, lines of pg_hba.conf.
    """

    def __init__(self, inside: Sequence[str] = (), may: str = "", **settings: str) -> None:
        programs = binaries()
        if programs is None:
            raise RuntimeError("PostgreSQL is not installed")
        self._programs, self._inside = programs, list(inside)
        self.folder = Path(tempfile.mkdtemp(prefix="serment-pg-"))
        self.user = _user()
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "serment", "-E", "UTF8", "--no-sync",
                  "--locale=C.UTF-8")  # fmt: skip
        with (self.folder / "data" / "pg_hba.conf").open("a") as file:
            file.write(may)
        self._settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), **settings}
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]
        become = self._as_user()
        if self._inside and self.user is not None:  # only root may go there
            person = [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]
            command, become = [*self._inside, "setpriv", *person, *command], {}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, **become)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        return self.process

    def own(self, path: Path) -> Path:
        """A copy of a file that the server alone may read: it takes no other key."""
        copy = self.folder / path.name
        shutil.copy(path, copy)
        copy.chmod(0o600)
        if self.user is not None:
            os.chown(copy, self.user.pw_uid, self.user.pw_gid)
        return copy

    def say(self, command: str) -> None:
        """SQL by an administrator."""
        self._run("psql", "-h", str(self.folder), "-U", "serment", "-c", command, "postgres")

    def restart(self, **settings: str) -> None:
        """Begin again, with these settings besides."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self._settings |= settings
        self.start()

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
