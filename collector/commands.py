"""What the command line does besides ``run``: tokens, the list of laptops, denial, backups. Works beside a running
one.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable

from agent.errors import N_, UsageError
from agent.fsys.atomic import private_folder
from collector.access import TOKEN_FILE, load_token

ADDRESS_FILE = "address"


def run(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    """Run the command in ``chosen``; the exit status."""
    if chosen.command != "restore":
        private_folder(chosen.data)
    if chosen.command == "publish":
        from collector.tuf import command

        return command.run(chosen, translate, _who())
    acts = {"token": _token, "fleet": _fleet, "backup": _backup, "restore": _restore, "forward": _forward,
            "officer": _officer}  # fmt: skip
    return acts[chosen.command](chosen, translate)


def _who() -> str:
    """Who acts at the command line, for the journal."""
    try:
        return f"command:{getpass.getuser()}"
    except (OSError, KeyError):
        return "command"


def _token(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    if chosen.pages:
        print(load_token(chosen.token_file or chosen.data / TOKEN_FILE))
        return 0
    from agent.fleet import token
    from collector.enrol.authority import load_authority
    from collector.enrol.tokens import make_token
    from collector.store.engine import open_store

    address = _address(chosen)
    store = open_store(chosen.data, chosen.database)
    try:
        made = make_token(
            store.engine, load_authority(chosen.data), address, chosen.group, chosen.days, int(time.time()), _who()
        )
    finally:
        store.close()
    written = token.write(made)
    print(json.dumps({"token": written, "group": chosen.group, "days": chosen.days}) if chosen.json else written)
    if not chosen.json:
        print(translate(N_("on the laptop, as root: serment enrol {token}")).format(token=written), file=sys.stderr)
    return 0


def _address(chosen: argparse.Namespace) -> tuple[str, int]:
    """Where laptops find this collector: as said, or as the running one has written down."""
    from collector.main import LAPTOPS_PORT, host_and_port

    said = chosen.address
    if not said:
        try:
            said = (chosen.data / ADDRESS_FILE).read_text("ascii").strip()
        except OSError as error:
            raise UsageError(
                N_("where do laptops find this collector?"),
                hint=N_("give --address HOST:PORT, or start it with --laptops and --name first"),
            ) from error
    host, port = host_and_port(said, LAPTOPS_PORT)
    return (f"[{host}]" if ":" in host else host), port


def _fleet(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    from collector.enrol import denial
    from collector.store.engine import open_store

    store = open_store(chosen.data, chosen.database)
    try:
        if chosen.act == "list":
            _list(store.engine, chosen.json, translate)
            return 0
        if not chosen.laptop:
            raise UsageError(N_("which laptop?"), hint=N_("see: serment-collector fleet list"))
        if not chosen.why:
            raise UsageError(N_("why?"), hint=N_("give the reason with --why; it goes into the collector's own log"))
        if chosen.act == "deny":
            denial.deny(store.engine, chosen.laptop, chosen.why, int(time.time()), _who())
        else:
            denial.readmit(store.engine, chosen.laptop, chosen.why, _who())
    finally:
        store.close()
    return 0


def _list(engine: object, as_json: bool, translate: Callable[[str], str]) -> None:
    from collector.fleet_list import members

    for member in members(engine):  # type: ignore[arg-type]
        if as_json:
            print(json.dumps(member))
            continue
        state = translate(N_("denied")) if member["denied"] else translate(N_("welcome"))
        seen = time.strftime("%Y-%m-%d %H:%M", time.localtime(member["last_seen"]))
        print(f"{member['laptop']:28} {member['group']:20} {seen}  {member['records']:>9}  {state}")


def _forward(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    from collector.forward import commands as forwarding

    return forwarding.run(chosen, translate, _who())


def _backup(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    from collector.backup import command

    return command.back_up(chosen, translate, _who())


def _restore(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    from collector.backup import command

    return command.restore(chosen, translate)


def _officer(chosen: argparse.Namespace, translate: Callable[[str], str]) -> int:
    from collector.officers import command
    from collector.store.engine import open_store

    store = open_store(chosen.data, chosen.database)
    try:
        return command.run(store.engine, chosen, _who(), translate)
    finally:
        store.close()
