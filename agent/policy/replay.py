"""What a policy would have said about transfers that are in the log: records → facts → changes, counted. Pure.

Used on one laptop's log and by the collector on the stored facts of a fleet. A record holds pseudonyms: who the person
was, their groups and a device's serial are not in it. So whatever rests on those is decided both ways, strictly and
mildly, for the old and the new policy alike; where the answers differ the transfer is counted as uncertain, never as
one or the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from agent.document import Problem
from agent.findings import Finding, Findings, FindingType, Judgement, Kind
from agent.model import ChannelKind, Decision, Device, Facts
from agent.policy.engine import CompiledPolicy, compile_policy, evaluate
from agent.policy.schema import Condition, Exception_, Operator, Policy, Rule
from agent.policy.vocabulary import HOST_KEYS

MAX_FACTS = 1_000_000
MAX_EXAMPLES = 5  # of each change
MAX_NAMED = 200  # services or rules that are told by name; the rest is « other »
_LISTED = (Finding(FindingType.ROSTER),)
_NO_FINDING: tuple[Finding, ...] = ()
_QUARTER_US = 900_000_000  # an hour's quarter: days begin at one, in every time zone
_LAST_QUARTER = 2_932_895 * 96  # 9999-12-30, in quarters since 1970: a day before the end, wherever that is
_UNSEEN = frozenset({"user", "group", "host"})
Change = tuple[Decision, Decision]


def facts_of(fields: Mapping[str, Any]) -> Facts | None:
    """The facts of a ``transfer`` record; None when it holds words that are not known here. Hostile fields."""
    try:
        findings = Findings(
            judgement=Judgement(fields["judgement"]),
            kind=Kind(fields.get("kind", "other")),
            confidence=_whole(fields, "confidence") / 1000,
            identified=fields.get("identified") is True,
            patients=_whole(fields, "patients"),
            test_data=fields.get("test") is True,
            problem=Problem(fields["problem"]) if fields.get("problem") else None,
            items=_LISTED if fields.get("listed") is True else _NO_FINDING,
        )
        return Facts(
            channel=ChannelKind(fields["channel"]),
            arrival=_text(fields, "arrival") or "new",
            findings=findings,
            size=_whole(fields, "size"),
            extension=_text(fields, "ext"),
            service=_text(fields, "service"),
            device=_device(fields.get("device")),
            day=_day(_whole(fields, "t") // _QUARTER_US),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _whole(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    return value if isinstance(value, int) and value >= 0 else 0


def _device(table: object) -> Device | None:
    if not isinstance(table, dict):
        return None
    return Device(_text(table, "bus"), _text(table, "vendor_id"), _text(table, "product_id"))


_days: dict[int, str] = {}


def _day(number: int) -> str:
    """The ISO day here, as an exception's end is meant, of a number of quarters of an hour since 1970."""
    if number not in _days:
        if len(_days) > 4096:
            _days.clear()
        _days[number] = datetime.fromtimestamp(min(number, _LAST_QUARTER) * 900, UTC).astimezone().date().isoformat()
    return _days[number]


# ---- what records cannot tell


def assumptions(old: Policy | None, new: Policy) -> list[tuple[CompiledPolicy | None, CompiledPolicy]]:
    """Both policies under each assumption about what records do not hold; one pair when nothing rests on it."""
    known = [policy for policy in (old, new) if policy is not None]
    persons = (True, False) if any(_rests_on_unseen(policy) for policy in known) else (True,)
    serials = (True, False) if any(_serial(device) for policy in known for device in policy.devices) else (True,)
    return [
        (None if old is None else compile_policy(_assume(old, strict, approved)),
         compile_policy(_assume(new, strict, approved)))
        for strict in persons
        for approved in serials
    ]  # fmt: skip


def _serial(pattern: str) -> bool:
    """Whether a pattern means one serial, which a record does not hold."""
    return pattern.split(":", 3)[3].strip("*") != ""


def _blind(condition: Condition) -> bool:
    return condition.key in _UNSEEN or (condition.key == "device" and any(map(_serial, condition.words)))


def _rests_on_unseen(policy: Policy) -> bool:
    return any(
        _blind(condition)
        for rule in policy.rules
        for conditions in (rule.when, *(exception.scope for exception in rule.unless))
        for condition in conditions
    )


def _assume(policy: Policy, strict: bool, approved: bool) -> Policy:
    """``strict``: blind conditions hold and blind exceptions do not; else the other way round. ``approved``: a device
    of an approved model is the approved one.
    """
    rules = tuple(made for rule in policy.rules if (made := _assumed(rule, strict)) is not None)
    devices = tuple(
        pattern.rsplit(":", pattern.count(":") - 2)[0] + ":*" if _serial(pattern) else pattern
        for pattern in policy.devices
        if approved or not _serial(pattern)
    )
    return replace(policy, rules=rules, devices=devices)


