"""An act that was announced in the log and is closed by its outcome, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.audit.record import Kind
from agent.errors import N_, AuditError


class Scope:
    """Leaving it without ``done`` records that the act failed."""

    def __init__(self, append: Callable[[str, Mapping[str, Any]], int], index: int) -> None:
        self._append = append
        self.index = index
        self.closed = False

    def done(self, **fields: Any) -> int:
        """Record the outcome (result, action, problem, held); once. Returns its index. Raises HostError."""
        if self.closed:
            raise AuditError(N_("the outcome of record {index} is already in the audit log"), index=self.index)
        index = self._append(Kind.OUTCOME, {**fields, "of": self.index})
        self.closed = True
        return index
