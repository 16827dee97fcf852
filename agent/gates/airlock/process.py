"""One airlock from its first to its last moment: put together, serve, drain.

Ends when the file system over the volume is unmounted or its connection aborted, or when it is told to (SIGTERM): what
is still being judged is judged, what its writer had closed is committed, the medium is synced, and the mount that only
this process holds goes with it. What nobody judges in time is refused, and said; without an agent that is after a few
seconds, because nobody can take the stick away before.
Until the agent has answered HELLO no file is opened for anybody; reading the medium needs no verdict and does not wait.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from agent.gates.airlock import protocol as wire
from agent.gates.airlock.judge import Judge
from agent.gates.airlock.medium import Medium
from agent.gates.airlock.nodes import Tree
from agent.gates.airlock.operations import handlers
from agent.gates.airlock.operations.opening import finish
from agent.gates.airlock.privileges import give_up, settle_in
from agent.gates.airlock.session import Session
from agent.gates.airlock.staging import Store
from agent.gates.airlock.volume import Volume
from agent.gates.asking import ABANDONED

if TYPE_CHECKING:
    from agent.gates.airlock.options import Options
    from agent.gates.airlock.session import Request
    from agent.gates.airlock.view import View

_MB = 1 << 20
_MOST_MEMORY = 1 << 30
_READAHEAD_KB = 1024
_POLL_S = 0.05


class Airlock:
    """Owns every descriptor of ``options``."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._mount_point = os.fsencode(options.mount_point)
        medium = Medium(options.medium_fd)
        tree = Tree(os.fstat(medium.root).st_ino, medium.fold)
        socket = os.fsencode(options.socket)
        self.judge = Judge(socket, os.fsencode(options.token), self._mount_point, options.deadline_s)
        self.volume = Volume(medium, tree, _store(options, _view(options)), self.judge)
        self.session = Session(options.fuse_fd, {wire.INIT: self._init, **handlers(self.volume)}, name="airlock")
        self.volume.session = self.session
        self.judge.on_dismissal = self.session.stop

    def run(self) -> int:
        """Serve until the end; the exit code."""
        give_up(keep_admin=self._options.passthrough)
        self.volume.medium.clean()
        self.judge.start()
        self.session.start()
        gc.collect()
        gc.freeze()
        self.session.wait()
        return self._drain()

    def stop(self) -> None:
        """Finish what has begun and end; whatever is new fails."""
        self.session.refuse(errno.EIO)

    def _init(self, request: Request) -> bytes:
        reply, flags = wire.init_reply(
            wire.parse_init(request.body),
            passthrough=self._options.passthrough,
            timeout_s=self._options.request_timeout_s,
        )
        if flags & wire.PASSTHROUGH:
            self.volume.connection = self._options.fuse_fd
        threading.Thread(target=_read_ahead, args=(self._mount_point,), daemon=True).start()
        return reply

    def _drain(self) -> int:
        self.judge.finish_within(_TOLD_S if self.session.refusing else self._options.deadline_s)
        deadline = time.monotonic() + self._options.deadline_s + _COMMIT_S
        while not self.session.drained() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        for staged in self.volume.tree.staged() if self.session.drained() else ():
            if staged.closed_at == staged.generation:
                finish(self.volume, staged)
        if self.judge.abandoned:
            self._say(self.judge.abandoned)
        try:
            self.volume.medium.sync()
        except OSError:
            return 1  # the medium is gone: what was not synced is lost with it, as on any volume
        self.judge.close()
        return 0

    def _say(self, files: int) -> None:
        """That many were finished and are not on the medium: to the agent, or to the system's log without one."""
        if self.judge.connected:
            self.judge.tell(ABANDONED, files)
            return
        import syslog

        syslog.openlog("serment-airlock")
        syslog.syslog(syslog.LOG_WARNING, f"ended without an agent: {files} files were not judged, and not written")


_TOLD_S = 8.0  # for the verdicts that are awaited when we are told to end
_COMMIT_S = 300.0  # for what was judged and is being written, on a slow stick


def _store(options: Options, view: View | None) -> Store:
    memory = options.memory_mb * _MB or min(_available() // 8, _MOST_MEMORY)
    if options.staging_fd < 0 or not (view or options.disk_encrypted):
        return Store(options.limit_mb * _MB or memory, memory, None)
    from agent.gates.airlock.spill import DiskSpill

    figures = os.fstatvfs(options.staging_fd)
    limit = options.limit_mb * _MB or figures.f_bavail * figures.f_frsize // 2
    return Store(limit, memory, DiskSpill(options.staging_fd, view))


def _view(options: Options) -> View | None:
    """Made while there is the right to mount; without it nothing is staged on a disk that is not encrypted itself."""
    if options.staging_fd < 0 or options.disk_encrypted:
        return None
    from agent.gates.airlock.view import View

    try:
        return View()
    except OSError as error:
        print(f"airlock: staging in memory alone, no view: {error.errno}", file=sys.stderr, flush=True)
        return None


def _available() -> int:
    """Bytes of memory that could be used now."""
    with open("/proc/meminfo", "rb") as lines:
        for line in lines:
            if line.startswith(b"MemAvailable:"):
                return int(line.split()[1]) * 1024
    return _MOST_MEMORY


def _read_ahead(mount_point: bytes) -> None:
    """The kernel reads no more than 128 KiB ahead on a FUSE mount unless it is told so."""
    with open("/proc/self/mountinfo", "rb") as lines:
        devices = [line.split()[2] for line in lines if _unescaped(line.split()[4]) == mount_point and b" fuse" in line]
    if devices:
        try:
            with open(b"/sys/class/bdi/%s/read_ahead_kb" % devices[-1], "w", encoding="ascii") as setting:
                setting.write(str(_READAHEAD_KB))
        except OSError:
            pass  # slower, not wrong


def _unescaped(field: bytes) -> bytes:
    parts = field.split(b"\\")
    return parts[0] + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in parts[1:])


def serve(options: Options) -> int:
    """The whole life of the process; its exit code."""
    settle_in()
    kept = sorted({0, 1, 2, options.fuse_fd, options.medium_fd, options.staging_fd} - {-1})
    for before, after in zip(kept, [*kept[1:], 1 << 20], strict=True):
        os.closerange(before + 1, after)
    for fd in kept[3:]:
        os.set_inheritable(fd, False)
    airlock = Airlock(options)
    # from a thread of its own: the main one may be in the middle of taking the lock that ``stop`` takes
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=airlock.stop, daemon=True).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return airlock.run()
