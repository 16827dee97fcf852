"""``serment audit review|mine|hold``: look through the log, see what is held about oneself, keep things for a case.

All of it goes through the agent's local socket: the kernel says who asks, and the agent decides what is shown. Loads
the screen or the page when it is wanted, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.audit.holds import FOREVER, REASONS
from agent.config import AgentConfig, load_config
from agent.errors import N_, SermentError, UsageError
from agent.ui.asked_day import beginning_of
from agent.ui.configured import add_config, configuration
from agent.ui.printable import printable
from agent.ui.review.client import Filter, ReviewClient
from agent.ui.review.sentences import moment
from agent.ui.review.texts import mine_lines
from agent.ui.terminal import Terminal

if TYPE_CHECKING:
    from agent.audit.select import Selection

NAMES = ("review", "mine", "hold")


def arguments(actions: argparse._SubParsersAction[argparse.ArgumentParser], translate: Callable[[str], str]) -> None:
    """Adds the three actions to those of ``serment audit``."""
    review = actions.add_parser("review", help=translate(N_("look through it by day, mark, contest")))
    review.add_argument("--page", action="store_true", help=translate(N_("as a page in your browser")))
    review.add_argument("--no-open", action="store_true", help=translate(N_("only print the page's address")))
    mine = actions.add_parser("mine", help=translate(N_("what the agent holds about you")))
    mine.add_argument("--json", action="store_true", help=translate(N_("JSON")))
    hold = actions.add_parser("hold", help=translate(N_("keep records beyond their time, for a case")))
    acts = hold.add_subparsers(dest="act", required=True, metavar="add|list|lift")
    add = acts.add_parser("add", help=translate(N_("nothing of that time is removed from now on")))
    add.add_argument("case", metavar="CASE", help=translate(N_("the file number, never a name")))
    add.add_argument("--reason", choices=REASONS, required=True, help=translate(N_("why")))
    add.add_argument("--since", metavar="DATE", help=translate(N_("from this day on, 2026-11-22")))
    add.add_argument("--until", metavar="DATE", help=translate(N_("up to and with this day")))
    listing = acts.add_parser("list", help=translate(N_("the holds in force")))
    listing.add_argument("--json", action="store_true", help=translate(N_("JSON")))
    lift = acts.add_parser("lift", help=translate(N_("the times count again")))
    lift.add_argument("case", metavar="CASE", help=translate(N_("the file number, never a name")))
    for sub in (review, mine, add, listing, lift):
        add_config(sub, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """One of the three. Raises SermentError."""
    return {"review": _review, "mine": _mine, "hold": _hold}[args.action](args, terminal)


def review_client(config: AgentConfig) -> ReviewClient:
    """Of whoever runs this; keys under a phrase open when they are unlocked in this session."""
    from agent.ui.key_access import KeyAccess

    access = KeyAccess(config)
    from agent.daemon.control import ControlClient

    return ReviewClient(ControlClient(config.control_socket), lambda head: access.file_key(head).key)


def _review(args: argparse.Namespace, terminal: Terminal) -> int:
    client = review_client(configuration(args))
    client.days()  # no agent, no right: said now, not on a screen
    if args.page:
        return _page(client, args, terminal)
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            N_("the review needs a terminal"), hint=N_("as a page: serment audit review --page; as text: audit list")
        )
    from agent.ui.review.terminal_app import ReviewApp

    ReviewApp(client, terminal).run()
    return 0


def _page(client: ReviewClient, args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.ui.review.page.server import PageServer
    from agent.ui.review.page.views import Page

    server = PageServer(Page(client, terminal.language), users())
    terminal.line(terminal.translate(N_("Open this address in your browser; it works once, on this laptop, for you:")))
    terminal.line(server.url)
    terminal.line(terminal.translate(N_("The page ends with Ctrl+C, or when nobody uses it for a quarter of an hour.")))
    if not args.no_open:
        _open(server.url)
    try:
        server.serve()
    except KeyboardInterrupt:
        terminal.line()
    return 0


def is_for_reviewers(args: argparse.Namespace) -> bool:
    """Whether the log's folder is closed to whoever runs this; the agent shows them what is theirs."""
    folder = configuration(args).data_dir / "audit"
    try:
        os.stat(folder)
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(folder, os.R_OK | os.X_OK)


