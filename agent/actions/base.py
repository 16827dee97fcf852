"""5. A verdict becomes an effect on the open file. What every action gets, and what it must keep to.

The pipeline owns ``fd`` and closes it; an action never does. ``root_fd`` is the guarded folder. An action works on the
descriptors alone: it re-opens the *name* only to make sure that it still is the judged file, through
``agent.fsys.openat``. Whatever happens, one whole copy of the document exists at every instant. An action never raises
for what the file system does (full, read-only, gone, pulled out): that is an Outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.gates.base import Hold
from agent.model import FileEvent, Outcome, Stamp, Verdict


@dataclass(frozen=True, slots=True)
class OpenTransfer:
    """One document in one channel, open, judged. ``number`` is the audit index of its intent record."""

    event: FileEvent
    root_fd: int
    fd: int
    stamp: Stamp
    verdict: Verdict
    number: int
    kind: str = ""  # findings.kind, for the placeholder's sentence
    hold: Hold | None = None
    owner: int | None = None  # uid of whoever writes what is held; None: as the file and its place say


class Action(Protocol):
    def apply(self, transfer: OpenTransfer) -> Outcome: ...
