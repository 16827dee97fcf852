"""A dossier's records through the agent's socket, for people who may not read the log's folder.

The agent gives the own records (the administrator: all) and knows who asks; here they are put together page by page.
What is shown is proved record by record: the whole log is verified by whoever may read it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.audit import record
from agent.daemon.control import ControlClient
from agent.dossier.assembly import LogState
from agent.dossier.gather import Taken
from agent.errors import N_, HostError, UntrustedInputError

_NAMES_AT_ONCE = 400


class AgentSource:
    """The log of the agent that ``client`` leads to."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client
        self._own = True
        self._count = 0

    def state(self) -> LogState:
        """Called after ``records``: how many there were, and whether all of the log's were among them."""
        return LogState(records=self._count, intact=None, whole=not self._own)

    def records(self) -> Iterator[Taken]:
        cursor = ""
        self._count = 0
        while True:
            page = self._client.call("dossier.records", **{"from": cursor})
            self._own = bool(page.get("own", True))
            for public, hidden in page.get("records", []):
                self._count += 1
                yield _taken(public, hidden)
            cursor = str(page.get("next", ""))
            if not cursor:
                return

    def lead(self, numbers: Sequence[int]) -> dict[str, Any]:
        found = self._client.call("dossier.lead", numbers=list(numbers))
        return dict(found)

    def names(self, private: Mapping[int, bytes]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        numbers = sorted(private)
        for start in range(0, len(numbers), _NAMES_AT_ONCE):
            given = self._client.call("dossier.names", numbers=numbers[start : start + _NAMES_AT_ONCE])
            found |= {int(number): base64.b64decode(name) for number, name in given.items()}
        return found

    def sentences(self, release: str) -> dict[str, list[str]]:
        return dict(self._client.call("dossier.sentences", release=release))

    def recipients(self) -> dict[str, str]:
        return dict(self._client.call("dossier.recipients"))

    def serial(self, text: str) -> str:
        return str(self._client.call("dossier.serial", serial=text))


def _taken(public: str, hidden: str) -> Taken:
    try:
        data = base64.b64decode(public, validate=True)
        return Taken(record.decode(data), data, bytes.fromhex(hidden))
    except (ValueError, UntrustedInputError) as error:
        raise HostError(N_("the agent stopped answering"), hint=N_("run: serment doctor")) from error
