"""The local socket between ``serment`` and the agent: messages and the client's side.

One request a connection: a JSON object in a line, one JSON object back, both bounded. The kernel says who asks
(SO_PEERCRED); nothing in a request can. Names of documents travel as base64 of their bytes.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import N_, HostError, SermentError, UntrustedInputError
from agent.i18n import Count

MAX_REQUEST_BYTES = 64 * 1024
MAX_REPLY_BYTES = 8 * 1024 * 1024
TIMEOUT_S = 30.0
_CROWDED_S = 0.02


class RemoteError(SermentError):
    """The agent refused: its own message and hint, as catalogue keys."""

    def __init__(self, message: str, hint: str, exit_code: int, fields: dict[str, Any]) -> None:
        super().__init__(message, hint=hint, **{key: fields[key] for key in fields if key not in {"hint", "where"}})
        self.exit_code = exit_code


def read_line(connection: socket.socket, limit: int, seconds: float | None = None) -> bytes:
    """One line, without its end. Raises UntrustedInputError when it is longer than ``limit`` bytes or unfinished.

    With ``seconds`` the whole line has to be here by then (TimeoutError), however often a byte of it comes.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    received = bytearray()
    while not received.endswith(b"\n"):
        if deadline is not None:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
        block = connection.recv(65536)
        if not block:
            raise UntrustedInputError(N_("the message on the local socket is not complete"))
        received += block
        if len(received) > limit:
            raise UntrustedInputError(N_("the message on the local socket is longer than {limit} bytes"), limit=limit)
    return bytes(received[:-1])


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def error_reply(error: SermentError) -> dict[str, Any]:
    fields = {key: value if isinstance(value, str | int | float) else str(value) for key, value in error.fields.items()}
    return {"ok": False, "message": error.message, "hint": error.hint, "exit": error.exit_code, "fields": fields}


class ControlClient:
    """``call("status")``; raises HostError when no agent answers, RemoteError when it refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def call(self, name: str, **arguments: Any) -> Any:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(TIMEOUT_S)
            try:
                _connect(connection, str(self._path))
            except OSError as error:
                raise HostError(
                    N_("no agent answers on {socket}"), hint=N_("start it: serment run (or give its --config)"),
                    socket=self._path,
                ) from error  # fmt: skip
            try:
                connection.sendall(encode({"call": name, "args": arguments}))
                reply = json.loads(read_line(connection, MAX_REPLY_BYTES))
            except (OSError, ValueError) as error:
                raise HostError(N_("the agent stopped answering"), hint=N_("run: serment doctor")) from error
        if not reply.get("ok"):
            raise RemoteError(
                str(reply.get("message", "")), str(reply.get("hint", "")), int(reply.get("exit", 70)),
                _counted(reply.get("fields", {})),
            )  # fmt: skip
        return reply.get("result")


def _counted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Whole numbers so that a sentence can count with them."""
    return {key: Count(value) if type(value) is int else value for key, value in fields.items()}


def _connect(connection: socket.socket, path: str) -> None:
    """Wait while others crowd the socket: a full queue is EAGAIN at once for a socket with a time limit."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return connection.connect(path)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_CROWDED_S)


@dataclass(frozen=True, slots=True)
class Kept:
    """A handler's answer that keeps the connection: ``adopt`` gets it once ``result`` has been sent."""

    result: Any
    adopt: Callable[[socket.socket], None]


Handler = Callable[[int, dict[str, Any]], Any]
"""Takes the uid of who asks and the arguments; returns what goes back, or raises SermentError."""
