"""``serment quarantine list|restore``: documents that are held, and how to take them back."""

from __future__ import annotations

import argparse
import base64
import os
import time
from collections.abc import Callable
from typing import Any

from agent.errors import N_
from agent.ui import wording
from agent.ui.configured import add_config, client
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|restore")
    listing = actions.add_parser("list", help=translate(N_("what is held")))
    restore = actions.add_parser("restore", help=translate(N_("take a document back")))
    restore.add_argument("id", help=translate(N_("the number that list shows")))
    restore.add_argument("--to", metavar="FOLDER", help=translate(N_("where to put it (default: your home folder)")))
    for sub in (listing, restore):
        add_config(sub, translate)
        sub.add_argument("--json", action="store_true", help=translate(N_("one JSON object a line")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.action == "list":
        return _list(args, terminal)
    arguments = {"id": args.id}
    if args.to:
        arguments["to"] = base64.b64encode(os.path.abspath(os.fsencode(args.to))).decode()
    restored = client(args).call("quarantine.restore", **arguments)
    path = base64.b64decode(restored["path"])
    if args.json:
        terminal.data({"id": restored["id"], "path": os.fsdecode(path)})
    else:
        terminal.line(terminal.translate(N_("restored: {path}")).format(path=printable(path)))
    return 0


def _list(args: argparse.Namespace, terminal: Terminal) -> int:
    entries = client(args).call("quarantine.list")
    if args.json:
        for entry in entries:
            terminal.data({**entry, "path": os.fsdecode(base64.b64decode(entry["path"]))})
        return 0
    if not entries:
        terminal.line(terminal.translate(N_("Nothing is held.")))
    for entry in entries:
        terminal.line(_line(entry, terminal.translate))
    return 0


def _line(entry: dict[str, Any], translate: wording.Translate) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["time"]))
    channel = wording.word(wording.CHANNELS, entry["channel"], translate)
    state = wording.word(wording.HELD_STATES, entry["state"], translate)
    path = printable(base64.b64decode(entry["path"]))
    return f"{entry['id']}  {when}  {channel}  {path}  ({state}, {printable(entry['rule'])})"
