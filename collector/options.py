"""The words of the command line, a command a function. Loads nothing that only runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from agent.errors import N_, UsageError
from collector.backup.options import backup_arguments, restore_arguments
from collector.forward.options import arguments as forward_arguments
from collector.officers.options import arguments as officer_arguments
from collector.store.retention import DEFAULT_DAYS
from collector.tuf.options import arguments as publish_arguments

DEFAULT_PORT = 8440
Translate = Callable[[str], str]
Arguments = Callable[[argparse.ArgumentParser, Translate], None]


class Parser(argparse.ArgumentParser):
    """Whose errors are ours."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(N_("{why}"), hint=N_("see: {program} --help"), why=message, program=self.prog)


def parser(_: Translate) -> Parser:
    """The whole command line."""
    made = Parser(
        prog="serment-collector",
        description=_(N_("receives, checks and shows the audit logs of laptops")),
        epilog=_(N_("example: serment-collector run --data /var/lib/serment-collector --port 8440")),
    )
    commands = made.add_subparsers(dest="command", required=True, metavar=_(N_("COMMAND")), parser_class=Parser)
    for name, (said, arguments) in _COMMANDS.items():
        command = commands.add_parser(name, help=_(said))
        arguments(command, _)
        _shared(command, _)
    return made


def _shared(command: argparse.ArgumentParser, _: Translate) -> None:
    command.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help=_(N_("where keys and records are kept"))
    )
    command.add_argument("--database", default="", metavar="URL", help=_(N_("records in PostgreSQL: postgresql://…")))
    command.add_argument("--token-file", type=Path, metavar="F", help=_(N_("instead of the one in DIR")))
    command.add_argument("--json", action="store_true", help=_(N_("for programs")))


def _run(run: argparse.ArgumentParser, _: Translate) -> None:
    run.add_argument("--host", default="127.0.0.1", help=_(N_("address to listen on")))
    run.add_argument("--port", type=int, default=DEFAULT_PORT, help=_(N_("0 for any free one")))
    run.add_argument("--fd", type=int, metavar="N", help=_(N_("serve this inherited listening socket instead")))
    run.add_argument("--idle-exit", type=float, default=0.0, metavar="S", help=_(N_("leave after S quiet seconds")))
    run.add_argument(
        "--laptops", metavar="HOST:PORT", help=_(N_("serve the laptops of a fleet here, by TLS, with certificates"))
    )
    run.add_argument(
        "--name", action="append", default=[], metavar="NAME",
        help=_(N_("what laptops call this machine; may be repeated")),
    )  # fmt: skip
    run.add_argument(
        "--verifiers", type=int, metavar="N",
        help=_(N_("processes that check large requests; one a processor if not said")),
    )  # fmt: skip
    run.add_argument(
        "--keep-days", type=int, default=DEFAULT_DAYS, metavar="N", help=_(N_("how long records are kept"))
    )
    run.add_argument(
        "--pages-url", default="", metavar="URL", help=_(N_("where officers open the pages: https://…; for passkeys"))
    )
    run.add_argument(
        "--oidc", type=Path, metavar="FILE",
        help=_(N_("officers may sign in by the hospital's directory too (OpenID Connect), as FILE says")),
    )  # fmt: skip


def _token(token: argparse.ArgumentParser, _: Translate) -> None:
    token.add_argument("--group", default="", metavar="NAME", help=_(N_("the group that the laptop belongs to")))
    token.add_argument("--days", type=int, default=7, metavar="N", help=_(N_("how long it may be used, in days")))
    token.add_argument("--address", metavar="HOST:PORT", help=_(N_("where laptops find this collector")))
    token.add_argument("--pages", action="store_true", help=_(N_("print the token of the pages instead")))


def _fleet(fleet: argparse.ArgumentParser, _: Translate) -> None:
    fleet.add_argument("act", choices=("list", "deny", "readmit"), nargs="?", default="list")
    fleet.add_argument("laptop", nargs="?", default="", help=_(N_("pseudonym of the laptop")))
    fleet.add_argument("--why", default="", help=_(N_("the reason, for the collector's own log")))


_COMMANDS: dict[str, tuple[str, Arguments]] = {
    "run": (N_("serve laptops and pages"), _run),
    "token": (N_("a new token, with which one laptop joins: serment enrol TOKEN"), _token),
    "fleet": (N_("laptops: list, deny one that is lost, let it in again"), _fleet),
    "publish": (N_("policies that officers signed go out to laptops"), publish_arguments),
    "backup": (N_("a copy of the database (SQLite), while it is used; with --to of everything"), backup_arguments),
    "restore": (N_("put a sealed backup back, and verify it"), restore_arguments),
    "forward": (N_("records to what the hospital runs: Splunk, Elastic, syslog"), forward_arguments),
    "officer": (N_("accounts for the pages: add, list, a new one-time link, close"), officer_arguments),
}
