"""What stands before a volume: the airlock's process, its FUSE mount over the volume, our own way in, the trace of it.

Puts it there, finds it again after a restart of the agent, takes it away. The connection belongs to the airlock's
process alone: when that dies the kernel ends it, and whoever waits gets an error at once. A duplicate in this process
would keep them waiting, ourselves among them: a killed agent with a thread that waits there could never end. Called by
one thread, the volume's; touches no path behind the FUSE mount. What the agent reads behind it comes by a copy of that
mount (``agent.fsys.ways``), so that it is never we who are in the way of an eject.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import select
import time
from collections.abc import Callable, Iterator

from agent.channels import mounts
from agent.channels.mounts import Mount
from agent.daemon.airlock_state import Surroundings
from agent.daemon.volume_desk import VolumeDesk
from agent.errors import N_, HostError
from agent.fsys.openat import open_point
from agent.fsys.ways import Way
from agent.gates.takeover import cover, medium, mounting
from agent.gates.takeover.process import Descriptors, Process, Trace, boot_id, started_at

START_S = 30.0  # from its start to its HELLO, on a slow machine


class Armed:
    """``process`` and ``trace`` are None while there is none; ``weaker`` says what the take-over could not close."""

    def __init__(self, volume: Mount, desk: VolumeDesk, surroundings: Surroundings, trace: Trace | None) -> None:
        self.volume = volume
        self.process: Process | None = None
        self.trace = trace
        self.weaker = ""
        self._desk = desk
        self._with = surroundings
        self._token = trace.token if trace else ""
        self._way: Way | None = None

    def put(self, *, was_writable: bool) -> None:
        """Medium, FUSE mount, process; HELLO is still to come. Raises HostError, OSError."""
        volume = self.volume
        with contextlib.ExitStack() as opened:
            point_fd = opened.enter_context(self.point())
            described = medium.Volume(volume.filesystem, self._closed(), _options(volume))
            behind = medium.open_medium(point_fd, described)
            opened.callback(os.close, behind.fd)
            staging_fd = os.open(self._with.staging, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, staging_fd)
            self.weaker = behind.weaker
            device_fd = cover.connect()
            opened.callback(os.close, device_fd)
            number = cover.cover(point_fd, device_fd, self._with.source, no_exec=b"noexec" in volume.options)
            self._token = secrets.token_hex(8)
            self._with.server.expect(self._token.encode(), self._desk)
            arguments = ("--token", self._token, "--mount-point", os.fsdecode(volume.point), *self._with.arguments)
            self.process = Process.start(
                Descriptors(device_fd, behind.fd, staging_fd), arguments, self._with.command, self._with.fork
            )  # fmt: skip
            self._write_down(number, was_writable=was_writable)
        self._watched()

    def _closed(self) -> bool:
        """Whether the file system itself (not the mount alone) is read-only now."""
        now, _airlock = mounts.stack(self._with.table(), self.volume.point)
        return now is not None and b"ro" in now.super_options

    def _write_down(self, number: int, *, was_writable: bool) -> None:
        assert self.process is not None
        pid = self.process.pid
        device = next((each.device[1] for each in self._with.table() if each.id == number), 0)
        self.trace = Trace(
            self._token, pid, started_at(pid), os.fsdecode(self.volume.point), number, device, self.volume.id,
            was_writable, boot_id(),
        )  # fmt: skip
        self._with.traces.write(self.trace)

    def adopt(self) -> bool:
        """The airlock of the agent before us, by its trace: it connects by itself. False when it has died."""
        assert self.trace is not None
        self.process = Process.find(self.trace.pid, self.trace.started)
        if self.process is None:
            self.take_away()
            return False
        self._with.server.expect(self.trace.token.encode(), self._desk)
        self._watched()
        return True

    def _watched(self) -> None:
        """Should we be stopped, somebody else ends an airlock that is stopped too."""
        assert self.process is not None
        assert self.trace is not None
        self._with.watched(self.process.fileno(), self.trace)

    def await_hello(self, ending: Callable[[], bool]) -> None:
        """Return when it serves, or when ``ending``. Raises HostError when it does not come; it is ended then."""
        assert self.process is not None
        deadline = time.monotonic() + START_S
        while not self._desk.connected.wait(0.02):
            ended = bool(select.select([self.process], [], [], 0)[0])
            if ended or ending() or time.monotonic() > deadline:
                self.process.kill()
                if ending():
                    return
                raise HostError(N_("the airlock does not start"), hint=N_("see the operational log"))

    # ---- our own way in

    def offer_way(self) -> None:
        """What is mounted now may be looked at from here on, without keeping it from being unmounted. Where the kernel
        makes no copy of the mount it is looked at by path.
        """
        self._forget_way()
        number = self.trace.cover if self.trace is not None else self.volume.id
        with contextlib.suppress(OSError):
            fd = open_point(self.volume.point)
            try:
                if mounting.mount_id(fd) == number:
                    self._way = Way(self.volume.point, mounting.clone(fd))
            finally:
                os.close(fd)

    def shut_way(self) -> None:
        """It is being ejected: nobody of ours goes in any more, neither there nor to what lies below."""
        self._way = self._way or Way(self.volume.point)
        self._way.shut()

    def _forget_way(self) -> None:
        if self._way is not None:
            self._way.close()
            self._way = None

    # ---- the end

    def is_covered(self) -> bool:
        """Whether our mount still stands in the mount table."""
        return self.trace is not None and any(
            each.id == self.trace.cover and each.is_airlock and each.device[1] == self.trace.cover_device
            for each in self._with.table()
        )

    def take_away(self) -> None:
        """End the process, and take its mount away: its callers get an error, and below is the volume, read-only."""
        self._forget_way()
        if self.process is not None:
            self.process.kill()
            self.process.reap(5.0)
            self.process.close()
            self.process = None
        if self.trace is not None:
            with contextlib.suppress(OSError):
                cover.take_away(self.volume.point, self.trace.cover, lazy=True, abort=True)
            self.forget()

    def finish(self, within_s: float) -> None:
        """Unmount, and let the airlock end in order: what its writers have finished is judged and committed."""
        if self.trace is None or self.process is None:
            return
        with contextlib.suppress(OSError):
            try:
                cover.take_away(self.volume.point, self.trace.cover)
            except OSError:
                cover.take_away(self.volume.point, self.trace.cover, lazy=True)
        self.process.terminate()
        if not self.process.reap(within_s):
            self.process.kill()
            self.process.reap(5.0)

    def give_back(self, *, writable: bool) -> None:
        """The volume below as it was. Nothing when it has gone."""
        with contextlib.suppress(OSError), self.point() as point_fd:
            medium.give_back(point_fd, writable=writable)

    @contextlib.contextmanager
    def point(self) -> Iterator[int]:
        """The folder where the volume's own mount begins. Raises OSError ESTALE when something else is there now."""
        fd = open_point(self.volume.point)
        try:
            if mounting.mount_id(fd) != self.volume.id:
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            yield fd
        finally:
            os.close(fd)

    def forget(self) -> None:
        """It serves nobody any more, or is not ours to look after."""
        if self.trace is not None:
            self._with.server.forget(self.trace.token.encode())
            self._with.traces.forget(self.trace.token)
            self.trace = None

    def close(self) -> None:
        self._forget_way()
        if self.process is not None:
            self.process.close()


def _options(volume: Mount) -> dict[bytes, bytes | None]:
    options: dict[bytes, bytes | None] = {}
    for word in volume.super_options - {b"ro", b"rw"}:
        key, equals, value = word.partition(b"=")
        options[key] = value if equals else None
    return options
