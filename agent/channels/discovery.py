"""Reading a user's own configuration without the agent's rights: a short-lived child that becomes that user first.

The parent (``discover_for``, perhaps root) starts ``python -I -m agent.channels.discovery``, reads at most
``MAX_OUTPUT`` bytes of JSON lines within ``TIME_LIMIT`` seconds, and kills it otherwise. The child imports what it
needs, gives up every right but the user's (groups, ids, no new privileges, limits on memory, time and written bytes),
and only then opens the first file of theirs. What it answers is as untrusted as the files: the caller checks every
path again (see ``folders.py``).
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from agent.channels.discover.reading import Found, Home
from agent.channels.hosts import host_of
from agent.errors import N_, HostError

TIME_LIMIT = 10.0  # s
MAX_OUTPUT = 1 << 18  # bytes
MAX_FOUND = 256
MAX_PATH = 4096  # bytes
MEMORY_LIMIT = 512 << 20  # bytes of address space
CPU_LIMIT = 5  # s
PROBLEMS = frozenset({"", "not-stated"})
_PR_SET_NO_NEW_PRIVS = 38


def discover_for(uid: int, gid: int, home: bytes, what: str, time_limit: float = TIME_LIMIT) -> list[Found]:
    """The folders that the clients of a user name; ``what`` is ``cloud`` or ``downloads``.

    Raises HostError: the child could not start, took longer than ``time_limit`` seconds, said too much, or died.
    """
    command = [
        sys.executable,
        "-I",
        "-m",
        "agent.channels.discovery",
        what,
        str(uid),
        str(gid),
        os.fsencode(home).hex(),
    ]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/",
            env=environment, close_fds=True, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise _failed(error.strerror or "") from error
    try:
        untrusted_output = _collect(child, time.monotonic() + time_limit)
        if child.wait(timeout=1.0) != 0:
            raise _failed(f"exit {child.returncode}")
    except subprocess.TimeoutExpired as error:
        raise _failed("hangs") from error
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return _checked(untrusted_output)


def _failed(why: str) -> HostError:
    return HostError(
        N_("a user's sync and download settings could not be read: {why}"),
        hint=N_("list the folders in the configuration, under channels"),
        why=why,
    )


def _collect(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    if child.stdout is None:
        raise _failed("no pipe")
    fd, output = child.stdout.fileno(), b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not _readable(fd, left):
            raise _failed("time limit")
        block = os.read(fd, 65_536)
        if not block:
            return output
        output += block
        if len(output) > MAX_OUTPUT:
            raise _failed("too much output")


def _readable(fd: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(int(seconds * 1000) + 1))


def _checked(untrusted_output: bytes) -> list[Found]:
    found: list[Found] = []
    for line in untrusted_output.splitlines()[:MAX_FOUND]:
        try:
            service, path, problem, host = json.loads(line)
            item = Found(str(service), bytes.fromhex(path), str(problem), host_of(str(host)))
        except (ValueError, TypeError, RecursionError) as error:
            raise _failed("nonsense") from error
        word = item.service.isascii() and item.service.isalnum() and len(item.service) <= 32
        whole = item.path.startswith(b"/") and len(item.path) < MAX_PATH and b"\0" not in item.path
        if not word or item.problem not in PROBLEMS or not (whole or item.problem):
            raise _failed("nonsense")
        found.append(item)
    return found


# -- the child


def _become(uid: int, gid: int) -> None:
    """Give up every right but the user's; the limits hold for root's own settings too."""
    import ctypes
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    if os.getuid() != uid or os.getgid() != gid:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if (uid, gid) != (os.geteuid(), os.getegid()) or ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise PermissionError


def _search(home: Home, what: str) -> Iterator[Found]:
    from agent.channels import discover

    for module in {"cloud": discover.CLOUD, "downloads": discover.DOWNLOADS}[what]:
        try:
            for found in module.find(home):
                yield found if found.problem else replace(found, path=os.path.realpath(found.path))
        except (OSError, ValueError, RecursionError, MemoryError):
            continue  # one client's broken settings do not hide another's


def main(arguments: list[str]) -> int:
    """The child: WHAT UID GID HOME-IN-HEXADECIMAL; a line [service, path in hexadecimal, problem, host] a folder."""
    import sqlite3  # noqa: F401 - loaded before the rights are gone: the user may not be able to read our libraries
    import xml.etree.ElementTree as ET  # noqa: F401 - the same

    from agent.channels import discover  # noqa: F401 - the same

    what, uid, gid, home = arguments[0], int(arguments[1]), int(arguments[2]), bytes.fromhex(arguments[3])
    _become(uid, gid)
    seen: set[Found] = set()
    for found in _search(Home(home), what):
        if found not in seen and len(seen) < MAX_FOUND:
            seen.add(found)
            sys.stdout.write(json.dumps([found.service, found.path.hex(), found.problem, found.host]) + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
