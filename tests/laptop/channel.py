"""The host's end of guest/agent.py: requests by number over a virtio-serial port, answers as futures.

One frame is two big-endian u32 lengths, a JSON header and raw bytes. A connection in the middle of an old answer finds
its place by SYNC and a nonce, sent out of frame.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import json
import signal
import socket
import struct
import threading
import time
import uuid
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from tests.laptop.places import CommandFailed, LaptopError, Result

HEAD = struct.Struct(">II")
SYNC = b"\n--laptop-sync--"  # as in guest/agent.py
Answer = tuple[dict[str, Any], bytes]


def connect(path: Path, deadline: float) -> socket.socket:
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(path))
            return sock
        except OSError:
            sock.close()
            if time.monotonic() > deadline:
                raise LaptopError(f"nothing listens on {path}") from None
            time.sleep(0.02)


class Channel:
    """Requests to one user's end in the machine."""

    def __init__(self, path: Path, deadline: float) -> None:
        self.sock = connect(path, deadline)
        self.lock = threading.Lock()
        self.ids = itertools.count()
        self.waiting: dict[str, concurrent.futures.Future[Answer]] = {}
        self.error: LaptopError | None = None
        self.greeted = threading.Event()
        self.prefix = uuid.uuid4().hex[:8]
        nonce = uuid.uuid4().hex.encode()
        threading.Thread(target=self.receive, args=(SYNC + nonce,), daemon=True).start()
        self.send({"id": None, "op": "hello", "nonce": nonce.decode()}, b"")

    def send(self, header: dict[str, Any], blob: bytes) -> None:
        head = json.dumps(header).encode()
        with self.lock:
            self.sock.sendall(HEAD.pack(len(head), len(blob)) + head + blob)

    def receive(self, sync: bytes) -> None:
        try:
            with cast(BufferedReader, self.sock.makefile("rb", buffering=1 << 16)) as stream:
                self.find_place(stream, sync)
                while True:
                    head_size, blob_size = HEAD.unpack(exactly(stream, HEAD.size))
                    header = json.loads(exactly(stream, head_size))
                    blob = exactly(stream, blob_size)
                    future = self.waiting.pop(header["id"], None)
                    if future:
                        future.set_result((header, blob))
        except (OSError, EOFError, ValueError):
            self.lost()

    def find_place(self, stream: BufferedReader, sync: bytes) -> None:
        seen = b""
        while not seen.endswith(sync):
            byte = stream.read(1)
            if not byte:
                raise EOFError
            seen = seen[-len(sync) :] + byte
        self.greeted.set()

    def lost(self) -> None:
        with self.lock:
            self.error = LaptopError("the laptop went off")
            waiting = list(self.waiting.values())
        for future in waiting:
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                future.set_exception(self.error)
        self.greeted.set()

    def request(self, op: str, blob: bytes = b"", **fields: Any) -> tuple[str, concurrent.futures.Future[Answer]]:
        ident = f"{self.prefix}-{next(self.ids)}"
        future: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        self.waiting[ident] = future
        if self.error:
            raise self.error
        try:
            self.send({"id": ident, "op": op, **fields}, blob)
        except OSError:
            raise LaptopError("the laptop went off") from None
        return ident, future

    def call(self, op: str, blob: bytes = b"", timeout: float = 60, **fields: Any) -> Answer:
        _, future = self.request(op, blob, **fields)
        return settled(future, timeout, op)

    def wait(self, deadline: float) -> None:
        if not self.greeted.wait(max(0, deadline - time.monotonic())):
            raise LaptopError("the laptop did not become ready")
        if self.error:
            raise self.error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def exactly(stream: BufferedReader, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def settled(future: concurrent.futures.Future[Answer], timeout: float, what: object) -> Answer:
    try:
        header, blob = future.result(timeout)
    except concurrent.futures.TimeoutError:
        raise TimeoutError(f"no answer from the laptop in {timeout} s: {what}") from None
    if "error" in header:
        raise LaptopError(header["error"])
    return header, blob


class Job:
    """A command that runs while the test goes on."""

    def __init__(
        self, channel: Channel, command: object, ident: str, future: concurrent.futures.Future[Answer], limit: float
    ) -> None:
        self.channel, self.command, self.ident, self.future, self.limit = channel, command, ident, future, limit

    def wait(self, timeout: float | None = None, check: bool = False) -> Result:
        """Its Result. TimeoutError if it does not end: it may be stuck in the kernel, as on a lost stick."""
        header, blob = settled(self.future, timeout or self.limit + 20, self.command)
        parts = (blob[: header["out"]], blob[header["out"] :])
        result = Result(header["rc"], *(part.decode(errors="replace") for part in parts))
        if header["timed_out"]:
            raise TimeoutError(f"killed after {self.limit} s: {self.command}\n{result.text}")
        if check and result.rc:
            raise CommandFailed(self.command, result)
        return result

    def done(self) -> bool:
        return self.future.done()

    def kill(self, number: int = signal.SIGKILL) -> bool:
        return bool(self.channel.call("kill", job=self.ident, signal=int(number))[0]["found"])
