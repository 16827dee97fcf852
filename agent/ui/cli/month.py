"""``serment month``: what Serment did for one person in a month. One's own figures; nobody else's are to be had."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from agent.errors import N_
from agent.i18n import Count
from agent.ui.configured import add_config, client
from agent.ui.terminal import Terminal
from agent.ui.wording import Translate


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("month", nargs="?", help=translate(N_("a month such as 2026-11 (default: this one)")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    month = args.month or time.strftime("%Y-%m")
    counts = client(args).call("helper.month", month=month)
    if args.json:
        terminal.data({"month": month, **counts})
    else:
        terminal.line(summary(counts, terminal.translate))
    return 0


def summary(counts: dict[str, int], translate: Translate) -> str:
    """« 12 documents were encrypted, 2 were kept from leaving. »"""
    if not any(counts.values()):
        return translate(N_("Serment had nothing to do for you this month."))
    text = translate(
        N_("{sealed} {sealed:document was|documents were} encrypted, {refused} {refused:was|were} kept from leaving.")
    ).format(sealed=Count(counts["sealed"]), refused=Count(counts["refused"]))
    if counts["released"]:
        text += " " + translate(N_("You answered for {released} of them.")).format(released=counts["released"])
    if counts["emergencies"]:
        text += " " + translate(N_("Emergencies called: {emergencies}.")).format(emergencies=counts["emergencies"])
    return text
