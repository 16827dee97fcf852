"""The gate in the agent: which folders it guards, and the parts it is wired to.

Sync folders are those that the channels find; document folders are the persons' homes, without what is hidden in them
(a mailer reads its own store there). Called from the agent's main thread, but for ``Gating``'s own threads.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.channels.base import Trouble
from agent.channels.folders import real_path
from agent.channels.people import Person
from agent.daemon.gating import Gating
from agent.daemon.holds import GateServer
from agent.daemon.pipeline import Pipeline
from agent.daemon.reading import Judge, ReadingDecisions
from agent.gates.gate.settings import Folder, FolderKind
from agent.model import ChannelKind, Place


class GateChannel:
    """``places`` passes the found places on as they are guarded, and guards what it is given."""

    def __init__(
        self, server: GateServer, socket_path: Path, pipeline: Pipeline, judge: Judge, people: Sequence[Person],
        *, enabled: bool = True, documents: bool = True, command: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """``judge``: not the pipeline's own, so that nobody waits behind a folder that is looked through."""
        self._places: tuple[Place, ...] = ()
        self._homes = _homes(people) if documents else {}
        decisions = ReadingDecisions(pipeline, judge, lambda: self._places, self._owner)
        more: dict[str, Any] = {"command": command} if command else {}
        self._gating = Gating(server, socket_path, decisions.refused, **more) if enabled and os.geteuid() == 0 else None

    def places(self, found: tuple[Place, ...]) -> tuple[Place, ...]:
        """Guard the sync folders among them; their strength is then ``hold``."""
        if self._gating is None:
            return found
        self._places = tuple(place for place in found if place.channel is ChannelKind.CLOUD_SYNC)
        folders = [Folder(place.root, FolderKind.SYNC) for place in self._places]
        folders += [Folder(home, FolderKind.DOCUMENTS, skip_hidden=True) for home in sorted(self._homes)]
        self._gating.guard(folders)
        return tuple(self._gating.described(place) for place in found)

    def policy_changed(self) -> None:
        """Another policy, or another list of patients: nothing that was decided counts any more."""
        if self._gating is not None:
            self._gating.policy_changed()

    def status(self) -> dict[str, Any]:
        return self._gating.status() if self._gating is not None else {"armed": 0}

    def troubles(self) -> tuple[Trouble, ...]:
        return self._gating.troubles() if self._gating is not None else ()

    def close(self) -> None:
        if self._gating is not None:
            self._gating.close()

    def _owner(self, root: bytes) -> int:
        return self._homes.get(root, next((place.owner for place in self._places if place.root == root), 0))


def _homes(people: Sequence[Person]) -> dict[bytes, int]:
    """Real path of each home → uid."""
    found: dict[bytes, int] = {}
    for person in people:
        try:
            path = real_path(person.home, [person.uid])
        except OSError:
            continue
        if path != b"/":
            found[path] = person.uid
    return found
