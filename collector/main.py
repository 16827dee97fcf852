"""``serment-collector``: the command line. One file a command beside this one; exits only here.

``run`` serves until it is told to stop (SIGTERM, SIGINT: what it took in is stored first) or, with ``--idle-exit``,
until nobody asked for anything for a while: whoever holds the listening socket given by ``--fd`` starts it again for
the next request, and nothing resident is left in between.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from agent.errors import N_, HostError, SermentError, UsageError, unforeseen
from agent.i18n import catalogue, preferred
from collector.access import TOKEN_FILE
from collector.options import parser
from collector.owner import act_as_owner

LAPTOPS_PORT = 8443
MAX_VERIFIERS = 8
Translate = Callable[[str], str]


def entry() -> NoReturn:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # French on any terminal
    try:
        code = main()
    except BrokenPipeError:
        code = 141
    except KeyboardInterrupt:
        code = 130
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # said already; the interpreter's end is not to stumble over it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status: 0 well, 64 usage, 65 bad input, 69 the machine lacks something, 70 an error
    of ours. Raises BrokenPipeError and KeyboardInterrupt.
    """
    words = catalogue(preferred())
    _ = words.gettext
    argparse._ = _  # type: ignore[attr-defined]  # argparse's own words come from our catalogue too
    argparse.ngettext = lambda one, many, count: _(one if count == 1 else many)  # type: ignore[attr-defined]
    try:
        chosen = parser(_).parse_args(arguments)
        _require_text(chosen)
        act_as_owner(chosen.data)
        if chosen.command == "run":
            return _run(chosen)
        from collector import commands

        code = commands.run(chosen, _)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        raise
    except Exception as error:
        return _refused(_as_ours(error), _)


def _as_ours(error: Exception) -> SermentError:
    """What a person may read of it. What a library says might hold a name: its kind and place do."""
    if isinstance(error, SermentError):
        return error
    if isinstance(error, OSError):
        return HostError(
            N_("the system refused: {why}"), hint=N_("check the path, the rights and the free space"),
            why=error.strerror or "",
        )  # fmt: skip
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, SQLAlchemyError):
        from collector.store.engine import unusable

        return unusable(error)
    return unforeseen(error)


def _require_text(chosen: argparse.Namespace) -> None:
    """Words that are kept are Unicode; names of files may be any bytes. Raises UsageError."""
    for word in vars(chosen).values():
        if isinstance(word, str) and not word.isascii():
            try:
                word.encode()
            except UnicodeEncodeError as error:
                found = word[:64].encode(errors="backslashreplace").decode()
                raise UsageError(N_("this is not understood: {found}"), found=found) from error


def _refused(error: SermentError, _: Translate) -> int:
    print(f"serment-collector: {error.render(_)}", file=sys.stderr)
    return error.exit_code


def _run(chosen: argparse.Namespace) -> int:
    from collector.serving import Settings, serve
    from collector.store.retention import require_proportionate

    embedded = chosen.idle_exit > 0
    verifiers = (0 if embedded else os.cpu_count() or 1) if chosen.verifiers is None else chosen.verifiers
    if not 0 <= verifiers <= MAX_VERIFIERS:
        raise UsageError(N_("verifiers: from 0 to {most}"), most=MAX_VERIFIERS)
    require_proportionate(chosen.keep_days)
    laptops = None
    if chosen.laptops:
        host, port = host_and_port(chosen.laptops, LAPTOPS_PORT)
        laptops = listen(None, host, port, "--laptops")
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
            directory=chosen.oidc,
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


_PORT_OTHER = N_("choose another one with {option}")
_PORT_TAKEN = N_("a collector is there already, or an agent with its own: choose another one with {option}")


def _is_taken(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def listen(fd: int | None, host: str, port: int, option: str = "--port") -> socket.socket:
    """The listening socket: the inherited one, or a new one. Raises HostError, which names the ``option`` to change."""
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
            N_("cannot listen on {host} port {port}: {why}"), hint=_PORT_TAKEN if _is_taken(error) else _PORT_OTHER,
            host=host, port=port, why=why, option=option,
        ) from error  # fmt: skip


if __name__ == "__main__":
    entry()
