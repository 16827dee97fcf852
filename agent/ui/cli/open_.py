"""``serment open FILE``: open a sealed document with the own key, beside it or in another folder."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.config import AgentConfig
from agent.crypto.keys import KeyStore
from agent.crypto.sealed import open_sealed
from agent.daemon.control import ControlClient
from agent.errors import N_, SealError, SermentError, UsageError
from agent.ui.configured import add_config, configuration
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("file", metavar="FILE", help=translate(N_("the sealed document (.age)")))
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        help=translate(N_("where to put the document (default: beside it, or your home folder)")),
    )
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    source = os.path.abspath(os.fsencode(args.file))
    config = configuration(args)
    beside = source.rpartition(b"/")[0] or b"/"
    folder = os.path.abspath(os.fsencode(args.to)) if args.to else _home_if_guarded(config, beside)
    identities = _identities(config)
    with _opened(source, os.O_NONBLOCK) as fd:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise UsageError(N_("is not a file"), where=printable(source))
        with _opened(folder, os.O_DIRECTORY) as folder_fd:
            name = open_sealed(fd, identities, folder_fd)
    path = folder.rstrip(b"/") + b"/" + name
    if args.json:
        terminal.data({"path": os.fsdecode(path)})
    else:
        terminal.line(terminal.translate(N_("opened: {path}")).format(path=printable(path)))
    return 0


def _home_if_guarded(config: AgentConfig, folder: bytes) -> bytes:
    """Beside the sealed file, unless that is a stick or a sync folder: the plain document does not belong there."""
    try:
        channels = ControlClient(config.control_socket).call("status")["channels"]
    except SermentError:
        return folder
    for entry in channels:
        root = os.fsencode(entry["path"] or "")
        if root and entry["channel"] != "downloads" and (folder + b"/").startswith(root.rstrip(b"/") + b"/"):
            return os.fsencode(os.path.expanduser("~"))
    return folder


@contextmanager
def _opened(path: bytes, flags: int) -> Iterator[int]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    except OSError as error:
        raise UsageError(N_("cannot be read: {why}"), where=printable(path), why=error.strerror) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _identities(config: AgentConfig) -> list[str]:
    """The reader's own key, and the practice's where it may be read. Raises SealError when there is neither."""
    store = KeyStore(config.data_dir / "keys")
    found, problem = [], SealError(N_("there is no key to open with"))
    for own in (True, False):
        try:
            found.append(store.identity_for(os.getuid()) if own else store.practice_identity())
        except SealError as error:
            problem = error
    if not found:
        raise problem
    return found
