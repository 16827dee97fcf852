"""The practice's patient list as the agent sees it: noticed when it changes, lent to the workers, told in the log.

Owns no digest: the list and its key are files (``agent.patients.store``) that the administrator's command writes and
that reader processes get as descriptors. The agent checks the list's seal, counts, and passes the files on. A list that
cannot be used is said aloud, and documents are judged without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.daemon.reports import Reports
from agent.errors import HostError, UntrustedInputError
from agent.patients.store import Held, PatientStore

Lend = Callable[[tuple[Path, ...]], None]
"""Takes the files that workers are to read from now on; none when there is no list."""


class PatientList:
    def __init__(self, data_dir: Path, lend: Lend, reports: Reports) -> None:
        self._store = PatientStore(data_dir)
        self._lend = lend
        self._reports = reports
        self._seen: tuple[int, ...] = ()
        self._held: Held | None = None
        self._lock = threading.Lock()

    @property
    def edition(self) -> str:
        """Changes with the list; empty without one. Part of what a judgement rests on."""
        return self._held.edition if self._held is not None else ""

    def start(self) -> None:
        """Take over the list that is there; told only when it cannot be used."""
        self._seen = self._store.fingerprint()
        self._held = self._look()
        self._lend(self._store.files if self._held is not None else ())

    def refresh(self) -> bool:
        """Look whether the list was changed, and lend the new one; True when it is another one than before."""
        with self._lock:
            seen = self._store.fingerprint()
            if seen == self._seen:
                return False
            self._seen = seen
            before, held = self._held, self._look()
            if held == before:
                return False
            self._lend(self._store.files if held is not None else ())
            self._held = held  # after the lending: what is judged under this edition was judged with this list
            self._record(before)
            return True

    def summary(self) -> dict[str, Any] | None:
        """How many patients and since when (seconds since 1970); None when there is no list. No digest, no name."""
        return {"patients": self._held.patients, "loaded": self._held.loaded} if self._held is not None else None

    def _look(self) -> Held | None:
        try:
            held = self._store.held()
        except (UntrustedInputError, OSError):
            self._reports.troubles.raise_("patients-unusable")
            return None
        self._reports.troubles.clear("patients-unusable")
        return held

    def _record(self, before: Held | None) -> None:
        state = "in-force" if self._held is not None else "gone"
        fields: dict[str, object] = {"state": state, "patients": self._held.patients if self._held is not None else 0}
        if before is not None:
            fields["before"] = before.patients
        try:
            self._reports.record("patients", fields)
        except HostError:
            self._reports.troubles.raise_("audit-unwritable")
