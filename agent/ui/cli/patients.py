"""``serment patients load FILE | status | forget``: the practice's patient list, of which only keyed digests are kept.

For the administrator: the list and its key belong to whom the agent runs as. The export is read by a confined process;
a file that cannot be used changes nothing. A running agent takes over what was changed at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from agent.errors import N_, HostError, UntrustedInputError, UsageError
from agent.i18n import Count
from agent.patients.columns import WORDS, Field, read_wanted
from agent.patients.load import Loaded, load_list
from agent.patients.rows import Reason
from agent.patients.store import Held, PatientStore
from agent.ui.configured import add_config, client, configuration
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_NOBODY = (65534, 65534)  # the account that the export is read under
_SHOWN_ROWS = 20
_REASONS = {
    Reason.NO_NAME: N_("{count} {count:row|rows} without a family name and a given name"),
    Reason.NO_BIRTH: N_("{count} {count:row|rows} without a birth date that is a day"),
    Reason.EMPTY: N_("{count} {count:row|rows} with nothing in these columns"),
    Reason.BAD_NUMBER: N_("{count} {count:row|rows} used without the social security number: its key is wrong"),
}
_FIELDS = {
    Field.FAMILY: N_("family name"),
    Field.BIRTH_NAME: N_("birth name"),
    Field.GIVEN: N_("given names"),
    Field.FULL_NAME: N_("family and given names"),
    Field.BIRTH_DATE: N_("birth date"),
    Field.NIR: N_("social security number"),
    Field.RECORD: N_("record number"),
}
_WORD_OF = {field: word for word, field in WORDS.items()}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="load|status|forget")
    load = actions.add_parser(
        "load", help=translate(N_("take over the patient list that the practice software exports"))
    )
    load.add_argument("file", metavar="FILE", help=translate(N_("CSV or spreadsheet, one patient a row")))
    how = load.add_mutually_exclusive_group()
    how.add_argument(
        "--replace", action="store_true", help=translate(N_("in the place of the list that is there (default)"))
    )
    how.add_argument("--add", action="store_true", help=translate(N_("to the list that is there")))
    load.add_argument(
        "--columns", default="", metavar="WORD=HEADING,…",
        help=translate(N_("which column is what, by heading or number; words: {words}")).format(words=", ".join(WORDS)),
    )  # fmt: skip
    status = actions.add_parser("status", help=translate(N_("how many patients, since when")))
    forget = actions.add_parser("forget", help=translate(N_("remove the list and its key")))
    for sub in (load, status, forget):
        sub.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
        add_config(sub, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    act = {"load": _load, "status": _status, "forget": _forget}[args.action]
    return act(args, terminal)


def _load(args: argparse.Namespace, terminal: Terminal) -> int:
    wanted = read_wanted(args.columns)
    store = PatientStore(configuration(args).data_dir)
    fd = _open(os.fsencode(args.file))
    try:
        extension = os.path.splitext(args.file)[1][1:17].lower()
        with _bar(terminal) as progress:
            loaded = load_list(
                store, fd, extension, wanted, add=args.add, run_as=_NOBODY if os.geteuid() == 0 else None,
                progress=progress,
            )  # fmt: skip
    except UntrustedInputError as error:
        error.where = error.where or printable(args.file)
        raise
    finally:
        os.close(fd)
    in_force = _tell_agent(args)
    if args.json:
        terminal.data(_as_json(loaded, in_force=in_force))
    else:
        _say(loaded, terminal, in_force=in_force)
    return 0


def _open(path: bytes) -> int:
    try:
        return os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else N_("this is no path")
        raise UsageError(
            N_("cannot be read: {why}"), where=printable(path), hint=N_("check the path"), why=why
        ) from error


def _tell_agent(args: argparse.Namespace) -> bool:
    """Have a running agent take over the change; False when none runs: it will at its start."""
    try:
        client(args).call("patients.reload")
    except HostError:
        return False
    return True


def _as_json(loaded: Loaded, *, in_force: bool) -> dict[str, Any]:
    report = loaded.report
    return {
        "patients": loaded.patients,
        "rows": report.rows,
        "used": report.used,
        "doubles": report.doubles,
        "not_used": {reason.name.lower(): count for reason, count in report.reasons.items()},
        "bad_rows": [{"row": number, "reason": reason.name.lower()} for number, reason in report.bad],
        "columns": {str(column + 1): _WORD_OF[field] for column, field in sorted(report.columns.items())},
        "in_force": in_force,
    }


def _say(loaded: Loaded, terminal: Terminal, *, in_force: bool) -> None:
    translate, report = terminal.translate, loaded.report
    text = translate(
        N_("{patients} {patients:patient|patients} in the list; {used} of {rows} {rows:row|rows} of this file used")
    )
    terminal.line(text.format(patients=Count(loaded.patients), used=report.used, rows=Count(report.rows)))
    columns = [f"{translate(_FIELDS[field])} = {column + 1}" for column, field in sorted(report.columns.items())]
    terminal.line("  " + translate(N_("columns: {columns}")).format(columns=", ".join(columns)))
    if report.doubles:
        terminal.line(
            "  "
            + translate(N_("{count} {count:row|rows} about a patient who was there already")).format(
                count=Count(report.doubles)
            )
        )
    for reason, count in report.reasons.items():
        rows = [str(number) for number, why in report.bad if why is reason]
        text = translate(_REASONS[reason]).format(count=Count(count))
        if rows:
            more = "…" if count > _SHOWN_ROWS else ""
            text += translate(N_(" (rows {rows})")).format(rows=", ".join(rows[:_SHOWN_ROWS]) + more)
        terminal.line("  " + text)
    if report.bad:
        terminal.line("  " + translate(N_("rows are counted from 1, headings included, blank ones left out")))
    terminal.line(
        translate(N_("the agent uses it from now on") if in_force else N_("the agent uses it from its next start"))
    )
    terminal.line(translate(N_("this file is itself a list of patients: delete it, or seal it with serment seal")))


def _status(args: argparse.Namespace, terminal: Terminal) -> int:
    held = _held(args)
    if args.json:
        shown = {"loaded": held is not None, "patients": held["patients"] if held else 0}
        terminal.data(shown | ({"date": _day(held["loaded"])} if held else {}))
    elif held is None:
        terminal.line(terminal.translate(N_("there is no patient list")))
    else:
        text = terminal.translate(N_("{patients} {patients:patient|patients}, loaded on {date}"))
        terminal.line(text.format(patients=Count(held["patients"]), date=_day(held["loaded"])))
    return 0


def _held(args: argparse.Namespace) -> dict[str, Any] | None:
    """Count and time, from the file where it may be read, else from the agent. Raises SermentError."""
    try:
        found: Held | None = PatientStore(configuration(args).data_dir).held()
    except PermissionError:
        told: dict[str, Any] | None = client(args).call("status").get("patients")
        return told
    return {"patients": found.patients, "loaded": found.loaded} if found is not None else None


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _forget(args: argparse.Namespace, terminal: Terminal) -> int:
    store = PatientStore(configuration(args).data_dir)
    with store.changing():
        there = store.forget()
    in_force = _tell_agent(args) if there else False
    if args.json:
        terminal.data({"forgotten": there, "in_force": in_force})
    else:
        terminal.line(
            terminal.translate(N_("the list and its key are removed") if there else N_("there is no patient list"))
        )
    return 0


@contextlib.contextmanager
def _bar(terminal: Terminal) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, when somebody looks at it."""
    if not terminal.shows_progress():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(terminal.translate(N_("reading")), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
