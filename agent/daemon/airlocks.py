"""All the volumes behind airlocks: who is taken over, what the guard and ``status`` are told of it.

Asked by the guard (main thread) with the volumes that are there; hands back the places as they are guarded. Cleans up
after an agent before us: airlocks that still serve are adopted, FUSE mounts of dead ones are taken away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.channels import mounts
from agent.channels.mounts import Mount
from agent.daemon.airlock_state import End, State, Surroundings
from agent.daemon.held import HeldTransfers
from agent.daemon.holds import GateServer
from agent.daemon.operations import Operations
from agent.daemon.volume_desk import VolumeDesk
from agent.errors import N_, HostError
from agent.fsys.atomic import private_folder
from agent.gates.takeover.process import Fork, Process, Trace, Traces, boot_id
from agent.model import ChannelKind, Place, Strength

if TYPE_CHECKING:  # loaded with the first volume: a laptop may never see one
    from agent.daemon.airlock import Airlock

ARMING_SHOWN_S = 10.0  # a volume that takes longer to arm is shown, and watched, meanwhile
_MOST_STAGING = 8 << 30
_JOIN_S = 45.0

OFF_REASON = N_("the airlock is switched off in agent.toml: the action follows the write")
NOT_ROOT_REASON = N_("the agent does not run as root, and cannot take a volume over: the action follows the write")
FOLDER_REASON = N_("a folder, not a volume: it cannot be taken over, the action follows the write")
UNPROVEN_REASON = N_("a test file that must be refused could be written here: the action follows the write")
FOREIGN_REASON = N_("the airlock of another agent is on this volume")


@dataclass(frozen=True, slots=True)
class Settings:
    """``deadline_s`` bounds one verdict for the program that waits; ``limit_bytes`` what may be staged."""

    runtime: Path
    staging: Path
    socket: Path
    deadline_s: int
    limit_mb: int
    enabled: bool = True
    names: bool = True
    command: Sequence[str] = ()


class Airlocks:
    """``places`` from the main thread; everything else from any."""

    def __init__(
        self,
        settings: Settings,
        server: GateServer,
        held: HeldTransfers,
        operations: Operations,
        *,
        died: Callable[[], None],
        cannot: Callable[[HostError], None],
        changed: Callable[[], None],
        proven: Callable[[bool], None] = lambda _all: None,
        canary: bytes = b"",
        watched: Callable[[int, Trace], None] = lambda _pidfd, _trace: None,
        fork: Fork | None = None,
    ) -> None:
        """``died``: an airlock ended unexpectedly; ``cannot``: nothing can be judged or recorded; ``changed``: ask
        ``places`` again; ``proven``: whether no volume has let a trial file (``canary``) through; ``watched``: an
        airlock (its pidfd, its trace) that somebody else must end should we stand still; ``fork``: makes its process.
        Raises OSError.
        """
        self._held = held
        self._cannot = cannot
        self._settings = settings
        self._with = Surroundings(
            server=server,
            traces=Traces(private_folder(settings.runtime / "airlocks")),
            staging=private_folder(settings.staging),
            source=b"serment:" + hashlib.sha256(os.fsencode(settings.staging)).hexdigest()[:8].encode(),
            arguments=_arguments(settings),
            operations=operations,
            died=died,
            changed=self._on_change,
            canary=canary,
            proven=self._on_trial,
            command=settings.command,
            watched=watched,
            fork=fork,
        )
        self._changed = changed
        self._proven = proven
        self._settling = threading.Condition()
        self._airlocks: dict[tuple[bytes, int], Airlock] = {}
        self._since: dict[tuple[bytes, int], float] = {}
        self._left: dict[bytes, Trace] = {}
        self._find_traces()

    def _find_traces(self) -> None:
        """What an agent before us left running, by mount point; numbers of another boot mean nothing."""
        boot = boot_id()
        for trace in self._with.traces.all():
            process = Process.find(trace.pid, trace.started) if trace.boot == boot else None
            if process is None:
                self._with.traces.forget(trace.token)
                continue
            process.close()
            self._left[os.fsencode(trace.point)] = trace

    # ---- the guard's question

    def places(self, found: Sequence[Place]) -> tuple[Place, ...]:
        """The removable places as they are guarded; those that are just being taken over are left out for a moment."""
        table = self._with.table()
        self._clean(table)
        if not self._settings.enabled:
            self._dismiss_left(table)
            return without_airlocks(found, OFF_REASON)
        guarded = [self._guarded(place, *mounts.stack(table, place.root)) for place in found]
        present = {(place.root, volume.id) for place in found if (volume := mounts.stack(table, place.root)[0])}
        for key in [key for key in self._airlocks if key not in present]:
            airlock = self._airlocks[key]
            if airlock.state in {State.GONE, State.FAILED, State.READ_ONLY}:
                airlock.end(End.LEAVE)
                del self._airlocks[key]
                self._since.pop(key, None)
                self._on_trial()
        self._dismiss_left(table)
        return tuple(place for place in guarded if place is not None)

    def _guarded(self, place: Place, volume: Mount | None, airlock: Mount | None) -> Place | None:
        if place.channel is not ChannelKind.REMOVABLE:
            return place
        if volume is None and place.device is not None and place.device.bus != "folder":
            return None  # it went between the channel's look at the mount table and ours
        if volume is None:
            return replace(place, reason=FOLDER_REASON)
        if airlock is not None and airlock.source != self._with.source:
            return replace(place, reason=FOREIGN_REASON)
        key = (place.root, volume.id)
        if key in self._airlocks and self._airlocks[key].state is State.GONE:
            del self._airlocks[key]  # mounted again, and the kernel gave it the number of the one before
        if key not in self._airlocks:
            self._take(key, place, volume, airlock)
        return self._described(key, place)

    def _take(self, key: tuple[bytes, int], place: Place, volume: Mount, airlock: Mount | None) -> None:
        from agent.daemon.airlock import Airlock
        from agent.gates.takeover import cover

        trace = self._left.pop(place.root, None)
        if trace is not None and (trace.lower != volume.id or airlock is None or trace.cover != airlock.id):
            trace = None
        if trace is None and airlock is not None:  # nobody serves it any more
            with contextlib.suppress(OSError):
                cover.take_away(place.root, airlock.id, lazy=True)
        desk = VolumeDesk(
            place, self._held, self._cannot, names=self._settings.names, canary=self._with.canary,
            abandoned=lambda files: self._with.operations.warn("airlock.abandoned", files=files),
        )  # fmt: skip
        made = Airlock(volume, desk, self._with, trace)
        self._airlocks[key] = made
        self._since[key] = time.monotonic()
        made.start()

    def _described(self, key: tuple[bytes, int], place: Place) -> Place | None:
        from agent.daemon.airlock import RESTARTING_REASON

        airlock = self._airlocks[key]
        state, reason = airlock.state, airlock.reason
        if airlock.interrupted and state in {State.HOLDING, State.READ_ONLY}:
            airlock.interrupted = False
            if state is State.HOLDING:  # over already: it is said all the same, and its new file system watched anew
                state, reason = State.READ_ONLY, RESTARTING_REASON
                self._changed()
        described: Place | None = replace(place, reason=reason)
        if state is State.HOLDING and airlock.canary.passed is False:
            described = replace(place, reason=UNPROVEN_REASON)  # and the watch acts on what comes out of it
        elif state is State.HOLDING:
            device = replace(place.device, read_only=False) if place.device else None
            described = replace(
                place, strength=Strength.HOLD, mechanism="airlock", reason=airlock.weaker, device=device
            )  # fmt: skip
            airlock.desk.place = described
        elif state is State.READ_ONLY:
            described = replace(place, strength=Strength.HOLD, mechanism="read-only", reason=reason)
        elif state is not State.FAILED and (
            state is not State.ARMING or time.monotonic() - self._since[key] < ARMING_SHOWN_S
        ):
            described = None  # arming, leaving, gone
        return described

    def _dismiss_left(self, table: Sequence[Mount]) -> None:
        """Airlocks of an agent before us on volumes that are not to be guarded any more: given back."""
        for point, trace in self._left.items():
            volume, _airlock = mounts.stack(table, point)
            if volume is None or volume.id != trace.lower:
                self._with.server.forget(trace.token.encode())
                self._with.traces.forget(trace.token)
                continue
            from agent.daemon.airlock import Airlock

            desk = VolumeDesk(Place(ChannelKind.REMOVABLE, point, 0), self._held, self._cannot)
            airlock = self._airlocks[point, volume.id] = Airlock(volume, desk, self._with, trace)
            airlock.start()
            airlock.end(End.HAND_BACK)
        self._left.clear()

    def _clean(self, table: Sequence[Mount]) -> None:
        """FUSE mounts of ours that nobody serves: their airlock died while there was no agent, or the volume went."""
        kept = {point for point, _number in self._airlocks} | set(self._left)
        for mount in table:
            ours = mount.is_airlock and mount.source == self._with.source
            if ours and mount.point not in kept and mounts.stack(table, mount.point)[0] is None:
                from agent.gates.takeover import cover

                with contextlib.suppress(OSError):
                    cover.take_away(mount.point, mount.id, lazy=True)

    # ---- the rest

    def wait(self, seconds: float) -> None:
        """Until every volume is armed, or is known not to be."""
        with self._settling:
            self._settling.wait_for(lambda: all(each.settled for each in self._airlocks.values()), seconds)

    def holds(self) -> dict[bytes, dict[str, Any]]:
        """By mount point: how long programs were held, how often they were refused, how the last trial went."""
        return {
            point: each.desk.times.summary() | {"canary": each.canary.status()}
            for (point, _number), each in list(self._airlocks.items())
        }

    def close(self, how: End) -> None:
        """Stop looking after the volumes."""
        airlocks = list(self._airlocks.values())
        for airlock in airlocks:
            airlock.end(how)
        deadline = time.monotonic() + _JOIN_S
        for airlock in airlocks:
            airlock.join(max(0.0, deadline - time.monotonic()))
        self._airlocks.clear()

    def _on_trial(self) -> None:
        self._proven(all(each.canary.passed is not False for each in list(self._airlocks.values())))
        self._changed()

    def _on_change(self) -> None:
        with self._settling:
            self._settling.notify_all()
        self._changed()


def _weaker(place: Place, reason: str) -> Place:
    """A removable volume without an airlock, and why; a read-only one needs none."""
    read_only = place.device is not None and place.device.read_only
    return place if read_only or place.channel is not ChannelKind.REMOVABLE else replace(place, reason=reason)


def without_airlocks(found: Sequence[Place], reason: str) -> tuple[Place, ...]:
    """The places where no volume can be taken over at all."""
    return tuple(_weaker(place, reason) for place in found)


def _arguments(settings: Settings) -> tuple[str, ...]:
    limit = settings.limit_mb
    if not limit:
        disk = os.statvfs(settings.staging.parent)
        free = disk.f_bavail * disk.f_frsize
        limit = max(64, min(free // 2, _MOST_STAGING) >> 20)
    words = ["--socket", str(settings.socket), "--limit-mb", str(limit), "--deadline-s", str(settings.deadline_s)]
    if on_encrypted_disk(settings.staging.parent):
        words.append("--disk-encrypted")
    return tuple(words)


def on_encrypted_disk(path: Path) -> bool:
    """Whether the folder lies on dm-crypt (LUKS), through LVM: what is staged there is encrypted at rest anyway."""
    device = os.stat(path).st_dev
    waiting = [f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"]
    for _ in range(32):
        if not waiting:
            return False
        folder = os.path.realpath(waiting.pop())
        with contextlib.suppress(OSError), open(f"{folder}/dm/uuid", encoding="ascii", errors="replace") as file:
            if file.read(64).startswith("CRYPT-"):
                return True
        with contextlib.suppress(OSError):
            waiting += [f"{folder}/slaves/{name}" for name in os.listdir(f"{folder}/slaves")]
    return False
