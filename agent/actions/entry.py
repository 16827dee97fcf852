"""One document in quarantine: what meta.json beside its content says. Root's own file, yet read as if it were not."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, fields, replace
from typing import Any

from agent.errors import N_, UntrustedInputError
from agent.model import ChannelKind, Decision, Stamp

MAX_META_BYTES = 64 * 1024
VERSION = 1
TAKEN = "taken"  # copied and verified; the original may still be in its place
HELD = "held"  # the original is gone: this is the document
RESTORED = "restored"  # given back to its owner in another folder
RELEASED = "released"  # given back to the place it was held on the way to
_STATES = frozenset({TAKEN, HELD, RESTORED, RELEASED})
ID_PATTERN = re.compile(r"[A-Z2-7]{8}")  # base32 of RFC 4648


@dataclass(frozen=True, slots=True)
class Entry:
    """``name`` is relative to ``root``; ``uid`` is whose it is; times are in seconds, ``mtime_ns`` in nanoseconds.

    ``stamp`` is that of the original, later of the file that was released, so that it is not held again.
    """

    id: str
    root: bytes
    name: bytes
    uid: int
    mode: int
    mtime_ns: int
    size: int
    sha256: str
    stamp: Stamp
    channel: ChannelKind
    service: str
    rule: str
    action: Decision
    number: int  # of the intent record
    taken: int
    day: str  # ISO date of taking, local
    state: str = TAKEN
    reason: str = ""  # given at release
    copies: int = 1  # how often this document arrived at this place again
    keep_until: int = 0  # seconds since the epoch; 0: for as long as it is held
    free_until: int = 0  # once released: seconds since the epoch until which it may go again; 0: while it is kept
    before: bool = False  # held before it went: there never was an original, and no note says so in its folder

    @property
    def folder(self) -> bytes:
        """The folder it was held in, relative to ``root``; empty for the root itself."""
        return self.name.rpartition(b"/")[0]

    @property
    def tail(self) -> bytes:
        """The file name without its folder."""
        return self.name.rpartition(b"/")[2]

    def encode(self) -> bytes:
        """The bytes of meta.json."""
        table: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        table["root"] = base64.b64encode(self.root).decode("ascii")
        table["name"] = base64.b64encode(self.name).decode("ascii")
        table["stamp"] = list(self.stamp)
        return json.dumps({"v": VERSION, **table}, indent=1).encode("ascii") + b"\n"

    def with_state(self, state: str, **changes: Any) -> Entry:
        return replace(self, state=state, **changes)


def decode(raw: bytes) -> Entry:
    """The entry that ``encode`` wrote. Raises UntrustedInputError for anything else."""
    try:
        table = json.loads(raw)
        if table.pop("v") != VERSION or table["state"] not in _STATES or not ID_PATTERN.fullmatch(table["id"]):
            raise ValueError
        table["root"] = base64.b64decode(table["root"], validate=True)
        table["name"] = base64.b64decode(table["name"], validate=True)
        table["stamp"] = Stamp(*(int(number) for number in table["stamp"]))
        table["channel"], table["action"] = ChannelKind(table["channel"]), Decision(table["action"])
        for key in ("uid", "mode", "mtime_ns", "size", "number", "taken", "copies", "keep_until", "free_until"):
            table[key] = int(table[key])
        return Entry(**table)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise UntrustedInputError(N_("a quarantine record is damaged")) from error
