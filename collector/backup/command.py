"""``serment-collector backup`` and ``restore``, for people and for programs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from agent.errors import N_
from agent.i18n import Count

Translate = Callable[[str], str]


def back_up(chosen: argparse.Namespace, translate: Translate, by: str) -> int:
    """A plain copy of the database, or with ``--to`` everything, sealed."""
    from collector.backup import making
    from collector.store.engine import open_store

    store = open_store(chosen.data, chosen.database)
    try:
        if not chosen.to:
            making.back_up(store, chosen.target)
            return 0
        made = making.back_up_whole(store, chosen.data, chosen.target, chosen.to, by)
    finally:
        store.close()
    if chosen.json:
        print(json.dumps({"files": made.files, "bytes": made.bytes, "records": made.records}))
        return 0
    said = translate(N_("{files} {files:file|files}, {bytes} {bytes:byte|bytes}, sealed"))
    print(said.format(files=Count(made.files), bytes=Count(made.bytes)))
    if not made.records:
        lacking = N_("the records are not in it: PostgreSQL is backed up by its own means, pg_dump(1)")
        print(translate(lacking), file=sys.stderr)
    return 0


def restore(chosen: argparse.Namespace, translate: Translate) -> int:
    """Put a backup back, and say what was verified; 1 when a laptop's log does not verify."""
    from collector.backup import restoring

    done = restoring.restore(chosen.backup, restoring.identities(chosen.identity), chosen.data)
    if chosen.json:
        said = {"made": done.made, "files": done.files, "records": done.records, "laptops": done.laptops,
                "held": done.held, "wrong": done.wrong}  # fmt: skip
        print(json.dumps(said))
        return 1 if done.wrong else 0
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(done.made))
    back = translate(N_("backup of {when}: {files} {files:file|files} put back"))
    print(back.format(when=when, files=Count(done.files)))
    if done.records:
        verified = N_("{laptops} {laptops:laptop|laptops}, {held} {held:record|records}, each log verified anew")
        print(translate(verified).format(laptops=Count(done.laptops), held=Count(done.held)))
    else:
        print(translate(N_("the records are PostgreSQL's: put its own backup back besides")), file=sys.stderr)
    for device in done.wrong:
        print(translate(N_("the log of {laptop} does not verify")).format(laptop=device), file=sys.stderr)
    return 1 if done.wrong else 0
