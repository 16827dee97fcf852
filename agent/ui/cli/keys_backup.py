"""``serment keys backup``: a page with a private key on it, for the safe; to a printer, or where it is told to."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

from agent.crypto.recipients import recipient_of
from agent.errors import N_, HostError, UsageError
from agent.fsys.atomic import write_all
from agent.ui.key_access import KeyAccess
from agent.ui.sheet import sheet
from agent.ui.terminal import Terminal

_TITLE = N_("Serment: backup of a key")
_WHOSE = {
    False: N_("This is the key of one person ({who}). It opens every document that was sealed for them."),
    True: N_("This is the key of the practice. It opens every document that was sealed on this laptop ({who})."),
}
_TEXT = (
    N_("Put this sheet into a sealed envelope, and the envelope into a safe. Whoever photographs it can open the "
       "documents: do not scan it, do not send it, do not leave it in the printer."),
    N_("To use it: on a laptop with Serment, type « serment keys restore » and scan or type the key below. Without "
       "Serment: write the key into a file and use the age program (age -d -i FILE document.age | tar x)."),
)  # fmt: skip
_FOOTER = N_("printed on {date} · key {key}")


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--print", action="store_true", help=translate(N_("to the printer, without a file")))
    how.add_argument("-o", "--output", metavar="PDF", help=translate(N_("into a file (- for standard output)")))
    parser.add_argument("--practice", action="store_true", help=translate(N_("the practice's key; for root")))


def run(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    if args.output == "-":
        _require_standard_output(args)
    identity = access.store.practice_identity() if args.practice else access.identities()[0]
    translate, recipient = terminal.translate, recipient_of(identity)
    texts = [translate(_WHOSE[args.practice]).format(who=os.uname().nodename if args.practice else _login(access.uid))]
    texts += [translate(each) for each in _TEXT]
    footer = translate(_FOOTER).format(date=time.strftime("%Y-%m-%d"), key=recipient[:24])
    page = sheet(translate(_TITLE), texts, identity, footer)
    _out(page, args)
    access.record("backup")
    if args.json:
        terminal.data({"recipient": recipient, "bytes": len(page)})
    elif args.output not in {None, "-"}:
        terminal.line(translate(N_("print it, then delete the file: it holds the key")))
    return 0


def _require_standard_output(args: argparse.Namespace) -> None:
    """Raises UsageError: the page would not be the only thing there, or there is no standard output."""
    if args.json:
        raise UsageError(
            N_("the page and the JSON object cannot both go to standard output"), hint=N_("name a file: -o FILE")
        )
    if sys.stdout is None:
        raise UsageError(N_("standard output is closed"), hint=N_("name a file: -o FILE"))


def _login(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _out(page: bytes, args: argparse.Namespace) -> None:
    if args.print:
        try:
            subprocess.run(["lp", "-s", "-t", "Serment", "-"], input=page, check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise HostError(N_("nothing was printed"), hint=N_("is there a printer? Else: -o FILE")) from error
    elif args.output == "-":
        sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()
    else:
        try:
            fd = os.open(args.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise UsageError(N_("cannot be written: {why}"), where=args.output, why=error.strerror) from error
        try:
            write_all(fd, page)
        finally:
            os.close(fd)
