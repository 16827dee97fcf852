"""``serment enrol TOKEN``: make this laptop one of a fleet. As root for the system's agent; its owner for a trial."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path

from agent.config import load_config
from agent.errors import N_, HostError
from agent.ui.configured import add_config
from agent.ui.terminal import Terminal

SYNC_USER = "serment"


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("token", help=translate(N_("as the collector gave it: SRM1-…; - reads it from standard input")))
    parser.add_argument("--proxy", help=translate(N_("address of the network's proxy; else as the environment says")))
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.daemon.device import load_device
    from agent.daemon.pushed_state import Fleet, save_fleet
    from agent.fleet import FOLDER, enrolment, token
    from agent.fleet.access import share_log
    from agent.fleet.identity import fingerprint
    from agent.fleet.key_sealing import is_given_by_unit

    config = load_config(args.config)
    given = token.read(sys.stdin.readline(1024) if args.token == "-" else args.token)  # noqa: S105 - not a password
    data = _ours(config.data_dir)
    person = _sync_user()
    owner = (person.pw_uid, person.pw_gid) if person else None
    member = enrolment.enrol(
        given, data / FOLDER, load_device(data).device_id, _log_name(data / "audit"), _version(), owner=owner,
        proxy=args.proxy, seal=person is not None and is_given_by_unit(data / FOLDER),
    )  # fmt: skip
    save_fleet(data, Fleet(member.authority.ca, member.device, member.group))
    if person is not None and (data / "audit").exists():
        share_log(data / "audit", person.pw_uid)
    authority = fingerprint(member.authority)
    if args.json:
        terminal.data({"device": member.device, "group": member.group, "url": member.url, "authority": authority})
        return 0
    terminal.line(terminal.translate(N_("this laptop is enrolled as {device}, with {url}")).format(
        device=member.device, url=member.url))  # fmt: skip
    terminal.line(terminal.translate(N_("fingerprint of the collector's authority: {digits}")).format(digits=authority))
    terminal.line(terminal.translate(N_("start the agent again, so that it visits the collector")))
    return 0


def _ours(data: Path) -> Path:
    """The agent's folder. Raises HostError: there is none, or it is somebody else's."""
    try:
        if data.stat().st_uid == os.getuid():
            return data
    except OSError as error:
        raise HostError(
            N_("the agent has not run here yet"), where=str(data), hint=N_("start it once: serment run")
        ) from error
    raise HostError(N_("this belongs to somebody else"), where=str(data), hint=N_("run this command as root"))


def _sync_user() -> pwd.struct_passwd | None:
    """Who visits the collector: a user of its own where there is one, for root's agent."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYNC_USER)
    except KeyError:
        return None


def _log_name(audit: Path) -> str:
    from agent.audit import checkpoint
    from agent.audit.head import read_head

    head = read_head(audit)
    return checkpoint.origin(bytes.fromhex(head.identity)) if head is not None and head.identity else ""


def _version() -> str:
    from importlib.metadata import version

    return version("serment")
