"""Reads a policy file for the agent, which decides by it all day and needs nothing of what reading takes.

A child reads (``python -m agent.daemon.policy_reader FILE``: the bytes on its standard input, what it found on its
standard output) and ends. What it found is kept beside the last good policy, under a digest of the bytes, the file's
path and the program that read it, so that a start with the same policy reads nothing. Where no child can be had, or
what it says is nothing we know, the agent reads by itself: no policy is worse than two megabytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from agent import __version__
from agent.errors import PolicyError
from agent.fsys.atomic import replace_file
from agent.fsys.small import read_small
from agent.policy import engine
from agent.policy.engine import CompiledPolicy, compile_policy
from agent.policy.kept import from_plain, to_plain

KEPT = "read.json"
_MOST_KEPT = 8 << 20
_PATIENCE_S = 30.0
_COMMAND = (sys.executable, "-I", "-m", "agent.daemon.policy_reader")


def read_policy(data: bytes, file: str, folder: Path | None = None) -> CompiledPolicy:
    """The policy in ``data``, compiled. ``folder``: the agent's own, in which what was read is kept.

    Raises PolicyError: the first thing that is wrong, as ``agent.policy.load``.
    """
    key = _key(data, file)
    if folder is not None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return _kept(folder / KEPT, key)
    try:
        said = _asked(data, file)
        if "wrong" in said:
            raise _error(said["wrong"])
        compiled = compile_policy(from_plain(said["policy"]))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        from agent.policy.load import load_policy

        return load_policy(data, file)
    if folder is not None:
        with contextlib.suppress(OSError):  # a full disk: it is read again the next time
            policy = to_plain(compiled.policy)
            replace_file(folder / KEPT, json.dumps({"key": key, "policy": policy}).encode("ascii"))
    return compiled


def _key(data: bytes, file: str) -> str:
    """Of the bytes, the path (errors and ``status`` name it) and the program: another reader reads anew."""
    said = hashlib.sha256(f"{__version__}\0{file}\0".encode("utf-8", "surrogateescape"))
    said.update(hashlib.sha256(data).digest())
    with contextlib.suppress(OSError), os.scandir(os.path.dirname(engine.__file__)) as found:
        for each in sorted(found, key=lambda each: each.name):
            state = each.stat()
            if each.is_file():
                said.update(f"{each.name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return said.hexdigest()


def _kept(file: Path, key: str) -> CompiledPolicy:
    """Raises OSError, ValueError, KeyError, TypeError, RecursionError: there is none, it is damaged, or of something
    else.
    """
    found = json.loads(read_small(file, _MOST_KEPT))
    if found["key"] != key:
        raise ValueError("of another policy")
    return compile_policy(from_plain(found["policy"]))


def _asked(data: bytes, file: str) -> dict[str, Any]:
    """What the child says. Raises OSError, SubprocessError, ValueError."""
    done = subprocess.run(
        [*_COMMAND, file],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_PATIENCE_S,
        check=True,
    )
    said = json.loads(done.stdout)
    if not isinstance(said, dict):
        raise ValueError("no answer")  # noqa: TRY004 - the child's fault, not the caller's
    return said


def _error(wrong: dict[str, Any]) -> PolicyError:
    return PolicyError(wrong["message"], hint=wrong["hint"], where=wrong["where"], **wrong["fields"])


def _answer(data: bytes, file: str) -> dict[str, Any]:
    from agent.policy.load import load_policy

    try:
        return {"policy": to_plain(load_policy(data, file).policy)}
    except PolicyError as error:
        fields = {name: value if isinstance(value, int | str) else str(value) for name, value in error.fields.items()}
        return {"wrong": {"message": error.message, "hint": error.hint, "where": error.where, "fields": fields}}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(sys.stdin.buffer.read(), sys.argv[1])))
