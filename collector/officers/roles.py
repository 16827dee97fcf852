"""What each role may do. Pure. A role that is not here may do nothing; an account without roles sees today alone."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """The five roles of the design; one person may have several."""

    AUTHOR = "author"
    APPROVER = "approver"
    ANALYST = "analyst"
    DPO = "dpo"
    KEY_OFFICER = "key-officer"


class Right(StrEnum):
    """What a page or an act asks for."""

    TODAY = "today"
    FLEET = "fleet"
    POLICIES = "policies"
    RECORDS = "records"
    ALERTS = "alerts"
    REQUESTS = "requests"
    PROOFS = "proofs"
    RISKS = "risks"
    TREAT_RISKS = "treat-risks"
    KEYS = "keys"
    ACTS = "acts"


_EVERYONE = frozenset({Right.TODAY, Right.FLEET, Right.RISKS})
_OF_ROLE: dict[str, frozenset[Right]] = {
    Role.AUTHOR: frozenset({Right.POLICIES}),
    Role.APPROVER: frozenset({Right.POLICIES, Right.TREAT_RISKS, Right.ACTS}),
    Role.ANALYST: frozenset({Right.POLICIES, Right.RECORDS, Right.ALERTS, Right.REQUESTS, Right.PROOFS}),
    Role.DPO: frozenset(Right),
    Role.KEY_OFFICER: frozenset({Right.KEYS}),
}


def rights(roles: Iterable[str]) -> frozenset[Right]:
    """All that these roles may do together."""
    found = {Right.TODAY}
    for role in roles:
        if role in _OF_ROLE:
            found |= _EVERYONE | _OF_ROLE[role]
    return frozenset(found)
