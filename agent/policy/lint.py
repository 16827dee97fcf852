"""What is well formed and still wrong: rules that never act, act too widely, say too little, or promise what this
laptop cannot hold. Pure.

Errors keep a policy from being used (``load``); warnings are for its author. Each remark has its line and says what to
do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.errors import N_, PolicyError
from agent.findings import Judgement, Kind
from agent.model import ChannelKind, Decision, Mode, Strength
from agent.policy.hosts import APPROVED, PLACEHOLDER
from agent.policy.lint_answers import remarks as answer_remarks
from agent.policy.reach import Reach, reach
from agent.policy.refusal import refusal, shown
from agent.policy.schema import Localised, Policy, Rule
from agent.policy.vocabulary import (
    ACTIONS,
    CLOUD_SERVICES,
    CONFIGURED,
    DOWNLOAD_SERVICES,
    HOST_KEYS,
    HOSTS,
    LANGUAGES,
    NEUTRAL_KINDS,
    REMOVABLE,
)

_KNOWN_SERVICES = CLOUD_SERVICES | DOWNLOAD_SERVICES | CONFIGURED | frozenset(REMOVABLE)
_ACTION = {channel: action for action, channel in ACTIONS.items()}


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to correct. ``problem`` has the text, the hint, and file, line, rule in its fields."""

    level: Level
    problem: PolicyError


@dataclass(frozen=True, slots=True)
class _Seen:
    """A policy as the checks look at it."""

    policy: Policy
    reaches: tuple[Reach, ...]
    today: str
    strengths: Mapping[ChannelKind, Strength]

    def remark(
        self, level: Level, line: int, rule: str, message: str, *, hint: str = "", expected: str = "",
        found: str = "", **more: Any,
    ) -> Remark:  # fmt: skip
        return Remark(
            level, refusal(self.policy.file, line, rule, message, hint=hint, expected=expected, found=found, **more)
        )


def lint(
    policy: Policy, *, today: str = "", strengths: Mapping[ChannelKind, Strength] | None = None
) -> tuple[Remark, ...]:
    """Every remark on a policy, by line.

    ``today`` (ISO date) lets it tell exceptions that have ended; ``strengths`` says what the channels of one laptop
    can hold (channels left out are not judged).
    """
    seen = _Seen(policy, tuple(reach(rule) for rule in policy.rules), today, strengths or {})
    remarks = [remark for check in _CHECKS for remark in check(seen)]
    return tuple(sorted(remarks, key=lambda remark: int(str(remark.problem.fields["line"]))))


def errors(remarks: tuple[Remark, ...]) -> list[PolicyError]:
    """The problems that keep a policy from being used."""
    return [remark.problem for remark in remarks if remark.level is Level.ERROR]


def _never(seen: _Seen) -> Iterator[Remark]:
    for rule, reached in zip(seen.policy.rules, seen.reaches, strict=True):
        if key := reached.impossible():
            yield seen.remark(
                Level.ERROR, rule.line, rule.id, N_("can never match: nothing satisfies {key} and the rest"),
                key=key, hint=N_("correct its conditions or remove the rule"),
            )  # fmt: skip


def _shadowed(seen: _Seen) -> Iterator[Remark]:
    """A rule that another always beats: as strict or stricter, as much in force, no exceptions, matching all of it."""
    pairs = list(zip(seen.policy.rules, seen.reaches, strict=True))
    strictest = sorted(pairs, key=lambda pair: -pair[0].then.severity)  # stable: as the engine looks at them
    for index, (rule, reached) in enumerate(strictest):
        if reached.impossible():
            continue
        for other, wider in strictest[:index]:
            strong = other.mode is Mode.ENFORCE or rule.mode is Mode.OBSERVE
            if strong and not other.unless and wider.covers(reached):
                yield seen.remark(
                    Level.ERROR, rule.line, rule.id, N_("never decides: {other} (line {first}) always comes first"),
                    other=other.id, first=other.line, hint=N_("remove one of the two, or narrow {other}"),
                )  # fmt: skip
                break


