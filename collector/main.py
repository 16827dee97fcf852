"""``serment-collector``: the command line and the life of the process. One process, one folder.

``run`` serves until it is told to stop (SIGTERM, SIGINT: what it took in is stored first) or, with ``--idle-exit``,
until nobody asked for anything for a while: whoever holds the listening socket given by ``--fd`` starts it again for
the next request, and nothing resident is left in between.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from agent.errors import N_, HostError, SermentError, UsageError
from agent.fsys.atomic import private_folder
from agent.i18n import catalogue, preferred
from collector.access import TOKEN_FILE, Access, load_token

if TYPE_CHECKING:
    import uvicorn

DEFAULT_PORT = 8440
GRACE_S = 10
KEEP_ALIVE_S = 5
MAX_CONNECTIONS = 512


def entry() -> None:
    """The console script."""
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status: 0 well, 64 usage, 69 the machine lacks something."""
    words = catalogue(preferred())
    _ = words.gettext
    argparse._ = _  # type: ignore[attr-defined]  # argparse's own words come from our catalogue too
    argparse.ngettext = lambda one, many, count: _(one if count == 1 else many)  # type: ignore[attr-defined]
    try:
        chosen = _parser(_).parse_args(arguments)
        token_file = chosen.token_file or chosen.data / TOKEN_FILE
        if chosen.command == "token":
            private_folder(chosen.data)
            print(load_token(token_file))
            return 0
        return _run(chosen.data, token_file, _listen(chosen.fd, chosen.host, chosen.port), chosen.idle_exit)
    except SermentError as error:
        return _refused(error, _)
    except OSError as error:
        return _refused(HostError(N_("cannot start: {why}"), why=error.strerror or str(error)), _)


def _refused(error: SermentError, _: Callable[[str], str]) -> int:
    print(f"serment-collector: {error.render(_)}", file=sys.stderr)
    return error.exit_code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(N_("{why}"), hint=N_("see: {program} --help"), why=message, program=self.prog)


def _parser(_: Callable[[str], str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="serment-collector",
        description=_("receives, checks and shows the audit logs of laptops"),
        epilog=_("example: serment-collector run --data /var/lib/serment-collector --port 8440"),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="run|token", parser_class=_Parser)
    run = commands.add_parser("run", help=_("serve laptops and pages"))
    run.add_argument("--host", default="127.0.0.1", help=_("address to listen on"))
    run.add_argument("--port", type=int, default=DEFAULT_PORT, help=_("0 for any free one"))
    run.add_argument("--fd", type=int, metavar="N", help=_("serve this inherited listening socket instead"))
    run.add_argument("--idle-exit", type=float, default=0.0, metavar="S", help=_("leave after S quiet seconds"))
    token = commands.add_parser("token", help=_("print the token of laptops and pages; made at first use"))
    for command in (run, token):
        command.add_argument("--data", type=Path, required=True, metavar="DIR", help=_("where records are kept"))
        command.add_argument("--token-file", type=Path, metavar="F", help=_("instead of the one in DIR"))
    return parser


def _listen(fd: int | None, host: str, port: int) -> socket.socket:
    """The listening socket: the inherited one, or a new one. Raises HostError."""
    try:
        if fd is not None:
            return socket.socket(fileno=fd)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
        return listening
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise HostError(
            N_("cannot listen on {host} port {port}: {why}"), hint=N_("choose another one with --port"),
            host=host, port=port, why=why,
        ) from error  # fmt: skip


def _run(data: Path, token_file: Path, listening: socket.socket, idle_exit_s: float) -> int:
    import uvicorn

    from collector import app
    from collector.schema import open_database
    from collector.witness import load_witness
    from collector.writer import Writer

    private_folder(data)
    lock = _lock(data)
    token = load_token(token_file)
    engine = open_database(data)
    writer = Writer(engine, load_witness(data))
    service = app.Service(engine, writer, Access(token))

    async def beside() -> None:
        _announce(listening, token)
        while True:
            await asyncio.sleep(min(max(idle_exit_s / 4, 0.05), 1.0) if idle_exit_s > 0 else 3600)
            if 0 < idle_exit_s <= time.monotonic() - service.last and not service.busy:
                server.should_exit = True

    config = uvicorn.Config(
        app.build(service, beside), log_config=None, log_level="warning", access_log=False, server_header=False,
        limit_concurrency=MAX_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=GRACE_S,
        lifespan="on", ws="none", proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = lambda: _signals(server)  # type: ignore[method-assign]
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        writer.close()
        engine.dispose()
        os.close(lock)
    return 0


@contextlib.contextmanager
def _signals(server: uvicorn.Server) -> Iterator[None]:
    """Stop in good order, and then end with status 0; uvicorn's own way is to die of the signal afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, server.handle_exit)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _lock(data: Path) -> int:
    fd = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise HostError(N_("another collector uses this folder"), where=str(data)) from error
    return fd


def _announce(listening: socket.socket, token: str) -> None:
    """Say where to look; the link that opens the pages goes to a terminal only, never to a log."""
    name = listening.getsockname()
    if not isinstance(name, tuple):
        return
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    link = f"/?token={token}" if sys.stderr.isatty() else "/"
    print(f"http://{host}:{name[1]}{link}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    entry()
