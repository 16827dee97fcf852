"""One worker process as the parent sees it: start it, ask it, measure it, kill it.

The pool in ``client`` owns every Child; a Child is asked by one thread at a time. Nothing here trusts the other side:
every wait has an end, every message is decoded by ``wire``, and whatever is odd ends the process. The worker's CPU time
is read from its own clock, so that a document on a slow stick does not count as a slow document.

Must not: fork (the agent has threads and holds descriptors that must not leak), show what a worker prints.
"""

from __future__ import annotations

import math
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import N_, HostError, UntrustedInputError
from agent.extraction import wire
from agent.findings import Findings

_SECCOMP_FILTER = 2
_MAX_DOCUMENTS = 2000  # then a fresh process: bounds what libraries leak and how long a hidden intruder could stay
_MAX_RESIDENT_BYTES = 300 << 20
_MAX_CPU_SECONDS = 900.0  # half of the limit that the sandbox sets on a worker's whole life
_LOOK_EVERY = 32  # documents between two looks at the resident size


class ChildDiedError(Exception):
    """The worker ended, or said something that is no answer."""


class ChildStuckError(Exception):
    """The worker used up the CPU time or the wall time of one document."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to start a worker and when to give up on it."""

    module: str  # a module name, or the path of a script ending in .py
    memory_bytes: int
    cpu_seconds: int  # of a worker's whole life
    run_as: tuple[int, int] | None  # uid, gid; None: ours
    hard_cpu_s: float  # per document
    hard_wall_s: float  # per document
    # To import, warm up, arm: a second on a quiet machine. One that is given up was work for nothing, and the next
    # is no quicker: on a slow machine no reader would ever come. Whoever waits has a deadline of their own.
    start_s: float = 180.0
    lent: tuple[Path, ...] = ()  # files of ours that the worker reads before it is confined: the patient list


