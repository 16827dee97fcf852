"""``serment status``: what is guarded, how strongly, what waits. ``--json`` is a contract (design, section 7)."""

from __future__ import annotations

import argparse
import base64
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.errors import N_
from agent.i18n import Count
from agent.ui import wording
from agent.ui.cli.run import summary
from agent.ui.configured import add_config, client
from agent.ui.printable import printable
from agent.ui.refusal import refusal_of, refusal_worded
from agent.ui.terminal import Terminal


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    add_config(parser, translate)
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    control = client(args)
    status = control.call("status")
    if args.json:
        terminal.data(_translated(status, terminal))
        return 0
    _print(status, terminal)
    for notice in control.call("notices")[-5:]:
        terminal.line("  " + _notice(notice, terminal))
    return 0


def _translated(status: dict[str, Any], terminal: Terminal) -> dict[str, Any]:
    """Reasons and troubles in the reader's language; everything else as the agent said it."""
    for entry in status["channels"]:
        entry["reason"] = terminal.translate(entry["reason"]) if entry["reason"] else ""
    if status["pictures"]["reason"]:
        status["pictures"]["reason"] = terminal.translate(status["pictures"]["reason"])
    for trouble in status["troubles"]:
        for key in ("message", "hint"):
            trouble[key] = _text(trouble, key, terminal.translate)
    return status


class _Fields(dict[str, str]):
    """What a sentence needs; an agent of another version may lack a word, and status is asked for when things fail."""

    def __missing__(self, key: str) -> str:
        return "…"


def _text(trouble: dict[str, Any], key: str, translate: wording.Translate) -> str:
    fields = _Fields(refusal_worded(trouble["fields"], translate))
    return translate(trouble[key]).format_map(fields) if trouble[key] else ""


def _print(status: dict[str, Any], terminal: Terminal) -> None:
    translate = terminal.translate
    ready = translate(N_("guarding")) if status["ready"] else translate(N_("starting"))
    terminal.line(wording.labelled("Serment", f"{ready} — {_policy(status, translate)}", translate))
    if not status["root"]:
        terminal.line("  ! " + translate(N_("the agent does not run as root: it guards your own folders only")))
    for channel in wording.CHANNELS:
        terminal.line("  " + summary(channel, status, translate))
        for entry in status["channels"]:
            if entry["channel"] == channel and entry["path"] and entry["reason"]:
                path = printable(entry["path"], 60)
                terminal.line("    " + wording.labelled(path, translate(entry["reason"]), translate))
            if entry["channel"] == channel and entry["path"] and entry.get("holds", {}).get("asked"):
                path = printable(entry["path"], 60)
                terminal.line("    " + wording.labelled(path, _holds(entry["holds"], translate), translate))
    for text in _gate(status.get("gate", {}), translate):
        terminal.line("  " + text)
    terminal.line("  " + _work(status, translate))
    terminal.line("  " + _pictures(status["pictures"], translate))
    terminal.line("  " + _collector(status, translate))
    for trouble in status["troubles"]:
        _complain(terminal, _text(trouble, "message", translate), _text(trouble, "hint", translate))
    if status["policy"].get("refusal"):
        _complain(terminal, *refusal_of(status["policy"]["refusal"], translate))


def _holds(holds: dict[str, Any], translate: wording.Translate) -> str:
    """How often programs waited for a verdict at this place, and how long."""
    numbers = {key: Count(holds[key]) for key in ("asked", "refused", "sealed")}
    counts = translate(N_("{asked} judged before they went, {refused} refused, {sealed} sealed")).format(**numbers)
    return counts + translate(N_("; half waited at most {half} ms, none over {most} ms")).format(
        half=round(holds["p50_ms"]), most=math.ceil(holds["max_ms"])
    )


