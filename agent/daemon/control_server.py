"""The agent's side of the local socket: accepts, asks the kernel who it is, hands over to a table of handlers.

Owns the socket file. Any local user may connect; each handler decides what that uid may see or do. A slow or hostile
client holds one thread for a few seconds at most, and there are few of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.daemon.control import MAX_REQUEST_BYTES, Handler, encode, error_reply, read_line
from agent.daemon.operations import Operations
from agent.errors import N_, HostError, SermentError, UsageError

_CREDENTIALS = struct.Struct("3i")
_PATIENCE_S = 5.0
_AT_ONCE = 8


class ControlServer:
    def __init__(self, path: Path, handlers: Mapping[str, Handler], operations: Operations) -> None:
        self._handlers = handlers
        self._operations = operations
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._path = path
        self._socket = _bind(path)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self._slots.acquire()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_PATIENCE_S)
                with contextlib.suppress(OSError):
                    connection.sendall(encode(self._reply(connection)))
        finally:
            self._slots.release()

    def _reply(self, connection: socket.socket) -> dict[str, Any]:
        try:
            request = json.loads(read_line(connection, MAX_REQUEST_BYTES))
            request = request if isinstance(request, dict) else {}
            handler, arguments = self._handlers.get(str(request.get("call"))), request.get("args", {})
            if handler is None or not isinstance(arguments, dict):
                raise UsageError(N_("the agent does not know this request"), hint=N_("is it of the same version?"))
            return {"ok": True, "result": handler(_peer(connection), arguments)}
        except SermentError as error:
            return error_reply(error)
        except (OSError, ValueError, RecursionError):
            return error_reply(UsageError(N_("the message on the local socket is not understood")))
        except Exception as error:
            self._operations.warn("control.error", type=type(error).__name__)
            return error_reply(HostError(N_("the agent failed at this request"), hint=N_("see its operational log")))


def _peer(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def _bind(path: Path) -> socket.socket:
    """Listen on ``path``; one left by a dead agent is replaced, a living one is an error."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise HostError(
                    N_("another agent is running on {socket}"),
                    hint=N_("stop it, or use another runtime_dir"),
                    socket=path,
                )
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        os.chmod(path, 0o666)  # noqa: S103 - anybody may ask; handlers decide by uid
        listener.listen(16)
    except BaseException as error:
        listener.close()
        if isinstance(error, OSError):
            raise HostError(
                N_("the local socket {socket} cannot be made: {why}"), hint=N_("check runtime_dir in agent.toml"),
                socket=path, why=error.strerror or "",
            ) from error  # fmt: skip
        raise
    return listener