class Child:
    """A worker that is armed and warm."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, options: Options) -> None:
        self._process = process
        self._channel = channel
        self._options = options
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._clock = (~process.pid << 3) | 2  # clock_getcpuclockid(3): the CPU clock of a whole process
        self._next_id = 0
        self._large = False
        self.served = 0
        self.tired = False  # to be replaced as soon as a successor is ready
        self.idle_since = 0.0
        self.report: wire.Report | None = None

    @classmethod
    def start(cls, options: Options) -> Child:
        """Start a worker and wait until it is ready. Raises HostError when it cannot be started or confined."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                process = _spawn(theirs.fileno(), options)
        except OSError as error:
            ours.close()
            raise HostError(
                N_("no reader process can be started: {why}"),
                hint=N_("look at the free memory and the limit on processes"),
                why=error.strerror,
            ) from error
        ours.setblocking(False)
        child = cls(process, ours, options)
        try:
            child._await_ready()
        except BaseException:
            child.end()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            raise
        return child

    @property
    def options(self) -> Options:
        """How it was started."""
        return self._options

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, fd: int, extension: str, size: int) -> Findings:
        """Have the document behind ``fd`` judged.

        Raises ChildDiedError, ChildStuckError (then the child must be ended), or OSError when the descriptor could not
        be passed (nothing was asked).
        """
        self._next_id = (self._next_id + 1) & wire.U32
        request = wire.encode_request(wire.Request(self._next_id, extension, size))
        try:
            cpu = time.clock_gettime(self._clock)
            socket.send_fds(self._channel, [request], [fd])
        except (BlockingIOError, ConnectionError, ProcessLookupError) as error:
            raise ChildDiedError from error
        except OSError as error:
            if self._process.poll() is not None:
                raise ChildDiedError from error
            raise
        self._await_answer(cpu)
        return self._receive()

    def quiet(self) -> bool:
        """Whether the worker waits for a request: it is alive and has said nothing that it was not asked."""
        return not self._poll.poll(0)

    def worn_out(self) -> bool:
        """Whether it is time for a fresh process: many documents, much memory, much CPU."""
        if self.served >= _MAX_DOCUMENTS:
            return True
        if self._large or self.served % _LOOK_EVERY == 0:
            self._large = False
            return self._resident_bytes() > _MAX_RESIDENT_BYTES or self._cpu_seconds() > _MAX_CPU_SECONDS
        return False

    def kill(self) -> None:
        """SIGKILL; also wakes a thread that is in ``ask``."""
        with suppress(PermissionError):  # a unit without CAP_KILL: the worker ends with its socket or its CPU limit
            self._process.kill()

    def end(self) -> None:
        """Kill, and close the socket. Only for the thread that has this child; does not wait."""
        self.kill()
        self._channel.close()

    def gone(self) -> bool:
        """Whether the process has ended and been reaped. Does not wait."""
        return self._process.poll() is not None

    def _await_ready(self) -> None:
        if not self._poll.poll(self._options.start_s * 1000):
            raise HostError(
                N_("the reader process was not ready in {seconds} s"),
                hint=N_("the machine is overloaded, or its disk is"),
                seconds=round(self._options.start_s),
            )
        try:
            message = self._channel.recv(wire.READY_BYTES + 1)
            if not message:
                raise self._why_ended()
            self.report = wire.decode_ready(message)
        except ConnectionError as error:
            raise self._why_ended() from error
        except UntrustedInputError as error:
            raise HostError(
                N_("the reader process is of another release"), hint=N_("restart the agent: systemctl restart serment")
            ) from error
        weak = self.report.seccomp != _SECCOMP_FILTER or not self.report.no_new_privs or self.report.capabilities
        if weak or (self._options.run_as is not None and self.report.uid != self._options.run_as[0]):
            raise HostError(N_("the reader process is not confined"), hint=N_("run: serment doctor"))

    def _why_ended(self) -> HostError:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            code = 0
        if code == wire.EXIT_IMPORT:
            return HostError(
                N_("the readers of documents cannot be loaded"),
                hint=N_("run: {python} -I -m {module} --check"),
                python=sys.executable,
                module=self._options.module,
            )
        if code == wire.EXIT_SANDBOX:
            return HostError(
                N_("the reader process cannot be confined on this machine"),
                hint=N_("a kernel with seccomp filters is needed, and a container must not forbid them"),
            )
        return HostError(
            N_("the reader process ended at its start (code {code})"),
            hint=N_("run: {python} -I -m {module} --check"),
            code=code,
            python=sys.executable,
            module=self._options.module,
        )

    def _await_answer(self, cpu_at_start: float) -> None:
        began = time.monotonic()
        options = self._options
        wait = min(options.hard_cpu_s, options.hard_wall_s)
        while not self._poll.poll(math.ceil(wait * 1000)):
            wall = time.monotonic() - began
            wait = min(options.hard_cpu_s - (self._cpu_seconds() - cpu_at_start), options.hard_wall_s - wall)
            if wait <= 0:
                raise ChildStuckError
        self._large = self._large or time.monotonic() - began > 0.1

    def _receive(self) -> Findings:
        try:
            message = self._channel.recv(wire.MAX_ANSWER + 1)
            findings = wire.decode_answer(self._next_id, message)
        except (UntrustedInputError, OSError) as error:
            raise ChildDiedError from error
        self.served += 1
        return findings

    def _cpu_seconds(self) -> float:
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # it just ended: the socket will say so
            return 0.0

    def _resident_bytes(self) -> int:
        try:
            with open(f"/proc/{self._process.pid}/statm", "rb") as file:
                return int(file.read(256).split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError, ValueError):
            return 0


def _spawn(fd: int, options: Options) -> subprocess.Popen[bytes]:
    what = [options.module] if options.module.endswith(".py") else ["-m", options.module]
    uid, gid = options.run_as if options.run_as is not None else (-1, -1)
    with _opened(options.lent) as lent:
        numbers = map(str, (fd, options.memory_bytes, options.cpu_seconds, uid, gid, *lent))
        return subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", *what, *numbers],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a traceback could quote a document
            pass_fds=(fd, *lent),
            cwd="/",
            env={"LC_ALL": "C.UTF-8"},  # no secret of the agent's environment is in reach
            start_new_session=True,  # no Ctrl-C of the terminal, no terminal
        )


@contextmanager
def _opened(paths: tuple[Path, ...]) -> Iterator[tuple[int, ...]]:
    """Descriptors of all of them, or none when one is not there: half of them is of no use."""
    opened: list[int] = []
    try:
        with suppress(OSError):
            for path in paths:
                opened.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))  # noqa: PERF401 - closed below
        yield tuple(opened) if len(opened) == len(paths) else ()
    finally:
        for fd in opened:
            os.close(fd)
