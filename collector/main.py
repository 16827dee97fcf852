"""``serment-collector``: the command line. One file a command beside this one; exits only here.

``run`` serves until it is told to stop (SIGTERM, SIGINT: what it took in is stored first) or, with ``--idle-exit``,
until nobody asked for anything for a while: whoever holds the listening socket given by ``--fd`` starts it again for
the next request, and nothing resident is left in between.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from agent.errors import N_, HostError, SermentError, UsageError
from agent.i18n import catalogue, preferred
from collector.access import TOKEN_FILE
from collector.store.retention import DEFAULT_DAYS
from collector.tuf.options import arguments as publish_arguments

DEFAULT_PORT = 8440
LAPTOPS_PORT = 8443
MAX_VERIFIERS = 8
Translate = Callable[[str], str]


def entry() -> None:
    """The console script."""
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status: 0 well, 64 usage, 65 bad input, 69 the machine lacks something."""
    words = catalogue(preferred())
    _ = words.gettext
    argparse._ = _  # type: ignore[attr-defined]  # argparse's own words come from our catalogue too
    argparse.ngettext = lambda one, many, count: _(one if count == 1 else many)  # type: ignore[attr-defined]
    try:
        chosen = _parser(_).parse_args(arguments)
        if chosen.command == "run":
            return _run(chosen)
        from collector import commands

        return commands.run(chosen, _)
    except SermentError as error:
        return _refused(error, _)
    except OSError as error:
        return _refused(HostError(N_("cannot start: {why}"), why=error.strerror or str(error)), _)


def _refused(error: SermentError, _: Translate) -> int:
    print(f"serment-collector: {error.render(_)}", file=sys.stderr)
    return error.exit_code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(N_("{why}"), hint=N_("see: {program} --help"), why=message, program=self.prog)


def _parser(_: Translate) -> argparse.ArgumentParser:
    from collector.forward import options as forwarding
    from collector.officers import options as officers

    parser = _Parser(
        prog="serment-collector",
        description=_(N_("receives, checks and shows the audit logs of laptops")),
        epilog=_(N_("example: serment-collector run --data /var/lib/serment-collector --port 8440")),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar=_(N_("COMMAND")), parser_class=_Parser)
    run = commands.add_parser("run", help=_(N_("serve laptops and pages")))
    run.add_argument("--host", default="127.0.0.1", help=_(N_("address to listen on")))
    run.add_argument("--port", type=int, default=DEFAULT_PORT, help=_(N_("0 for any free one")))
    run.add_argument("--fd", type=int, metavar="N", help=_(N_("serve this inherited listening socket instead")))
    run.add_argument("--idle-exit", type=float, default=0.0, metavar="S", help=_(N_("leave after S quiet seconds")))
    run.add_argument(
        "--laptops", metavar="HOST:PORT", help=_(N_("serve the laptops of a fleet here, by TLS, with certificates"))
    )
    run.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help=_(N_("what laptops call this machine; may be repeated")),
    )
    run.add_argument(
        "--verifiers",
        type=int,
        metavar="N",
        help=_(N_("processes that check large requests; one a processor if not said")),
    )
    run.add_argument(
        "--keep-days", type=int, default=DEFAULT_DAYS, metavar="N", help=_(N_("how long records are kept"))
    )
    run.add_argument(
        "--pages-url", default="", metavar="URL", help=_(N_("where officers open the pages: https://…; for passkeys"))
    )
    token = commands.add_parser("token", help=_(N_("a new token, with which one laptop joins: serment enrol TOKEN")))
    token.add_argument("--group", default="", metavar="NAME", help=_(N_("the group that the laptop belongs to")))
    token.add_argument("--days", type=int, default=7, metavar="N", help=_(N_("how long it may be used, in days")))
    token.add_argument("--address", metavar="HOST:PORT", help=_(N_("where laptops find this collector")))
    token.add_argument("--pages", action="store_true", help=_(N_("print the token of the pages instead")))
    fleet = commands.add_parser("fleet", help=_(N_("laptops: list, deny one that is lost, let it in again")))
    fleet.add_argument("act", choices=("list", "deny", "readmit"), nargs="?", default="list")
    fleet.add_argument("laptop", nargs="?", default="", help=_(N_("pseudonym of the laptop")))
    fleet.add_argument("--why", default="", help=_(N_("the reason, for the collector's own log")))
    publish = commands.add_parser("publish", help=_(N_("policies that officers signed go out to laptops")))
    publish_arguments(publish, _)
    copy = commands.add_parser("backup", help=_(N_("a copy of the database (SQLite), while it is used")))
    copy.add_argument("target", type=Path, help=_(N_("the file to write; it must not be there yet")))
    forward = commands.add_parser("forward", help=_(N_("records to what the hospital runs: Splunk, Elastic, syslog")))
    forwarding.arguments(forward, _)
    people = commands.add_parser("officer", help=_(N_("accounts for the pages: add, list, a new one-time link, close")))
    officers.arguments(people, _)
    for command in (run, token, fleet, forward, publish, copy, people):
        command.add_argument(
            "--data", type=Path, required=True, metavar="DIR", help=_(N_("where keys and records are kept"))
        )
        command.add_argument(
            "--database", default="", metavar="URL", help=_(N_("records in PostgreSQL: postgresql://…"))
        )
        command.add_argument("--token-file", type=Path, metavar="F", help=_(N_("instead of the one in DIR")))
        command.add_argument("--json", action="store_true", help=_(N_("for programs")))
    return parser


def _run(chosen: argparse.Namespace) -> int:
    from collector.serving import Settings, serve

    embedded = chosen.idle_exit > 0
    verifiers = (0 if embedded else os.cpu_count() or 1) if chosen.verifiers is None else chosen.verifiers
    if not 0 <= verifiers <= MAX_VERIFIERS:
        raise UsageError(N_("verifiers: from 0 to {most}"), most=MAX_VERIFIERS)
    laptops = None
    if chosen.laptops:
        host, port = host_and_port(chosen.laptops, LAPTOPS_PORT)
        laptops = listen(None, host, port)
    return serve(
        Settings(
            chosen.data,
            chosen.token_file or chosen.data / TOKEN_FILE,
            listen(chosen.fd, chosen.host, chosen.port),
            chosen.idle_exit,
            chosen.database,
            laptops,
            tuple(chosen.name),
            verifiers,
            chosen.keep_days,
            pages_url=pages_url(chosen.pages_url),
        )
    )


def pages_url(text: str) -> str:
    """An address of pages: https, or http on this machine; no path. Raises UsageError."""
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
    if text and (not secure or not parts.netloc or parts.path.strip("/") or parts.query or not text.isascii()):
        raise UsageError(N_("the address of the pages is https://NAME, found {found}"), found=text[:120])
    return text.rstrip("/")


def host_and_port(text: str, default: int) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[v6]:port``. Raises UsageError."""
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(default)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(N_("an address is HOST:PORT, found {found}"), found=text)
    return host, int(port)


def listen(fd: int | None, host: str, port: int) -> socket.socket:
    """The listening socket: the inherited one, or a new one. Raises HostError."""
    try:
        if fd is not None:
            return socket.socket(fileno=fd)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
        return listening
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise HostError(
            N_("cannot listen on {host} port {port}: {why}"), hint=N_("choose another one with --port"),
            host=host, port=port, why=why,
        ) from error  # fmt: skip


if __name__ == "__main__":
    entry()
