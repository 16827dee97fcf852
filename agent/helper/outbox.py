"""Documents on their way into the secure mail: a folder in memory, this person's alone, empty again after a day.

Owns ``$XDG_RUNTIME_DIR/serment-mail``. The agent writes the document there with the person's rights; here the mail
program, or the page of the policy, is opened. Programs are started with arguments of their own, never through a shell.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.errors import N_, HostError

_KEPT_S = 24 * 3600
_started: list[subprocess.Popen[bytes]] = []


def folder() -> Path:
    """The folder, made if it is missing. Raises HostError: this session has no memory folder."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    try:
        state = os.stat(runtime)
        if state.st_uid != os.getuid() or state.st_mode & 0o077:
            raise OSError
        made = Path(runtime) / "serment-mail"
        made.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HostError(
            N_("there is no place for the attachment in this session"), hint=N_("log out and in again")
        ) from error
    return made


def sweep(now: float | None = None) -> None:
    """Remove what is older than a day."""
    limit = (time.time() if now is None else now) - _KEPT_S
    with contextlib.suppress(HostError, OSError):
        for path in folder().iterdir():
            if path.is_file() and path.lstat().st_ctime < limit:
                path.unlink()


def compose(paths: Sequence[bytes], page: str, environment: Mapping[str, str]) -> None:
    """Open the mail with the documents: the policy's page and the folder beside it, else the mail program.

    Raises HostError when there is no program for it.
    """
    if page:
        start(["xdg-open", page], environment)
        start(["xdg-open", os.fsdecode(paths[0].rpartition(b"/")[0])], environment)
        return
    if shutil.which("thunderbird"):
        files = ",".join(Path(os.fsdecode(path)).as_uri() for path in paths)
        start(["thunderbird", "-compose", f"attachment='{files}'"], environment)
        return
    attached = [word for path in paths for word in ("--attach", os.fsdecode(path))]
    start(["xdg-email", *attached], environment)


def start(command: list[str], environment: Mapping[str, str]) -> None:
    """Start a program of the desktop and let it go its way. Raises HostError when it is not there."""
    _started[:] = [each for each in _started if each.poll() is None]  # whoever has ended is reaped
    try:
        _started.append(subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env=dict(environment),
        ))  # fmt: skip
    except OSError as error:
        raise HostError(
            N_("{program} cannot be started"), program=command[0],
            hint=N_("is it installed?"),
        ) from error  # fmt: skip