def _gate(gate: dict[str, Any], translate: wording.Translate) -> list[str]:
    """What the gate on sync folders did, and where there is none."""
    lines = []
    if gate.get("armed"):
        text = translate(
            N_("{asked} {asked:opening|openings} judged, {cached} known already, {refused} refused")
        ).format(**{**gate, "asked": Count(gate["asked"])})
        times = {key: round(gate[key], 1) for key in ("p50_ms", "p99_ms", "max_ms")}
        text += translate(N_("; half waited under {p50_ms} ms, 99 of 100 under {p99_ms} ms, one {max_ms} ms")).format(
            **times
        )
        lines.append(wording.labelled(translate(N_("gate on sync folders")), text, translate))
    if gate and not gate.get("documents"):
        lines.append(translate(N_("what browsers, mailers and transfer programs open in home folders is not held")))
    return lines


def _complain(terminal: Terminal, text: str, hint: str) -> None:
    terminal.line("  ! " + text)
    if hint:
        terminal.line("    " + wording.labelled(terminal.translate(N_("hint")), hint, terminal.translate))


def _policy(status: dict[str, Any], translate: wording.Translate) -> str:
    policy = status["policy"]
    return translate(N_("policy « {name} », release {release}, from {source}")).format(**policy)


def _work(status: dict[str, Any], translate: wording.Translate) -> str:
    waiting = status["queue"]["fresh"] + status["queue"]["existing"] + status["queue"]["active"]
    return translate(N_("documents: {judged} judged, {acted} acted on, {waiting} waiting; {held} held")).format(
        judged=status["counts"]["judged"], acted=status["counts"]["acted"], waiting=waiting, held=status["held"]
    )


def _pictures(pictures: dict[str, Any], translate: wording.Translate) -> str:
    if pictures["state"] == "read":
        text = translate(N_("{read} read, {waiting} waiting")).format(**pictures)
    else:
        text = translate(N_("not read ({why})")).format(why=translate(pictures["reason"]))
    return wording.labelled(translate(N_("pictures and scans")), text, translate)


def _collector(status: dict[str, Any], translate: wording.Translate) -> str:
    audit = status["audit"]
    if audit["acknowledged"] is None:
        return translate(N_("audit log: {records} {records:record|records}, kept on this laptop only")).format(
            records=Count(audit["records"])
        )
    text = translate(
        N_("audit log: {records} {records:record|records}, {acknowledged} with the collector {url}")
    ).format(records=Count(audit["records"]), acknowledged=audit["acknowledged"], url=status["collector"]["url"])
    if status["collector"].get("bell"):
        text += "\n    " + translate(N_("the collector can call this laptop: what is urgent arrives within a minute"))
    token = status["collector"]["token_file"]
    if token and os.access(token, os.R_OK):
        secret = Path(token).read_text("ascii").strip()
        text += "\n    " + translate(N_("page: {url}")).format(url=f"{status['collector']['url']}/?token={secret}")
    return text


def _notice(notice: dict[str, Any], terminal: Terminal) -> str:
    translate = terminal.translate
    name = printable(base64.b64decode(notice["name"]), 60)
    when = time.strftime("%H:%M", time.localtime(notice["time"]))
    if not name:  # of keys, of an emergency: there is no document, and what is told is all of it
        return f"{when}  {printable(notice['message'].get(terminal.language, ''), 400)}"
    what = wording.word(wording.DECISIONS, notice["decision"], translate)
    if notice["decision"] == "block" and not notice["held"]:
        what = translate(N_("refused"))
    if notice["result"] == "examining":
        what = wording.word(wording.RESULTS, notice["result"], translate)
    elif notice["result"] != "done":
        what += f" — {wording.word(wording.RESULTS, notice['result'], translate)}"
    if notice["count"] > 1:
        name += translate(N_(" and {count} more")).format(count=notice["count"] - 1)
    held = f" [{notice['held']}]" if notice["held"] else ""
    return f"{when}  {wording.labelled(name, what, translate)}{held}"
