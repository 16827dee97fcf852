"""``serment keys recovery init|request|unlock|finish|drill``: access given back by two officers, from a header alone.

``init``     once: makes the recovery key in memory and leaves one file for each pair of officers; never the key itself
``request``  on the laptop of who needs the document: a small text, without the document
``unlock``   first officer: the text of the request → a text for the second; second officer: → the answer
``finish``   on that laptop again: the answer goes into the sealed file's header
``drill``    the same with a file key made up for it: proves that two officers can, before it is needed
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from agent.crypto import header, recovery
from agent.crypto.recipients import FILE_KEY, KeyKind, new_identity, wrap
from agent.crypto.recovery import Answer, Pair, Request, Step
from agent.crypto.rehead import new_header, replace_header
from agent.crypto.sealed import read_header, unseal_with
from agent.errors import N_, HostError, UsageError
from agent.fsys.atomic import write_all
from agent.fsys.openat import open_regular
from agent.ui.asked_file import first_bytes, open_file
from agent.ui.key_access import KeyAccess
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> list[argparse.ArgumentParser]:
    """Adds the steps and returns their parsers, which the caller gives the common options."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="init|request|unlock|finish|drill")
    init = steps.add_parser("init", help=translate(N_("once: share a recovery key among officers, by pairs")))
    init.add_argument("--officer", action="append", required=True, metavar="NAME=age1…",
                      help=translate(N_("an officer and their key; at least two")))  # fmt: skip
    init.add_argument("--adopt", action="store_true",
                      help=translate(N_("share this laptop's key of the practice, not a new one; root")))  # fmt: skip
    request = steps.add_parser("request", help=translate(N_("ask for access to a sealed file")))
    request.add_argument("file", metavar="FILE", help=translate(N_("the sealed document (.age)")))
    unlock = steps.add_parser("unlock", help=translate(N_("as an officer: unlock a request, or what the first left")))
    unlock.add_argument("text", metavar="TEXT", help=translate(N_("the request, or the first officer's text")))
    unlock.add_argument("--pair", metavar="FILE", help=translate(N_("first officer: the file of the two of you")))
    unlock.add_argument("--unrecorded", action="store_true",
                        help=translate(N_("without an agent, so without a record")))  # fmt: skip
    finish = steps.add_parser("finish", help=translate(N_("put the answer into the sealed file")))
    finish.add_argument("text", metavar="ANSWER", help=translate(N_("the second officer's answer")))
    finish.add_argument("file", metavar="FILE", help=translate(N_("the sealed document (.age)")))
    drill = steps.add_parser("drill", help=translate(N_("prove that two officers can, without a document")))
    drill.add_argument("--check", nargs=2, metavar=("ANSWER", "REQUEST"), help=translate(N_("did it work?")))
    drill.add_argument("--close", action="store_true",
                       help=translate(N_("with --check: forget the practice's key here; for root")))  # fmt: skip
    for sub, needed in ((init, True), (request, True), (unlock, True), (drill, False)):
        sub.add_argument("-o", "--output", required=needed, metavar="OUT", help=translate(N_("where to write it")))
    return [init, request, unlock, finish, drill]


