"""``serment audit list|show|verify``: read the audit log of this laptop, and check that nobody rewrote it.

``verify`` exits 0 intact, 1 tampered or truncated (the first bad record named), 2 unreadable.
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.errors import N_, TamperError, UsageError
from agent.i18n import Count
from agent.ui import records, wording
from agent.ui.configured import add_config, configuration
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

Record = tuple[int, Mapping[str, Any]]


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|verify")
    listing = actions.add_parser("list", help=translate(N_("what happened, a line each")))
    listing.add_argument("--kind", choices=records.KINDS, help=translate(N_("only this kind of record")))
    listing.add_argument("--channel", choices=tuple(wording.CHANNELS), help=translate(N_("only this channel")))
    listing.add_argument("--decision", choices=tuple(wording.DECISIONS), help=translate(N_("only this decision")))
    listing.add_argument("--last", type=int, metavar="N", help=translate(N_("only the last N")))
    show = actions.add_parser("show", help=translate(N_("one record, whole")))
    show.add_argument("number", type=int, help=translate(N_("its number")))
    verify = actions.add_parser("verify", help=translate(N_("check that nobody rewrote the log")))
    verify.add_argument("folder", nargs="?", type=Path, help=translate(N_("another log than this laptop's")))
    for sub in (listing, show, verify):
        add_config(sub, translate)
        sub.add_argument("--json", action="store_true", help=translate(N_("JSON")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    act = {"list": _list, "show": _show, "verify": _verify}[args.action]
    return act(args, terminal)


def _list(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.last is not None and args.last < 1:
        raise UsageError(N_("--last should be 1 or more"))
    chosen: Iterator[Record] = (found for found in _records(args) if _wanted(found[1], args))
    for number, fields in chosen if args.last is None else deque(chosen, maxlen=args.last):
        if args.json:
            terminal.data(dict(fields))
        else:
            terminal.line(records.line(number, fields, terminal.translate))
    return 0


def _records(args: argparse.Namespace) -> Iterator[Record]:
    from agent.audit.segments import read

    return ((entry.number, entry.fields) for entry in read(configuration(args).data_dir / "audit"))


def _wanted(fields: Mapping[str, Any], args: argparse.Namespace) -> bool:
    pairs = (("k", args.kind), ("channel", args.channel), ("decision", args.decision))
    return all(wanted is None or fields.get(key) == wanted for key, wanted in pairs)


def _show(args: argparse.Namespace, terminal: Terminal) -> int:
    for number, fields in _records(args):
        if number != args.number:
            continue
        if args.json:
            terminal.data(dict(fields))
            return 0
        terminal.line(records.line(number, fields, terminal.translate))
        for key in sorted(set(fields) - records.FRAME):
            terminal.line(f"    {key}: {_value(fields[key])}")
        return 0
    raise UsageError(N_("there is no record {number}"), hint=N_("see: serment audit list"), number=args.number)


def _value(value: object) -> str:
    """A field as it stands in the log: names of fields and codes are the format's, not the reader's language."""
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 500)


def _verify(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.audit.segments import verify_folder

    folder = args.folder or configuration(args).data_dir / "audit"
    try:
        result = verify_folder(folder)
    except TamperError as error:
        if args.json:
            text, _hint = error.said(terminal.translate)
            found = {"index": error.fields["index"], "kind": str(error.fields["kind"])}
            terminal.data({"intact": False, **found, "text": text})
        raise
    if args.json:
        terminal.data({"intact": True, "records": result.records})
    else:
        terminal.line(
            terminal.translate(N_("intact: {count} {count:record|records}")).format(count=Count(result.records))
        )
    return 0
