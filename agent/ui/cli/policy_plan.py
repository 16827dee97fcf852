"""``serment policy plan NEW``: what a new policy changes, before anybody signs it.

Sentences before and after, removals first; what it would have done to the transfers of the last days: of this laptop's
log, of a file of records, or of a fleet (the collector counts; its facts stay there). Exit codes: 0 well, 1 the new
policy could not be used as it is, 64 usage, 65 a file cannot be used, 69 the collector cannot be reached.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.errors import N_, HostError, UsageError
from agent.i18n import Count, catalogue
from agent.ui import wording
from agent.ui.asked_file import unreadable
from agent.ui.configured import add_config, configuration
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

DAYS = 30
MAX_DAYS = 92
MAX_LINE_BYTES = 16384
MAX_ANSWER_BYTES = 16 << 20
WAIT_S = 300.0
_DAY_US = 86_400_000_000
_DECISIONS = {
    "observe": N_("only recorded"),
    "inform": N_("told"),
    "justify": N_("held for a reason"),
    "encrypt": N_("encrypted"),
    "block": N_("refused"),
}
_WHATS = {"removed": N_("removed"), "changed": N_("changed"), "setting": N_("setting"), "added": N_("added")}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("--against", metavar="OLD", help=translate(N_("the policy that it replaces")))
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--facts", metavar="FILE", help=translate(N_("records, as serment audit export writes them")))
    source.add_argument("--log", action="store_true", help=translate(N_("the log of this laptop")))
    source.add_argument("--collector", metavar="URL", help=translate(N_("what a fleet's collector has stored")))
    parser.add_argument("--token-file", metavar="F", help=translate(N_("a file with the collector's token")))
    parser.add_argument("--ca", metavar="F", help=translate(N_("the authority that the collector is trusted by, PEM")))
    parser.add_argument("--days", type=int, default=DAYS, metavar="N", help=translate(N_("how far to look back")))
    add_config(parser, translate)


def run(args: argparse.Namespace, read: Callable[[str], bytes], terminal: Terminal) -> int:
    """Print the plan; the exit status."""
    if not 1 <= args.days <= MAX_DAYS:
        raise UsageError(N_("--days: from 1 to {most}"), most=MAX_DAYS)
    new = read(args.file)
    old = read(args.against) if args.against else None
    made = _asked(args, new, old, terminal) if args.collector else _here(args, new, old, terminal)
    if args.json:
        terminal.data(made)
    else:
        _print(made, terminal)
    return 1 if made["wrong"] else 0


def _here(args: argparse.Namespace, new: bytes, old: bytes | None, terminal: Terminal) -> dict[str, Any]:
    from agent.policy.parser import parse_policy
    from agent.policy.plan import plan
    from agent.policy.replay import Backtest

    translates = {language: catalogue(language).gettext for language in ("fr", "en")}
    made = plan(new, old, args.file, translates, terminal.language)
    if not args.facts and not args.log:
        return made
    test = Backtest(None if old is None else parse_policy(old, args.against), parse_policy(new, args.file))
    since = time.time_ns() // 1000 - args.days * _DAY_US
    for laptop, service, fields in _from_file(args.facts) if args.facts else _from_log(args):
        when = fields.get("t")
        recent = fields.get("k") == "transfer" and isinstance(when, int) and when >= since
        if recent and not test.add(laptop, service, fields):
            break
    return made | {"days": args.days, "backtest": test.result()}


_Record = tuple[str, str, Mapping[str, Any]]


def _from_log(args: argparse.Namespace) -> Iterator[_Record]:
    from agent.audit.segments import read

    return (("", "", entry.fields) for entry in read(configuration(args).data_dir / "audit"))


def _from_file(name: str) -> Iterator[_Record]:
    """Records, one JSON object a line; ``laptop`` and ``group`` say of whom. What is no record is a refusal."""
    try:
        with Path(name).open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                fields = _record(line, name, number)
                yield str(fields.get("laptop", "")), str(fields.get("group", "")), fields
    except OSError as error:
        raise unreadable(name, error) from error


def _record(line: bytes, name: str, number: int) -> dict[str, Any]:
    try:
        fields = json.loads(line) if len(line) <= MAX_LINE_BYTES else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise UsageError(N_("line {line} is no record"), where=printable(name), line=number)
    return fields


def _asked(args: argparse.Namespace, new: bytes, old: bytes | None, terminal: Terminal) -> dict[str, Any]:
    """The collector's answer."""
    import ssl

    import urllib3

    url = urllib3.util.parse_url(args.collector)
    if url.scheme != "https" and not (url.scheme == "http" and url.host in {"127.0.0.1", "localhost", "[::1]"}):
        raise UsageError(N_("the collector's address begins with https://"), where=printable(args.collector, 120))
    if not args.token_file:
        raise UsageError(N_("the collector asks for a token"), hint=N_("give --token-file"))
    body = {"new": _text(new), "old": None if old is None else _text(old), "days": args.days,
            "language": terminal.language}  # fmt: skip
    try:
        token = Path(args.token_file).read_text("ascii").strip()[:512]
        context = ssl.create_default_context(cafile=args.ca)
        with urllib3.PoolManager(ssl_context=context, retries=False, timeout=WAIT_S) as pool:
            answer = pool.request(
                "POST", f"{args.collector.rstrip('/')}/v1/plan", body=json.dumps(body), redirect=False,
                headers={"authorization": f"Bearer {token}"}, preload_content=False,
            )  # fmt: skip
            made = json.loads(answer.read(MAX_ANSWER_BYTES))
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise HostError(
            N_("the collector did not answer: {why}"), why=type(error).__name__, hint=N_("see --collector and --ca")
        ) from error
    if answer.status != 200 or "changes" not in made:
        why = str(made.get("text") or made.get("error") or answer.status)
        raise HostError(N_("the collector refused: {why}"), why=printable(why, 300))
    return dict(made)