def run(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    act = {"init": _init, "request": _request, "unlock": _unlock, "finish": _finish, "drill": _drill}[args.step]
    return act(args, terminal, access)


def _init(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    named = [_officer(text) for text in args.officer]
    officers = dict(named)
    if len(officers) < len(named):  # one of them would hold nothing, and be missed when a key is lost
        raise UsageError(N_("two officers have the same name"), hint=N_("capitals make no difference"))
    identity = access.store.practice_identity() if args.adopt else new_identity(KeyKind(access.config.keys.kind))
    pairs = recovery.make_pairs(identity, officers)
    access.record("recovery-init", count=len(officers))  # before: whoever may not, does not
    folder = Path(os.path.abspath(args.output))
    folder.mkdir(mode=0o700, exist_ok=True)
    for pair in pairs:
        _write(folder / f"{pair.first}+{pair.second}.json", recovery.write(pair))
    if args.json:
        terminal.data({"recovery": pairs[0].recovery, "pairs": len(pairs), "folder": str(folder)})
        return 0
    say = terminal.translate
    terminal.line(say(N_("{count} files in {folder}: give each officer theirs; one alone opens nothing")).format(
        count=len(pairs), folder=printable(str(folder))))  # fmt: skip
    terminal.line(say(N_("put this into the policy, then prove it with: serment keys recovery drill")))
    terminal.line(f"recipients:\n  recovery: {pairs[0].recovery}")
    return 0


def _officer(text: str) -> tuple[str, str]:
    name, equals, key = text.partition("=")
    if not equals or not key:
        raise UsageError(N_("an officer is NAME=age1…"), hint=N_("their key: serment keys status, on their laptop"))
    return name.strip().lower(), key.strip()


def _request(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    request = Request(_head(args.file), access.own_recipient())
    access.record("recovery-request", case=request.case, owner=os.stat(args.file).st_uid)
    _write(Path(args.output), recovery.write(request))
    return _done(args, terminal, request.case, N_("case {case}: give this text to two officers, one after the other"))


def _unlock(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    text = recovery.read(_read(args.text))
    if isinstance(text, Request):
        if args.pair is None:
            raise UsageError(N_("the first officer needs the file of a pair"), hint=N_("give it with --pair"))
        pair = recovery.read(_read(args.pair))
        if not isinstance(pair, Pair):
            raise UsageError(N_("this is not the file of a pair"), where=printable(args.pair))
        result: Step | Answer = recovery.unlock_first(text, pair, access.open_message)
        case, then = text.case, N_("case {case}: now the second officer: {officer}")
        officer = pair.second
    elif isinstance(text, Step):
        result, officer = recovery.unlock_second(text, access.open_message), ""
        case, then = text.request.case, N_("case {case}: the answer goes back to who asked")
    else:
        raise UsageError(N_("there is nothing to unlock in this text"), where=printable(args.text))
    if not access.record("recovery-unlock", case=case) and not args.unrecorded:
        raise HostError(
            N_("no agent answers, so nobody would know of this recovery; nothing was done"),
            hint=N_("start the agent, or take the responsibility: --unrecorded"),
        )
    _write(Path(args.output), recovery.write(result))
    return _done(args, terminal, case, then, officer=officer)


def _finish(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    answer = _answer(args.text)
    head = _head(args.file)
    requester = access.own_recipient()
    recovery.require_answer_to(answer, Request(head, requester))
    key, old = access.file_key(answer.head).key, header.parse(head)
    folder, _, name = os.path.abspath(os.fsencode(args.file)).rpartition(b"/")
    folder_fd = os.open(folder or b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fd = open_regular(folder_fd, name)
        try:
            unseal_with(fd, key)  # the whole document is authentic before its header changes
        finally:
            os.close(fd)
        access.record("recovery-finish", case=answer.case, owner=os.stat(name, dir_fd=folder_fd).st_uid)
        replace_header(folder_fd, name, new_header(old, key, [requester], ()), old)
    finally:
        os.close(folder_fd)
    return _done(args, terminal, answer.case, N_("case {case}: this file opens with your key now"))


def _drill(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    if args.check:
        return _drill_check(args, terminal, access)
    if not args.output:
        raise UsageError(N_("where to? Give -o FILE, or --check ANSWER REQUEST"))
    file_key = secrets.token_bytes(FILE_KEY)
    head = header.build([wrap(file_key, access.store.prepare())], file_key)
    request = Request(head, access.own_recipient())
    _write(Path(args.output), recovery.write(request))
    return _done(args, terminal, request.case, N_("case {case}: give this text to two officers, one after the other"))


def _drill_check(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    request = recovery.read(_read(args.check[1]))
    if not isinstance(request, Request):
        raise UsageError(N_("this is not a request"), where=printable(args.check[1]))
    answer = _answer(args.check[0])
    recovery.require_answer_to(answer, request)
    header.parse(request.head).prove(access.file_key(answer.head).key)
    if args.close:
        access.store.close_practice()
    access.record("recovery-drill", case=request.case)
    return _done(args, terminal, request.case, N_("case {case}: recovery works"))


def _answer(path: str) -> Answer:
    answer = recovery.read(_read(path))
    if not isinstance(answer, Answer):
        raise UsageError(N_("this is not an answer"), where=printable(path))
    return answer


def _head(path: str) -> bytes:
    fd = open_file(path)
    try:
        return os.pread(fd, read_header(fd).size, 0)
    finally:
        os.close(fd)


def _read(path: str) -> bytes:
    return first_bytes(path, recovery.MAX_TEXT + 1)


def _write(path: Path, data: bytes) -> None:
    """Never over something else."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise UsageError(N_("exists already; nothing was written"), where=printable(str(path))) from error
    except OSError as error:
        raise UsageError(N_("cannot be written: {why}"), where=printable(str(path)), why=error.strerror) from error
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def _done(args: argparse.Namespace, terminal: Terminal, case: str, text: str, **fields: str) -> int:
    if args.json:
        terminal.data({"case": case, **fields})
    else:
        terminal.line(terminal.translate(text).format(case=case, **fields))
    return 0
