"""The helper's end of the agent's socket: one connection that hears of news, and single requests.

It believes only a socket whose peer is root or the person's own (a trial without root): nobody else can show notices.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

from agent.daemon.control import ControlClient, encode, read_line
from agent.errors import N_, HostError, UntrustedInputError

_CREDENTIALS = struct.Struct("3i")
_HELLO_BYTES = 256 * 1024
_MOST_NEWS = 64 * 1024
_PATIENCE_S = 5.0


class AgentLink:
    """``open`` until it works; then ``fileno`` is readable when there is news."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._client = ControlClient(path)
        self._socket: socket.socket | None = None
        self.hello: dict[str, Any] = {}

    def open(self) -> bool:
        """Listen. False when there is no agent."""
        self.close()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            connection.settimeout(_PATIENCE_S)
            connection.connect(str(self._path))
            require_agent(connection)
            connection.sendall(encode({"call": "helper.listen", "args": {}}))
            reply = json.loads(read_line(connection, _HELLO_BYTES, _PATIENCE_S))
            if not reply.get("ok") or not isinstance(reply.get("result"), dict):
                raise HostError(N_("the agent stopped answering"))
        except (OSError, ValueError, HostError, UntrustedInputError):
            connection.close()
            return False
        self.hello = reply["result"]
        connection.setblocking(False)
        self._socket = connection
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def fileno(self) -> int:
        return -1 if self._socket is None else self._socket.fileno()

    def news(self) -> frozenset[str]:
        """The words that came; the link is closed afterwards when the agent is gone."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_MOST_NEWS)
        except BlockingIOError:
            return frozenset()
        except OSError:
            data = b""
        if not data:
            self.close()
            return frozenset({"gone"})
        return frozenset(word for word in ("notices", "status", "answers") if f'"{word}"'.encode() in data)

    def call(self, name: str, **arguments: Any) -> Any:
        """One request. Raises HostError, RemoteError."""
        return self._client.call(name, **arguments)

    def refresh(self) -> None:
        """Another policy: its wording."""
        self.hello = self.call("helper.hello")


def require_agent(connection: socket.socket) -> None:
    """Raises HostError when neither root nor this very person listens there."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    if _CREDENTIALS.unpack(raw)[1] not in {0, os.geteuid()}:
        raise HostError(N_("the agent's socket belongs to somebody else"))
