"""Something that another user of the machine does: in a child process with that user's rights alone."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.daemon.control import ControlClient, RemoteError


def as_person(uid: int, act: Callable[[], Any]) -> Any:
    """What ``act`` returns (as JSON can say it), done by ``uid`` without any group. AssertionError when it fails."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(60)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            answer = json.dumps({"done": act()})
        except BaseException:
            answer = json.dumps({"failed": traceback.format_exc()})
        with os.fdopen(write, "w") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = json.loads(pipe.read() or '{"failed": "it was ended"}')
    os.waitpid(pid, 0)
    assert "failed" not in said, said["failed"]
    return said["done"]


def ask(agent_socket: Path, uid: int, name: str, **arguments: Any) -> dict[str, Any]:
    """One request of ``uid``: its ``result``, or how it was ``refused``."""

    def request() -> dict[str, Any]:
        try:
            return {"result": ControlClient(agent_socket).call(name, **arguments)}
        except RemoteError as error:
            return {"refused": error.message}

    answer: dict[str, Any] = as_person(uid, request)
    return answer
