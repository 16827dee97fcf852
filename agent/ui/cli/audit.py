"""``serment audit list|show|verify``: read the audit log of this laptop, and check that nobody rewrote it.

``verify`` exits 0 intact, 1 tampered or truncated (the first bad record named), 2 unreadable.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.errors import N_, UsageError
from agent.ui import wording
from agent.ui.configured import add_config, configuration
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_HIDDEN = {"i", "t", "m", "b", "p", "k"}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|verify")
    listing = actions.add_parser("list", help=translate(N_("what happened, a line each")))
    listing.add_argument("--kind", help=translate(N_("only this kind of record: transfer, outcome, policy, …")))
    listing.add_argument("--channel", choices=tuple(wording.CHANNELS), help=translate(N_("only this channel")))
    listing.add_argument("--decision", choices=tuple(wording.DECISIONS), help=translate(N_("only this decision")))
    listing.add_argument("--last", type=int, default=0, metavar="N", help=translate(N_("only the last N")))
    show = actions.add_parser("show", help=translate(N_("one record, whole")))
    show.add_argument("number", type=int, help=translate(N_("its number")))
    verify = actions.add_parser("verify", help=translate(N_("check that nobody rewrote the log")))
    verify.add_argument("folder", nargs="?", type=Path, help=translate(N_("another log than this laptop's")))
    for sub in (listing, show, verify):
        add_config(sub, translate)
        sub.add_argument("--json", action="store_true", help=translate(N_("JSON")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.action == "verify":
        return _verify(args, terminal)
    records = _records(configuration(args).data_dir / "audit")
    if args.action == "show":
        return _show(records, args, terminal)
    chosen = [(number, fields) for number, fields in records if _wanted(fields, args)]
    for number, fields in chosen[-args.last :] if args.last > 0 else chosen:
        if args.json:
            terminal.data(dict(fields))
        else:
            terminal.line(_line(number, fields, terminal.translate))
    return 0


def _records(folder: Path) -> list[tuple[int, Mapping[str, Any]]]:
    from agent.audit.segments import read

    return [(entry.number, entry.fields) for entry in read(folder)]


def _wanted(fields: Mapping[str, Any], args: argparse.Namespace) -> bool:
    pairs = (("k", args.kind), ("channel", args.channel), ("decision", args.decision))
    return all(wanted is None or fields.get(key) == wanted for key, wanted in pairs)


def _show(records: list[tuple[int, Mapping[str, Any]]], args: argparse.Namespace, terminal: Terminal) -> int:
    for number, fields in records:
        if number != args.number:
            continue
        if args.json:
            terminal.data(dict(fields))
            return 0
        terminal.line(_line(number, fields, terminal.translate))
        for key in sorted(set(fields) - _HIDDEN):
            terminal.line(f"    {key}: {printable(str(fields[key]))}")
        return 0
    raise UsageError(N_("there is no record {number}"), hint=N_("see: serment audit list"), number=args.number)


def _line(number: int, fields: Mapping[str, Any], translate: wording.Translate) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(fields.get("t", 0)) / 1e6))
    return f"{number:>7}  {when}  {_what(fields, translate)}"


def _what(fields: Mapping[str, Any], translate: wording.Translate) -> str:
    kind = str(fields.get("k", ""))
    if kind == "transfer":
        channel = translate(wording.CHANNELS.get(str(fields.get("channel")), str(fields.get("channel"))))
        judged = f"{fields.get('judgement')}/{fields.get('kind')}"
        done = translate(wording.DECISIONS.get(str(fields.get("decision")), str(fields.get("decision"))))
        wanted = fields.get("wanted")
        would = f" [{translate(wording.DECISIONS[wanted])}]" if wanted in wording.DECISIONS and _differs(fields) else ""
        rule = f" ({fields['rule']})" if fields.get("rule") else ""
        return printable(f"{channel}: {judged}: {done}{would}{rule}")
    if kind == "outcome":
        problem = f" ({fields['problem']})" if fields.get("problem") else ""
        return printable(f"→ {fields.get('of')}: {fields.get('action')}: {fields.get('result')}{problem}")
    rest = " ".join(
        f"{key}={fields[key]}" for key in sorted(set(fields) - _HIDDEN) if not isinstance(fields[key], dict)
    )
    return printable(f"{kind} {rest}")


def _differs(fields: Mapping[str, Any]) -> bool:
    return fields.get("wanted") != fields.get("decision")


def _verify(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.audit.segments import verify_folder

    folder = args.folder or configuration(args).data_dir / "audit"
    result = verify_folder(folder)
    if args.json:
        terminal.data({"intact": True, "records": result.records})
    else:
        terminal.line(terminal.translate(N_("intact: {count} records")).format(count=result.records))
    return 0
