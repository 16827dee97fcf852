"""What could be wrong, classified: pure. ``serment doctor`` gathers the facts and prints; this says what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.errors import N_
from agent.i18n import Count

Said = tuple[str, str]
"""What an error said, and its hint or nothing, in the reader's language."""

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
    agent_error: Said | None = None
    config_error: Said | None = None  # the agent is then not asked: where it listens is not known
    audit_error: Said | None = None
    refusal: Said | None = None  # why the policy file is not in force, and what was expected
    audit_there: bool = True
    audit_records: int | None = None  # None: not readable by this user
    tools: Mapping[str, bool] = field(default_factory=dict)
    landlock: int = 0
    device_users: Sequence[str] = ()  # who else than root may open disks and sticks themselves
    device_rules: Sequence[str] = ()  # udev rules that give devices to people
    keys: Mapping[str, int] = field(default_factory=dict)  # how private keys are protected → how many; own ones or all


def diagnose(facts: Facts) -> list[Diagnosis]:
    """Every finding, the good ones too, in the order they are read."""
    return [*_machine(facts), *_configuration(facts), *_agent(facts), *_keys(facts), *_audit(facts)]


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
    found += _devices(facts)
    for tool, present in facts.tools.items():
        if not present:
            found.append(Diagnosis("tool", WEAK, N_("{tool} is not installed: such archives cannot be judged"),
                                   N_("apt-get install {tool}"), {"tool": tool}))  # fmt: skip
    return found


def _devices(facts: Facts) -> list[Diagnosis]:
    """Who can pass by every file system, and so by every airlock."""
    found = []
    if facts.device_users:
        found.append(Diagnosis("raw-devices", WEAK, N_("can write to disks and sticks past every guard: {users}"),
                               N_("take them out of the groups that own block devices, as disk does"),
                               {"users": ", ".join(facts.device_users)}))  # fmt: skip
    if facts.device_rules:
        found.append(Diagnosis("device-rules", WEAK, N_("udev rules give block devices to people: {rules}"),
                               N_("read them; a person who may open the device writes to it past every guard"),
                               {"rules": ", ".join(facts.device_rules)}))  # fmt: skip
    return found or [Diagnosis("raw-devices", OK, N_("nobody but root can open disks and sticks themselves"))]


_HINT = N_("encrypt the disk, or: serment keys phrase")
_KEYS = {
    "tpm": (OK, N_("{count} {count:private key is|private keys are} protected by this laptop's TPM"), ""),
    "phrase": (OK, N_("{count} {count:private key is|private keys are} under a phrase"), ""),
    "credential": (
        OK, N_("{count} {count:private key is|private keys are} protected by this laptop's system, without a TPM"),
        _HINT,
    ),
    "host": (
        OK, N_("{count} {count:private key is|private keys are} protected by a secret of this laptop"),
        _HINT,
    ),
    "clear": (
        WEAK, N_("{count} {count:private key|private keys} of an earlier version not protected yet"),
        N_("start the agent"),
    ),
    "missing": (
        BROKEN, N_("{count} {count:private key is|private keys are} missing"), N_("put keys back from a backup"),
    ),
}  # fmt: skip
"""By how a key is protected."""


def _keys(facts: Facts) -> list[Diagnosis]:
    return [
        Diagnosis("keys", state, message, hint, {"count": Count(facts.keys[method])})
        for method, (state, message, hint) in _KEYS.items()
        if facts.keys.get(method)
    ]


def _configuration(facts: Facts) -> list[Diagnosis]:
    if facts.config_error is not None:
        return [_as_said("configuration", facts.config_error, N_("mend agent.toml"))]
    return [Diagnosis("configuration", OK, N_("the configuration can be used"))]