def _assumed(rule: Rule, strict: bool) -> Rule | None:
    if not strict and any(map(_blind, rule.when)):
        return None
    spared: list[Exception_] = []
    for exception in rule.unless:
        if not any(map(_blind, exception.scope)):
            spared.append(exception)
        elif not strict:
            seen = tuple(condition for condition in exception.scope if not _blind(condition))
            spared.append(replace(exception, scope=seen))
    when = tuple(condition for condition in rule.when if not _blind(condition))
    if any(condition.key in HOST_KEYS for condition in rule.when):
        when = (*when, Condition("action", Operator.IS, ("sync",)))  # only there is a host, known or not
    return replace(rule, when=when, unless=tuple(spared))


# ---- counting


@dataclass(slots=True)
class Tally:
    """The transfers of one change, from one decision to another."""

    count: int = 0
    laptops: set[str] = field(default_factory=set)
    services: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, laptop: str, service: str, rule: str, facts: Facts) -> None:
        self.count += 1
        self.laptops.add(laptop)
        _count(self.services, service)
        _count(self.rules, rule)
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append({
                "day": facts.day, "service": service, "channel": str(facts.channel), "place": facts.service,
                "document": str(facts.findings.kind), "confidence": round(facts.findings.confidence * 100),
                "rule": rule,
            })  # fmt: skip


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < MAX_NAMED else "…"] += 1


class Backtest:
    """Give it records with ``add``; ``result`` says what would have changed. ``old`` None: against what was decided.

    ``done`` are changes of what is done, ``wished`` of what rules on trial would want besides.
    """

    def __init__(self, old: Policy | None, new: Policy) -> None:
        self._pairs = assumptions(old, new)
        self.facts = self.unreadable = self.uncertain = 0
        self.laptops: set[str] = set()
        self.services: set[str] = set()
        self.first_us, self.last_us = 1 << 62, 0
        self.done: dict[Change, Tally] = {}
        self.wished: dict[Change, Tally] = {}

    def add(self, laptop: str, service: str, fields: Mapping[str, Any]) -> bool:
        """Count one transfer; False when there were MAX_FACTS already."""
        if self.facts + self.unreadable >= MAX_FACTS:
            return False
        facts = facts_of(fields)
        if facts is None:
            self.unreadable += 1
            return True
        self.facts += 1
        self.laptops.add(laptop)
        self.services.add(service)
        when = _whole(fields, "t")
        self.first_us, self.last_us = min(self.first_us, when), max(self.last_us, when)
        self._compare(laptop, service, fields, facts)
        return True

    def _compare(self, laptop: str, service: str, fields: Mapping[str, Any], facts: Facts) -> None:
        done: set[Change] = set()
        wished: set[Change] = set()
        for old, new in self._pairs:
            after = evaluate(new, facts)
            if old is None:
                before, wanted = _decided(fields, "decision"), _decided(fields, "wanted")
            else:
                verdict = evaluate(old, facts)
                before, wanted = verdict.decision, verdict.wanted
            done.add((before, after.decision))
            wished.add((wanted, after.wanted))
        for found, table, rule in ((done, self.done, after.rule), (wished, self.wished, after.wanted_by)):
            moved = [change for change in found if change[0] is not change[1]]
            if moved and len(found) > 1:
                self.uncertain += table is self.done
            elif moved:
                table.setdefault(moved[0], Tally()).add(laptop, service, rule, facts)

    def result(self) -> dict[str, Any]:
        """For programs and pages: no pseudonym, no name, counts and words only."""
        return {
            "facts": self.facts, "unreadable": self.unreadable, "uncertain": self.uncertain,
            "laptops": len(self.laptops), "services": len(self.services - {""}),
            "full": self.facts + self.unreadable >= MAX_FACTS,
            "since": _day(self.first_us // _QUARTER_US) if self.facts else "",
            "until": _day(self.last_us // _QUARTER_US) if self.facts else "",
            "done": _told(self.done), "wished": _told(self.wished),
        }  # fmt: skip


def _decided(fields: Mapping[str, Any], name: str) -> Decision:
    try:
        return Decision(fields.get(name) or "observe")
    except ValueError:
        return Decision.OBSERVE


def _told(table: Mapping[Change, Tally]) -> list[dict[str, Any]]:
    """The largest step towards strictness first."""
    ordered = sorted(table.items(), key=lambda item: (item[0][0].severity - item[0][1].severity, -item[1].count))
    return [
        {
            "before": str(before), "after": str(after), "count": tally.count, "laptops": len(tally.laptops),
            "services": dict(tally.services.most_common()), "rules": dict(tally.rules.most_common()),
            "examples": tally.examples,
        }
        for (before, after), tally in ordered
    ]  # fmt: skip
