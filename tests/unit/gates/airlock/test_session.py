"""The threads of a connection, over a pair of sockets in the place of /dev/fuse: one packet a request, one a reply."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from agent.gates.airlock import protocol as wire
from agent.gates.airlock import session as module
from agent.gates.airlock.session import Session

PATIENCE_S = 60.0


class Kernel:
    """The other end."""

    def __init__(self) -> None:
        self.mine, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.mine.settimeout(PATIENCE_S)

    def ask(self, unique: int, opcode: int = wire.GETATTR, body: bytes = b"") -> None:
        self.mine.send(wire.HEADER.pack(wire.HEADER.size + len(body), opcode, unique, 1, 0, 0, 0, 0, 0) + body)

    def told(self) -> tuple[int, int]:
        """(request, error number)"""
        _, error, unique = wire.REPLY.unpack_from(self.mine.recv(4096))
        return unique, -error


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.mine.close()  # every thread reads the end, or finds it when it has rested
    made.theirs.detach()  # nobody else gets the number: a thread of ours that comes late would read his packets


def eventually(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_whoever_waits_holds_nobody_else_up_and_the_threads_end(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOMENT_S", 0.2)
    go = threading.Event()

    def wait(_request: module.Request) -> bytes:
        go.wait(PATIENCE_S)
        return b""

    session = Session(kernel.theirs.fileno(), {wire.FLUSH: wait, wire.GETATTR: lambda _request: b"x"})
    session.start()
    for unique in range(1, 31):
        kernel.ask(unique, wire.FLUSH)
    kernel.ask(99)
    assert kernel.told() == (99, 0)
    go.set()
    assert {kernel.told() for _ in range(30)} == {(unique, 0) for unique in range(1, 31)}
    assert eventually(lambda: (session._threads, session._readers, session._resting) == (3, 3, 0))
    kernel.ask(100)
    assert kernel.told() == (100, 0)


def test_who_rests_is_called_before_a_thread_is_made(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOMENT_S", PATIENCE_S)  # nobody ends
    turns = threading.Semaphore(0)

    def wait(_request: module.Request) -> bytes:
        turns.acquire(timeout=PATIENCE_S)
        return b""

    session = Session(kernel.theirs.fileno(), {wire.FLUSH: wait})
    session.start()
    made = set()
    for turn in range(20):
        for unique in range(8):
            kernel.ask(turn * 8 + unique + 1, wire.FLUSH)
        assert eventually(lambda: len(session._busy) == 8)
        made.add(session._threads)
        turns.release(8)
        assert len({kernel.told() for _ in range(8)}) == 8
        assert eventually(lambda: not session._busy and session._readers + session._resting == session._threads)
    assert max(made) <= 9  # eight at work, and whoever reads


def test_large_requests_leave_no_memory_behind(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOMENT_S", 0.2)
    session = Session(kernel.theirs.fileno(), {wire.WRITE: lambda request: bytes(request.body[-1:])})
    fresh: list[int] = []
    make = module._room

    def counted() -> memoryview:
        fresh.append(1)
        return make()

    monkeypatch.setattr(module, "_room", counted)
    session.start()
    assert eventually(lambda: len(fresh) == 1)
    kernel.ask(1, wire.WRITE, b"x" * 100_000)
    assert kernel.told() == (1, 0)
    assert eventually(lambda: len(fresh) >= 3)  # whoever reads now, and one in the place of the one that was written in
