"""``serment run``, without what only commands need: the process that begins here is the agent, and lives all day.

What it says to whoever started it (what is watched, how strongly, where to look; or why it cannot) is said by a child
that ends: the words of both languages and the parser are two megabytes.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from agent.config import load_config
from agent.daemon.main import Agent

_SAY = (sys.executable, "-m", "agent.ui.cli.run")
_SAY_S = 30.0


def run(config: str | None, language: str = "") -> int:
    """Be the agent until asked to stop; returns the exit code."""
    try:
        _run(Path(config) if config is not None else None, language)
    except BrokenPipeError:
        raise
    except Exception as error:
        from agent.ui.cli.commands import complain
        from agent.ui.terminal import Terminal

        return complain(error, Terminal(language))
    return 0


def _run(config: Path | None, language: str) -> None:
    agent = Agent(load_config(config), on_ready=lambda status: _say(status, language))
    try:
        agent.start()
        agent.run()
    finally:
        agent.stop()


def _say(status: dict[str, Any], language: str) -> None:
    """A terminal that is closed, a disk that is full: what is said is not what guards."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run([*_SAY, language], input=json.dumps(status).encode(), timeout=_SAY_S, check=False)
