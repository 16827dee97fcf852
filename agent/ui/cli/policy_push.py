"""``serment policy build|sign|apply``: an officer prepares and signs what laptops follow; an administrator brings it on
a stick. Keys stay in the officer's own files; the collector gets signatures only.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.daemon.control import RemoteError
from agent.errors import N_, HostError, UsageError
from agent.ui.asked_file import first_bytes
from agent.ui.configured import add_config, client
from agent.ui.terminal import Terminal

MIN_PASSPHRASE = 12
ACTIONS = ("build", "sign", "apply")
MAX_POLICY_BYTES = 1 << 20
MAX_PASSPHRASE_BYTES = 1000
MAX_ROOT_BYTES = 1 << 20


def arguments(actions: argparse._SubParsersAction[argparse.ArgumentParser], translate: Callable[[str], str]) -> None:
    """The three actions' own options."""
    _ = translate
    build = actions.add_parser("build", help=_(N_("prepare a release, a root of trust or an emergency for signing")))
    build.add_argument("file", nargs="?", metavar="FILE", help=_(N_("the policy of the release")))
    build.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help=_(N_("the new change")))
    build.add_argument("--from", dest="base", type=Path, metavar="DIR",
                       help=_(N_("a copy of what is published: serment-collector publish --copy DIR")))  # fmt: skip
    build.add_argument("--group", action="append", default=[], metavar="NAME=FILE",
                       help=_(N_("another policy for the laptops of a group; may be repeated")))  # fmt: skip
    build.add_argument("--ring", action="append", default=[], metavar="PERMILLE:HOURS",
                       help=_(N_("so many of 1000 laptops, hours before the next; may be repeated")))  # fmt: skip
    build.add_argument(
        "--back-to", type=int, default=0, metavar="N", help=_(N_("the release that may be gone back to"))
    )
    build.add_argument("--max-age", type=int, default=90, metavar="DAYS",
                       help=_(N_("after so many days without confirmation the policy is shown as stale")))  # fmt: skip
    build.add_argument("--urgent", action="store_true", help=_(N_("no rings: everywhere at once")))
    build.add_argument("--offline", action="store_true", help=_(N_("for a bundle on a stick, by the offline key")))
    build.add_argument("--root", action="store_true", help=_(N_("who may sign: a new root of trust")))
    build.add_argument("--approver", type=Path, action="append", default=[], metavar="KEY.pub",
                       help=_(N_("an approver's public key; may be repeated")))  # fmt: skip
    build.add_argument("--threshold", type=int, default=0, metavar="N", help=_(N_("so many approvers must sign")))
    keys = {"server": N_("public key of the collector"), "emergency-key": N_("public key for emergencies"),
            "offline-key": N_("public key for bundles")}  # fmt: skip
    for name, text in keys.items():
        build.add_argument(f"--{name}", type=Path, metavar="KEY.pub", help=_(text))
    build.add_argument("--loosen", nargs="+", default=[], metavar="RULE",
                       help=_(N_("in an emergency: these rules only observe, for a while")))  # fmt: skip
    build.add_argument("--hours", type=float, default=24, metavar="H", help=_(N_("how long, at most 72")))
    build.add_argument("--by", default="", help=_(N_("who answers for it")))
    build.add_argument("--why", default="", help=_(N_("the reason, for the log")))
    sign = actions.add_parser("sign", help=_(N_("sign a change with your key; or make a key")))
    sign.add_argument("change", nargs="?", type=Path, metavar="DIR", help=_(N_("the change")))
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help=_(N_("your key")))
    sign.add_argument("--make-key", action="store_true", help=_(N_("make the key, and FILE.pub for the others")))
    sign.add_argument("--passphrase-file", type=Path, metavar="FILE", help=_(N_("instead of asking for it")))
    apply = actions.add_parser("apply", help=_(N_("bring a signed bundle into force on this laptop")))
    apply.add_argument("bundle", type=Path, metavar="BUNDLE", help=_(N_("the file: NAME.serment-policy")))
    apply.add_argument("--trust", type=Path, metavar="ROOT",
                       help=_(N_("on a laptop of no fleet: the root of trust, compared by hand before")))  # fmt: skip
    add_config(apply, translate)
    for sub in (build, sign, apply):
        sub.add_argument("--json", action="store_true", help=_(N_("JSON")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Run the action; the exit status."""
    return {"build": _build, "sign": _sign, "apply": _apply}[args.action](args, terminal)


def _build(args: argparse.Namespace, terminal: Terminal) -> int:
    """Files appear in the folder when all are made: what is refused half way does not hinder the next try."""
    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError(N_("the folder for the change is not empty"), where=str(args.out))
    if not args.root and args.base is None:
        raise UsageError(N_("what is this built on?"), hint=N_("give --from DIR: a copy of what is published"))
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=args.out) as scratch:
        _build_into(argparse.Namespace(**{**vars(args), "out": Path(scratch)}), terminal)
        for made in sorted(Path(scratch).iterdir()):
            made.replace(args.out / made.name)
    return _told(args, terminal, sorted(path.name for path in (args.out / "metadata").iterdir()))


def _build_into(args: argparse.Namespace, terminal: Terminal) -> None:
    from agent.fleet import authoring

    authoring.remember_base(args.out, args.base)
    if args.root:
        _root(args, terminal)
    elif args.loosen:
        _emergency(args)
    else:
        _release(args)


def _root(args: argparse.Namespace, terminal: Terminal) -> None:
    from agent.fleet import authoring

    if not (args.approver and args.server and args.emergency_key and args.offline_key):
        raise UsageError(N_("a root names --approver, --server, --emergency-key and --offline-key"))
    approvers = [authoring.read_public(path) for path in args.approver]
    threshold = args.threshold or min(2, len(approvers))
    if threshold == 1:
        terminal.error(terminal.translate(N_("one person alone can change the policy of every laptop")))
    others = [authoring.read_public(path) for path in (args.server, args.emergency_key, args.offline_key)]
    authoring.build_root(args.out, args.base, authoring.Officers(approvers, threshold, *others))


def _emergency(args: argparse.Namespace) -> None:
    from agent.fleet import authoring
    from agent.fleet.release import Emergency

    if not 0 < args.hours < float("inf"):
        raise UsageError(N_("--hours should be a number above 0"))
    now = int(time.time())
    made = Emergency(tuple(args.loosen), now, now + round(args.hours * 3600), args.by, args.why)
    authoring.build_emergency(args.out, args.base, made)


def _release(args: argparse.Namespace) -> None:
    from agent.fleet import authoring
    from agent.fleet.release import PERMILLE, Release, Ring

    files = {"": args.file} | dict(_pair(said, "=") for said in args.group)
    if not args.file:
        raise UsageError(N_("which policy?"), hint=N_("serment policy build FILE --from DIR -o DIR"))
    policies = {group: _policy(Path(name)) for group, name in files.items()}
    paths = {group: authoring.policy_path(data, offline=args.offline) for group, data in policies.items()}
    rings = tuple(Ring(_whole(most), _whole(hours)) for most, hours in (_pair(said, ":") for said in args.ring))
    made = Release(
        _number(args.base), paths, int(time.time()),
        secrets.token_hex(8), rings if rings and not args.urgent else (Ring(PERMILLE),), back_to=args.back_to,
        urgent=args.urgent, max_age_days=args.max_age,
    )  # fmt: skip
    named = {paths[group]: data for group, data in policies.items()}
    authoring.build_release(args.out, args.base, made, named, offline=args.offline)


def _number(base: Path) -> int:
    """One more than the highest release of any role."""
    from agent.fleet import authoring
    from agent.fleet.release import OFFLINE

    found = authoring.Repository(base).newest("targets")
    numbers = [int(path[9:-5]) for path in (found.signed.targets if found else ()) if path.startswith("releases/")]
    offline = authoring.Repository(base).newest("offline")
    if offline is not None and OFFLINE in offline.signed.targets:
        digest = offline.signed.targets[OFFLINE].hashes["sha256"]
        numbers.append(int(json.loads((base / f"targets/offline/{digest}.release.json").read_bytes())["number"]))
    return max(numbers, default=0) + 1


def _policy(path: Path) -> bytes:
    """A policy that every laptop would take. Raises PolicyError and UsageError."""
    from agent.policy.load import load_policy

    data = first_bytes(path, MAX_POLICY_BYTES + 1)
    load_policy(data, str(path))
    return data


def _pair(said: str, sign: str) -> tuple[str, str]:
    first, found, second = said.partition(sign)
    if not found:
        raise UsageError(N_("this is not understood: {found}"), found=said)
    return first, second


def _whole(said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) < 6):
        raise UsageError(N_("this is not understood: {found}"), found=said)
    return int(said)


def _sign(args: argparse.Namespace, terminal: Terminal) -> int:
    from agent.fleet import authoring

    if args.make_key:
        passphrase = _passphrase(args, terminal)
        if len(passphrase) < MIN_PASSPHRASE:
            raise UsageError(N_("the passphrase should have {least} characters or more"), least=MIN_PASSPHRASE)
        key = authoring.make_key(args.key, passphrase, getpass.getuser())
        return _told(args, terminal, [key.keyid])
    if args.change is None:
        raise UsageError(N_("which change?"), hint=N_("serment policy sign DIR --key FILE"))
    return _told(args, terminal, authoring.sign(args.change, authoring.open_key(args.key, _passphrase(args, terminal))))


def _passphrase(args: argparse.Namespace, terminal: Terminal) -> bytes:
    if args.passphrase_file:
        return first_bytes(args.passphrase_file, MAX_PASSPHRASE_BYTES).rstrip(b"\r\n")
    if not sys.stdin.isatty():
        raise UsageError(N_("there is no terminal to ask for the passphrase"), hint=N_("give --passphrase-file FILE"))
    return getpass.getpass(terminal.translate(N_("passphrase of the key: "))).encode()


def _apply(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.trust is not None:
        _trust(args)
    try:
        done = client(args).call("policy.apply", path=str(args.bundle.absolute()))
    except RemoteError as error:
        error.where = str(args.bundle)
        raise
    if args.json:
        terminal.data(done)
        return 0
    text = N_("release {number} is in force") if done["changed"] else N_("release {number} was in force already")
    terminal.line(terminal.translate(text).format(number=done["number"]))
    return 0


def _trust(args: argparse.Namespace) -> None:
    """The root of trust of a laptop that no collector gave one; never changed afterwards."""
    from agent.daemon.pushed_state import FOLDER, ROOT
    from agent.fsys.atomic import private_folder, replace_file
    from agent.ui.configured import configuration

    data = configuration(args).data_dir
    if not data.exists() or data.stat().st_uid != os.getuid():
        raise HostError(N_("only the administrator of this laptop may do this"), hint=N_("use sudo"))
    root, place = first_bytes(args.trust, MAX_ROOT_BYTES), private_folder(data / FOLDER) / ROOT
    if place.exists() and place.read_bytes() != root:
        raise HostError(N_("this laptop trusts another root already"), where=str(place))
    replace_file(place, root)


def _told(args: argparse.Namespace, terminal: Terminal, names: list[str]) -> int:
    if args.json:
        terminal.data({"files": names})
    else:
        for name in names:
            terminal.line(name)
    return 0
