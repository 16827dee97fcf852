"""``serment``: finds the command, runs it, turns errors into one clear line and an exit code.

The only place that exits. One file a command; each has ``NAME``, ``HELP``, ``arguments(parser)`` and ``run(args,
terminal) -> int``. Exit codes: 64 usage, 65 bad input, 69 the machine lacks something, 70 an error of ours, 75 try
again later, 78 configuration; ``scan`` and ``audit verify`` add their own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from agent.errors import N_, SermentError, UsageError
from agent.ui.terminal import Terminal

COMMANDS = {
    "run": N_("start the agent in the foreground"),
    "scan": N_("judge files: are they about a patient?"),
    "status": N_("what is guarded, and how strongly"),
    "doctor": N_("what is wrong, and what to do"),
    "policy": N_("check, try and explain a policy"),
    "audit": N_("read and verify the audit log"),
    "quarantine": N_("documents that are held: list, restore"),
    "release": N_("let a held document go, with a reason"),
    "seal": N_("seal a document for yourself, the practice and others"),
    "open": N_("open a sealed document"),
}
_EXAMPLE = N_("example: serment scan ~/Documents")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(N_("{why}"), hint=N_("see: {program} --help"), why=message, program=self.prog)


def _parser(terminal: Terminal, chosen: str | None) -> _Parser:
    translate = terminal.translate
    parser = _Parser(prog="serment", description=translate(N_("Serment keeps the medical secret on this laptop.")))
    parser.epilog = translate(_EXAMPLE)
    parser.add_argument("--lang", choices=("fr", "en"), help=translate(N_("language of the answers")))
    parser.add_argument("--version", action="store_true", help=translate(N_("print the version")))
    commands = parser.add_subparsers(dest="command", metavar=translate(N_("COMMAND")), parser_class=_Parser)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=translate(text), description=translate(text))
        if name == chosen:
            import_module(f"agent.ui.cli.{_module(name)}").arguments(sub, translate)
    return parser


def _module(name: str) -> str:
    return {"open": "open_"}.get(name, name)


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    terminal = Terminal(_language(argv))
    argparse._ = terminal.translate  # type: ignore[attr-defined]  # its own words come from our catalogue too
    chosen = next((word for word in argv if word in COMMANDS), None)
    try:
        parser = _parser(terminal, chosen)
        args = parser.parse_args(list(argv))
        if args.version:
            from importlib.metadata import version

            terminal.line(f"serment {version('serment')}")
            return 0
        if args.command is None:
            parser.print_help(sys.stderr)
            return UsageError.exit_code
        return int(import_module(f"agent.ui.cli.{_module(args.command)}").run(args, terminal))
    except SermentError as error:
        terminal.error(error.render(terminal.translate))
        return error.exit_code


def _language(argv: Sequence[str]) -> str:
    for position, word in enumerate(argv):
        if word == "--lang" and position + 1 < len(argv):
            return argv[position + 1] if argv[position + 1] in {"fr", "en"} else ""
        if word in {"--lang=fr", "--lang=en"}:
            return word[-2:]
    return ""


def entry() -> NoReturn:
    """The command of the package."""
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    entry()
