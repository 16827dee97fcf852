"""``serment seal FILE [--to NAME|age1…] [-o OUT]``: seal a document for yourself, the practice, and whoever is named;
``--to-phrase`` for somebody who has no Serment (``outside``).

The plain document stays where it is. Names are those of the policy's recipients, of ``data_dir/recipients/NAME.pub`` or
of people of this laptop.
"""

from __future__ import annotations

import argparse
import os
import pwd
import re
from collections.abc import Callable
from pathlib import Path

from agent.config import AgentConfig
from agent.crypto.sealed import is_sealed, neutral_name, seal
from agent.errors import N_, SealError, UsageError
from agent.fsys.draft import Draft
from agent.ui.asked_file import open_file, unreadable
from agent.ui.cli import outside
from agent.ui.configured import add_config, configuration
from agent.ui.key_access import KeyAccess
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MAX_RECIPIENT_BYTES = 4096


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("file", metavar="FILE", help=translate(N_("the document")))
    parser.add_argument(
        "--to", action="append", default=[], metavar="NAME|age1…", help=translate(N_("who else may open it"))
    )
    parser.add_argument(
        "--to-phrase", action="store_true", help=translate(N_("for somebody without Serment: a page, or a locked PDF"))
    )
    parser.add_argument(
        "--as",
        dest="form",
        choices=outside.FORMS,
        default="auto",
        help=translate(N_("with --to-phrase: which of them")),
    )
    parser.add_argument("-o", "--output", metavar="OUT", help=translate(N_("name to give it (default: neutral)")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    source = os.path.abspath(os.fsencode(args.file))
    if args.to_phrase:
        return _to_phrase(args, source, terminal)
    recipients = _recipients(configuration(args), args.to)
    target = _target(os.fsencode(args.output)) if args.output else None
    fd = open_file(source)
    try:
        sealed = _seal(fd, source, target, recipients)
    finally:
        os.close(fd)
    if args.json:
        terminal.data({"sealed": os.fsdecode(sealed), "recipients": len(recipients)})
    else:
        terminal.line(terminal.translate(N_("sealed: {path}")).format(path=printable(sealed)))
    return 0


def _to_phrase(args: argparse.Namespace, source: bytes, terminal: Terminal) -> int:
    if args.to:
        raise UsageError(N_("--to-phrase is for one person; leave --to out"))
    access = KeyAccess(configuration(args))
    target = os.fsencode(args.output) if args.output else None
    fd = open_file(source)
    try:
        return outside.seal_to_phrase(access, source, fd, target, args.form, terminal, as_json=args.json)
    finally:
        os.close(fd)


def _target(output: bytes) -> bytes:
    """Where the sealed file goes: the name that was given, or a neutral one in the folder that was given."""
    path = os.path.abspath(output)
    return os.path.join(path, neutral_name()) if output.endswith(b"/") or os.path.isdir(path) else path


def _seal(fd: int, source: bytes, target: bytes | None, recipients: tuple[str, ...]) -> bytes:
    if is_sealed(fd):
        raise SealError(N_("this document is sealed already"), where=printable(source))
    folder, _, name = source.rpartition(b"/")
    into, _, wanted = target.rpartition(b"/") if target else (folder, b"", neutral_name())
    into = into or b"/"
    try:
        folder_fd = os.open(into, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(N_("cannot be written: {why}"), where=printable(into), why=error.strerror) from error
    try:
        state = os.fstat(fd)
        with Draft(folder_fd) as draft:
            seal(fd, state.st_size, name, state.st_mtime_ns, recipients, draft.fd)
            os.fsync(draft.fd)
            made = draft.publish_free(wanted) if target is None else _publish(draft, wanted)
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)
    return into.rstrip(b"/") + b"/" + made


def _publish(draft: Draft, name: bytes) -> bytes:
    try:
        draft.publish(name)
    except FileExistsError as error:
        raise UsageError(N_("exists already; nothing was written"), where=printable(name)) from error
    return name


def _recipients(config: AgentConfig, names: list[str]) -> tuple[str, ...]:
    access = KeyAccess(config)
    return tuple(dict.fromkeys((*access.recipients(), *(_recipient(access, config.data_dir, name) for name in names))))


def _recipient(access: KeyAccess, data_dir: Path, name: str) -> str:
    if name.startswith("age1"):
        return name
    if not _NAME.fullmatch(name):
        raise UsageError(N_("this is no name of a recipient: {name}"), name=printable(name, 60))
    if (known := access.named(name)) is not None:
        return known
    candidates = [data_dir / "recipients" / f"{name}.pub"]
    try:
        candidates.append(data_dir / "keys" / "clinicians" / f"{pwd.getpwnam(name).pw_uid}.pub")
    except KeyError:
        pass
    for path in candidates:
        try:
            with path.open("rb") as file:
                return file.read(MAX_RECIPIENT_BYTES).decode("ascii", "replace").strip()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(str(path), error) from error
    raise UsageError(
        N_("nobody is known here as {name}"),
        hint=N_("give an age1… recipient, or put {name}.pub into {folder}"),
        name=name,
        folder=data_dir / "recipients",
    )
