"""The child: judges the documents whose descriptors it is handed, where it can do nothing else.

``python -I -m agent.extraction.worker FD MEMORY CPU UID GID [KEY LIST]`` is started by ``client``; FD is one end of a
pair of SOCK_SEQPACKET sockets, KEY and LIST are descriptors of the practice's patient list. Order: import, warm up,
read the list, arm (``sandbox``), say READY, then one request at a time. Any exception of a reader or a detector becomes
an « undecidable » answer; a crash is the parent's to notice. A document is read with pread alone, for its offset is
shared with the parent, and its descriptor is closed after it. The worker ends when the socket closes.

``python -m agent.extraction.worker --check`` imports and warms up without confinement and shows what fails.

Must not: log, print, or keep anything of a document.
"""

from __future__ import annotations

import ctypes
import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from agent.document import Problem
from agent.errors import HostError, UntrustedInputError
from agent.extraction import sandbox, wire
from agent.findings import Findings, undecidable

if TYPE_CHECKING:
    from agent.detection.roster.lookup import Roster

Judge = Callable[[int, str, int], Findings]
"""Descriptor, extension, size in bytes → findings."""

OWN = 5  # arguments of the process itself; what is lent to it comes behind them
_SOCKET_FD = 3  # wherever the parent's number was, so that the system-call filter is always the same
_SAMPLES = (  # invented; of what the detector has code and tables of its own for
    ("txt", "Compte rendu de consultation\nPatient : M. Jean EXEMPLE, né le 01/02/1950\nOrdonnance.\n".encode()),
    ("csv", b"nom;prenom;naissance\nEXEMPLE;Jean;01/02/1950\nMODELE;Anne;03/04/1960\n"),
    ("json", b'{"resourceType":"Patient","id":"x","birthDate":"1950-02-01"}'),
    ("xml", b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>x</title></ClinicalDocument>'),
    ("hl7", b"MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5\rPID|1||1||EXEMPLE^JEAN||19500201|M\r"),
    ("eml", b"From: a@example.org\nSubject: x\nContent-Type: text/plain; charset=iso-8859-1\n\nBonjour\n"),
    ("", b"\x00\x01\x02\xff" * 64),
)


def main(arguments: Sequence[str]) -> int:
    """The worker process with the real readers and the real detector."""
    if list(arguments) == ["--check"]:
        load(strict=True)
        return 0
    return run(arguments[:OWN], lambda: load(lent=arguments[OWN:]))


def run(arguments: Sequence[str], prepare: Callable[[], Judge]) -> int:
    """A worker process around the judge that ``prepare`` makes; its exit code (``wire.EXIT_*``, 0 at the end)."""
    try:
        given, memory_bytes, cpu_seconds, uid, gid = map(int, arguments)
    except ValueError:
        return wire.EXIT_PROTOCOL
    os.dup2(given, _SOCKET_FD)
    channel = socket.socket(fileno=_SOCKET_FD)  # now: it asks the kernel what it is, which arming forbids
    gc.disable()  # hardly anything of what is loaded now is garbage
    try:
        judge = prepare()
    except Exception:  # a library is missing, or fails on a harmless sample
        return wire.EXIT_IMPORT
    kept = ctypes.CFUNCTYPE(None)(_nothing)  # keeps libffi's page of trampolines, which could not be mapped later
    gc.collect()
    gc.freeze()  # what is here now stays: the collector need not walk it for each document
    gc.enable()
    try:
        report = sandbox.arm(
            _SOCKET_FD,
            memory_bytes=memory_bytes,
            cpu_seconds=cpu_seconds,
            run_as=(uid, gid) if uid >= 0 else None,
        )
    except (HostError, OSError, ValueError):
        return wire.EXIT_SANDBOX
    channel.send(wire.encode_ready(report))
    serve(channel, judge)
    del kept
    os._exit(0)  # what libraries do on their way out is forbidden by now


def serve(channel: socket.socket, judge: Judge) -> None:
    """Answer requests on ``channel`` until it closes. A message that is no request ends it: the parent is not ours."""
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(channel, wire.REQUEST_BYTES + 1, 2)
            if not message:
                return
            request = wire.decode_request(message)
        except (UntrustedInputError, ConnectionError):
            return
        try:
            answer = _answer(judge, request, descriptors)
        finally:
            for fd in descriptors:
                os.close(fd)
        try:
            channel.send(answer)
        except ConnectionError:
            return


def load(*, strict: bool = False, lent: Sequence[str] = ()) -> Judge:
    """The real judge, with everything it will ever import imported and every lazy table built.

    A sample that fails is passed over, for then documents of its kind alone are undecidable; ``strict`` raises.
    ``lent``: descriptors of the patient list's key and of the list.
    """
    from agent.detection.detector import detect
    from agent.extraction.limits import Budget, Limits
    from agent.extraction.preload import preload, tables
    from agent.extraction.reader import read_document, warm_up
    from agent.extraction.samples import samples

    limits = Limits()
    roster = lent_roster(lent)

    def judge(fd: int, extension: str, size: int) -> Findings:
        return detect(read_document(fd, extension, size, Budget(limits)), roster)

    preload()
    passed_over = () if strict else (Exception,)
    with suppress(*passed_over):
        warm_up()
    for extension, sample in (*samples(), *_SAMPLES):
        with suppress(*passed_over), memory_file(sample) as fd:
            judge(fd, extension, len(sample))
    with suppress(*passed_over):
        tables()
    return judge


def lent_roster(lent: Sequence[str]) -> Roster | None:
    """The practice's patient list behind these descriptors; None when there is none, or none that can be used.

    A list that cannot be used must not keep documents from being judged; the agent looks at it too, and says so.
    """
    from agent.detection.roster.index import MAX_BYTES
    from agent.detection.roster.lookup import Roster

    try:
        key_fd, list_fd = map(int, lent)
        key = bytes.fromhex(os.pread(key_fd, 256, 0).decode("ascii"))  # by position: the offset is the parent's
        return Roster.open(_whole(list_fd, MAX_BYTES), key)
    except (ValueError, OSError, UntrustedInputError):
        return None


def _whole(fd: int, limit: int) -> bytes:
    data = bytearray()
    while len(data) <= limit and (block := os.pread(fd, 1 << 20, len(data))):
        data += block
    return bytes(data)


@contextmanager
def memory_file(content: bytes) -> Iterator[int]:
    fd = os.memfd_create("sample")
    try:
        os.write(fd, content)
        yield fd
    finally:
        os.close(fd)


def _answer(judge: Judge, request: wire.Request, descriptors: Sequence[int]) -> bytes:
    if len(descriptors) != 1:
        return wire.encode_answer(request.id, undecidable(Problem.UNREADABLE))
    try:
        return wire.encode_answer(request.id, judge(descriptors[0], request.extension, request.size))
    except BaseException as error:  # also the panics of Rust libraries, which are no Exception
        problem = _problem(error)
    return wire.encode_answer(request.id, undecidable(problem))


def _problem(error: BaseException) -> Problem:
    """What an exception of a reader or a detector says about the document."""
    match error:
        case MemoryError():
            return Problem.TOO_LARGE
        case RecursionError():
            return Problem.TOO_DEEP
        case TimeoutError():
            return Problem.TIMED_OUT
        case UntrustedInputError():
            return Problem.CORRUPT
        case PermissionError():  # the sandbox forbade something that a reader tried: our fault, not the document's
            return Problem.CRASHED
        case OSError():
            return Problem.UNREADABLE
        case _:
            return Problem.CRASHED


def _nothing() -> None: ...


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
