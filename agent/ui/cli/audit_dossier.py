"""``serment audit dossier``: what left on a medium, of one document or in a time, with proof, as PDF and JSON.

Without a question it lists the media that the log knows: whoever lost one has not its serial number. The administrator
reads the log's folder, everybody else asks the agent and gets the own records. Each dossier is a record of the log,
and that record is its signature. ``--check FILE`` exits 0 unchanged, 1 changed, 2 cannot be checked.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import N_, AuditError, HostError, UsageError
from agent.i18n import Count
from agent.ui import wording
from agent.ui.cli import dossier_files
from agent.ui.configured import add_config, client, configuration
from agent.ui.log_name import asked_log
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

if TYPE_CHECKING:
    from agent.dossier.model import Scope, Stick
    from agent.dossier.source import Source
    from agent.dossier.words import Words

HELP = N_("what left on a lost medium, with proof, for the 72 hours of article 33")


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    about = parser.add_mutually_exclusive_group()
    about.add_argument(
        "--device", metavar="SERIAL", help=translate(N_("a medium: serial number, digest or number in the list"))
    )
    about.add_argument(
        "--document", metavar="ID", help=translate(N_("a document: number of its record, or its neutral name"))
    )
    about.add_argument(
        "--between",
        nargs=2,
        metavar=("A", "B"),
        help=translate(N_("what left in a time: 2026-11-22 or 2026-11-22T19:00")),
    )
    about.add_argument("--check", type=Path, metavar="FILE", help=translate(N_("has anybody changed this dossier?")))
    parser.add_argument(
        "--key", metavar="HEX", help=translate(N_("with --check: the fingerprint that the log must have"))
    )
    parser.add_argument("--log", type=Path, metavar="DIR", help=translate(N_("a copy of the log of another laptop")))
    parser.add_argument("--policy", type=Path, metavar="FILE", action="append", default=[],
                        help=translate(N_("with --log: the policy file of then, for its sentences")))  # fmt: skip
    parser.add_argument("--found", metavar="WHEN", help=translate(N_("when the practice became aware of the loss")))
    parser.add_argument(
        "--names", action="store_true", help=translate(N_("with the names of documents you have a key for"))
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=translate(N_("where to put it: a folder that is not there yet"))
    )
    parser.add_argument("--json", action="store_true", help=translate(N_("JSON")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.check is not None:
        return _check(args, terminal)
    source, by = _source(args)
    if not (args.device or args.document or args.between):
        return _list(source, args, terminal)
    return _make(source, by, args, terminal)


def _source(args: argparse.Namespace) -> tuple[Source, str]:
    """Where the records come from, and in which role they are read."""
    from agent.audit.segments import require_log
    from agent.dossier.source import FolderSource
    from agent.ui.dossier_agent import AgentSource

    if args.log is not None:
        require_log(args.log)
        return FolderSource(args.log, args.policy, same_laptop=False), "offline"
    config = configuration(args)
    folder = config.data_dir / "audit"
    if os.access(folder, os.R_OK | os.X_OK):
        files = [config.policy.file] if config.policy.file is not None else []
        return FolderSource(folder, [*files, *args.policy]), "administrator"
    return AgentSource(client(args)), "owner"


# ---- which media there are


def _list(source: Source, args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.dossier.assembly import moment
    from agent.dossier.finding import media

    say = terminal.translate
    sticks = media(source.records())
    for number, stick in enumerate(sticks, 1):
        last = moment(stick.last_us, _local)
        if args.json:
            terminal.data({"number": number, "serial_digest": stick.serial, "volumes": sorted(stick.volumes),
                           **stick.words, "last": last, "taken_out": stick.taken_out})  # fmt: skip
            continue
        name = printable(" ".join(stick.words.get(word, "") for word in ("vendor", "product")).strip(), 60)
        digest = stick.serial or min(stick.volumes)
        text = say(N_("{number}. {name}, {digest}, last seen {when}")).format(
            number=number, name=name or say(N_("medium without a name")), digest=printable(digest, 40),
            when=_words(terminal.language).short(last),
        )  # fmt: skip
        terminal.line(text)
    if not args.json:
        hint = (
            N_("make the dossier of one: serment audit dossier --device NUMBER")
            if sticks
            else N_("the log knows no medium")
        )
        terminal.line(say(hint))
    return 0


# ---- what is asked for


def _scope(source: Source, args: argparse.Namespace) -> tuple[Scope, str]:
    """The question, and the serial number in clear when that was how it was asked."""
    from agent.dossier.model import Scope

    if args.between:
        since, until = _instant(args.between[0], end=False), _instant(args.between[1], end=True)
        if until <= since:
            raise UsageError(N_("the end of the time is before its beginning"))
        return Scope("time", " ".join(args.between)[:80], since=since, until=until), ""
    if args.document:
        from agent.dossier.finding import document

        digests = document(args.document, source.records())
        if not digests:
            raise UsageError(N_("the log knows no document {asked}"), hint=N_("see: serment audit list"),
                             asked=repr(args.document[:80]))  # fmt: skip
        return Scope("document", args.document[:80], digests), ""
    return _device(source, args)


def _device(source: Source, args: argparse.Namespace) -> tuple[Scope, str]:
    from agent.dossier.finding import digests_of, media
    from agent.dossier.model import Scope

    serial = _serial(source, args)
    found = digests_of(args.device, serial, media(source.records()))
    if not found:
        raise UsageError(N_("the log knows no medium {asked}"), hint=N_("see which there are: serment audit dossier"),
                         asked=repr(args.device[:80]))  # fmt: skip
    if len(found) > 1:
        raise UsageError(N_("several media begin with {asked}"), asked=repr(args.device[:80]),
                         hint=N_("give more of the digest, or the number in the list"))  # fmt: skip
    stick: Stick = found[0]
    digests = frozenset((stick.serial,)) if stick.serial else frozenset(stick.volumes)
    return Scope("device", args.device[:80], digests), args.device[:80] if serial and stick.serial == serial else ""


def _serial(source: Source, args: argparse.Namespace) -> str:
    """The keyed digest of what was given, if it is a serial number: by the laptop's own key."""
    from agent.daemon.device import load_device

    data = args.log.resolve().parent if args.log is not None else configuration(args).data_dir
    if (data / "device.json").exists() and os.access(data / "device.json", os.R_OK):
        return load_device(data).pseudonym("serial", os.fsencode(args.device))
    return source.serial(args.device)


