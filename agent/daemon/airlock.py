"""The life of one volume behind an airlock: taken over, served, mended when its airlock dies, ejected with one click.

One thread a volume, so that a slow or dead device holds up nobody else; it never touches a path behind the FUSE mount,
so that it can always mend what hangs there. The airlock is a process of its own and outlives the agent; what is put
over the volume and taken away again is ``airlock_arming.Armed``'s.

============  ==========================================================================================
arming        the volume is read-only for everybody, its airlock is being started
holding       the airlock serves; what is written waits for its verdict
read-only     nothing can be written: the medium or its driver does not let, or its airlock does not start
failed        it could not be taken over, and is as it was: the watch acts after the write
leaving       it was unmounted or pulled out: the airlock finishes, the volume below goes too
gone          nothing of it is left
============  ==========================================================================================
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time

from agent.channels import mounts
from agent.channels.mounts import Mount
from agent.daemon.airlock_arming import Armed
from agent.daemon.airlock_canary import VolumeCanary
from agent.daemon.airlock_state import End, State, Surroundings
from agent.daemon.airlock_watch import Watch, device_is_gone
from agent.daemon.volume_desk import VolumeDesk
from agent.errors import N_, HostError
from agent.gates.takeover import cover, medium
from agent.gates.takeover.process import Trace

UNMOUNT_S = 5.0  # for the volume below, while somebody is still in it; then it is said
_STILL_USED_S = 2.0
_TICK_S = 10.0
_HANDBACK_S = 20.0
_BACKOFF_S = (0.0, 0.5, 2.0, 10.0, 60.0, 300.0)  # before each new start; at the last it stays read-only for a while
_CALM_S = 600.0  # an airlock that has run so long has nothing to do with how the one before it died

_NOT_THERE = {errno.ENOENT, errno.ESTALE, errno.ENOTDIR, errno.EINVAL}

ARMING_REASON = N_("being taken over: it is read-only for a moment")
KERNEL_REASON = N_("the kernel does not let the volume be taken over")
RESTARTING_REASON = N_("its airlock ended and is being started again: it is read-only until then")
IN_USE_REASON = N_("it was ejected while a program is using it: it goes when that is done, and is read-only until then")


class Airlock:
    """``start`` once; ``state``, ``reason`` and ``weaker`` at any time; ``end`` from any thread."""

    def __init__(self, volume: Mount, desk: VolumeDesk, surroundings: Surroundings, trace: Trace | None = None) -> None:
        """``trace``: of an airlock that an agent before us started, and that still serves."""
        self.volume = volume
        self.desk = desk
        self.state = State.ARMING
        self.reason: str = ARMING_REASON
        self.canary = VolumeCanary(volume.point, surroundings.canary, surroundings.proven)
        self.interrupted = False  # it was read-only since this was last looked at, and put back by who looks
        self._with = surroundings
        self._armed = Armed(volume, desk, surroundings, trace)
        self._was_writable = trace.was_writable if trace else not volume.read_only
        self._held_before = trace is not None  # then it is never opened again because something fails
        self._failures = 0
        self._end: End | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="airlock", daemon=True)

    def __del__(self) -> None:
        os.close(self._wake)

    def start(self) -> None:
        self._thread.start()

    def end(self, how: End) -> None:
        """Stop looking after it."""
        self._end = how
        with contextlib.suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def join(self, wait_s: float) -> None:
        self._thread.join(wait_s)

    @property
    def settled(self) -> bool:
        return self.state is not State.ARMING

    @property
    def weaker(self) -> str:
        """What the take-over could not close, or empty."""
        return self._armed.weaker

    # ---- the thread

    def _run(self) -> None:
        try:
            self._live()
        except Exception as error:  # an error of ours: the volume stays closed for writing
            self._with.operations.warn("airlock.error", type=type(error).__name__)
            self._become(State.READ_ONLY, RESTARTING_REASON)
        finally:
            self._armed.close()

    def _live(self) -> None:
        if self._held_before and self._armed.adopt():
            with contextlib.suppress(HostError):
                self._await_hello()
        while not self._ends():
            if self._armed.process is None and not self._begin():
                break
            began = time.monotonic()
            self._serve()
            if not self._ends():
                if not self._armed.is_covered():
                    return self._leave()
                self._mend(time.monotonic() - began)
        return self._conclude() if self._end in {End.CLOSE, End.HAND_BACK} else None

    def _begin(self) -> bool:
        """Arm, after the pause that earlier failures ask for. False: there is nothing more to do here."""
        while not self._failures or not self._pause(_BACKOFF_S[min(self._failures, len(_BACKOFF_S)) - 1]):
            try:
                self._armed.put(was_writable=self._was_writable)
                self._await_hello()
            except medium.ReadOnlyMediumError as error:
                self._armed.offer_way()
                self._become(State.READ_ONLY, error.message)
                self._wait_for_end()
                return False
            except HostError as error:
                self._give_up(KERNEL_REASON if error.fields else error.message)  # a reason is shown without fields
            except OSError as error:
                if error.errno in _NOT_THERE:
                    self._become(State.GONE, "")
                    return False
                self._give_up(KERNEL_REASON)
            else:
                return not self._ends()
            if self.state is not State.READ_ONLY:
                return False
            self._failures += 1
        return False

    def _give_up(self, reason: str) -> None:
        """It is as it was before: what was writable is writable, and watched; what was read-only stays that."""
        self._with.operations.warn("airlock.refused", why=reason)
        self._armed.take_away()
        if self._was_writable and not self._failures and not self._held_before:
            self._armed.give_back(writable=True)
            self._become(State.FAILED, reason)
        else:
            self._become(State.READ_ONLY, reason)

    def _await_hello(self) -> None:
        """Raises HostError when the airlock does not come; it is ended then."""
        self._armed.await_hello(self._ends)
        if not self._ends():
            self._held_before = True
            self._armed.offer_way()
            self.canary.soon()
            self._become(State.HOLDING, "")

    def _serve(self) -> None:
        """Until the airlock has ended, or our own end is asked for."""
        process = self._armed.process
        assert process is not None
        with contextlib.closing(Watch(self.volume, process, self._with.mountinfo)) as watch:
            while not self._ends() and not watch.ended(self._wake):
                covered = self._armed.is_covered()
                if not covered and self.state is not State.LEAVING:
                    self._armed.shut_way()
                    self._become(State.LEAVING, "")
                elif self.state is State.HOLDING:
                    self.canary.look()
                if watch.hopeless(covered=covered):
                    process.kill()

    def _mend(self, ran_s: float) -> None:
        """The airlock died: take its dead mount away, so that the volume can be read, and start another."""
        if device_is_gone(self.volume):
            self._armed.take_away()
            self._leave()
            self._end = self._end or End.LEAVE
            return
        self._failures = 1 if ran_s > _CALM_S else self._failures + 1
        self.interrupted = True
        self._become(State.READ_ONLY, RESTARTING_REASON)
        self._with.operations.warn("airlock.died", times=self._failures)
        self._with.died()
        self._armed.take_away()

    def _leave(self) -> None:
        """The FUSE mount was taken away by whoever ejects: take the volume below away too, so that once is enough.
        It is tried for as long as somebody is in it: nobody ejects it a second time.
        """
        self._armed.shut_way()
        self._become(State.LEAVING, "")
        self._armed.forget()
        deadline = time.monotonic() + UNMOUNT_S
        known = cover.unique(self.volume.point, self.volume.id)
        while self._end is not End.LEAVE:
            try:
                lazy = device_is_gone(self.volume)
                cover.take_away(self.volume.point, self.volume.id, lazy=lazy, known=known)
            except OSError as error:
                if error.errno not in _NOT_THERE:
                    if self._still_used(deadline):
                        break
                    continue
            self._armed.shut_way()
            self._become(State.GONE, "")
            break

    def _still_used(self, deadline: float) -> bool:
        """Wait for the next try; after the deadline it is shown, and looked at, as it is. True: our own end came."""
        if time.monotonic() <= deadline:
            time.sleep(0.05)
            return False
        if self.state is not State.READ_ONLY:
            self._armed.offer_way()
            self._become(State.READ_ONLY, IN_USE_REASON)
        return self._pause(_STILL_USED_S)

    def _conclude(self) -> None:
        """The agent is stopped for good: the airlock finishes what it has while there is somebody to answer it, and
        nobody waits afterwards. What lies below can be read, and ejected with one click.
        """
        if self._armed.process is None:
            return None
        self._armed.shut_way()
        ejected = not self._armed.is_covered()
        self._armed.finish(_HANDBACK_S)
        if ejected:
            return self._leave()
        self._armed.forget()
        self._armed.give_back(writable=self._was_writable and self._end is End.HAND_BACK)
        return self._become(State.GONE, "")

    # ---- small things

    def _ends(self) -> bool:
        """Whether our end was asked for, from another thread."""
        return bool(self._end)

    def _become(self, state: State, reason: str) -> None:
        self.state, self.reason = state, reason
        self._with.changed()

    def _pause(self, seconds: float) -> bool:
        """True when our end came meanwhile."""
        select.select([self._wake], [], [], seconds)
        return bool(self._end)

    def _wait_for_end(self) -> None:
        """Nothing to look after but whether the volume is still there."""
        with open(self._with.mountinfo, "rb") as table:
            while not self._ends():
                volume, _airlock = mounts.stack(self._with.table(), self.volume.point)
                if volume is None or volume.id != self.volume.id:
                    return self._become(State.GONE, "")
                select.select([self._wake], [], [table], _TICK_S)
        return None
