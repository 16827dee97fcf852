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
from functools import partial
from pathlib import Path

from agent.errors import N_, HostError
from agent.helper import mailers
from agent.helper.session import WANTED

_KEPT_S = 24 * 3600
_ASK_S = 5.0
_UNIT = (
    "systemd-run", "--user", "--quiet", "--collect", "--description=Serment: opened for this person",
    "--property=ExitType=cgroup",  # xdg-open and its like end when the program that they start has begun
    "--property=StandardOutput=null", "--property=StandardError=null",
)  # fmt: skip
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


def sweep(now: float | None = None) -> bool:
    """Remove what is older than a day; whether something is left for another time."""
    limit = (time.time() if now is None else now) - _KEPT_S
    try:
        paths = list(folder().iterdir())
    except (HostError, OSError):
        return False
    left = [path for path in paths if not _swept(path, limit)]
    return bool(left)


def _swept(path: Path, limit: float) -> bool:
    """Whether it is gone. One that cannot be removed keeps no other from it."""
    with contextlib.suppress(OSError):
        if path.lstat().st_ctime < limit:
            path.unlink()
            return True
    return False


def compose(paths: Sequence[bytes], page: str, program: str, environment: Mapping[str, str]) -> None:
    """Open the mail with the documents: the policy's page and the folder beside it, else a mail program.

    ``program``: the one that the policy names, if any. Raises HostError when there is no program for it.
    """
    attached = [_harmless(Path(os.fsdecode(path))) for path in paths]
    if page:
        start(["xdg-open", page], environment)
        start(["xdg-open", str(attached[0].parent)], environment)
        return
    start(mailers.command(program or _chosen(attached[0].parent, environment), attached), environment)


def _harmless(path: Path) -> Path:
    """The attachment under a name that no mail program misreads, free in its folder."""
    wanted = mailers.attachment_name(path.name)
    if wanted == path.name:
        return path
    stem, suffix = os.path.splitext(wanted)
    for number in range(2, 100):
        try:
            os.link(path, path.with_name(wanted), follow_symlinks=False)
        except FileExistsError:
            wanted = f"{stem} ({number}){suffix}"
            continue
        except OSError as error:
            raise HostError(N_("the system refused: {why}"), why=error.strerror or "") from error
        path.unlink()
        return path.with_name(wanted)
    raise HostError(N_("there is no place for the attachment in this session"), hint=N_("log out and in again"))


def _chosen(place: Path, environment: Mapping[str, str]) -> str:
    """The mail program of this desktop: the one that the person chose, else one that is there. Raises HostError."""
    which = partial(shutil.which, path=environment.get("PATH"))
    try:
        asked = ["xdg-mime", "query", "default", "x-scheme-handler/mailto"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_ASK_S, env=dict(environment), check=False)
        chosen = done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        chosen = ""
    known = mailers.mailer_of(chosen)
    if known and which(known):
        return known
    if chosen and which("xdg-email"):
        return "xdg-email"
    there = next((name for name in mailers.MAILERS if which(name)), "")
    if not there:
        raise HostError(
            N_("no mail program is set up for this session"), hint=N_("attach the document from the folder {folder}"),
            folder=place,
        )  # fmt: skip
    return there


def start(command: list[str], environment: Mapping[str, str]) -> None:
    """Start a program of the desktop and let it go its way. Raises HostError when it is not there.

    Where the person has a service manager the program is a unit of its own: a mail program or a browser needs more than
    what bounds the helper's unit, and must not end with it, at an update for one, while somebody writes.
    """
    _started[:] = [each for each in _started if each.poll() is None]  # whoever has ended is reaped
    if _as_unit(command, environment):
        return
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


def _as_unit(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether the person's service manager has started it. The manager gets a description of its own making: the
    command, which names documents, would stand in the journal.
    """
    manager = os.path.join(environment.get("XDG_RUNTIME_DIR", ""), "systemd/private")
    if not os.path.exists(manager) or shutil.which(command[0], path=environment.get("PATH")) is None:
        return False
    given = [f"--setenv={name}" for name in ("PATH", *WANTED) if name in environment]
    words = [word.replace("$", "$$") for word in command]  # the manager would put variables in their place
    try:
        done = subprocess.run(
            [*_UNIT, *given, "--", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=_ASK_S, env=dict(environment), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:  # it was asked: a second program would be one too many
        return True
    except OSError:
        return False
    return done.returncode == 0