def _text(policy: bytes) -> str:
    return policy.decode("utf-8", "replace")


# ---- for people


def _print(made: Mapping[str, Any], terminal: Terminal) -> None:
    t = terminal.translate
    for text in made["wrong"]:
        terminal.line(wording.labelled(t(N_("error")), printable(text, 2000), t))
    for change in made["changes"]:
        _change(change, terminal)
    terminal.line(t(N_("unchanged rules: {count}")).format(count=made["unchanged"]))
    for notice in made["previews"]:
        if notice["language"] == terminal.language:
            buttons = "".join(f" [{button}]" for button in notice["buttons"])
            shown = f"{notice['title']} · {notice['text']}{buttons}"
            terminal.line(wording.labelled(t(N_("clinicians see")), printable(shown, 1000), t))
    if "backtest" in made:
        _backtest(made, terminal)
    sign = N_("who signs: the approvers, as many as the fleet's root asks for")
    terminal.line(t(sign))
    if made["sign"]["emergency"]:
        terminal.line(t(N_("it only lifts rules: an emergency release, for 72 hours at most, needs one signature")))


def _change(change: Mapping[str, Any], terminal: Terminal) -> None:
    t = terminal.translate
    head = f"{t(_WHATS[change['what']])} {change['rule']}"
    if change["milder"]:
        head += f" ({t(N_('protects less, or may'))})"
    if change["what"] == "setting":
        head = f"{head}: {change['title']}"
    terminal.line(printable(head, 400))
    for sign, text in (("-", change["before"]), ("+", change["after"])):
        if text:
            terminal.line(f"  {sign} {printable(text, 2000)}")


def _backtest(made: Mapping[str, Any], terminal: Terminal) -> None:
    t, test = terminal.translate, made["backtest"]
    said = N_(
        "last {days} {days:day|days}: {facts} {facts:transfer|transfers}, {laptops} {laptops:laptop|laptops}, "
        "{services} {services:service|services}"
    )
    terminal.line(
        t(said).format(
            days=Count(made["days"]), facts=Count(test["facts"]), laptops=Count(test["laptops"]),
            services=Count(test["services"]),
        )
    )  # fmt: skip
    for name, label in (("done", N_("would change")), ("wished", N_("a rule on trial would want"))):
        if name == "wished" and test["wished"] == test["done"]:
            continue
        if not test[name]:
            terminal.line(f"{t(label)}: {t(N_('nothing'))}")
        for change in test[name]:
            _moved(change, t(label), terminal)
    for count, text in (
        (
            test["uncertain"],
            N_("{count} {count:transfer|transfers} cannot be told: persons, groups and serials are not in records"),
        ),
        (test["unreadable"], N_("{count} {count:record|records} could not be replayed")),
    ):
        if count:
            terminal.line(t(text).format(count=Count(count)))
    if test["full"]:
        terminal.line(t(N_("there were more transfers than are looked at: {facts}")).format(facts=test["facts"]))


def _moved(change: Mapping[str, Any], label: str, terminal: Terminal) -> None:
    t = terminal.translate
    services = [name for name in change["services"] if name]
    text = t(N_("{label}: +{count} {after} (before: {before}), laptops: {laptops}, services: {services}"))
    terminal.line(
        text.format(
            label=label, count=change["count"], after=t(_DECISIONS[change["after"]]),
            before=t(_DECISIONS[change["before"]]), laptops=change["laptops"],
            services=printable(", ".join(services[:10]), 300) or "-",
        )
    )  # fmt: skip
    for example in change["examples"]:
        words = (example["day"], example["service"], example["document"], example["channel"], example["place"],
                 f"{example['confidence']} %", example["rule"])  # fmt: skip
        terminal.line("    " + printable(" · ".join(word for word in words if word), 200))
