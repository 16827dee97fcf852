"""``serment emergency``: open a channel for some minutes when care cannot wait. Recorded, and gone through later.

Without a word it shows what is open; ``--stop`` ends it before its time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from agent.errors import N_, UsageError
from agent.policy.answers import TEXTS
from agent.ui import wording
from agent.ui.configured import add_config, client
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_CHANNELS = {"stick": "removable", "cloud": "cloud_sync", "removable": "removable", "cloud_sync": "cloud_sync"}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("channel", nargs="?", choices=sorted(_CHANNELS), help=translate(N_("what to open")))
    parser.add_argument("--why", default="", metavar="REASON", help=translate(N_("see: serment held --reasons")))
    parser.add_argument("--text", default="", help=translate(N_("the reason in your own words")))
    parser.add_argument("--minutes", type=int, help=translate(N_("for so long (default: as long as the policy lets)")))
    parser.add_argument("--stop", action="store_true", help=translate(N_("end it now")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object a line")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    said = bool(args.why or args.text or args.minutes is not None)
    if args.stop and (args.channel or said):
        raise UsageError(
            N_("--stop ends every emergency of yours, and takes nothing else"), hint=N_("serment emergency --stop")
        )
    control = client(args)
    if args.channel is None:
        if said:
            raise UsageError(
                N_("say what to open: stick or cloud"), hint=N_("example: serment emergency stick --why urgent-care")
            )
        return _show(control.call("emergency.stop" if args.stop else "emergency.list"), args, terminal)
    minutes = {} if args.minutes is None else {"minutes": args.minutes}
    opened = control.call("emergency", channel=_CHANNELS[args.channel], why=args.why, text=args.text, **minutes)
    if args.json:
        terminal.data(opened)
    else:
        terminal.line(terminal.translate(TEXTS["emergency-on"]).format(time=opened["until"]))
        terminal.line(terminal.translate(TEXTS["emergency-note"]))
    return 0


def _show(listed: list[dict[str, Any]], args: argparse.Namespace, terminal: Terminal) -> int:
    translate = terminal.translate
    for each in listed:
        if args.json:
            terminal.data(each)
            continue
        channel = wording.word(wording.CHANNELS, each["channel"], translate)
        text = translate(N_("ended")) if args.stop else translate(N_("open until {until}")).format(**each)
        terminal.line(wording.labelled(f"{printable(each['person'])}, {channel}", text, translate))
    if not listed and not args.json:
        terminal.line(translate(N_("No emergency is open.")))
    return 0
