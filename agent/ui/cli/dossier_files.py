"""A dossier on the disk: a new folder of its own, for who asked alone; and its signature from the agent."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from agent.daemon.control import ControlClient
from agent.errors import N_, UsageError

_SYNCED = (Path("/run/systemd/timesync/synchronized"), Path("/var/lib/systemd/timesync/clock"))


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` into a folder that is made for them, for its owner alone. Under sudo that is who called it.

    Raises UsageError (the folder is there already) and OSError.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError as error:
        raise UsageError(
            N_("there is something at {folder} already"), hint=N_("name a new folder: --out"), folder=str(folder)
        ) from error
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for name, content in files.items():
            _put(fd, name, content)
        os.fsync(fd)
        _hand_over(fd)
    finally:
        os.close(fd)


def _put(folder_fd: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=folder_fd), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        _hand_over(file.fileno())


def _hand_over(fd: int) -> None:
    """To the person behind sudo: a folder that nobody but root can read helps no one at seven in the evening."""
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() == 0 and uid.isdecimal() and gid.isdecimal():
        os.fchown(fd, int(uid), int(gid))


def signature(agent: ControlClient, digests: Mapping[str, str], what: str, count: int) -> bytes:
    """The signature file: the agent records the dossier, and proves that record. Raises HostError and RemoteError."""
    from agent.dossier import checking, proof
    from agent.dossier.model import Evidence

    made = agent.call("dossier.made", what=what, count=count, **digests)
    record = Evidence(int(made["number"]), base64.b64decode(made["public"]), bytes.fromhex(str(made["private_hash"])))
    led = agent.call("dossier.lead", numbers=[record.number])
    found = checking.signature(proof.stated(led, [record]), digests)
    return json.dumps(found, indent=1).encode("ascii") + b"\n"


def last_sync_us() -> int:
    """When systemd-timesyncd set the clock last, microseconds since 1970 UTC; 0: not known."""
    for path in _SYNCED:
        with contextlib.suppress(OSError):
            return path.stat().st_mtime_ns // 1000
    return 0
