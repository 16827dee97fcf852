"""``serment keys rotate FOLDER…``: every sealed file that the own key opens gets a header for the keys of today.

The documents are not opened and not written again, only what says who may open them. Others' access stays, unless
``--only-current`` is given: after a colleague left, or a key was lost to a thief.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator

from agent.crypto import header
from agent.crypto.header import MAX_HEADER
from agent.crypto.rehead import new_header, replace_header
from agent.errors import N_, SealError, SermentError, UsageError
from agent.fsys.openat import open_regular
from agent.ui.key_access import KeyAccess
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_WORDS = {
    "rotated": N_("{count} sealed files have the keys of today"),
    "not-ours": N_("{count} are sealed for somebody else and stayed as they are"),
    "failed": N_("{count} could not be written and stayed as they are"),
}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="FILE|FOLDER", help=translate(N_("sealed files, or where they lie"))
    )
    parser.add_argument(
        "--only-current", action="store_true",
        help=translate(N_("nobody but you, the practice and whom the policy always names")),
    )  # fmt: skip


def run(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    recipients = access.recipients()
    counts: Counter[str] = Counter()
    for folder_fd, folder, name in _sealed(args.paths):
        try:
            _rotate(folder_fd, name, access, recipients, only_current=args.only_current)
            counts["rotated"] += 1
        except SealError as error:
            counts["not-ours"] += 1
            _complain(terminal, folder, name, error)
        except (SermentError, OSError) as error:
            counts["failed"] += 1
            _complain(terminal, folder, name, error)
    if counts["rotated"]:
        access.record("rotate", count=counts["rotated"])
    if args.json:
        terminal.data({word: counts[word] for word in _WORDS})
    else:
        for word, text in _WORDS.items():
            if counts[word] or word == "rotated":
                terminal.line(terminal.translate(text).format(count=counts[word]))
    return 1 if counts["failed"] else 0


def _rotate(folder_fd: int, name: bytes, access: KeyAccess, recipients: tuple[str, ...], *, only_current: bool) -> None:
    fd = open_regular(folder_fd, name)
    try:
        head = os.pread(fd, MAX_HEADER, 0)
    finally:
        os.close(fd)
    old = header.parse(head)
    key = access.file_key(head)
    replace_header(folder_fd, name, new_header(old, key.key, recipients, None if only_current else key.stanzas), old)


def _sealed(paths: list[str]) -> Iterator[tuple[int, bytes, bytes]]:
    """(folder descriptor, folder, name) of every ``.age`` file; links are not followed."""
    for text in paths:
        path = os.path.abspath(os.fsencode(text))
        if os.path.isdir(path):
            for folder, _folders, names, folder_fd in os.fwalk(path, follow_symlinks=False):
                for name in sorted(names):
                    if name.endswith(b".age"):
                        yield folder_fd, folder, name
        elif os.path.isfile(path):
            folder, _, name = path.rpartition(b"/")
            folder_fd = os.open(folder or b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                yield folder_fd, folder, name
            finally:
                os.close(folder_fd)
        else:
            raise UsageError(N_("cannot be read: {why}"), where=printable(path), why=N_("this is no path"))


def _complain(terminal: Terminal, folder: bytes, name: bytes, error: Exception) -> None:
    said = error.said(terminal.translate)[0] if isinstance(error, SermentError) else getattr(error, "strerror", "")
    terminal.error(f"{printable(folder.rstrip(b'/') + b'/' + name)}: {said}")
