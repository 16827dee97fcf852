"""What could be wrong, classified: pure. ``serment doctor`` gathers the facts and prints; this says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.errors import N_

OK, WEAK, BROKEN = "ok", "weak", "broken"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding: ``state`` ok, weak or broken; ``message`` and ``hint`` are keys filled with ``fields``."""

    word: str
    state: str
    message: str
    hint: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured on this machine."""

    kernel: tuple[int, int]
    root: bool
    free_bytes: int
    inotify_watches: int
    status: Mapping[str, Any] | None  # None: no agent answers
    agent_error: str = ""
    config_error: str = ""
    audit_error: str = ""
    audit_records: int | None = None  # None: not readable by this user
    tools: Mapping[str, bool] = field(default_factory=dict)
    landlock: int = 0


def diagnose(facts: Facts) -> list[Diagnosis]:
    """Every finding, the good ones too, in the order they are read."""
    return [*_machine(facts), *_configuration(facts), *_agent(facts), *_audit(facts)]


def _machine(facts: Facts) -> list[Diagnosis]:
    found = []
    version = ".".join(map(str, facts.kernel))
    if facts.kernel < (5, 6):
        found.append(Diagnosis("kernel", BROKEN, N_("kernel {version} is too old"), N_("Linux 5.13 or newer"),
                               {"version": version}))  # fmt: skip
    elif facts.landlock < 1:
        found.append(Diagnosis("kernel", WEAK, N_("kernel {version} has no Landlock: readers are less confined"),
                               N_("Linux 5.13 or newer, with lsm=landlock"), {"version": version}))  # fmt: skip
    else:
        found.append(Diagnosis("kernel", OK, N_("kernel {version}, readers are confined"), "", {"version": version}))
    if facts.free_bytes < 256 << 20:
        found.append(Diagnosis("disk", BROKEN, N_("only {free} MB free where documents would be held"),
                               N_("free some space"), {"free": facts.free_bytes >> 20}))  # fmt: skip
    else:
        found.append(Diagnosis("disk", OK, N_("{free} MB free for documents that are held"), "",
                               {"free": facts.free_bytes >> 20}))  # fmt: skip
    if facts.inotify_watches < 65_536:
        found.append(Diagnosis("watches", WEAK, N_("only {count} folders can be watched"),
                               N_("set fs.inotify.max_user_watches=524288 with sysctl"),
                               {"count": facts.inotify_watches}))  # fmt: skip
    for tool, present in facts.tools.items():
        if not present:
            found.append(Diagnosis("tool", WEAK, N_("{tool} is not installed: such archives cannot be judged"),
                                   N_("apt-get install {tool}"), {"tool": tool}))  # fmt: skip
    return found


def _configuration(facts: Facts) -> list[Diagnosis]:
    if facts.config_error:
        return [Diagnosis("configuration", BROKEN, N_("{why}"), N_("mend agent.toml"), {"why": facts.config_error})]
    return [Diagnosis("configuration", OK, N_("the configuration can be used"))]


def _agent(facts: Facts) -> list[Diagnosis]:
    status = facts.status
    if status is None:
        return [Diagnosis("agent", BROKEN, N_("{why}"), N_("start it: serment run"), {"why": facts.agent_error})]
    found = [Diagnosis("agent", OK, N_("the agent runs (process {pid})"), "", {"pid": status["pid"]})]
    if not status["root"]:
        found.append(Diagnosis("root", WEAK, N_("the agent does not run as root: it guards your own folders only"),
                               N_("install the service, or: sudo serment run")))  # fmt: skip
    found += [
        Diagnosis("channel", WEAK, N_("{channel} is not guarded"), N_("see agent.toml"), {"channel": entry["channel"]})
        for entry in status["channels"]
        if entry["strength"] == "off"
    ]
    found += [
        Diagnosis(
            trouble["word"], BROKEN if trouble["severity"] == "stopped" else WEAK, trouble["message"], trouble["hint"],
            trouble["fields"],
        )
        for trouble in status["troubles"]
    ]  # fmt: skip
    if status["policy"]["source"].startswith("profile:monitor"):
        found.append(Diagnosis("policy", OK, N_("the policy only observes: nothing is sealed or refused yet"),
                               N_('when you are ready: [policy] profile = "enforce" in agent.toml')))  # fmt: skip
    return found


def _audit(facts: Facts) -> list[Diagnosis]:
    if facts.audit_error:
        return [Diagnosis("audit", BROKEN, N_("{why}"), N_("run: serment audit verify"), {"why": facts.audit_error})]
    if facts.audit_records is None:
        return [Diagnosis("audit", OK, N_("the audit log is readable by the administrator only"))]
    return [Diagnosis("audit", OK, N_("the audit log is intact ({count} records)"), "", {"count": facts.audit_records})]
