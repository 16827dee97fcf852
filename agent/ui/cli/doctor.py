"""``serment doctor``: gathers facts, has them classified (agent.ui.doctor), prints. Exit 0 well, 1 weak, 2 broken."""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.config import SYSTEM_CONFIG, AgentConfig, default_config, load_config
from agent.daemon.control import ControlClient
from agent.errors import N_, AuditError, ConfigError, SermentError
from agent.ui import laptop_facts, raw_devices, wording
from agent.ui.configured import add_config
from agent.ui.doctor import BROKEN, OK, WEAK, Facts, diagnose
from agent.ui.installation import Laptop, diagnose_laptop
from agent.ui.refusal import refusal_of, refusal_worded
from agent.ui.terminal import Terminal

_LANDLOCK_CREATE_RULESET = 444
_MARKS = {OK: "✓", WEAK: "!", BROKEN: "✗"}


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    add_config(parser, translate)
    parser.add_argument("--json", action="store_true", help=translate(N_("one JSON object a line")))


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    facts, laptop = _gather(args.config, terminal)
    found = [*diagnose(facts), *diagnose_laptop(laptop)]
    for item in found:
        fields = _fields(item.fields, terminal.translate)
        message = terminal.translate(item.message).format_map(fields)
        hint = terminal.translate(item.hint).format_map(fields) if item.hint else ""
        if args.json:
            terminal.data({"word": item.word, "state": item.state, "message": message, "hint": hint})
            continue
        terminal.line(f"{_MARKS[item.state]} {message}")
        if hint:
            terminal.line("  " + wording.labelled(terminal.translate(N_("hint")), hint, terminal.translate))
    states = {item.state for item in found}
    return 2 if BROKEN in states else int(WEAK in states)


def _fields(fields: Mapping[str, object], translate: Callable[[str], str]) -> dict[str, object]:
    """The fields of a sentence, a channel by its name, a refusal by what it means."""
    named = refusal_worded(fields, translate)
    if "channel" in named:
        named["channel"] = wording.word(wording.CHANNELS, named["channel"], translate)
    return named


def _gather(path: Path | None, terminal: Terminal) -> tuple[Facts, Laptop]:
    config, config_error, status, agent_error = default_config(), None, None, None
    try:
        config = load_config(path)
        status = ControlClient(config.control_socket).call("status")
    except ConfigError as error:
        config_error = error.said(terminal.translate)
    except SermentError as error:
        agent_error = error.said(terminal.translate)
    refusal = status["policy"].get("refusal") if status else None
    records, audit_error = (None, None) if config_error else _audit(config, terminal)
    facts = Facts(
        kernel=laptop_facts.kernel(os.uname().release), root=os.getuid() == 0, free_bytes=_free(config.data_dir),
        inotify_watches=int(Path("/proc/sys/fs/inotify/max_user_watches").read_text("ascii")), status=status,
        agent_error=agent_error, config_error=config_error, audit_error=audit_error, audit_records=records,
        refusal=refusal_of(refusal, terminal.translate) if refusal else None, audit_there=_audit_is_there(config),
        tools={"libarchive13": ctypes.util.find_library("archive") is not None}, landlock=_landlock(),
        keys=_keys(config) if status else {}, device_users=raw_devices.people(), device_rules=raw_devices.rules(),
    )  # fmt: skip
    return facts, laptop_facts.look(config.data_dir, status, settings=path or SYSTEM_CONFIG)


def _keys(config: AgentConfig) -> Counter[str]:
    try:
        return Counter(str(each["method"]) for each in ControlClient(config.control_socket).call("keys.states"))
    except SermentError:
        return Counter()


def _audit_is_there(config: AgentConfig) -> bool:
    try:
        return (config.data_dir / "audit").exists()
    except PermissionError:
        return True


def _audit(config: AgentConfig, terminal: Terminal) -> tuple[int | None, tuple[str, str] | None]:
    from agent.audit.segments import verify_folder

    folder = config.data_dir / "audit"
    if not os.access(folder, os.R_OK | os.X_OK):
        return None, None
    try:
        return verify_folder(folder).records, None
    except AuditError as error:
        return None, error.said(terminal.translate)


def _free(folder: Path) -> int:
    while not os.access(folder, os.F_OK):
        folder = folder.parent
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def _landlock() -> int:
    """The version of Landlock that this kernel offers; 0 when there is none."""
    return max(0, int(ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1)))
