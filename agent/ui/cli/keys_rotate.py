"""``serment keys rotate FOLDER…``: every sealed file that the own key opens gets a header for the keys of today.

The documents are not opened and not written again, only what says who may open them. Others' access stays, unless
``--only-current`` is given: after a colleague left, or a key was lost to a thief. Where it could not stay, the file
stays as it is. The administrator does it for a whole tree: each file keeps its owner among its recipients.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from agent.crypto import header
from agent.crypto.header import MAX_HEADER, Header
from agent.crypto.recipients import KeyKind
from agent.crypto.rehead import new_header, replace_header
from agent.errors import N_, SealError, SermentError
from agent.fsys.openat import open_regular
from agent.i18n import Count
from agent.ui.asked_file import open_file
from agent.ui.key_access import FileKey, KeyAccess
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_KINDS = {each.stanza for each in KeyKind}  # what is for a person; the others are there to be passed over
_WORDS = {
    "rotated": N_("{count} {count:sealed file has|sealed files have} the keys of today"),
    "ended": N_("{count} {count:access|accesses} of others ended"),
    "not-ours": N_("{count} {count:is|are} sealed for somebody else and stayed as before"),
    "failed": N_("{count} could not be written and stayed as before"),
}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="FILE|FOLDER", help=translate(N_("sealed files, or where they lie"))
    )
    parser.add_argument(
        "--only-current", action="store_true",
        help=translate(N_("nobody but you, the practice and whom the policy always names")),
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help=translate(N_("say what would be done, and do nothing")))


def run(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    rotation = _Rotation(access, only_current=args.only_current, dry_run=args.dry_run)
    counts: Counter[str] = Counter()
    for folder_fd, folder, name in _sealed(args.paths):
        try:
            counts["ended"] += rotation.rotate(folder_fd, name)
            counts["rotated"] += 1
        except SealError as error:
            counts["not-ours"] += 1
            _complain(terminal, folder, name, error)
        except (SermentError, OSError) as error:
            counts["failed"] += 1
            _complain(terminal, folder, name, error)
    if counts["rotated"] and not args.dry_run:
        access.record("rotate", count=counts["rotated"])
    if args.json:
        terminal.data({word: counts[word] for word in _WORDS})
        return 1 if counts["failed"] else 0
    if args.dry_run:
        terminal.line(terminal.translate(N_("nothing was changed; without --dry-run:")))
    for word, text in _WORDS.items():
        if counts[word] or word == "rotated":
            terminal.line(terminal.translate(text).format(count=Count(counts[word])))
    return 1 if counts["failed"] else 0


class _Rotation:
    """New headers, one file at a time; ``rotate`` says how many others had access and have none any more."""

    def __init__(self, access: KeyAccess, *, only_current: bool, dry_run: bool) -> None:
        self._access, self._only_current, self._dry_run = access, only_current, dry_run
        self._recipients: dict[int, tuple[str, ...]] = {access.uid: access.recipients()}

    def rotate(self, folder_fd: int, name: bytes) -> int:
        """Raises SermentError, OSError: the file is as it was."""
        fd = open_regular(folder_fd, name)
        try:
            head, owner = os.pread(fd, MAX_HEADER, 0), os.fstat(fd).st_uid
        finally:
            os.close(fd)
        old = header.parse(head)
        key = self._access.file_key(head, of=owner if self._access.uid == 0 else None)
        if not key.theirs and self._only_current:
            raise SealError(N_("this file was sealed for somebody else"))
        new = new_header(old, key.key, self._named(key, owner), None if self._only_current else key.stanzas)
        ended = _ended(old, new, key.stanzas)
        if ended and not self._only_current:  # one file, keys of one kind: theirs can only be made anew by themselves
            raise SealError(
                N_("others could not open this file any more: their keys are of another kind"),
                hint=N_("whoever they are rotates it; or end their access with --only-current"),
            )
        if not self._dry_run:
            replace_header(folder_fd, name, new, old)
        return ended

    def _named(self, key: FileKey, owner: int) -> tuple[str, ...]:
        """The person first, then the practice and whom the policy names. Whoever has a copy owns that file, and is
        entitled to nothing that was not sealed for them: then the administrator, for whom it was, or nobody.
        """
        person, *always = self._of(owner)
        if key.theirs:
            return (person, *always)
        return (*self._of(self._access.uid)[: int(key.own)], *always)

    def _of(self, owner: int) -> tuple[str, ...]:
        """The recipients of who rotates; when that is the administrator, those of the file's owner."""
        whose = owner if self._access.uid == 0 else self._access.uid
        if whose not in self._recipients:
            self._recipients[whose] = self._access.recipients(of=whose)
        return self._recipients[whose]


def _ended(old: Header, new: bytes, ours: Sequence[int]) -> int:
    """How many others could open it and cannot any more."""
    stayed = {each.body for each in header.parse(new).stanzas}
    others = [each for number, each in enumerate(old.stanzas) if number not in ours and each.kind in _KINDS]
    return sum(each.body not in stayed for each in others)


def _sealed(paths: list[str]) -> Iterator[tuple[int, bytes, bytes]]:
    """(folder descriptor, folder, name) of every ``.age`` file; links are not followed."""
    for text in paths:
        path = os.path.abspath(os.fsencode(text))
        if os.path.isdir(path):
            for folder, _folders, names, folder_fd in os.fwalk(path, follow_symlinks=False):
                for name in sorted(names):
                    if name.endswith(b".age"):
                        yield folder_fd, folder, name
        else:
            os.close(open_file(path))
            folder, _, name = path.rpartition(b"/")
            folder_fd = os.open(folder or b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                yield folder_fd, folder, name
            finally:
                os.close(folder_fd)


def _complain(terminal: Terminal, folder: bytes, name: bytes, error: Exception) -> None:
    said = error.said(terminal.translate)[0] if isinstance(error, SermentError) else getattr(error, "strerror", "")
    terminal.error(f"{printable(folder.rstrip(b'/') + b'/' + name)}: {said}")
