"""What a rule can reach: for each fact, the values that it lets through. Pure; for lint only.

Reaches answer two questions without trying facts one by one: can this rule match at all, and does one rule match
whatever another does. Both answers err to the side of silence: « never » and « always covered » are only said when
they are certain.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.findings import Judgement
from agent.model import ChannelKind
from agent.policy.schema import Condition, Operator, Rule
from agent.policy.vocabulary import (
    ACTIONS,
    CLOUD_SERVICES,
    DEVICE_KEYS,
    DOWNLOAD_SERVICES,
    HOST_KEYS,
    KEYS,
    REMOVABLE,
    YES_NO,
    Shape,
    values,
)  # fmt: skip

_GOES = {"copy": frozenset(REMOVABLE), "sync": frozenset({"cloud"}), "download": frozenset({"laptop"})}
_CLOSED = {
    key: frozenset().union(*spec.means.values()) if spec.means else frozenset(YES_NO)
    for key, spec in KEYS.items()
    if spec.shape in {Shape.WORD, Shape.FLAG}
}
_CLOSED["problem"] |= {""}  # nothing was in the way
_UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True)
class Open:
    """Values of an open fact (service, user, …): only those in ``within`` (None: any), and none in ``without``."""

    within: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    def empty(self) -> bool:
        return self.within is not None and not self.within - self.without

    def covers(self, other: Open, *, several: bool) -> bool:
        """``several``: the fact may have several of the values at once (a person's groups, the patterns that mean one
        device), so « in » and « not in » do not exclude each other.
        """
        if other.within is None:
            return self.within is None and self.without <= other.without
        reached = other.within if several else other.within - other.without
        inside = self.within is None or reached <= self.within
        outside = self.without <= other.without if several else self.without.isdisjoint(reached - other.without)
        return inside and outside

    def meets(self, other: Open, *, several: bool) -> bool:
        """Whether a fact can be what both let through. ``several`` as above: then nothing is certain."""
        if several or (self.within is None and other.within is None):
            return True
        if self.within is None or other.within is None:
            either = (self.within or frozenset()) | (other.within or frozenset())
        else:
            either = self.within & other.within
        return bool(either - self.without - other.without)


_ANY = Open()
SEVERAL = frozenset({"group", "device"})


@dataclass(frozen=True, slots=True)
class Reach:
    closed: dict[str, frozenset[str]]
    ranges: dict[str, tuple[int, int]]
    open: dict[str, Open]
    inexact: set[str]  # keys whose conditions let through less than is written here

    @property
    def channels(self) -> tuple[ChannelKind, ...]:
        return tuple(channel for action, channel in ACTIONS.items() if action in self.closed["action"])

    def impossible(self) -> str:
        """The key that nothing can satisfy together with the others, or empty."""
        for key, words in self.closed.items():
            if not words:
                return key
        for key, (low, high) in self.ranges.items():
            if low > high:
                return key
        return next((key for key, found in self.open.items() if found.empty()), "")

    def covers(self, other: Reach) -> bool:
        """Whether this matches everything that ``other`` matches."""
        if self.inexact:
            return False
        for key, found in self.open.items():  # what no rule narrows is one shared object: most pairs end here
            if found is not other.open[key] and not found.covers(other.open[key], several=key in SEVERAL):
                return False
        for key, (low, high) in self.ranges.items():
            least, most = other.ranges[key]
            if low > least or most > high:
                return False
        for key, words in self.closed.items():
            if words is not other.closed[key] and not words >= other.closed[key]:
                return False
        return True


def reach(rule: Rule) -> Reach:
    """What the conditions of a rule let through; exceptions are left out."""
    found = Reach(
        dict(_CLOSED),
        {key: (0, spec.high) for key, spec in KEYS.items() if spec.shape in {Shape.NUMBER, Shape.SIZE}},
        {key: _ANY for key, spec in KEYS.items() if spec.shape in {Shape.NAME, Shape.DEVICE}},
        set(),
    )
    for key in ("patients", "size"):  # what is larger than a policy can write exists all the same
        found.ranges[key] = (0, _UNLIMITED)
    for condition in rule.when:
        _narrow(found, condition)
    _agree(found, rule)
    return found


def _narrow(found: Reach, condition: Condition) -> None:
    key, positive = condition.key, condition.operator is Operator.IS
    if key in found.ranges:
        low, high = found.ranges[key]
        least = condition.operator is Operator.MIN
        found.ranges[key] = (max(low, condition.number), high) if least else (low, min(high, condition.number))
        return
    words = values(key, condition.words)
    if key in found.closed:
        found.closed[key] = found.closed[key] & words if positive else found.closed[key] - words
        return
    before = found.open[key]
    if not positive:
        found.open[key] = Open(before.within, before.without | words)
    elif before.within is None:
        found.open[key] = Open(words, before.without)
    elif key not in SEVERAL:
        found.open[key] = Open(before.within & words, before.without)
    else:
        found.inexact.add(key)


def _agree(found: Reach, rule: Rule) -> None:
    """What follows from one fact for another: an action and its destinations, services, devices; problems."""
    closed = found.closed
    devices = any(condition.key in DEVICE_KEYS for condition in rule.when)
    hosts = any(condition.key in HOST_KEYS for condition in rule.when)
    services = found.open["service"].within
    closed["action"] = frozenset(
        action
        for action in closed["action"]
        if closed["destination"] & _GOES[action]
        and (action == "copy" or not devices)
        and (action == "sync" or not hosts)
        and (services is None or _possible(action, services))
    )
    closed["destination"] &= frozenset().union(*(_GOES[action] for action in closed["action"]))
    if "" not in closed["problem"]:
        closed["judgement"] -= {Judgement.NOT_MEDICAL.value}  # what could not be looked at is never « not medical »


def _possible(action: str, services: frozenset[str]) -> bool:
    """Whether one of the services can stand for an action; unknown ones can stand for any."""
    foreign = {
        "copy": CLOUD_SERVICES | DOWNLOAD_SERVICES,
        "sync": DOWNLOAD_SERVICES | frozenset(REMOVABLE),
        "download": CLOUD_SERVICES | frozenset(REMOVABLE),
    }
    return bool(services - foreign[action])
