"""What a kill or a rude removal cut short: settled before anything is watched, and told in the audit log.

Owns the list of intents whose volume is not here. At start half-finished removals are finished or undone and every open
intent is closed; what lies on a volume that is away is closed when it comes back. Behind a person's program,
which may never answer, a thread of its own looks when the place is armed: nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agent.actions.entry import TAKEN
from agent.actions.quarantine import QuarantineStore
from agent.actions.recovery import Recovered, Resolution, recover
from agent.audit.log import AuditLog
from agent.audit.segments import Entry, read
from agent.daemon.aside import Aside, waits_for_program
from agent.daemon.ledger import Ledger
from agent.model import Place


class Interrupted:
    def __init__(
        self, store: QuarantineStore, log: AuditLog, make_ledger: Callable[[], Ledger], languages: Sequence[str]
    ) -> None:
        self._store = store
        self._log = log
        self._make_ledger = make_ledger
        self._languages = tuple(languages)
        self._waiting: set[int] = set()
        self._aside = Aside()

    def at_start(self, audit: Path) -> Ledger:
        """Settle everything that is in reach; returns the ledger, filled from the audit log in ``audit``."""
        found = recover(self._store, self._languages, asks=lambda root: not waits_for_program(root))
        resolved = self._held() | {item.number: item for item in found}
        self._ledger = self._make_ledger()
        self._ledger.fill(lambda start: ((entry.number, entry.fields) for entry in read(audit, start)))
        for entry in self._log.open_intents():
            self._close(entry, resolved.get(entry.number))
        self._waiting = {number for number, item in resolved.items() if item.resolution is Resolution.WAITING}
        self._ledger.checkpoint(self._log.size)
        return self._ledger

    def _held(self) -> dict[int, Recovered]:
        """What was in quarantine for good when the kill came, before its outcome was written."""
        held = (entry for entry in self._store.list() if entry.state != TAKEN)
        return {entry.number: Recovered(entry.number, Resolution.FINISHED, entry.id) for entry in held}

    def place(self, place: Place) -> None:
        """A volume is back: settle what lies on it."""
        if waits_for_program(place.root):
            self._aside.run(place.root, lambda: self._settle(place))
        else:
            self._settle(place)

    def _settle(self, place: Place) -> None:
        resolved = {item.number: item for item in recover(self._store, self._languages, root=place.root)}
        wanted = self._waiting & set(resolved)
        for entry in self._log.open_intents() if wanted else ():
            if entry.number in wanted:
                self._close(entry, resolved[entry.number])
        self._waiting -= {number for number in wanted if resolved[number].resolution is not Resolution.WAITING}

    def _close(self, entry: Entry, recovered: Recovered | None) -> None:
        """Say how a transfer ended: finished after all, or to be taken up again."""
        closing = {"of": entry.number, "result": "interrupted", "action": entry.fields.get("decision", "")}
        file = str(entry.fields.get("file", ""))
        resolution = recovered.resolution if recovered is not None else Resolution.UNDONE
        if recovered is not None and resolution in {Resolution.FINISHED, Resolution.ABSENT}:
            closing["held"] = recovered.held
        if resolution is Resolution.FINISHED:
            self._ledger.removed(file)
            closing["result"] = "done"
        else:
            self._ledger.resume(file)
        if resolution is not Resolution.WAITING:
            self._log.append("outcome", closing)
