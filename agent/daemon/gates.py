"""The gates, wired: the socket they ask on, what answers, the volumes behind airlocks.

Owns the reader pools of held documents (nobody who waits stands behind a stick that is being looked through, nor a
reader behind a copy) and stops what it started. Without root, or switched off, there are no gates, and the places say
so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.actions.quarantine import QuarantineStore
from agent.channels.people import Person
from agent.config import AgentConfig
from agent.daemon import systemd
from agent.daemon.airlock_state import End
from agent.daemon.airlocks import NOT_ROOT_REASON, Airlocks, Settings, without_airlocks
from agent.daemon.gate_channel import GateChannel
from agent.daemon.held import HeldTransfers, Reaches
from agent.daemon.held_pictures import HeldPictures
from agent.daemon.holder_process import HolderProcess
from agent.daemon.holds import GateServer
from agent.daemon.operations import Operations
from agent.daemon.pictures import Pictures
from agent.daemon.pipeline import Pipeline
from agent.daemon.reading import JudgedFiles
from agent.daemon.troubles import Troubles
from agent.errors import HostError
from agent.extraction.client import WorkerPool
from agent.model import ChannelKind, Place, Strength

ARM_S = 15.0  # the agent is ready once the volumes of the start are armed, or after that


class Gates:
    """``places`` from the main thread, ``holds`` from any. Raises HostError, OSError: the socket cannot be made."""

    def __init__(
        self,
        config: AgentConfig,
        pipeline: Pipeline,
        store: QuarantineStore,
        pictures: Pictures,
        operations: Operations,
        troubles: Troubles,
        changed: Callable[[], None],
        *,
        people: Sequence[Person] = (),
        judged: JudgedFiles | None = None,
        run_as: tuple[int, int] | None = None,
        command: tuple[str, ...] = (),
    ) -> None:
        """``changed`` is told when ``places`` would answer otherwise. ``judged``: what the pipeline has judged is known
        at the first opening. ``command`` stands in for the airlock's.
        """
        section = config.gates
        self._troubles = troubles
        self._under_manager = bool(os.environ.get("NOTIFY_SOCKET"))
        self.server = GateServer(config.gates_socket, operations)
        self.pool = WorkerPool(max(2, config.agent.workers), run_as=run_as)
        self._pictures = HeldPictures(pictures.another_reader(), section.picture_wait_s, section.picture_budget_s)
        self.held = HeldTransfers(Reaches(pipeline, self.pool, self._pictures, store.keep))
        self.airlocks: Airlocks | None = None
        self._holder = HolderProcess(config.agent.runtime_dir, operations)
        if os.geteuid() == 0:
            settings = Settings(
                config.agent.runtime_dir, config.data_dir / "staging", config.gates_socket, section.deadline_s,
                section.staging_mb, section.airlock, section.names, command,
            )  # fmt: skip
            self.airlocks = Airlocks(
                settings, self.server, self.held, operations, died=self._died, cannot=self._cannot, changed=changed,
                proven=self._proven, canary=b"serment canary " + pipeline.parts.identity.pseudonym("canary").encode(),
                watched=self._holder.airlock, fork=self._holder.airlock_process,
            )  # fmt: skip
        self._folders: set[bytes] = set()  # behind the gate
        self._readers = WorkerPool(max(2, config.agent.workers), run_as=run_as)
        pictures.awaited.wait_s = section.sync_picture_wait_s if pictures.another_reader() else 0.0
        judge = JudgedFiles(self._readers, pipeline.parts.engine, judged)
        self.gate = GateChannel(
            self.server, config.gates_socket, pipeline, judge, people,
            enabled=section.gate, documents=section.documents, troubles=troubles, changed=changed,
            cannot=self._cannot, holder=self._holder, awaited=pictures.awaited,
            starting=self._readers.starting,
        )  # fmt: skip
        self.server.start()

    def places(self, kind: ChannelKind, found: tuple[Place, ...]) -> tuple[Place, ...]:
        """The places of one kind as they are guarded: volumes behind airlocks, sync folders by the gate."""
        if kind is ChannelKind.CLOUD_SYNC:
            return self._held_folders(found)
        if kind is not ChannelKind.REMOVABLE:
            return found
        self._holder.look_after()
        if self.airlocks is None:
            return without_airlocks(found, NOT_ROOT_REASON)
        return self.airlocks.places(found)

    def _held_folders(self, found: tuple[Place, ...]) -> tuple[Place, ...]:
        guarded = self.gate.places(found)
        roots = {place.root for place in guarded if place.strength is Strength.HOLD}
        if roots - self._folders:
            self._readers.prewarm(wait=False)
        self._folders = roots
        return guarded

    def wait(self) -> bool:
        """Until what is being armed is armed; whether there are volumes at all."""
        if self.airlocks is None or not self.airlocks.holds():
            return False
        self.pool.prewarm(wait=False)
        self.airlocks.wait(ARM_S)
        return True

    def holds(self) -> dict[bytes, dict[str, Any]]:
        """By mount point: how long programs were held, and whether the last trial file was refused."""
        return self.airlocks.holds() if self.airlocks is not None else {}

    def lend(self, files: tuple[Path, ...]) -> None:
        """The practice's patient list, for the readers of held documents."""
        self.pool.lend(files)
        self._readers.lend(files)
        self._pictures.lend(files)

    def policy_changed(self) -> None:
        """Another policy, or another list of patients: no verdict that was given to a reader counts any more."""
        self.gate.policy_changed()

    def close(self) -> None:
        """When a service manager starts us again at once, the gate and the airlocks go on alone until then. Else
        whoever waits at the gate is refused and its folders are open, and the volumes are given back: under a manager
        read-only, on a trial as they were.
        """
        how = self._how_to_end()
        self.gate.close(hand_back=how is not End.LEAVE)
        if self.airlocks is not None:
            self.airlocks.close(how)
        self._holder.close(leave=how is End.LEAVE)
        self.server.close()
        self._pictures.close()
        self.pool.close()
        self._readers.close()

    def _how_to_end(self) -> End:
        if not self._under_manager:
            return End.HAND_BACK
        return End.LEAVE if systemd.restarts() else End.CLOSE

    def _died(self) -> None:
        self._troubles.raise_("airlock-died")

    def _proven(self, all_held: bool) -> None:
        if all_held:
            self._troubles.clear("airlock-canary")
        else:
            self._troubles.raise_("airlock-canary")

    def _cannot(self, error: HostError) -> None:
        """As for the pipeline: the log cannot be written, or no reader starts. The gate's programs get EIO."""
        word = "audit-unwritable" if error.fields.get("what") == "audit" else "worker-unavailable"
        self._troubles.raise_(word)
