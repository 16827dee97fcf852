"""``serment page FOLDER``: put ``OUVRIR.html`` there, the page that opens one's sealed files in any browser."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from agent.errors import N_, SealError, UsageError
from agent.outside import page
from agent.ui.configured import add_config, configuration
from agent.ui.key_access import KeyAccess
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("folder", metavar="FOLDER", help=translate(N_("where to put it, a stick for example")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Put the page, with one's own key under one's own phrase. Raises SermentError."""
    access = KeyAccess(configuration(args))
    try:
        identity = access.store.under_phrase(access.uid)
    except PermissionError:
        identity = None
    if identity is None:
        raise SealError(N_("your key is not under a phrase"), hint=N_("set one first: serment keys phrase"))
    folder = os.path.abspath(os.fsencode(args.folder))
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(N_("cannot be written: {why}"), where=printable(folder), why=error.strerror) from error
    try:
        put = page.place(fd, page.page(identity))
    except OSError as error:
        raise UsageError(N_("cannot be written: {why}"), where=printable(folder), why=error.strerror) from error
    finally:
        os.close(fd)
    path = os.path.join(folder, page.NAME)
    if args.json:
        terminal.data({"page": os.fsdecode(path), "put": put})
    else:
        text = N_("there: {path}") if put else N_("there already: {path}")
        terminal.line(terminal.translate(text).format(path=printable(path)))
    return 0
