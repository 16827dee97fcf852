"""``serment run``: start the agent in the foreground.

It says in a few lines what it watches, how strongly, and where to look: ``python -m agent.ui.cli.run [fr|en]`` does,
with the status as JSON on its standard input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.errors import N_
from agent.ui import wording
from agent.ui.configured import add_config
from agent.ui.printable import printable
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    add_config(parser, translate)
    parser.add_argument("--foreground", action="store_true", help=translate(N_("stay in the foreground (the default)")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.ui.cli.resident import run as be_agent

    return be_agent(args.config, terminal.language)


def _say(status: dict[str, Any], terminal: Terminal) -> None:
    translate = terminal.translate
    terminal.line(
        translate(N_("Serment guards this laptop under the policy « {policy} » ({source}).")).format(
            policy=status["policy"]["name"], source=status["policy"]["source"]
        )
    )
    for channel in wording.CHANNELS:
        terminal.line("  " + summary(channel, status, translate))
    terminal.line("  " + _where(status, translate))


def summary(channel: str, status: dict[str, Any], translate: wording.Translate) -> str:
    """One channel in one line: its places, its strength, and why."""
    entries = [entry for entry in status["channels"] if entry["channel"] == channel]
    name = translate(wording.CHANNELS[channel])
    shown = [printable(entry["path"], 60) for entry in entries if entry["path"]]
    if not shown:
        return wording.labelled(name, translate(entries[0]["reason"]), translate) if entries else name
    return wording.labelled(name, "; ".join(_places(entries, strength, translate) for strength in _strengths(entries)),
                            translate)  # fmt: skip


def _strengths(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(entry["strength"] for entry in entries if entry["path"]))


def _places(entries: Sequence[Mapping[str, Any]], strength: str, translate: wording.Translate) -> str:
    """The places that are guarded that strongly."""
    shown = [printable(each["path"], 60) for each in entries if each["path"] and each["strength"] == strength]
    folders = ", ".join(shown[:3])
    if len(shown) > 3:
        folders += translate(N_(" and {count} more")).format(count=len(shown) - 3)
    return f"{folders} — {wording.word(wording.STRENGTHS, strength, translate)}"


def _where(status: dict[str, Any], translate: wording.Translate) -> str:
    url = status["collector"]["url"]
    if not url.startswith("http://"):  # a fleet's address (https) is for laptops; its pages are the officers'
        return translate(N_("look with: serment status, serment audit list; stop with Ctrl+C"))
    return translate(N_("look with: serment status, serment audit list, or the page {url}; stop with Ctrl+C")).format(
        url=url
    )


if __name__ == "__main__":
    _say(json.load(sys.stdin), Terminal(sys.argv[1] if len(sys.argv) > 1 else ""))
