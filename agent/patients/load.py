"""The parent's side of loading a list: start the confined child, hand it the export, take the digests, keep them.

Called by the administrator's command, never by the agent. Root code does not parse the export: it opens it and passes
the descriptor on. Whatever goes wrong before the last step leaves the list that was there.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.detection.roster.index import MAX_PATIENTS
from agent.errors import N_, HostError, SermentError, UntrustedInputError
from agent.extraction.wire import READY_BYTES, decode_ready
from agent.patients import wire
from agent.patients.columns import Field
from agent.patients.entries import merged
from agent.patients.store import PatientStore
from agent.patients.wire import Received, Refusal, Report

_MEMORY_BYTES = 2 << 30
_CPU_SECONDS = 600
_SILENCE_S = 120.0  # without a word from the child
_MODULE = "agent.patients.building"
_REFUSALS = {
    Refusal.NO_TABLE: (N_("no table was found in this file"), N_("export the list as CSV, one patient a line")),
    Refusal.NO_COLUMNS: (
        N_("the columns of this file are not known: a name and a birth date are needed, or a number"),
        N_("name them: --columns family=HEADING,given=HEADING,birth-date=HEADING (or their numbers)"),
    ),
    Refusal.NO_SUCH_HEADING: (
        N_("a heading given with --columns is not in this file"), N_("give the column's number instead, from 1"),
    ),
    Refusal.NO_PATIENT: (
        N_("no row of this file could be used"), N_("check the columns: --columns family=…,given=…,birth-date=…"),
    ),
    Refusal.TOO_LARGE: (N_("this file is too large to be a patient list"), N_("export it as CSV, or in parts: --add")),
    Refusal.TOO_MANY: (N_("this list holds more than {limit} patients"), N_("load the patients of this practice only")),
    Refusal.UNREADABLE: (
        N_("this file cannot be read: it is protected, damaged or of another format"),
        N_("export the list as CSV, without a password"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading came to: the report of the export, the patients now in the list."""

    report: Report
    patients: int


def load_list(
    store: PatientStore,
    fd: int,
    extension: str,
    wanted: Sequence[tuple[Field, str]],
    *,
    add: bool,
    run_as: tuple[int, int] | None,
    progress: Callable[[int, int], None],
) -> Loaded:
    """Read the export behind ``fd``, make the list, and put it in the place of the old one (or add it to that).

    ``run_as``: uid and gid of the child when we are root. ``progress`` is told rows done and rows in all. Raises
    UntrustedInputError (the export is refused), HostError, OSError; the old list stays then.
    """
    state = os.fstat(fd)
    if not stat.S_ISREG(state.st_mode):
        raise UntrustedInputError(N_("is not a file"))
    with store.changing():
        had_key = store.key.exists()
        try:
            key = store.key_to_load()
            received = _ask(store.key, fd, wire.encode_request(extension, wanted, state.st_size), run_as, progress)
            if received.refusal is not None:
                raise _refused(received.refusal)
            index = received.index(int(time.time()))
            old = store.old() if add else None
            if old is not None:
                index = merged(old, index)
                if len(index.patients) > MAX_PATIENTS:
                    raise _refused(Refusal.TOO_MANY)
            store.put(index, key)
        except BaseException:
            if not had_key:
                store.key.unlink(missing_ok=True)  # a failed first loading leaves nothing behind
            raise
    return Loaded(received.report, len(index.patients))


def _refused(why: Refusal) -> UntrustedInputError:
    message, hint = _REFUSALS[why]
    return UntrustedInputError(message, hint=hint, limit=MAX_PATIENTS)


def _ask(
    key: Path, fd: int, request: bytes, run_as: tuple[int, int] | None, progress: Callable[[int, int], None]
) -> Received:
    """One child for one export; it is gone when this returns."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            process = _spawn(theirs.fileno(), key, run_as)
        try:
            _require_confined(_next(ours, READY_BYTES + 1), run_as)
            socket.send_fds(ours, [request], [fd])
            received = Received()
            while not received.finished:
                received.take(_next(ours, wire.MAX_MESSAGE + 1))
                progress(received.done, received.total)
            return received
        except BrokenPipeError as error:
            raise _ended() from error
        finally:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)


def _spawn(fd: int, key: Path, run_as: tuple[int, int] | None) -> subprocess.Popen[bytes]:
    key_fd = os.open(key, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        uid, gid = run_as if run_as is not None else (-1, -1)
        numbers = map(str, (fd, _MEMORY_BYTES, _CPU_SECONDS, uid, gid, key_fd))
        return subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", _MODULE, *numbers],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a traceback could quote the export
            pass_fds=(fd, key_fd),
            cwd="/",
            env={"LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
    finally:
        os.close(key_fd)


def _next(channel: socket.socket, limit: int) -> bytes:
    """The child's next message. Raises HostError when it ended or says nothing for too long."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    if not poll.poll(_SILENCE_S * 1000):
        raise HostError(
            N_("the reader of the list does not answer"), hint=N_("the machine is overloaded, or its disk is")
        )
    try:
        message = channel.recv(limit)
    except ConnectionError as error:
        raise _ended() from error
    if not message:
        raise _ended()
    return message


def _require_confined(message: bytes, run_as: tuple[int, int] | None) -> None:
    report = decode_ready(message)
    if report.seccomp != 2 or not report.no_new_privs or report.capabilities:
        raise HostError(N_("the reader process is not confined"), hint=N_("run: serment doctor"))
    if run_as is not None and report.uid != run_as[0]:
        raise HostError(N_("the reader process is not confined"), hint=N_("run: serment doctor"))


def _ended() -> SermentError:
    return HostError(N_("the reader of the list ended too soon"), hint=N_("run: serment doctor"))
