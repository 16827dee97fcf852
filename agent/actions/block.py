"""Refuse: the document does not go. After the write that means: it is moved to quarantine, and a note says so.

Also what ``justify`` does: the document is held until a reason is given (``QuarantineStore.release``). Copy, verify,
and only then remove; when the original cannot be removed the copy is forgotten and nothing has changed.
"""

from __future__ import annotations

from agent.actions.base import OpenTransfer
from agent.actions.copying import require_writable
from agent.actions.entry import Entry
from agent.actions.placeholder import Placeholders
from agent.actions.problems import guarded, not_removed, word
from agent.actions.quarantine import QuarantineStore
from agent.actions.removal import Removal, remove_judged, still_there
from agent.errors import ChangedError
from agent.model import ChannelKind, Decision, Outcome, Result


class HoldBack:
    """The action of ``block`` and of ``justify``, by ``decision``."""

    def __init__(self, store: QuarantineStore, placeholders: Placeholders, decision: Decision = Decision.BLOCK) -> None:
        self._store = store
        self._placeholders = placeholders
        self._decision = decision

    def apply(self, transfer: OpenTransfer) -> Outcome:
        """Refuse a held transfer, or quarantine what was written. ``held`` is the quarantine id."""
        if transfer.hold is not None:
            return self._refuse(transfer)
        return guarded(self._decision, self._quarantine, transfer)

    def _quarantine(self, transfer: OpenTransfer) -> Outcome:
        require_writable(transfer.root_fd)
        entry = self._store.take(transfer)
        name = transfer.event.name
        try:
            removal = remove_judged(transfer.root_fd, name, transfer.stamp, entry.id)
        except OSError:
            self._give_up(transfer, entry)
            raise
        if removal is not Removal.REMOVED:
            self._store.discard(entry)
            return not_removed(removal, self._decision)
        self._store.finish(entry)
        self._placeholders.refresh(transfer.root_fd, entry.root, entry.folder)
        return Outcome(Result.DONE, self._decision, held=entry.id)

    def _give_up(self, transfer: OpenTransfer, entry: Entry) -> None:
        """Forget the copy only when the original is seen in its place; a volume that is gone is resolved later."""
        try:
            if still_there(transfer.root_fd, transfer.event.name, transfer.stamp):
                return self._store.discard(entry)
        except OSError:
            pass
        return self._store.leave(entry)

    def _refuse(self, transfer: OpenTransfer) -> Outcome:
        """Nothing goes. What was being written to a volume may be the only copy: it is kept. A refused read is not."""
        assert transfer.hold is not None
        held = problem = ""
        if transfer.event.place.channel is ChannelKind.REMOVABLE:
            try:
                entry = self._store.take(transfer)
                self._store.finish(entry)
                held = entry.id
            except ChangedError:
                problem = "changed"
            except OSError as error:
                problem = word(error)
        transfer.hold.refuse()
        return Outcome(Result.DONE, self._decision, problem=problem, held=held)
