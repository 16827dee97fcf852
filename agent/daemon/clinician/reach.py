"""What the clinician's side of the agent is wired to, and what every answer needs. Values and small checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.actions.entry import Entry
from agent.actions.quarantine import QuarantineStore
from agent.crypto.keys import KeyStore
from agent.daemon.clinician.passes import Passes
from agent.daemon.clinician.subscribers import Subscribers
from agent.daemon.device import DeviceIdentity
from agent.daemon.notices import Notices
from agent.errors import N_, UsageError
from agent.model import Decision
from agent.policy.answers import NOT_A_PATIENT, OTHER, REASONS, Answers
from agent.policy.schema import Policy

MAX_TEXT = 1_000  # characters of a reason in a person's own words
SEAL, REASON, MAIL, EMERGENCY = "seal", "reason", "mail", "emergency"


class Append(Protocol):
    """``AuditLog.append``."""

    def __call__(
        self,
        kind: str,
        fields: Mapping[str, Any],
        durable: bool = False,
        private: Mapping[str, Any] | bytes = b"",
        owner: int = -1,
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Reach:
    """Parts of the agent that answers work with; nothing else of it."""

    store: QuarantineStore
    keys: KeyStore
    passes: Passes
    notices: Notices
    subscribers: Subscribers
    identity: DeviceIdentity
    policy: Callable[[], Policy]
    append: Append
    guarded: Callable[[], tuple[bytes, ...]]
    given_back: Callable[[Entry], None]
    judge_anew: Callable[[], None]  # what readers were told so far counts no more
    contest: Callable[[int, int, str], None]  # person, record, reason: « this is not a patient document »
    month: Callable[[int, str, str], dict[str, int]]  # person, first and last YYYY-MM → what was done, by word

    @property
    def answers(self) -> Answers:
        return self.policy().answers

    def user(self, uid: int) -> str:
        """The person's pseudonym in the log."""
        return self.identity.pseudonym("user", str(uid).encode(), length=12)

    def offers(self, decision: str, rule_id: str, *, held: bool) -> tuple[str, ...]:
        """The ways out that a person has, the safe one first. ``held``: there is a copy to give."""
        offer = next((rule.offer for rule in self.policy().rules if rule.id == rule_id), None)
        may_reason = decision == Decision.JUSTIFY or (decision == Decision.BLOCK and offer is Decision.JUSTIFY)
        may_seal = held and (decision == Decision.JUSTIFY or (decision == Decision.BLOCK and offer is Decision.ENCRYPT))
        may_mail = held and self.answers.mail.offered and decision in {Decision.JUSTIFY, Decision.BLOCK}
        ways = ((SEAL, may_seal), (MAIL, may_mail), (REASON, may_reason))
        return tuple(word for word, may in ways if may)


def administrator(uid: int) -> bool:
    return uid in {0, os.getuid()}


def reason_of(answers: Answers, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """The reason's id and the person's own words, from a request. Raises UsageError: none, unknown, too long."""
    word, text = str(arguments.get("why", "")), " ".join(str(arguments.get("text", "")).split())
    known = [reason.id for reason in answers.reasons] or [each for each, _ in REASONS]
    if len(text) > MAX_TEXT:
        raise UsageError(N_("say why in 1 to {limit} characters"), limit=MAX_TEXT)
    if word in {"", OTHER} and not text:
        raise UsageError(N_("say why: choose a reason, or write one"), hint=N_("reasons: {words}"), words=_list(known))
    if word not in {"", OTHER, NOT_A_PATIENT, *known}:
        raise UsageError(N_("the reason is one of: {words}"), words=_list(known))
    return word or OTHER, text


def _list(known: list[str]) -> str:
    return ", ".join((*known, NOT_A_PATIENT, OTHER))
