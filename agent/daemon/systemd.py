"""sd_notify(3): tell the service manager that we are ready, alive, stopping. Nothing happens when there is none."""

from __future__ import annotations

import os
import socket


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
