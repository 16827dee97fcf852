"""What a person may see of the audit log, asked of the agent: the one source of the terminal, the page and ``list``.

The agent decides what is shown (``agent.daemon.reviewing``); here names are opened that are under the person's phrase,
which the agent cannot. Values out; nothing is kept.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.daemon.control import ControlClient
from agent.errors import HostError, SermentError

Event = dict[str, Any]
MOST = 5000
"""Events of a day that a screen takes in; whoever needs more exports the log."""
FileKey = Callable[[bytes], bytes]
"""The secret in an age header, for whoever runs this. Raises SermentError."""


@dataclass(frozen=True, slots=True)
class Filter:
    """As ``agent.daemon.reviewing.wanted`` reads it; empty texts ask for nothing."""

    shown: str = "notable"
    channel: str = ""
    device: str = ""
    decision: str = ""


class ReviewClient:
    """``file_key`` opens what is sealed to the person (None: names under a phrase stay closed).

    Every method raises HostError (no agent answers) and RemoteError (it refuses).
    """

    def __init__(self, agent: ControlClient, file_key: FileKey | None = None) -> None:
        self._agent = agent
        self._file_key = file_key
        self._secrets: dict[str, bytes | None] = {}

    def days(self) -> dict[str, Any]:
        """``role``, ``names`` and ``days``: day, transfers, acted, open; the newest first."""
        return dict(self._agent.call("review.days"))

    def events(self, day: str, wanted: Filter, most: int = MOST) -> list[Event]:
        """The events of ``day`` in the order of the log."""
        found: list[Event] = []
        for event in self.each(day, wanted):
            found.append(event)
            if len(found) == most:
                break
        return found

    def each(self, day: str, wanted: Filter) -> Iterator[Event]:
        """The same one after the other, however many there are."""
        first: int | None = 0
        while first is not None:
            reply = self._agent.call(
                "review.events", day=day, first=first, shown=wanted.shown, channel=wanted.channel,
                device=wanted.device, decision=wanted.decision,
            )  # fmt: skip
            yield from (self._named(event) for event in reply["events"])
            first = reply["next"]

    def event(self, number: int) -> Event:
        """One event whole."""
        return self._named(self._agent.call("review.event", i=number))

    def mark(self, numbers: list[int]) -> int:
        """They are looked at. The number of the record that says so."""
        return int(self._agent.call("review.mark", records=numbers)["i"])

    def contest(self, number: int, why: str, reason: str) -> int:
        """« Not a patient document ». The number of the record that says so."""
        return int(self._agent.call("review.contest", i=number, why=why, reason=reason)["i"])

    def mine(self) -> dict[str, Any]:
        """What the agent holds about this person."""
        return dict(self._agent.call("review.mine"))

    def holds(self) -> list[dict[str, Any]]:
        """The legal holds; for the administrator."""
        return list(self._agent.call("review.holds"))

    def hold(self, case: str, reason: str, since: int, until: int) -> int:
        """Keep what happened between two moments (microseconds since 1970 UTC). The record's number."""
        return int(self._agent.call("review.hold", case=case, reason=reason, since=since, until=until)["i"])

    def lift(self, case: str) -> int:
        """End a hold. The record's number."""
        return int(self._agent.call("review.lift", case=case)["i"])

    def _named(self, event: Event) -> Event:
        """With ``name`` as bytes, or without it."""
        name = event.pop("name", None)
        sealed = event.pop("sealed", None)
        if name is not None:
            event["name"] = base64.b64decode(name)
        elif sealed is not None:
            found = self._opened(event["fields"]["i"], sealed)
            event |= {"locked": True} if found is None else {"name": found}
        return event

    def _opened(self, number: int, sealed: Mapping[str, str]) -> bytes | None:
        from agent.audit.private import open_with

        secret = self._secret(sealed["head"])
        if secret is None:
            return None
        try:
            name = open_with(secret, base64.b64decode(sealed["part"]), number).get("name", b"")
        except SermentError:
            return None
        return name if isinstance(name, bytes) else str(name).encode()

    def _secret(self, head: str) -> bytes | None:
        if head not in self._secrets:
            self._secrets[head] = None
            if self._file_key is not None:
                try:
                    self._secrets[head] = self._file_key(base64.b64decode(head))
                except (SermentError, HostError, OSError, ValueError):
                    return None
        return self._secrets[head]
