"""Record only: nothing happens to the file."""

from __future__ import annotations

from agent.actions.base import OpenTransfer
from agent.model import Decision, Outcome, Result


class Observe:
    def apply(self, transfer: OpenTransfer) -> Outcome:
        """The file goes as it is; the audit record is the whole effect."""
        if transfer.hold is not None:
            transfer.hold.release()
        return Outcome(Result.DONE, Decision.OBSERVE)
