"""``serment keys …``: the person's key and the practice's. What takes longer stands in ``keys_*`` beside this.

``ready`` at each login: a key of one's own, and no document left open by a crash · ``status`` what there is ·
``phrase`` put the own key under a phrase · ``unlock``, ``lock`` for this login session · ``renew`` a new key from now
on · ``restore`` take a key back from its backup sheet · ``backup`` print that sheet · ``rotate`` new headers for sealed
files · ``recovery`` by two officers.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

from agent.crypto.phrase import normalised
from agent.crypto.recipients import kind_of, recipient_of
from agent.errors import N_, HostError, SealError, UsageError
from agent.ui.cli import keys_backup, keys_recovery, keys_rotate
from agent.ui.configured import add_config, configuration
from agent.ui.key_access import KeyAccess, asking
from agent.ui.terminal import Terminal

_METHODS = {
    "tpm": N_("protected by this laptop's TPM"),
    "credential": N_("protected by this laptop's system (no TPM): encrypt the disk, or set a phrase"),
    "host": N_("protected by a secret of this laptop: encrypt the disk, or set a phrase"),
    "phrase": N_("under a phrase"),
    "clear": N_("not protected yet: start the agent"),
    "missing": N_("missing"),
}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ready|status|phrase|unlock|lock|renew|restore|backup|rotate|recovery"
    )
    plain = {
        "ready": N_("at each login: make your key if there is none, seal what a crash left open"),
        "status": N_("which keys there are and how they are protected"),
        "unlock": N_("unlock your key with its phrase, for this login session"),
        "lock": N_("lock it again"),
        "renew": N_("a new key for you from now on; the old one still opens old files"),
        "restore": N_("take a key back from its backup sheet"),
    }
    made = {name: actions.add_parser(name, help=translate(text)) for name, text in plain.items()}
    phrase = made["phrase"] = actions.add_parser("phrase", help=translate(N_("put your key under a phrase")))
    phrase.add_argument("--own", action="store_true", help=translate(N_("a phrase of your own instead of a drawn one")))
    made["backup"] = actions.add_parser("backup", help=translate(N_("a sheet to print, for the safe")))
    keys_backup.arguments(made["backup"], translate)
    made["rotate"] = actions.add_parser("rotate", help=translate(N_("give sealed files the keys of today")))
    keys_rotate.arguments(made["rotate"], translate)
    recovery = actions.add_parser("recovery", help=translate(N_("two officers give access back")))
    for sub in (*made.values(), *keys_recovery.arguments(recovery, translate)):
        sub.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
        add_config(sub, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    access = KeyAccess(configuration(args), asking(terminal.translate))
    if args.action == "recovery":
        return keys_recovery.run(args, terminal, access)
    act: dict[str, Callable[[argparse.Namespace, Terminal, KeyAccess], int]] = {
        "ready": _ready, "status": _status, "phrase": _phrase, "unlock": _unlock, "lock": _lock, "renew": _renew,
        "restore": _restore, "backup": keys_backup.run, "rotate": keys_rotate.run,
    }  # fmt: skip
    return act[args.action](args, terminal, access)


def _ready(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    from agent.ui.viewing import sweep

    recipient = access.own_recipient()
    sweep(access, terminal)
    if args.json:
        terminal.data({"recipient": recipient, "kind": str(kind_of(recipient))})
    else:
        terminal.line(terminal.translate(N_("your key is ready: {key}")).format(key=_short(recipient)))
        _say_outgrown(terminal, access)
    return 0


def _status(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    try:
        found: Any = access.call("keys.states")
    except HostError:
        found = [{"name": each.name, "recipient": each.recipient, "method": each.method}
                 for each in access.store.states()]  # fmt: skip
    recovery = access.store.prepare() if found else ""
    if args.json:
        terminal.data({"keys": found, "recovery": recovery})
        return 0
    translate = terminal.translate
    if not found:
        terminal.line(translate(N_("there is no key yet: the agent makes them")))
    for each in found:
        name = translate(N_("the practice")) if each["name"] == "practice" else _login(each["name"])
        terminal.line(f"{name}  {_short(each['recipient'])}  {translate(_METHODS[each['method']])}")
    if found and recovery not in {each["recipient"] for each in found}:
        terminal.line(translate(N_("recovery by two officers: {key}")).format(key=_short(recovery)))
    _say_outgrown(terminal, access)
    return 0


def _say_outgrown(terminal: Terminal, access: KeyAccess) -> None:
    """Keys are made without the phrase: by ``renew``, and when the practice goes over to keys of the other kind."""
    if access.store.outgrew_phrase(access.uid):
        terminal.line(terminal.translate(N_("your key of today is not under your phrase yet: serment keys phrase")))


def _short(recipient: str) -> str:
    """A hybrid recipient has two thousand characters: ``--json`` tells it whole."""
    return recipient if len(recipient) <= 80 else f"{recipient[:40]}…"


def _login(name: str) -> str:
    import pwd

    try:
        return pwd.getpwuid(int(name)).pw_name
    except (KeyError, ValueError):
        return name


def _phrase(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    ask = _must_ask(terminal)
    old = ask("old") if access.store.has_phrase(access.uid) else ""
    if args.own:
        new = ask("new")
    else:
        from agent.outside.phrase import new_phrase

        new = new_phrase(terminal.language)
        terminal.line(terminal.translate(N_("your phrase, shown this once; write it down:")))
        terminal.line(f"\n    {new}\n")
    if normalised(ask("again")) != normalised(new):
        raise UsageError(N_("the two are not the same; nothing was changed"))
    try:
        access.call("keys.phrase", new=new, old=old)
    except HostError:
        access.store.protect_with_phrase(access.uid, new, old)
    access.store.unlock(access.uid, new)
    return _said(args, terminal, N_("your key is under the phrase now, and unlocked until you log out"))


def _must_ask(terminal: Terminal) -> Callable[[str], str]:
    ask = asking(terminal.translate)
    if ask is None:
        raise UsageError(N_("this needs a terminal to type the phrase at"))
    return ask


def _unlock(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    if not access.store.has_phrase(access.uid):
        raise SealError(N_("your key is not under a phrase"), hint=N_("sealed files open without one here"))
    if not access.store.unlock(access.uid, _must_ask(terminal)("phrase")):
        raise HostError(N_("this system cannot keep it unlocked"), hint=N_("the phrase is asked for each time"))
    return _said(args, terminal, N_("unlocked until you log out"))


def _lock(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    access.store.lock(access.uid)
    return _said(args, terminal, N_("locked"))


def _renew(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    try:
        new = str(access.call("keys.renew"))
    except HostError:
        new = access.store.renew(f"clinicians/{access.uid}")
    if args.json:
        terminal.data({"recipient": new, "kind": str(kind_of(new))})
        return 0
    terminal.line(terminal.translate(N_("your new key: {key}")).format(key=_short(new)))
    terminal.line(terminal.translate(N_("give your sealed files the new key: serment keys rotate FOLDER")))
    _say_outgrown(terminal, access)
    return 0


def _restore(args: argparse.Namespace, terminal: Terminal, access: KeyAccess) -> int:
    identity = "".join(_must_ask(terminal)("sheet").split()).upper()
    recipient_of(identity)
    try:
        access.call("keys.restore", identity=identity)
    except HostError:
        access.store.restore(f"clinicians/{access.uid}", identity)
    return _said(args, terminal, N_("the key opens sealed files on this laptop again"))


def _said(args: argparse.Namespace, terminal: Terminal, text: str) -> int:
    if args.json:
        terminal.data({"done": True, "uid": os.getuid()})
    else:
        terminal.line(terminal.translate(text))
    return 0
