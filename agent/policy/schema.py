"""What a policy is, once read: frozen values. The parser makes them; engine, lint, explain and sentences read them.

Words keep the spelling of the file (``Condition.words``), because sentences and explanations repeat them.
``docs/formats/policy.md`` is the description for people who write policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.crypto.recipients import Named
from agent.model import Decision, Facts, Mode
from agent.policy.answers import Answers
from agent.policy.hosts import Host

Localised = tuple[tuple[str, str], ...]
"""(language, text) pairs, in the order of the file; languages are fr and en."""


class Operator(StrEnum):
    IS = "is"  # one of the words
    NOT = "not"  # none of the words
    MIN = "min"  # at least
    MAX = "max"  # at most


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of ``when``. ``words`` for words, names, devices and yes/no; ``number`` for ``_min`` and ``_max``."""

    key: str  # without the suffix
    operator: Operator
    words: tuple[str, ...] = ()
    number: int = 0  # per cent, persons or bytes
    line: int = 0

    @property
    def name(self) -> str:
        """The key as the file spells it."""
        return self.key if self.operator is Operator.IS else f"{self.key}_{self.operator.value}"

    @property
    def value(self) -> str:
        """What was asked for, in words."""
        return ", ".join(self.words) if self.words else str(self.number)


@dataclass(frozen=True, slots=True)
class Exception_:  # noqa: N801 - the word of the format; the bare one is taken
    """Whom a rule spares, until when (that day included), by whose word, and why. All of ``scope`` must hold."""

    scope: tuple[Condition, ...]
    until: str  # ISO date
    by: str
    why: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    when: tuple[Condition, ...]
    then: Decision
    mode: Mode = Mode.OBSERVE
    offer: Decision | None = None
    title: Localised = ()
    message: Localised = ()
    unless: tuple[Exception_, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """Given these facts, expect this decision. ``rule`` and ``wanted`` are None when the test does not say."""

    facts: Facts
    expect: Decision
    rule: str | None = None  # "" : no rule at all
    wanted: Decision | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Defaults:
    """What was there before, what comes, and what no rule speaks about. ``stated`` tells which the file spells out."""

    existing: Mode = Mode.OBSERVE
    arriving: Mode = Mode.ENFORCE
    nothing_matches: Decision = Decision.OBSERVE
    stated: frozenset[str] = frozenset()

    def mode(self, arrival: str) -> Mode:
        return self.existing if arrival == "existing" else self.arriving


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    rules: tuple[Rule, ...]
    tests: tuple[PolicyTest, ...] = ()
    defaults: Defaults = Defaults()
    title: Localised = ()
    date: str = ""  # ISO date of the policy; exceptions end at most 365 days after it
    devices: tuple[str, ...] = ()  # approved ones, as patterns
    hosts: tuple[Host, ...] = ()  # approved destinations
    recipients: Named = Named()  # to whom documents are sealed besides their clinician
    names: str = "owner"  # who is shown names of documents in the audit log: owner, or administrator too
    answers: Answers = Answers()  # what clinicians may answer, and in which words they are spoken to
    file: str = ""
    release: str = ""  # first 12 hexadecimal digits of the SHA-256 of the file
