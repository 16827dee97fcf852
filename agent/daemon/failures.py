"""What can fail, what the agent does about it, and whether the audit log says so: one table, one place to decide.

``word`` is stable (operational log, status, doctor, collector). ``severity``: "notice" goes on as before, "weaker"
means that the guard is weaker than it should be, "stopped" means that nothing is enforced until it is mended.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import N_


@dataclass(frozen=True, slots=True)
class Failure:
    word: str
    severity: str
    audited: bool
    message: str
    hint: str


_TABLE = (
    Failure(
        "audit-unwritable", "stopped", audited=False,
        message=N_("the audit log cannot be written: nothing is acted on until it can"),
        hint=N_("free space on the disk of {data_dir}; the agent goes on by itself"),
    ),
    Failure(
        "policy-refused", "weaker", audited=True,
        message=N_("the policy file cannot be used; the last good policy stays in force"),
        hint=N_("run: serment policy lint {file}"),
    ),
    Failure(
        "policy-push-refused", "weaker", audited=True,
        message=N_("a policy that was pushed is refused ({why}); the policy before stays in force"),
        hint=N_("tell the security officer; nothing is to be done on this laptop"),
    ),
    Failure(
        "policy-stale", "notice", audited=True,
        message=N_("the policy was not confirmed for long; it stays in force as it is"),
        hint=N_("bring the laptop to a network, or a bundle on a stick: serment policy apply FILE"),
    ),
    Failure(
        "worker-unavailable", "weaker", audited=True,
        message=N_("documents cannot be read: no reader process starts"),
        hint=N_("run: serment doctor"),
    ),
    Failure(
        "pictures-unavailable", "weaker", audited=True,
        message=N_("pictures and scans cannot be read: their reader does not start"),
        hint=N_("run: serment doctor"),
    ),
    Failure(
        "pictures-error", "weaker", audited=True,
        message=N_("pictures or scans that could not be handled because of an error of ours: {count}"),
        hint=N_("report it with the operational log, which names no document"),
    ),
    Failure(
        "patients-unusable", "weaker", audited=True,
        message=N_("the practice's patient list cannot be used: documents are judged without it"),
        hint=N_("load it again: serment patients load FILE"),
    ),
    Failure(
        "action-failed", "weaker", audited=True,
        message=N_("documents that could not be acted on, and are tried again: {count}"),
        hint=N_("free space, or make the volume writable"),
    ),
    Failure(
        "pipeline-error", "weaker", audited=True,
        message=N_("files that could not be handled because of an error of ours: {count}"),
        hint=N_("report it with the operational log, which names no document"),
    ),
    Failure(
        "step-failed", "weaker", audited=False,
        message=N_("a part of the agent's own work failed; it is tried again"),
        hint=N_("free space on the disk of the agent's data; see its operational log"),
    ),
    Failure(
        "airlock-died", "weaker", audited=True,
        message=N_("the airlock of a removable volume ended unexpectedly ({count}); it was started again"),
        hint=N_("the volume was read-only meanwhile: copy again what was being written; see the operational log"),
    ),
    Failure(
        "airlock-canary", "weaker", audited=True,
        message=N_("a test file that must be refused could be written to a removable volume: it is not held"),
        hint=N_("unplug the volume and plug it in again; report it with the operational log"),
    ),
    Failure(
        "gate-unavailable", "weaker", audited=True,
        message=N_("documents cannot be held back when they are opened: {why}"),
        hint=N_("the agent must run as root on a kernel with fanotify"),
    ),
    Failure(
        "gate-folder", "weaker", audited=True,
        message=N_("a folder cannot be guarded when it is read: {why}"),
        hint=N_("run: serment status"),
    ),
    Failure(
        "gate-dead", "weaker", audited=True,
        message=N_("the gate ends as often as it is started: documents are not held back"),
        hint=N_("see the operational log; restart the agent"),
    ),
    Failure(
        "gate-canary", "weaker", audited=True,
        message=N_("a test file that must be held back could be opened; folders that are not held: {folders}"),
        hint=N_("restart the agent; report it with the operational log"),
    ),
    Failure(
        "keys-unusable", "weaker", audited=True,
        message=N_("the keys of this laptop cannot be used: nothing can be sealed"),
        hint=N_("put the keys back from a backup; see the operational log"),
    ),
    Failure(
        "quarantine-damaged", "weaker", audited=True,
        message=N_("documents in quarantine have lost their description: {ids}"),
        hint=N_("their content is still there; ask the administrator to look at the quarantine folder"),
    ),
    Failure(
        "queue-overflow", "notice", audited=True,
        message=N_("events came faster than they could be noted; the folders were read again"),
        hint=N_("nothing to do"),
    ),
    Failure(
        "collector-away", "notice", audited=False,
        message=N_("the collector does not answer; records wait on this laptop"),
        hint=N_("nothing is lost; check the network or the address"),
    ),
    Failure(
        "collector-conflict", "weaker", audited=False,
        message=N_("the collector holds other records of this laptop than this laptop does"),
        hint=N_("somebody restored or changed the audit log: run serment audit verify and tell the security officer"),
    ),
    Failure(
        "collector-refused", "notice", audited=False,
        message=N_("the collector refuses this laptop's records"),
        hint=N_("check the token; see the collector's alerts"),
    ),
    Failure(
        "policy-memory-unusable", "weaker", audited=True,
        message=N_("what this laptop knows of the policies sent to it cannot be read: the one in force stays, and no "
                   "other is taken"),
        hint=N_("put policy/pushed.state or policy/fleet.json in data_dir back from a backup; or remove it, enrol this "
                "laptop again and start the agent again"),
    ),
    Failure(
        "fleet-unusable", "weaker", audited=True,
        message=N_("the enrolment of this laptop cannot be read: no record is sent, no policy is fetched"),
        hint=N_("ask for a token, then: serment enrol TOKEN; start the agent again"),
    ),
)  # fmt: skip

FAILURES = {failure.word: failure for failure in _TABLE}
