"""``serment held``: the documents that wait for an answer, and the answer. For who works without a desktop, or later.

Without an id it lists batches: what was copied together is one line and takes one answer.
"""

from __future__ import annotations

import argparse
import base64
import os
import time
from collections.abc import Callable
from typing import Any

from agent.daemon.control import ControlClient
from agent.errors import N_, HostError, UsageError
from agent.i18n import Count
from agent.policy.answers import TEXTS
from agent.ui import wording
from agent.ui.configured import add_config, client
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

PATIENCE_S = 600.0
_POLL_S = 0.5


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("id", nargs="?", help=translate(N_("the number that the list shows")))
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--seal", action="store_true", help=translate(N_("encrypt and copy: the safe way")))
    ways.add_argument("--why", metavar="REASON", help=translate(N_("copy as it is, for this reason (--reasons)")))
    ways.add_argument("--emergency", action="store_true", help=translate(N_("copy as it is, in the open emergency")))
    ways.add_argument("--reasons", action="store_true", help=translate(N_("the reasons that can be given")))
    parser.add_argument("--text", default="", help=translate(N_("the reason in your own words; it stays private")))
    parser.add_argument("--only", action="store_true", help=translate(N_("this document alone, not its whole batch")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object a line")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    control = client(args)
    if args.reasons:
        return _reasons(control, args, terminal)
    how = "seal" if args.seal else "emergency" if args.emergency else "reason" if args.why or args.text else ""
    if not args.id:
        if how:
            raise UsageError(N_("say which one: serment held ID"), hint=N_("serment held shows what waits"))
        return _list(control.call("held"), args, terminal)
    if not how:
        raise UsageError(N_("say how: --seal, or --why REASON"), hint=N_("reasons: serment held --reasons"))
    answer = control.call("answer", id=args.id, how=how, whole=not args.only, why=args.why or "", text=args.text)
    return _answered(finish(control, answer), how, args, terminal)


def finish(control: ControlClient, answer: dict[str, Any]) -> dict[str, Any]:
    """Wait until the answer is carried out; a slow stick and many documents take their time."""
    deadline = time.monotonic() + PATIENCE_S
    while not answer["over"] and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        answer = control.call("answer.progress")
    return answer


def _answered(answer: dict[str, Any], how: str, args: argparse.Namespace, terminal: Terminal) -> int:
    paths = [base64.b64decode(path) for path in answer.pop("paths")]
    if args.json:
        terminal.data({**answer, "paths": [os.fsdecode(path) for path in paths]})
    elif answer["done"]:
        text = terminal.translate(TEXTS["done-sealed" if how == "seal" else "done-released"])
        documents = _documents(answer["done"], terminal)
        terminal.line(wording.labelled(text, documents, terminal.translate))
        for path in paths[:5]:
            terminal.line(f"  {printable(path)}")
    if answer["failed"]:
        gone = answer["fields"].get("problem") == "gone"
        raise HostError(
            N_("{count} could not be copied and are still held: {problem}"), count=answer["failed"],
            problem=_problem(answer, terminal),
            hint=N_("plug the stick in again, then answer again") if gone else N_("mend that, then answer again"),
        )  # fmt: skip
    return 0


def _problem(answer: dict[str, Any], terminal: Terminal) -> str:
    fields = answer["fields"]
    fields["problem"] = terminal.translate(
        wording.OBSTACLES.get(str(fields.get("problem")), str(fields.get("problem")))
    )
    return terminal.translate(answer["message"]).format_map(fields) if answer["message"] else ""


def _list(batches: list[dict[str, Any]], args: argparse.Namespace, terminal: Terminal) -> int:
    if args.json:
        for batch in batches:
            names = [os.fsdecode(base64.b64decode(name)) for name in batch.pop("names")]
            folder, _name = os.fsdecode(base64.b64decode(batch.pop("folder"))), batch.pop("name")
            terminal.data({**batch, "folder": folder, "names": names})
        return 0
    if not batches:
        terminal.line(terminal.translate(N_("Nothing waits for your answer.")))
        return 0
    for batch in batches:
        for line in _lines(batch, terminal):
            terminal.line(line)
    terminal.line(terminal.translate(N_("Answer with: serment held ID --seal, or serment held ID --why REASON")))
    return 0


def _lines(batch: dict[str, Any], terminal: Terminal) -> list[str]:
    translate = terminal.translate
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(batch["time"]))
    name = printable(base64.b64decode(batch["name"]), 60)
    if batch["count"] > 1:
        name += translate(N_(" and {count} more")).format(count=batch["count"] - 1)
    channel = wording.word(wording.CHANNELS, batch["channel"], translate)
    ways = [translate(TEXTS[f"button-{offer}"]) for offer in batch["offers"]]
    answers = ", ".join(ways) or translate(N_("take it back with: serment quarantine restore {id}")).format(
        id=batch["id"]
    )
    return [f"{batch['id']}  {when}  {channel}  {name}", f"          {answers}"]


def _documents(count: int, terminal: Terminal) -> str:
    return terminal.translate(N_("{count} {count:document|documents}")).format(count=Count(count))


def _reasons(control: ControlClient, args: argparse.Namespace, terminal: Terminal) -> int:
    for reason in reasons(control.call("helper.hello"), terminal.language, terminal.translate):
        if args.json:
            terminal.data({"id": reason[0], "text": reason[1]})
        else:
            terminal.line(f"{reason[0]:<16} {reason[1]}")
    return 0


def reasons(hello: dict[str, Any], language: str, translate: wording.Translate) -> list[tuple[str, str]]:
    """Ids and texts of the reasons in a language; « not a patient document » and one's own words come last."""
    listed = []
    for reason in hello["reasons"]:
        texts = reason["text"]
        listed.append((reason["id"], texts.get(language) or translate(texts.get("") or next(iter(texts.values()), ""))))
    listed.append(("not-patient", translate(N_("This is not a document about a patient"))))
    listed.append(("other", translate(N_("Another reason, in my own words"))))
    return listed
