"""What the parts of the agent tell: turned into audit records, standing troubles and lines of the operational log."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from agent.audit.log import AuditLog
from agent.daemon.operations import Operations
from agent.daemon.policy_store import InForce
from agent.daemon.troubles import Troubles
from agent.errors import HostError, PolicyError

_SYNC_TROUBLES = {"collector-away": 75, "collector-conflict": 76, "collector-refused": 77}


class Reports:
    """Takes the log's place for everything that is not a transfer. ``troubles`` is what stands at this moment."""

    def __init__(self, log: AuditLog, operations: Operations, data_dir: Path) -> None:
        self._log = log
        self._operations = operations
        self.troubles = Troubles(self._trouble, {"data_dir": str(data_dir)})

    def record(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a record. Raises HostError when the log cannot be written."""
        self._log.append(kind, dict(fields))
        self.troubles.clear("audit-unwritable")

    def policy(self, in_force: InForce, refused: PolicyError | None) -> None:
        """Which policy is in force, or which file was refused."""
        policy = in_force.compiled.policy
        fields: dict[str, object] = {"policy": policy.name, "release": policy.release, "source": in_force.source[:40]}
        if refused is None:
            self.troubles.clear("policy-refused")
            fields["state"] = "in-force"
        else:
            self.troubles.raise_("policy-refused", file=str(refused.fields.get("file", "")))
            fields |= {"state": "refused", "line": refused.fields.get("line", 0)}
        try:
            self._log.append("policy", fields, durable=True)
        except HostError:
            self.troubles.raise_("audit-unwritable")
        else:
            self.troubles.clear("audit-unwritable")

    def overflow(self, *_details: object) -> None:
        """The kernel dropped events: the folder is read again; said once in the log."""
        self.troubles.raise_("queue-overflow")
        self.troubles.clear("queue-overflow")

    def synced(self, exit_code: int | None) -> None:
        """How the sync process ended."""
        for word, code in _SYNC_TROUBLES.items():
            if exit_code == code:
                self.troubles.raise_(word)
            else:
                self.troubles.clear(word)

    def _trouble(self, word: str, state: str) -> None:
        self._operations.warn(f"trouble.{state}", trouble=word)
        with contextlib.suppress(HostError):
            self.record("trouble", {"word": word, "state": state})