def _untested(seen: _Seen) -> Iterator[Remark]:
    named = {test.rule for test in seen.policy.tests}
    known = {rule.id for rule in seen.policy.rules} | {"", None}
    for rule in seen.policy.rules:
        if rule.id not in named:
            yield seen.remark(
                Level.ERROR, rule.line, rule.id, N_("has no test"), expected="a test",
                hint=N_("add a line with «rule: {id}» under «tests»"), id=rule.id,
            )  # fmt: skip
    for test in seen.policy.tests:
        if test.rule not in known:
            yield seen.remark(
                Level.ERROR, test.line, "", N_("the test names the rule {found}, which does not exist"),
                found=shown(test.rule or ""), hint=N_("correct the name, or write «rule: none»"),
            )  # fmt: skip


def _over_broad(seen: _Seen) -> Iterator[Remark]:
    """Holding documents that are about nobody: clinicians stop believing a tool that stops everything."""
    clinical = frozenset(kind.value for kind in Kind if kind not in NEUTRAL_KINDS)
    for rule, reached in zip(seen.policy.rules, seen.reaches, strict=True):
        harmless = Judgement.NOT_MEDICAL.value in reached.closed["judgement"]
        if rule.then.severity >= Decision.JUSTIFY.severity and harmless and not reached.closed["document"] <= clinical:
            yield seen.remark(
                Level.WARNING, rule.line, rule.id, N_("also says {then} for documents that are not medical"),
                then=rule.then, hint=N_("add «judgement: medical», or name the documents"),
            )  # fmt: skip
    if seen.policy.defaults.nothing_matches.severity >= Decision.JUSTIFY.severity:
        yield seen.remark(
            Level.WARNING, 0, "", N_("says {then} whenever no rule matches"), then=seen.policy.defaults.nothing_matches,
            hint=N_("«nothing_matches: observe» leaves documents about nobody alone"),
        )  # fmt: skip


def _exceptions(seen: _Seen) -> Iterator[Remark]:
    for rule in seen.policy.rules:
        for exception in rule.unless:
            if seen.today and exception.until < seen.today:
                yield seen.remark(
                    Level.WARNING, exception.line, rule.id, N_("an exception ended on {until}: the rule holds for all"),
                    until=exception.until, hint=N_("remove it, or renew it with a new end and reason"),
                )  # fmt: skip
            on_device = any(condition.key == "device" for condition in exception.scope)
            if on_device and rule.when and ChannelKind.REMOVABLE not in reach(rule).channels:
                yield seen.remark(
                    Level.WARNING, exception.line, rule.id, N_("an exception names a device, but the rule has none"),
                    hint=N_("name a group, a user or a service"),
                )  # fmt: skip


def _texts(seen: _Seen) -> Iterator[Remark]:
    for rule in seen.policy.rules:
        yield from _missing(seen, rule, "title", rule.title)
        if rule.then is not Decision.OBSERVE:
            yield from _missing(seen, rule, "message", rule.message)


def _missing(seen: _Seen, rule: Rule, key: str, texts: Localised) -> Iterator[Remark]:
    for language in sorted(set(LANGUAGES) - {code for code, _ in texts}):
        yield seen.remark(
            Level.WARNING, rule.line, rule.id, N_("has no {key} in {language}"), key=key, language=language,
            expected=", ".join(LANGUAGES), hint=N_("people see it in their own language"),
        )  # fmt: skip


def _defaults(seen: _Seen) -> Iterator[Remark]:
    taken = {
        "existing": seen.policy.defaults.existing,
        "arriving": seen.policy.defaults.arriving,
        "nothing_matches": seen.policy.defaults.nothing_matches,
    }
    for key, value in taken.items():
        if key not in seen.policy.defaults.stated:
            yield seen.remark(
                Level.WARNING, 0, "", N_("does not say defaults.{key}; taken as {value}"), key=key, value=value,
                hint=N_("write it down, so that nobody has to know"),
            )  # fmt: skip


