"""What a laptop is given to follow, as the sync process sees it: an interface. Who fills it verifies what is fetched.

The sync process fetches and never decides: it puts files where the agent finds them, and the agent verifies them again
before anything comes into force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from agent.fleet.visiting import Fetch


class Updates(Protocol):
    """One kind of thing that is given out by the collector."""

    def due(self, policy: Mapping[str, Any]) -> bool:
        """Whether the visit's answer (its member ``policy``, hostile) means that there is something to fetch."""

    def refresh(self, fetch: Fetch) -> None:
        """Fetch and put it down. Raises TransportError, and PolicyError: what was fetched is not good."""

    def report(self) -> Mapping[str, Any]:
        """Members of the next report: what is in force, what was refused and why."""
