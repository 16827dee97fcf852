"""``serment-collector officer``: accounts are made, listed, renewed and closed on the collector's own machine."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from agent.errors import N_, UsageError
from collector.officers import accounts
from collector.officers.flows import PATH

URL_FILE = "pages-url"


def run(engine: Engine, chosen: argparse.Namespace, by: str, translate: Callable[[str], str]) -> int:
    """The act that was chosen; the exit status. Raises UsageError."""
    now = int(time.time())
    if chosen.act == "list":
        _list(engine, chosen.json, translate)
        return 0
    if not chosen.name:
        raise UsageError(N_("which account?"), hint=N_("see: serment-collector officer list"))
    if chosen.act == "close":
        accounts.close(engine, chosen.name, now, by)
        return 0
    if chosen.act == "add":
        secret = accounts.add(engine, chosen.name, chosen.role, now, by)
    else:
        secret = accounts.link(engine, chosen.name, now, by)
    link = _pages_url(chosen.data) + (f"/welcome?link={secret}" if secret else PATH)
    print(json.dumps({"name": chosen.name, "link": link, "hours": accounts.LINK_S // 3600}) if chosen.json else link)
    if not secret and not chosen.json:
        print(translate(N_("{name} signs in by the hospital's directory")).format(name=chosen.name), file=sys.stderr)
    elif not chosen.json:
        print(
            translate(N_("opens once, for two days; give it to nobody but {name}")).format(name=chosen.name),
            file=sys.stderr,
        )
    return 0


def _list(engine: Engine, as_json: bool, translate: Callable[[str], str]) -> None:
    for one in accounts.listed(engine):
        if as_json:
            print(json.dumps(one))
            continue
        closed, ready = translate(N_("closed")), translate(N_("open"))
        if one["directory"]:
            ready = translate(N_("open, by the directory"))
        state = closed if one["closed_at"] else ready if one["ready"] else translate(N_("link not used yet"))
        print(f"{one['name']:32} {' '.join(one['roles']):40} {state}")


def _pages_url(folder: Path) -> str:
    """Where officers open the pages: as the running collector has written down; this machine otherwise."""
    from collector.options import DEFAULT_PORT

    try:
        return (folder / URL_FILE).read_text("ascii").strip().rstrip("/")[:256]
    except OSError:
        return f"http://localhost:{DEFAULT_PORT}"
