"""``serment open FILE``: the document beside the sealed file, in another folder, or in its application (``--view``).

Without an option, and with ``--to``, a plain copy is made and its path printed: that is for programs and for people who
want the document out. ``--view`` is what a double click does: the document lives in memory while it is looked at, edits
go back into the sealed file, and nothing stays behind.
"""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.config import AgentConfig
from agent.crypto.header import MAX_HEADER
from agent.crypto.sealed import open_sealed_with, read_header
from agent.daemon.control import ControlClient
from agent.errors import N_, SermentError, UsageError
from agent.ui.asked_file import unreadable
from agent.ui.configured import add_config, configuration
from agent.ui.key_access import KeyAccess, asking
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("file", metavar="FILE", help=translate(N_("the sealed document (.age)")))
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        help=translate(N_("where to put the document (default: beside it, or your home folder)")),
    )
    parser.add_argument(
        "--view", action="store_true", help=translate(N_("look at it in its application; edits are sealed again"))
    )
    parser.add_argument(
        "--with", dest="program", metavar="PROGRAM", help=translate(N_("with --view: the application to use"))
    )
    parser.add_argument(
        "--notify", action="store_true", help=translate(N_("with --view: ask and complain in a window"))
    )
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    source = os.path.abspath(os.fsencode(args.file))
    config = configuration(args)
    if args.view:
        return _view(source, config, terminal, args)
    beside = source.rpartition(b"/")[0] or b"/"
    folder = os.path.abspath(os.fsencode(args.to)) if args.to else _home_if_guarded(config, beside)
    with _opened(source, os.O_NONBLOCK) as fd:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise UsageError(N_("is not a file"), where=printable(source))
        read_header(fd)
        key = KeyAccess(config, asking(terminal.translate)).file_key(os.pread(fd, MAX_HEADER, 0)).key
        with _opened(folder, os.O_DIRECTORY) as folder_fd:
            name = open_sealed_with(fd, key, folder_fd)
    path = folder.rstrip(b"/") + b"/" + name
    if args.json:
        terminal.data({"path": os.fsdecode(path)})
    else:
        terminal.line(terminal.translate(N_("opened: {path}")).format(path=printable(path)))
    return 0


def _view(source: bytes, config: AgentConfig, terminal: Terminal, args: argparse.Namespace) -> int:
    from agent.ui import windows
    from agent.ui.viewing import view

    ask = windows.asking(terminal.translate) if args.notify else asking(terminal.translate)
    try:
        return view(source, KeyAccess(config, ask), terminal, args.program)
    except SermentError as error:
        if args.notify:
            windows.say(error.render(terminal.translate))
        raise


def _home_if_guarded(config: AgentConfig, folder: bytes) -> bytes:
    """Beside the sealed file, unless that is a stick or a sync folder, by whatever links: the plain document does not
    belong there.
    """
    try:
        channels = ControlClient(config.control_socket).call("status")["channels"]
    except SermentError:
        return folder
    real = os.path.realpath(folder) + b"/"
    for entry in channels:
        root = os.fsencode(entry["path"] or "")
        if root and entry["channel"] != "downloads" and real.startswith(os.path.realpath(root).rstrip(b"/") + b"/"):
            return os.fsencode(os.path.expanduser("~"))
    return folder


@contextmanager
def _opened(path: bytes, flags: int) -> Iterator[int]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        yield fd
    finally:
        os.close(fd)