def _services(seen: _Seen) -> Iterator[Remark]:
    for rule in seen.policy.rules:
        for condition in rule.when:
            unknown = [] if condition.key != "service" else sorted(set(condition.words) - _KNOWN_SERVICES)
            if unknown:
                yield seen.remark(
                    Level.WARNING, condition.line, rule.id, N_("service {found} is none that Serment finds itself"),
                    found=shown(unknown[0]), expected=", ".join(sorted(_KNOWN_SERVICES)),
                    hint=N_("known here: {expected}"),
                )  # fmt: skip


def _hosts(seen: _Seen) -> Iterator[Remark]:
    """Rules about approved destinations: a list that they mean, and the safe way out in what the clinician reads."""
    kinds = {host.kind for host in seen.policy.hosts}
    named = {text for host in seen.policy.hosts for _, text in host.name}
    for rule in seen.policy.rules:
        asked = [condition for condition in rule.when if condition.key in HOST_KEYS]
        for condition in asked:
            for word in condition.words:
                if HOSTS[word] <= frozenset(APPROVED) and kinds.isdisjoint(HOSTS[word]):
                    yield seen.remark(
                        Level.ERROR, condition.line, rule.id, N_("asks for host: {found}, but «hosts» lists none"),
                        found=word, expected="an entry of «hosts»", hint=N_("add the hosts, or remove the condition"),
                    )  # fmt: skip
        told = any(name in text for _, text in rule.message for name in named)
        if asked and rule.then.severity >= Decision.JUSTIFY.severity and not told:
            yield seen.remark(
                Level.WARNING, rule.line, rule.id, N_("does not tell the clinician which destination is approved"),
                hint=N_("write {approved} in the message: the names of «hosts» stand there"), approved=PLACEHOLDER,
            )  # fmt: skip


def _enforceable(seen: _Seen) -> Iterator[Remark]:
    """A promise that the laptop cannot keep is said here, not dropped in silence."""
    for rule, reached in zip(seen.policy.rules, seen.reaches, strict=True):
        if rule.mode is Mode.OBSERVE or rule.then.severity < Decision.JUSTIFY.severity or reached.impossible():
            continue
        known = [channel for channel in reached.channels if channel in seen.strengths]
        off = [channel for channel in known if seen.strengths[channel] is Strength.OFF]
        if off:
            level = Level.ERROR if len(off) == len(reached.channels) else Level.WARNING
            yield seen.remark(
                level, rule.line, rule.id, N_("{then} cannot be enforced here: nothing watches {actions}"),
                then=rule.then, actions=", ".join(_ACTION[channel] for channel in off),
                hint=N_("«serment doctor» says what is missing"),
            )  # fmt: skip
        late = [channel for channel in known if seen.strengths[channel] is Strength.AFTER_WRITE]
        if late and rule.then is Decision.JUSTIFY:
            yield seen.remark(
                Level.WARNING, rule.line, rule.id,
                N_("justify does not hold {actions} here: the question comes after the copy"),
                actions=", ".join(_ACTION[channel] for channel in late),
                hint=N_("use encrypt or block, or a channel that «serment status» shows as hold"),
            )  # fmt: skip


def _plain(seen: _Seen) -> Iterator[Remark]:
    for line, rule, message, fields in answer_remarks(seen.policy):
        yield seen.remark(
            Level.WARNING,
            line,
            rule,
            message,
            hint=N_("a reader of fifteen, in a hurry, should understand it"),
            **fields,
        )


_CHECKS: tuple[Callable[[_Seen], Iterator[Remark]], ...] = (
    _never, _shadowed, _untested, _over_broad, _exceptions, _texts, _defaults, _services, _hosts, _enforceable, _plain,
)  # fmt: skip
