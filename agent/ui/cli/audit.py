"""``serment audit list|show|verify|prove|export|follow``: read the audit log of this laptop, and check or prove it.

``verify`` exits 0 intact, 1 tampered or truncated (the first bad record named), 2 unreadable. The names of documents
are shown only on request, and only to whoever has a key that they are encrypted for.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import N_, AuditError, TamperError, UsageError
from agent.i18n import Count
from agent.ui import records, wording
from agent.ui.asked_day import beginning_of
from agent.ui.cli import audit_dossier, audit_export, audit_review
from agent.ui.configured import add_config, configuration
from agent.ui.log_name import asked_log
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

if TYPE_CHECKING:
    from agent.audit.segments import Entry
    from agent.audit.select import Selection

_FOLLOW_S = 0.5


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    names = "list|show|verify|prove|export|follow|dossier|review|mine|hold"
    actions = parser.add_subparsers(dest="action", required=True, metavar=names)
    listing = actions.add_parser("list", help=translate(N_("what happened, a line each")))
    show = actions.add_parser("show", help=translate(N_("one record, whole")))
    show.add_argument("number", type=int, help=translate(N_("its number")))
    verify = actions.add_parser("verify", help=translate(N_("check that nobody rewrote the log")))
    verify.add_argument("folder", nargs="?", type=Path, help=translate(N_("another log than this laptop's")))
    verify.add_argument("--key", metavar="HEX", help=translate(N_("the fingerprint that the log must have")))
    verify.add_argument("--witness", metavar="HEX", help=translate(N_("the collector's public key")))
    prove = actions.add_parser("prove", help=translate(N_("a proof of one record, for whoever has no log")))
    prove.add_argument("number", type=int, help=translate(N_("its number")))
    export = actions.add_parser("export", help=translate(N_("every record, for other programs")))
    export.add_argument("--format", choices=audit_export.FORMATS, default="jsonl", help=translate(N_("the form")))
    follow = actions.add_parser("follow", help=translate(N_("what happens, as it happens")))
    dossier = actions.add_parser("dossier", help=translate(audit_dossier.HELP))
    audit_dossier.arguments(dossier, translate)
    audit_review.arguments(actions, translate)
    for sub in (listing, export, follow):
        _add_filters(sub, translate)
    for sub in (listing, show):
        sub.add_argument("--names", action="store_true", help=translate(N_("with the names of your documents")))
    listing.add_argument("--last", type=int, metavar="N", help=translate(N_("only the last N")))
    for sub in (listing, show, verify, prove, export, follow):
        add_config(sub, translate)
        if sub not in (prove, export):
            sub.add_argument("--json", action="store_true", help=translate(N_("JSON")))


def _add_filters(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("--kind", choices=records.KINDS, help=translate(N_("only this kind of record")))
    parser.add_argument("--channel", choices=tuple(wording.CHANNELS), help=translate(N_("only this channel")))
    parser.add_argument("--decision", choices=tuple(wording.DECISIONS), help=translate(N_("only this decision")))
    parser.add_argument("--since", metavar="DATE", help=translate(N_("from this day on, 2026-11-22")))
    parser.add_argument("--until", metavar="DATE", help=translate(N_("up to and with this day")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    act = {
        "list": _list,
        "show": _show,
        "verify": _verify,
        "prove": _prove,
        "export": _export,
        "follow": _follow,
        "dossier": audit_dossier.run,
        **dict.fromkeys(audit_review.NAMES, audit_review.run),
    }
    return act[args.action](args, terminal)


def _folder(args: argparse.Namespace) -> Path:
    """Raises AuditError for a person who may not read the log of this laptop."""
    folder = configuration(args).data_dir / "audit"
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        raise AuditError(
            N_("the audit log of this laptop is open to its reviewers only"),
            hint=N_("your own records: serment audit review, serment audit list; the whole: as root"),
        )
    return folder


def _entries(args: argparse.Namespace) -> Iterator[Entry]:
    """The records that are asked for."""
    from agent.audit.segments import read

    wanted = _selection(args)
    return (entry for entry in read(_folder(args)) if wanted.matches(entry.fields))


def _selection(args: argparse.Namespace) -> Selection:
    from agent.audit.select import Selection

    def only(word: str | None) -> frozenset[str]:
        return frozenset((word,)) if word else frozenset()

    since = None if args.since is None else beginning_of(args.since)
    until = None if args.until is None else beginning_of(args.until, 1)
    return Selection(only(args.kind), only(args.channel), only(args.decision), since, until)


def _list(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.last is not None and args.last < 1:
        raise UsageError(N_("--last should be 1 or more"))
    last = None if args.last is None else min(args.last, sys.maxsize)  # nobody has more records than that
    if audit_review.is_for_reviewers(args):
        own = audit_review.own_records(args, _selection(args))
        for fields, name in own if last is None else deque(own, maxlen=last):
            _say_fields(fields, name if args.names else "", args, terminal)
        return 0
    chosen = _entries(args)
    for entry in chosen if last is None else deque(chosen, maxlen=last):
        _say(entry, args, terminal)
    return 0


def _say(entry: Entry, args: argparse.Namespace, terminal: Terminal) -> None:
    _say_fields(entry.fields, _name(entry, args) if getattr(args, "names", False) else "", args, terminal)


def _say_fields(fields: dict[str, Any], name: str, args: argparse.Namespace, terminal: Terminal) -> None:
    if args.json:
        terminal.data({**fields, "name": name} if name else fields)
    else:
        line = records.line(fields["i"], fields, terminal.translate)
        terminal.line(f"{line}  « {printable(name, 200)} »" if name else line)


def _name(entry: Entry, args: argparse.Namespace) -> str:
    """What the document is called, for whoever it belongs to; for the administrator when the policy gives names, by the
    agent, which records it. Else empty.
    """
    from agent.audit.private import unseal
    from agent.crypto.keys import KeyStore
    from agent.errors import HostError, SealError

    if not entry.private:
        return ""
    folder = _folder(args)
    try:
        identities = KeyStore(folder.parent / "keys").identities(os.getuid())
        name = unseal(folder, entry.private, entry.number, identities).get("name", b"")
    except (SealError, HostError, OSError):
        return audit_review.given_name(args, entry.number)
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)


def _show(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.audit.segments import read

    if audit_review.is_for_reviewers(args):
        fields, name = audit_review.own_record(args, args.number)
        _say_fields(fields, name if args.names else "", args, terminal)
    else:
        entry = next((entry for entry in read(_folder(args), max(args.number, 0)) if entry.number == args.number), None)
        if entry is None:
            raise UsageError(N_("there is no record {number}"), hint=N_("see: serment audit list"), number=args.number)
        fields = entry.fields
        _say(entry, args, terminal)
    if not args.json:
        for key in sorted(set(fields) - records.FRAME):
            terminal.line(f"    {key}: {_value(fields[key])}")
    return 0


def _value(value: object) -> str:
    """A field as it stands in the log: names of fields and codes are the format's, not the reader's language."""
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 500)


def _verify(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.audit.checkpoint import fingerprint
    from agent.audit.segments import verify_folder
    from agent.audit.tampering import Tampering, tampered

    folder, wanted = args.folder or _folder(args), asked_log(args.key)
    try:
        found = verify_folder(folder, witness=_witness(args.witness))
        if wanted is not None and fingerprint(found.identity) != wanted:
            raise tampered(Tampering.SPLICED, 0)
    except TamperError as error:
        if args.json:
            text, _hint = error.said(terminal.translate)
            bad = {"index": error.fields["index"], "kind": str(error.fields["kind"])}
            terminal.data({"intact": False, **bad, "text": text})
        raise
    name = fingerprint(found.identity) if found.identity else ""
    if args.json:
        counts = {"records": found.records, "purged": found.purged, "sealed": found.sealed, "seals": found.seals}
        ends = {"sessions": found.sessions, "unclean": found.unclean_sessions, "last_seal_us": found.last_seal_us}
        told = {"cosigned": found.cosigned.size, "witness": found.cosigned.key.hex()} if found.cosigned else {}
        terminal.data({"intact": True, **counts, **ends, "log": name, **told})
        return 0
    say = terminal.translate
    terminal.line(say(N_("intact: {count} {count:record|records}")).format(count=Count(found.records)))
    if found.purged:
        terminal.line(
            say(N_("{count} {count:record|records} at the beginning are gone, their time was over")).format(
                count=Count(found.purged)
            )
        )
    if not name:
        terminal.line(say(N_("without seals: the agent adds them at its next start")))
        return 0
    terminal.line(
        say(N_("sealed: {count} {count:record|records}; the log's fingerprint is {name}")).format(
            count=Count(found.sealed), name=name
        )
    )
    if found.cosigned is not None:
        terminal.line(
            say(N_("the collector signed that it holds {count} {count:record|records}")).format(
                count=Count(found.cosigned.size)
            )
        )
    return 0


def _witness(text: str | None) -> bytes | None:
    try:
        key = bytes.fromhex(text) if text is not None else None
    except ValueError:
        key = b""
    if key is not None and len(key) != 32:
        raise UsageError(N_("a collector's public key is 64 hexadecimal digits"))
    return key


def _prove(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.audit.proof import prove
    from agent.audit.segments import verify_folder

    verify_folder(_folder(args))
    terminal.data(prove(_folder(args), args.number))
    return 0


def _export(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.audit.checkpoint import origin
    from agent.audit.head import read_head

    head = read_head(_folder(args))
    log = origin(bytes.fromhex(head.identity)) if head and head.identity else "serment-log"
    if args.format == "csv":
        terminal.line(audit_export.csv_head())
    for entry in _entries(args):
        if args.format == "csv":
            terminal.line(audit_export.csv_line(entry.fields))
        elif args.format == "ocsf":
            terminal.line(audit_export.json_line(audit_export.ocsf(entry.fields, log)))
        else:
            terminal.line(audit_export.json_line(entry.fields))
    return 0


def _follow(args: argparse.Namespace, terminal: Terminal) -> int:
    """From now on, until interrupted."""
    from agent.audit.head import read_head
    from agent.audit.segments import Position, read_placed

    folder, wanted = _folder(args), _selection(args)
    head = read_head(folder)
    place = Position(head.segment, head.offset) if head else None
    following = head.size if head else 0
    while True:
        for behind, entry in read_placed(folder, following, place):
            following, place = entry.number + 1, behind
            if wanted.matches(entry.fields):
                _say(entry, args, terminal)
        time.sleep(_FOLLOW_S)
