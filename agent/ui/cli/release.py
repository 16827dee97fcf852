"""``serment release ID --reason``: let a document go that the policy holds until a reason is given."""

from __future__ import annotations

import argparse
import base64
import os
from collections.abc import Callable

from agent.errors import N_
from agent.ui.configured import add_config, client
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("id", help=translate(N_("the number that quarantine list shows")))
    parser.add_argument("--reason", required=True, help=translate(N_("why it has to go; it is recorded")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    released = client(args).call("release", id=args.id, reason=args.reason)
    path = base64.b64decode(released["path"])
    if args.json:
        terminal.data({"id": released["id"], "path": os.fsdecode(path)})
    else:
        terminal.line(terminal.translate(N_("released: {path}")).format(path=printable(path)))
    return 0