def own_records(args: argparse.Namespace, wanted: Selection) -> Iterator[tuple[dict[str, Any], str]]:
    """What somebody who may not read the log's files sees of it, in order, with names; by way of the agent."""
    client = review_client(configuration(args))
    for day in sorted(each["day"] for each in client.days()["days"]):
        found: dict[int, tuple[dict[str, Any], str]] = {}
        for event in client.each(day, Filter("everything")):
            said = [event["fields"], event.get("outcome"), event.get("given"), event.get("contest")]
            for fields in (*said, *event.get("reviews", ())):
                if fields is not None and wanted.matches(fields):
                    found.setdefault(fields["i"], (fields, _named(event) if fields is event["fields"] else ""))
        yield from (found[number] for number in sorted(found))


def own_record(args: argparse.Namespace, number: int) -> tuple[dict[str, Any], str]:
    """One of them. Raises RemoteError: it is not there, or somebody else's."""
    event = review_client(configuration(args)).event(number)
    return event["fields"], _named(event)


def given_name(args: argparse.Namespace, number: int) -> str:
    """The name of a document of somebody else, when the policy gives it; empty when not, or when no agent answers."""
    client = _giving(args.config)
    try:
        return _named(client.event(number)) if client is not None else ""
    except SermentError:
        return ""


@lru_cache(maxsize=1)
def _giving(config: Path | None) -> ReviewClient | None:
    """A client, if an agent answers whose policy gives names to whoever runs this."""
    try:
        client = review_client(load_config(config))
        return client if client.days()["names"] else None
    except SermentError:
        return None


def _named(event: dict[str, Any]) -> str:
    return os.fsdecode(event.get("name", b""))


def users() -> frozenset[int]:
    """Who may reach the page: whoever started it, root, and the person who became root by sudo or pkexec for it."""
    found = {0, os.getuid()}
    if os.getuid() == 0:
        became = [os.environ.get(name, "") for name in ("SUDO_UID", "PKEXEC_UID")]
        found |= {int(number) for number in became if number.isdecimal()}
    return frozenset(found)


def _open(url: str) -> None:
    """In the person's own browser; never one that would run as root."""
    opener = shutil.which("xdg-open")
    if opener and os.getuid() != 0 and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        subprocess.Popen(
            [opener, url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip


def _mine(args: argparse.Namespace, terminal: Terminal) -> int:
    held = review_client(configuration(args)).mine()
    if args.json:
        terminal.data(held)
        return 0
    title, lines = mine_lines(held, terminal.translate)
    terminal.line(title)
    for line in lines:
        terminal.line(line)
    return 0


def _hold(args: argparse.Namespace, terminal: Terminal) -> int:
    client, say = review_client(configuration(args)), terminal.translate
    if args.act == "add":
        since = 0 if args.since is None else beginning_of(args.since)
        until = FOREVER if args.until is None else beginning_of(args.until, 1)
        number = client.hold(args.case, args.reason, since, until)
        text = N_("case {case} is held (record {number})")
        terminal.line(say(text).format(case=printable(args.case), number=number))
    elif args.act == "lift":
        number = client.lift(args.case)
        text = N_("case {case} is lifted (record {number})")
        terminal.line(say(text).format(case=printable(args.case), number=number))
    else:
        _list_holds(client, args, terminal)
    return 0


def _list_holds(client: ReviewClient, args: argparse.Namespace, terminal: Terminal) -> None:
    for hold in client.holds():
        if args.json:
            terminal.data(hold)
            continue
        since = moment({"t": hold["since"]}, "%d/%m/%Y") if hold["since"] else "…"
        until = moment({"t": hold["until"]}, "%d/%m/%Y") if hold["until"] != FOREVER else "…"
        reason = terminal.translate(REASON_WORDS.get(hold["reason"], hold["reason"] or "?"))
        terminal.line(f"{printable(hold['case'])}  {since} - {until}  {reason}")


REASON_WORDS = {
    "breach": N_("a breach or a loss"),
    "complaint": N_("a complaint"),
    "court": N_("a court's or a lawyer's request"),
    "authority": N_("an authority's request"),
    "other": N_("another reason"),
}
