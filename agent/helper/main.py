"""``serment-helper``: started in a person's session by systemd (user unit), once a person, whatever the sessions.

Exit codes: 0 the session is over, 69 there is another helper of this person (or none, for ``--show``), 78 the
configuration cannot be read.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent import lean

if TYPE_CHECKING:
    from agent.helper.bus import Bus

_SELDOM = ("agent.ui.wording", "argparse", "subprocess")  # for windows, for what is opened, for a weaker shield
_NO_HOST = 69
_MOST_PATH = 4096


def main(words: list[str]) -> int:
    """Run until the session ends. ``--config FILE`` and ``--lang fr|en`` as for ``serment``.

    ``--show emergency`` (held, open, tour) asks the helper that runs to open that, as its menu in the panel does: for a
    launcher, or a key.
    """
    options = dict(zip(words[::2], words[1::2], strict=False))
    if "--show" in options:
        return _show(options["--show"])
    config = Path(options["--config"]) if "--config" in options else None
    socket_path = _socket(config)
    if isinstance(socket_path, int):
        return socket_path
    lock = _lock()
    if lock is None:
        print("serment-helper: another one runs for this person", file=sys.stderr)
        return _NO_HOST
    from agent.helper.agent_link import AgentLink
    from agent.helper.app import Helper
    from agent.helper.memory import Memory
    from agent.i18n import preferred

    helper = Helper(
        AgentLink(socket_path), _bus("SESSION"), _bus("SYSTEM"), Memory(), options.get("--lang") or preferred(), config
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    gc.collect()
    gc.freeze()
    lean.begun()
    helper.run()
    return 0


def _socket(config: Path | None) -> Path | int:
    """The agent's socket, or the exit code.

    A copy of this process reads the configuration and ends: what that takes, a megabyte, is needed once.
    """
    sys.stderr.flush()
    ours, theirs = os.pipe()
    pid = os.fork()  # there is one thread yet
    if pid == 0:
        code = 1
        try:
            code = _tell_socket(config, theirs)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            os._exit(code)
    os.close(theirs)
    with open(ours, "rb") as pipe:
        said = pipe.read(_MOST_PATH)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Path(os.fsdecode(said)) if code == 0 and said else abs(code) or 1


def _tell_socket(config: Path | None, pipe: int) -> int:
    from agent.config import load_config
    from agent.errors import ConfigError

    try:
        os.write(pipe, os.fsencode(load_config(config).control_socket))
    except ConfigError as error:
        print(f"serment-helper: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def _show(what: str) -> int:
    from agent.helper.app import BUS_NAME, BUS_PATH, MENU
    from agent.helper.bus import BusError

    bus = _bus("SESSION")
    try:
        if bus is None or what not in MENU:
            raise BusError(what)
        bus.call(BUS_NAME, BUS_PATH, BUS_NAME, "Show", "s", (what,))
    except BusError:
        print(f"serment-helper: cannot show {what!r}; one of {', '.join(MENU)}, in a session", file=sys.stderr)
        return _NO_HOST
    return 0


def _lock() -> int | None:
    """One helper a person; None: there is one. A session without a runtime folder is not told apart."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime:
        return -1
    try:
        fd = os.open(os.path.join(runtime, "serment-helper.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def _bus(which: str) -> Bus | None:
    from agent.helper.bus import Bus, BusError

    try:
        return Bus(which)
    except BusError:
        return None


def entry() -> None:
    """The command of the package."""
    lean.begin(*_SELDOM)
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    entry()
