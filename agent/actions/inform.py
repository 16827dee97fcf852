"""Tell the clinician: nothing happens to the file. The notice itself is the daemon's, by way of the session helper."""

from __future__ import annotations

from agent.actions.base import OpenTransfer
from agent.model import Decision, Outcome, Result


class Inform:
    def apply(self, transfer: OpenTransfer) -> Outcome:
        """The file goes as it is."""
        if transfer.hold is not None:
            transfer.hold.release()
        return Outcome(Result.DONE, Decision.INFORM)