def _instant(text: str, *, end: bool) -> int:
    """Microseconds since 1970 UTC of a local day or minute; the end of a day is the beginning of the next."""
    try:
        if len(text) == len("2026-11-22"):
            moment = dt.datetime.combine(dt.date.fromisoformat(text) + dt.timedelta(days=end), dt.time())
        else:
            moment = dt.datetime.fromisoformat(text)
        return int(moment.astimezone().timestamp()) * 1_000_000
    except (ValueError, OverflowError) as error:
        raise UsageError(
            N_("a time is written 2026-11-22 or 2026-11-22T19:00, not {found}"), found=repr(text)
        ) from error


def _local(time_us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time_us / 1e6, dt.UTC).astimezone()


def _words(language: str) -> Words:
    from agent.audit.tampering import Tampering
    from agent.daemon.failures import FAILURES
    from agent.dossier.words import Words
    from agent.i18n import catalogue

    troubles = {word: failure.message for word, failure in FAILURES.items()}
    tables: dict[str, Any] = {
        "channel": wording.CHANNELS, "kind": wording.KINDS, "problem": wording.PROBLEMS, "strength": wording.STRENGTHS,
        "judgement": wording.JUDGEMENTS, "trouble": troubles, "tampering": {str(each): str(each) for each in Tampering},
    }  # fmt: skip
    return Words(language, catalogue(language).gettext, tables)


