"""The gate in the agent: which folders it guards, and the parts it is wired to.

Sync folders are those that the channels find; document folders are the persons' homes, without what is hidden in them
(a mailer reads its own store there). Called from the agent's main thread, but for ``Gating``'s own threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.channels.folders import mount_table, real_path
from agent.channels.mounts import Mount, leads_into, leads_to_person
from agent.channels.people import Person
from agent.daemon.awaited_pictures import AwaitedPictures
from agent.daemon.gate_moves import GateMoves
from agent.daemon.gate_trace import GateTrace
from agent.daemon.gating import FOREIGN_REASON, Gating
from agent.daemon.holder_process import HolderProcess
from agent.daemon.holds import GateServer
from agent.daemon.pipeline import Pipeline
from agent.daemon.reading import Judge, ReadingDecisions
from agent.daemon.troubles import Troubles
from agent.errors import N_, HostError
from agent.gates.asking import TOKEN
from agent.gates.gate.settings import Folder, FolderKind
from agent.model import Place, Strength

OFF_REASON = N_("the gate is switched off in agent.toml: the action follows the write")
NOT_ROOT_REASON = N_("the agent does not run as root, and holds no program back: the action follows the write")


class GateChannel:
    """``places`` passes the found places on as they are guarded, and guards what it is given."""

    def __init__(
        self, server: GateServer, socket_path: Path, pipeline: Pipeline, judge: Judge, people: Sequence[Person],
        *, enabled: bool = True, documents: bool = False, troubles: Troubles | None = None,
        changed: Callable[[], None] = lambda: None, cannot: Callable[[HostError], None] = lambda _error: None,
        command: tuple[str, ...] = (), holder: HolderProcess | None = None,
        awaited: AwaitedPictures | None = None, starting: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """``judge``: not the pipeline's own, so that nobody waits behind a folder that is looked through.
        ``changed`` is told when ``places`` would answer otherwise, ``cannot`` when nothing can be judged or recorded;
        from any thread. ``starting``: whether a document waits for a reader that is being started.
        """
        self._places: tuple[Place, ...] = ()
        self._given: frozenset[bytes] = frozenset()  # to the gate: roots of sync folders
        self._documents = documents
        self._homes = _homes(people) if documents else {}
        self._reason = NOT_ROOT_REASON if enabled else OFF_REASON
        decisions = ReadingDecisions(pipeline, judge, lambda: self._places, self._owner, awaited=awaited)
        self._gating: Gating | None = None
        self._left: GateTrace | None = None  # of a gate that an agent before us has left, and that is not wanted
        self._server = server
        if not enabled:
            server.forget(TOKEN)
            self._left = GateTrace(socket_path)
            self._left_moves = GateMoves(socket_path, lambda _name: False)
        elif os.geteuid() == 0:
            more: dict[str, Any] = {"command": command} if command else {}
            self._gating = Gating(
                server, socket_path, decisions.refused, troubles=troubles, changed=changed, cannot=cannot,
                holder=holder, starting=starting, **more,
            )  # fmt: skip

    def places(self, found: tuple[Place, ...]) -> tuple[Place, ...]:
        """Guard these sync folders, and no others; the strength of those that can be guarded is then ``hold``."""
        if self._gating is None:
            if self._left is not None:
                self._left.wait_for_end(self._server)
                self._left.remove()
                self._left_moves.sweep()
                self._left = None
            return tuple(replace(place, reason=self._reason) for place in found)
        self._places = found
        table = mount_table()
        # what a program stands before is opened by nobody here; what it has covered since stays guarded below it
        roots = [each.root for each in found if each.root in self._given or not leads_to_person(table, each.root)]
        self._given = frozenset(roots)
        folders = [Folder(root, FolderKind.SYNC) for root in roots]
        folders += [Folder(home, FolderKind.DOCUMENTS, skip_hidden=True) for home in sorted(self._homes)]
        self._gating.guard(folders)
        table = mount_table()
        return tuple(self._described(self._gating.described(place), table) for place in found)

    @staticmethod
    def _described(place: Place, table: Sequence[Mount]) -> Place:
        """What is guarded may have been covered since: the name then leads a client to what no gate is asked about."""
        if place.strength is not Strength.HOLD or not (mount := leads_into(table, place.root)) or not mount.is_program:
            return place
        return replace(place, strength=Strength.AFTER_WRITE, mechanism="watch", reason=FOREIGN_REASON)

    def follow(self, people: Sequence[Person]) -> None:
        """These are the persons from now on: the next ``places`` guards their homes too, where homes are guarded."""
        self._homes = _homes(people) if self._documents else {}

    def policy_changed(self) -> None:
        """Another policy, or another list of patients: nothing that was decided counts any more."""
        if self._gating is not None:
            self._gating.policy_changed()

    def status(self) -> dict[str, Any]:
        """``documents``: whether homes are guarded too; the rest is ``Gating.status``."""
        gate = self._gating.status() if self._gating is not None else {"armed": 0}
        return gate | {"documents": bool(self._homes)}

    def close(self, *, hand_back: bool = True) -> None:
        """End the gate, or leave it behind for the next agent: ``Gating.close``."""
        if self._gating is not None:
            self._gating.close(hand_back=hand_back)

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
