"""Legal holds: cases for which records and private parts are kept although their time is over.

Owns ``holds.json``. Placing and lifting a hold are records of the log themselves. docs/formats/audit-log.md, section 8.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import msgspec

from agent.audit.disk import translated
from agent.audit.log import AuditLog
from agent.audit.record import Kind
from agent.errors import N_, AuditError, HostError, UsageError
from agent.fsys.atomic import replace_file

FILE_NAME = "holds.json"
MAX_BYTES = 64 << 10
MAX_HOLDS = 100
FOREVER = (1 << 53) - 1
changing = threading.RLock()
"""Held by who changes the holds, and by who removes what they let go: several ask the agent at once."""
REASONS = ("breach", "complaint", "court", "authority", "other")


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened from ``since`` up to, not including, ``until`` (microseconds since 1970 UTC) is kept for ``case``.

    ``case`` is the file number of whoever asks, never a name.
    """

    case: str
    since: int = 0
    until: int = FOREVER
    reason: str = ""  # one of REASONS; empty: of an earlier version

    def covers(self, first_us: int, last_us: int) -> bool:
        """Whether anything between the two moments, both included, is held."""
        return self.since <= last_us and first_us < self.until


def read_holds(folder: Path) -> tuple[Hold, ...]:
    """The holds in force. Raises AuditError: unreadable or damaged; nothing may be erased then."""
    path = folder / FILE_NAME
    data = b"[]"
    try:
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with open(fd, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        return msgspec.json.decode(data, type=tuple[Hold, ...])
    except OSError as error:
        raise AuditError(N_("cannot be read: {why}"), where=str(path), why=error.strerror) from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise AuditError(N_("is not a list of legal holds"), where=str(path)) from error


def place(log: AuditLog, hold: Hold, by: str) -> int:
    """Keep what ``hold`` covers; ``by`` is a pseudonym. Returns the record's index.

    It is in force before its record says so: a kill in between keeps too much, never too little. Raises UsageError
    (that case is held already; too many), AuditError, HostError: it is not held then.
    """
    with changing:
        holds = read_holds(log.folder)
        if not 0 < len(hold.case) <= 64 or any(each.case == hold.case for each in holds) or len(holds) >= MAX_HOLDS:
            raise UsageError(
                N_("this case cannot be held"), hint=N_("give a file number that is not in use, up to 64 characters")
            )
        fields = {"state": "held", "case": hold.case, "since": hold.since, "until": hold.until, "by": by}
        if hold.reason:
            fields["reason"] = hold.reason
        _write(log.folder, (*holds, hold))
        try:
            return log.append(Kind.HOLD, fields, durable=True)
        except HostError:
            _write(log.folder, holds)
            raise


def lift(log: AuditLog, case: str, by: str) -> int:
    """The time of what the case held counts again. Returns the record's index. Raises like ``place``."""
    with changing:
        holds = read_holds(log.folder)
        left = tuple(each for each in holds if each.case != case)
        if left == holds:
            raise UsageError(N_("no such case is held"), hint=N_("see: serment audit list --kind hold"))
        index = log.append(Kind.HOLD, {"state": "lifted", "case": case, "by": by}, durable=True)
        _write(log.folder, left)
        return index


def _write(folder: Path, holds: tuple[Hold, ...]) -> None:
    data = msgspec.json.encode(holds) + b"\n"
    translated(folder, lambda: replace_file(folder / FILE_NAME, data, mode=0o640))
