"""The clinician's side, wired: made by the agent, asked by its control socket, swept by its main loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.daemon.clinician.answering import Answering
from agent.daemon.clinician.emergency import Emergencies
from agent.daemon.clinician.reach import Reach
from agent.daemon.clinician.requests import clinician_handlers
from agent.daemon.control import Handler


@dataclass(slots=True)
class ClinicianDesk:
    """``state``: what a helper's shield shows, cheap to ask; ``since``: seconds since the epoch."""

    reach: Reach
    state: Callable[[], Any]
    since: float
    _seen: Any = None

    def handlers(self) -> dict[str, Handler]:
        return clinician_handlers(self.reach, Answering(self.reach), Emergencies(self.reach), self.since)

    def sweep(self) -> None:
        """Passes that are over, and whether the state changed. From the main loop; never waits."""
        Emergencies(self.reach).sweep()
        state = self.state()
        if state != self._seen:
            self._seen = state
            self.reach.subscribers.tell(None, "status")

    def next_s(self) -> float | None:
        """Seconds until there is something to sweep."""
        return self.reach.passes.next_end_s()

    def close(self) -> None:
        self.reach.subscribers.close()
