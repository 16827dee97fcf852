"""The service manager: tell it that we are ready, alive, stopping (sd_notify(3)); ask it what it means to do with us.

Nothing happens when there is none.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess

_SYSTEMCTL = "/usr/bin/systemctl"
_ASK_S = 5.0
_UNIT = re.compile(r"/([^/\s]+\.service)(?:/|$)")


def notify(state: str) -> bool:
    """Send ``READY=1``, ``WATCHDOG=1``, ``STATUS=…`` or ``STOPPING=1``; True when somebody listens.

    Never waits: a service manager that does not read its socket for a while must not hold up the guarding.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto(state.encode(), socket.MSG_DONTWAIT, address)
        except OSError:
            return False
    return True


def watchdog_interval_s() -> float | None:
    """Half of what the service manager waits for, or None when it does not watch this process."""
    microseconds, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdigit() or pid not in {"", str(os.getpid())}:
        return None
    return int(microseconds) / 2_000_000


def restarts() -> bool:
    """Whether we are stopped only to be started again (restart, upgrade). False when that cannot be learned."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8", errors="replace") as file:
            unit = unit_of(file.read(64 * 1024))
        if not unit or not os.environ.get("NOTIFY_SOCKET"):
            return False
        told = subprocess.run(
            [_SYSTEMCTL, "--no-legend", "--no-pager", "--plain", "list-jobs", unit],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_ASK_S, check=False,
            env={"LANG": "C.UTF-8"},
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return is_restart(told.decode("utf-8", "replace"), unit)


def unit_of(cgroup: str) -> str:
    """The service in the text of /proc/PID/cgroup (cgroups(7)), or empty."""
    for line in cgroup.splitlines():
        if found := _UNIT.search(line.partition(":")[2].partition(":")[2]):
            return found.group(1)
    return ""


def is_restart(jobs: str, unit: str) -> bool:
    """Whether systemctl list-jobs (job, unit, type, state) holds a restart of the unit: until it has stopped."""
    return any(words[1:3] == [unit, "restart"] for words in map(str.split, jobs.splitlines()))
