"""The agent's side of the local socket: accepts, asks the kernel who it is, hands over to a table of handlers.

Owns the socket file. Any local user may connect; each handler decides what that uid may see or do. There are few
threads: a client has a few seconds for its whole request and as many for the reply, and a uid has a share of the
threads, the administrator's set apart, so that nobody keeps the others from asking.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.daemon.control import MAX_REQUEST_BYTES, Handler, Kept, encode, error_reply, read_line
from agent.daemon.operations import Operations
from agent.errors import N_, HostError, SermentError, UsageError

_CREDENTIALS = struct.Struct("3i")
_PATIENCE_S = 5.0
_REST_S = 0.1
_BACKLOG = 512  # whoever fills it is hung up on faster than it fills
_AT_ONCE = 16
_AT_ONCE_EACH = 4  # of one uid; the administrator may have all


class ControlServer:
    def __init__(self, path: Path, handlers: Mapping[str, Handler], operations: Operations) -> None:
        self._handlers = handlers
        self._operations = operations
        self._busy: Counter[int] = Counter()  # uid → threads
        self._lock = threading.Lock()
        self._closing = False
        self._path = path
        self._socket = _bind(path)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError as error:
                if self._closing:
                    return
                self._operations.warn("control.accept", errno=error.errno)
                time.sleep(_REST_S)  # no descriptor left, a client that is gone already: the next one is served
                continue
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        """A thread for this client, if its uid has a share left; else it is hung up on."""
        try:
            uid = _peer(connection)
            if not self._enter(uid):
                return connection.close()
        except OSError:
            return connection.close()
        try:
            threading.Thread(target=self._answer, args=(connection, uid), daemon=True).start()
        except RuntimeError:  # no thread to be had
            self._leave(uid)
            connection.close()
        return None

    def _enter(self, uid: int) -> bool:
        with self._lock:
            ours = uid in {0, os.geteuid()}
            others = sum(count for who, count in self._busy.items() if who not in {0, os.geteuid()})
            free = self._busy[uid] < _AT_ONCE if ours else others < _AT_ONCE and self._busy[uid] < _AT_ONCE_EACH
            self._busy[uid] += free
            return free

    def _leave(self, uid: int) -> None:
        with self._lock:
            self._busy[uid] -= 1
            if not self._busy[uid]:
                del self._busy[uid]

    def _answer(self, connection: socket.socket, uid: int) -> None:
        try:
            with connection:
                connection.settimeout(_PATIENCE_S)
                with contextlib.suppress(OSError):
                    reply = self._reply(connection, uid)
                    kept = reply["result"] if isinstance(reply.get("result"), Kept) else None
                    connection.settimeout(_PATIENCE_S)
                    connection.sendall(encode(reply if kept is None else {"ok": True, "result": kept.result}))
                    if kept is not None:
                        kept.adopt(connection.dup())
        finally:
            self._leave(uid)

    @staticmethod
    def _done(handler: Handler, uid: int, arguments: dict[str, Any]) -> Any:
        try:
            return handler(uid, arguments)
        except OSError as error:  # a full disk is no fault of the message
            raise HostError(N_("the system refused: {why}"), why=error.strerror or type(error).__name__) from error

    def _reply(self, connection: socket.socket, uid: int) -> dict[str, Any]:
        try:
            request = json.loads(read_line(connection, MAX_REQUEST_BYTES, _PATIENCE_S))
            request = request if isinstance(request, dict) else {}
            handler, arguments = self._handlers.get(str(request.get("call"))), request.get("args", {})
            if handler is None or not isinstance(arguments, dict):
                raise UsageError(N_("the agent does not know this request"), hint=N_("is it of the same version?"))
            return {"ok": True, "result": self._done(handler, uid, arguments)}
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


def require_ours(folder: Path) -> None:
    """Whoever can write to the folder can put a socket of the own in the place of ours."""
    state = os.stat(folder)
    if state.st_uid != os.geteuid() or state.st_mode & 0o022 or os.lstat(folder).st_uid not in {0, os.geteuid()}:
        raise HostError(
            N_("the folder {folder} must be a folder of the agent's own that nobody else can write to"),
            hint=N_("choose another runtime_dir in agent.toml, or mend its owner and rights"), folder=folder,
        )  # fmt: skip


def _bind(path: Path) -> socket.socket:
    """Listen on ``path``; one left by a dead agent is replaced, a living one is an error."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        require_ours(path.parent)
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
        listener.listen(_BACKLOG)
    except BaseException as error:
        listener.close()
        if isinstance(error, OSError):
            raise HostError(
                N_("the local socket {socket} cannot be made: {why}"), hint=N_("check runtime_dir in agent.toml"),
                socket=path, why=error.strerror or "",
            ) from error  # fmt: skip
        raise
    return listener
