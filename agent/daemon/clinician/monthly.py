"""One person's month, in four numbers, from the audit log. For that person alone: nothing compares people."""

from __future__ import annotations

from agent.audit.record import Kind
from agent.daemon.device import DeviceIdentity
from agent.daemon.reviewing.timeline import Timeline
from agent.model import Decision, Result

SEALED, REFUSED, RELEASED, EMERGENCIES = "sealed", "refused", "released", "emergencies"


def month_of(timeline: Timeline, identity: DeviceIdentity, uid: int, since: str, month: str) -> dict[str, int]:
    """What happened to documents of ``uid`` from ``since`` to ``month`` (YYYY-MM, both counted). Raises AuditError."""
    user = identity.pseudonym("user", str(uid).encode(), length=12)
    counts = dict.fromkeys((SEALED, REFUSED, RELEASED, EMERGENCIES), 0)
    timeline.refresh()
    days = [day for day in timeline.days(user) if since <= day[:7] <= month]
    for run in (run for day in days for run in timeline.runs(day)):
        for entry in timeline.read(run):
            fields = entry.fields
            if fields.get("user") != user:
                continue
            if fields["k"] == Kind.TRANSFER and fields.get("act"):
                outcome = timeline.later(entry.number).outcome
                if outcome is not None and outcome.get("result") == Result.DONE:
                    word = {Decision.ENCRYPT: SEALED, Decision.BLOCK: REFUSED, Decision.JUSTIFY: REFUSED}.get(
                        Decision(fields["decision"])
                    )
                    if word:
                        counts[word] += 1
            elif fields["k"] == Kind.RELEASE:
                counts[RELEASED] += 1
            elif fields["k"] == Kind.EMERGENCY and fields.get("state") == "begun":
                counts[EMERGENCIES] += 1
    return counts