# ---- make it


def _make(source: Source, by: str, args: argparse.Namespace, terminal: Terminal) -> int:
    from agent import __version__
    from agent.audit.clock import clock_state
    from agent.dossier.assembly import Made, moment
    from agent.dossier.making import make, write
    from agent.i18n import LANGUAGES

    scope, serial = _scope(source, args)
    now = time.time_ns() // 1000
    found = _instant(args.found, end=False) if args.found else 0
    if found > now:
        raise UsageError(N_("this moment has not come yet: {found}"), found=repr(args.found))
    clock: dict[str, Any] = dict(clock_state())
    if last := dossier_files.last_sync_us():
        clock["last_sync"] = moment(last, _local)
    made = Made(now, __version__, by, clock, found, serial)
    shown = (lambda name: printable(name, 200)) if args.names else None
    dossier = make(source, scope, made, _local, named=shown)
    written = write(dossier, _words(terminal.language), {each: _words(each) for each in LANGUAGES})
    signature = _signed(written.digests, scope.kind, len(dossier["facts"]["documents"]), args)
    folder = args.out or Path(f"serment-dossier-{_local(now):%Y-%m-%d-%H%M%S}")
    dossier_files.put(folder, {**written.files, **signature})
    _tell(dossier, folder, signature, args, terminal)
    return 0


def _signed(digests: dict[str, str], what: str, count: int, args: argparse.Namespace) -> dict[str, bytes]:
    """The signature file, by the agent of this laptop; empty when none answers."""
    from agent.dossier.checking import SIGNATURE

    try:
        return {SIGNATURE: dossier_files.signature(client(args), digests, what, count)}
    except HostError:
        return {}


def _tell(
    dossier: dict[str, Any], folder: Path, signature: dict[str, bytes], args: argparse.Namespace, terminal: Terminal
) -> None:
    from agent.dossier.composing import summary

    say = terminal.translate
    if args.json:
        facts = dossier["facts"]
        terminal.data({"folder": str(folder), "signed": bool(signature), "proved": dossier["proof"] is not None,
                       "intact": dossier["log"]["intact"], "log": dossier["log"]["name"], "estimate": facts["estimate"],
                       "documents": len(facts["documents"]), "answer": dossier["judgement"]["answer"]})  # fmt: skip
        return
    for line in summary(dossier, _words(terminal.language)):
        terminal.line(printable(line, 1000))
    terminal.line(wording.labelled(say(N_("the dossier")), printable(str(folder), 500), say))
    if not signature:
        terminal.line(say(N_("it is not signed and not in the log: no agent answers here")))
    terminal.line(say(N_("read it before you send it; nothing was sent")))


def _check(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.dossier.assembly import moment
    from agent.dossier.checking import check

    say, wanted = terminal.translate, asked_log(args.key)
    try:
        found = check(args.check, wanted or "")
    except AuditError as error:
        if args.json:
            text, _hint = error.said(say)
            terminal.data({"intact": None if error.exit_code == AuditError.exit_code else False, "text": text})
        raise
    if args.json:
        terminal.data({"intact": True, **found})
        return 0
    if found["signed"]:
        when = _words(terminal.language).when(moment(found["signed_us"], _local))
        terminal.line(say(N_("unchanged since it was signed on {when}, record {number}")).format(
            when=when, number=found["record"]))  # fmt: skip
    else:
        terminal.line(say(N_("not signed: only what follows from its records is sure")))
    if found["signed"] and found["signed_by"] != found["log"]:
        terminal.line(
            say(N_("it is signed by another log: {name}; compare that one too")).format(name=found["signed_by"])
        )
    if found["records"]:
        terminal.line(
            say(N_("its facts follow from {count} {count:record|records} of the log")).format(
                count=Count(found["records"])
            )
        )
    terminal.line(say(N_("fingerprint of the log: {name}")).format(name=found.get("log") or say(N_("not known"))))
    return 0
