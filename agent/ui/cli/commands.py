"""``serment``'s commands: finds the command, runs it, turns errors into one clear line and an exit code.

One file a command; each has ``NAME``, ``HELP``, ``arguments(parser)`` and ``run(args,
terminal) -> int``. Exit codes: 64 usage, 65 bad input, 69 the machine lacks something, 70 an error of ours, 75 try
again later, 78 configuration; ``scan`` and ``audit verify`` add their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import NoReturn

from agent.errors import N_, SermentError, UsageError, unforeseen
from agent.i18n import LANGUAGES
from agent.ui import wording
from agent.ui.cli.argparse_words import speak
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

COMMANDS = {
    "run": N_("start the agent in the foreground"),
    "scan": N_("judge files: are they about a patient?"),
    "status": N_("what is guarded, and how strongly"),
    "doctor": N_("what is wrong, and what to do"),
    "policy": N_("check, try and explain a policy"),
    "audit": N_("read and verify the audit log"),
    "quarantine": N_("documents that are held: list, restore"),
    "held": N_("what waits for your answer, and your answer"),
    "emergency": N_("open a channel for some minutes, for the care of a patient; it is recorded"),
    "tour": N_("five minutes: see with invented documents what Serment does"),
    "month": N_("what Serment did for you this month"),
    "release": N_("let a held document go, with a reason"),
    "patients": N_("the practice's patient list: load, status, forget"),
    "seal": N_("seal a document for yourself, the practice and others"),
    "open": N_("open a sealed document"),
    "page": N_("put the page that opens your sealed files in any browser on a stick"),
    "enrol": N_("make this laptop one of a fleet, with a token of its collector"),
    "keys": N_("your key and the practice's: phrase, backup sheet, rotation, recovery by two"),
}
_EXAMPLE = N_("example: serment scan ~/Documents")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(N_("{why}"), hint=N_("see: {program} --help"), why=message, program=self.prog)


def _parser(terminal: Terminal, chosen: str | None) -> _Parser:
    translate = terminal.translate
    parser = _Parser(prog="serment", description=translate(N_("Serment keeps the medical secret on this laptop.")))
    parser.epilog = translate(_EXAMPLE)
    _add_language(parser, translate, None)
    parser.add_argument("--version", action="store_true", help=translate(N_("print the version")))
    commands = parser.add_subparsers(dest="command", metavar=translate(N_("COMMAND")), parser_class=_Parser)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=translate(text), description=translate(text))
        if name == chosen:
            import_module(f"agent.ui.cli.{_module(name)}").arguments(sub, translate)
            for each in _with_actions(sub):
                _add_language(each, translate, argparse.SUPPRESS)
    return parser


def _add_language(parser: argparse.ArgumentParser, translate: Callable[[str], str], default: str | None) -> None:
    parser.add_argument("--lang", choices=LANGUAGES, default=default, help=translate(N_("language of the answers")))


def _with_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A command's parser and those of its actions: each takes the common options, wherever they are written."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _with_actions(each)


def _module(name: str) -> str:
    return {"open": "open_"}.get(name, name)


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    terminal = Terminal(_language(argv))
    speak(terminal.language)
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
    except BrokenPipeError:
        raise
    except Exception as error:
        return complain(error, terminal)


def complain(error: Exception, terminal: Terminal) -> int:
    """Say on standard error what went wrong; returns the exit code."""
    if isinstance(error, SermentError):
        return _refused(error, terminal)
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        return _refused(
            SermentError(N_("the system refused: {why}"), hint=N_("run: serment doctor"), why=why), terminal
        )
    return _refused(unforeseen(error), terminal)


def _refused(error: SermentError, terminal: Terminal) -> int:
    problem = error.fields.get("problem")  # what an action met, as a code
    error.fields["problem"] = wording.OBSTACLES.get(str(problem), problem)
    error.where = printable(error.where, 1000)
    terminal.error(error.render(terminal.translate))
    return error.exit_code


def _language(argv: Sequence[str]) -> str:
    for position, word in enumerate(argv):
        if word == "--":
            break
        if word == "--lang" and position + 1 < len(argv):
            return argv[position + 1] if argv[position + 1] in LANGUAGES else ""
        if word in {"--lang=fr", "--lang=en"}:
            return word[-2:]
    return ""