def _agent(facts: Facts) -> list[Diagnosis]:
    status = facts.status
    if status is None:
        return [_as_said("agent", facts.agent_error, N_("start it: serment run"))] if facts.agent_error else []
    found = [Diagnosis("agent", OK, N_("the agent runs (process {pid})"), "", {"pid": status["pid"]})]
    if not status["root"]:
        found.append(Diagnosis("root", WEAK, N_("the agent does not run as root: it guards your own folders only"),
                               N_("install the service, or: sudo serment run")))  # fmt: skip
    found += [
        Diagnosis("channel", WEAK, N_("{channel} is not guarded"), N_("see agent.toml"), {"channel": entry["channel"]})
        for entry in status["channels"]
        if entry["strength"] == "off"
    ]
    found += _gates(status)
    if status["pictures"]["state"] == "not-installed":
        found.append(Diagnosis("pictures", WEAK, N_("pictures and scans are not read: they stay undecidable"),
                               status["pictures"]["reason"]))  # fmt: skip
    elif status["pictures"]["state"] == "read":
        found.append(Diagnosis("pictures", OK, N_("pictures and scans are read ({waiting} waiting)"), "",
                               {"waiting": status["pictures"]["waiting"]}))  # fmt: skip
    found += [
        Diagnosis(
            trouble["word"], BROKEN if trouble["severity"] == "stopped" else WEAK, trouble["message"], trouble["hint"],
            trouble["fields"],
        )
        for trouble in status["troubles"]
    ]  # fmt: skip
    if facts.refusal is not None:
        found.append(_as_said("policy", facts.refusal, N_("mend the policy file"), WEAK))
    if status["policy"]["source"].startswith("profile:monitor"):
        found.append(Diagnosis("policy", OK, N_("the policy only observes: nothing is sealed or refused yet"),
                               N_('when you are ready: [policy] profile = "enforce" in agent.toml')))  # fmt: skip
    return found


def _gates(status: Mapping[str, Any]) -> list[Diagnosis]:
    """Whether what holds documents has proved it lately; what failed stands among the troubles."""
    gate = status.get("gate", {})
    found = _outside(gate) if gate.get("armed") else []
    trials = [gate["canary"]["passed"]] * gate["armed"] if gate.get("armed") else []
    trials += [entry["holds"]["canary"]["passed"] for entry in status["channels"] if "canary" in entry.get("holds", {})]
    if not trials or False in trials:
        return found
    count = {"count": len(trials)}
    if None in trials:
        return [Diagnosis("canary", WEAK, N_("not every held place has proved yet that it holds ({count})"),
                          N_("wait a minute and ask again"), count), *found]  # fmt: skip
    return [Diagnosis("canary", OK, N_("held places have refused their test file ({count})"), "", count), *found]


def _outside(gate: Mapping[str, Any]) -> list[Diagnosis]:
    """Which of two ways the gate deals with files that lie beside sync folders; both hold the same."""
    if gate.get("outside") == "remembered":
        return [Diagnosis("gate", OK, N_("folders beside sync folders cost nothing: the kernel keeps them outside"))]
    return [Diagnosis("gate", OK, N_("each opening of a file beside a sync folder is looked at: this kernel does not"
                                     " keep folders outside"))]  # fmt: skip


def _audit(facts: Facts) -> list[Diagnosis]:
    if facts.config_error is not None:
        return []
    if facts.audit_error is not None:
        return [_as_said("audit", facts.audit_error, N_("run: serment audit verify"))]
    if not facts.audit_there:
        return [Diagnosis("audit", OK, N_("there is no audit log yet"))]
    if facts.audit_records is None:
        return [Diagnosis("audit", OK, N_("the audit log is readable by the administrator only"))]
    count = {"count": Count(facts.audit_records)}
    return [Diagnosis("audit", OK, N_("the audit log is intact ({count} {count:record|records})"), "", count)]


def _as_said(word: str, said: Said, hint: str, state: str = BROKEN) -> Diagnosis:
    """A finding in the words of the error, with its own hint when it has one."""
    text, own = said
    return Diagnosis(word, state, N_("{why}"), N_("{hint}") if own else hint, {"why": text, "hint": own})
