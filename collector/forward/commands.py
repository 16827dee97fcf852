"""``serment-collector forward list|add|test|remove|dead|replay``. Works beside a running collector."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable

from agent.errors import N_, UsageError
from agent.i18n import Count
from collector.forward import forwarder, targets
from collector.journal import note
from collector.store.base import Store
from collector.store.writing import writing

Translate = Callable[[str], str]


def run(chosen: argparse.Namespace, translate: Translate, by: str) -> int:
    """Run the command; the exit status."""
    from collector.store.engine import open_store

    store = open_store(chosen.data, chosen.database)
    try:
        if chosen.act != "list" and not chosen.name:
            raise UsageError(N_("which target?"), hint=N_("see: serment-collector forward"))
        work = {"list": _list, "add": _add, "test": _test, "remove": _remove, "dead": _dead, "replay": _replay}
        work[chosen.act](store, chosen, translate, by)
    finally:
        store.close()
    return 0


def _add(store: Store, chosen: argparse.Namespace, _: Translate, by: str) -> None:
    if not chosen.kind or not chosen.url:
        raise UsageError(N_("a target needs --kind and --url"))
    files = {"secret_file": chosen.secret_file, "ca_file": chosen.ca, "certificate": chosen.certificate}
    absolute = {name: os.path.abspath(path) if path else "" for name, path in files.items()}
    settings = targets.check(
        chosen.kind, chosen.url, chosen.form, index=chosen.index, redact=tuple(chosen.redact), **absolute
    )
    targets.add(store.engine, chosen.name, settings, by, history=chosen.history)


def _remove(store: Store, chosen: argparse.Namespace, _: Translate, by: str) -> None:
    targets.remove(store.engine, chosen.name, by)


def _test(store: Store, chosen: argparse.Namespace, translate: Translate, by: str) -> None:
    target = targets.find(store.engine, chosen.name)
    uid = forwarder.send_test(target, time.time_ns() // 1000)
    with writing(store.engine) as connection:
        note(connection, by, "forward-test", {"name": target.name, "uid": uid})
    said = translate(N_("the target took the test event {uid}")).format(uid=uid)
    print(json.dumps({"name": target.name, "uid": uid}) if chosen.json else said)


def _list(store: Store, chosen: argparse.Namespace, translate: Translate, _: str) -> None:
    line = translate(N_("{name}: {kind}, {form}, {host}:{port}; sent {sent}, waiting {behind}, refused {dead}"))
    for found in targets.figures(store.engine):
        if chosen.json:
            print(json.dumps(found))
            continue
        print(line.format(**found))
        if found["lost"]:
            print(
                "  "
                + translate(N_("{lost} {lost:record was|records were} forgotten before being sent")).format(
                    lost=Count(found["lost"])
                )
            )
        if found["problem"]:
            print("  " + translate(N_("last attempt: {problem}")).format(**found))


def _dead(store: Store, chosen: argparse.Namespace, _: Translate, __: str) -> None:
    for letter in forwarder.dead_letters(store, targets.find(store.engine, chosen.name)):
        print(json.dumps(letter) if chosen.json else f"{letter['laptop']}:{letter['record']}  {letter['why']}")


def _replay(store: Store, chosen: argparse.Namespace, translate: Translate, by: str) -> None:
    target = targets.find(store.engine, chosen.name)
    went, stay = forwarder.replay(store, target)
    with writing(store.engine) as connection:
        note(connection, by, "forward-replay", {"name": target.name, "sent": went, "left": stay})
    said = translate(N_("sent again: {went}, still refused: {stay}")).format(went=went, stay=stay)
    print(json.dumps({"sent": went, "left": stay}) if chosen.json else said)
