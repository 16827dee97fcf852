"""``serment``: the command of the package. The only place that exits.

The agent lives all day in the process that ``serment run`` began, so that command, as units and people write it, goes
straight to it (``agent.ui.cli.resident``); everything else, and a ``run`` that is written otherwise, goes to the
commands (``agent.ui.cli.commands``), whose parser, words and catalogue the agent would never need again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from agent.errors import SermentError


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    if (asked := _resident(argv)) is not None:
        from agent.ui.cli.resident import run

        return run(asked.get("--config"), asked.get("--lang", ""))
    from agent.ui.cli.commands import main as command

    return command(argv)


def _resident(argv: Sequence[str]) -> dict[str, str] | None:
    """The options of a plain ``run``; None: it is something else, or the parser has something to say about it."""
    if argv[:1] != ["run"]:
        return None
    words, found = iter(argv[1:]), dict[str, str]()
    for word in words:
        if word == "--foreground":
            continue
        value = next(words, "")
        if word not in {"--config", "--lang"} or not value or value.startswith("-"):
            return None
        found[word] = value
    return None if found.get("--lang", "fr") not in {"fr", "en"} else found


def entry() -> NoReturn:
    """The command of the package."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # « or ✓ on any terminal
    argv = sys.argv[1:]
    if _resident(argv) is not None:
        from agent.lean import begin

        begin()
    try:
        code = _written(_ended(argv))
    except BrokenPipeError:
        _hush()
        code = 141
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _ended(argv: Sequence[str]) -> int:
    """The exit code, also when the parser has answered by itself (--help, --version)."""
    try:
        return main(argv)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _written(code: int) -> int:
    """``code``, once what was said has left; that of an error when it cannot be written, to a full disk for one.

    Raises BrokenPipeError.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _hush()
        if code == SermentError.exit_code:  # said already
            return code
        from agent.ui.cli.commands import complain
        from agent.ui.terminal import Terminal

        return complain(error, Terminal(""))
    return code


def _hush() -> None:
    from agent.ui.terminal import hush

    hush(sys.stdout)


if __name__ == "__main__":
    entry()
