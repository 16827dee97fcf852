"""One condition against the facts: the reading of a fact, and the closure that compares. Pure.

``engine`` runs the closures, ``explain`` shows the readings: both come from here, so that what is explained is what was
decided.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.model import ChannelKind, Facts
from agent.policy.devices import identity, matches
from agent.policy.hosts import Host, host_class
from agent.policy.schema import Condition, Operator
from agent.policy.vocabulary import ACTIONS, REMOVABLE, YES_NO, values

Test = Callable[[Facts], bool]
_ACTION = {channel: action for action, channel in ACTIONS.items()}
_ELSEWHERE = {ChannelKind.CLOUD_SYNC: "cloud", ChannelKind.DOWNLOADS: "laptop"}


def confidence(facts: Facts) -> float:
    """0 to 1. What is no probability (a broken reader's NaN) counts as certain: a rule would rather act."""
    value = facts.findings.confidence
    return value if 0.0 <= value <= 1.0 else 1.0


def destination(facts: Facts) -> str:
    """usb, disk, sd, cloud or laptop. A removable place of no known sort is a disk."""
    if facts.channel is ChannelKind.REMOVABLE:
        return facts.service if facts.service in REMOVABLE else "disk"
    return _ELSEWHERE[facts.channel]


def approved(facts: Facts, devices: tuple[str, ...]) -> bool:
    """Whether the removable device is one of the policy's. What is not known is not approved."""
    return facts.device is not None and any(matches(pattern, facts.device) for pattern in devices)


READINGS: dict[str, Callable[[Facts], str]] = {
    "action": lambda facts: _ACTION[facts.channel],
    "destination": destination,
    "service": lambda facts: facts.service,
    "judgement": lambda facts: facts.findings.judgement.value,
    "document": lambda facts: facts.findings.kind.value,
    "problem": lambda facts: facts.findings.problem.value if facts.findings.problem else "",
    "extension": lambda facts: facts.extension,
    "arrival": lambda facts: "existing" if facts.arrival == "existing" else "new",
    "user": lambda facts: facts.user,
}
"""What facts say of each key whose conditions name words."""
_FLAGS: dict[str, Callable[[Facts], bool]] = {
    "identified": lambda facts: facts.findings.identified,
    "test_data": lambda facts: facts.findings.test_data,
    "patient_list": lambda facts: facts.findings.listed,
}
_NUMBERS: dict[str, Callable[[Facts], float]] = {
    "confidence": confidence,
    "patients": lambda facts: facts.findings.patients,
    "size": lambda facts: facts.size,
}


def threshold(condition: Condition) -> float:
    """The number that facts are compared with: per cent become a probability."""
    return condition.number / 100 if condition.key == "confidence" else condition.number


def compile_condition(condition: Condition, devices: tuple[str, ...], hosts: tuple[Host, ...] = ()) -> Test:
    """The condition as a function of the facts. ``devices`` and ``hosts`` are the approved ones."""
    if condition.operator in {Operator.MIN, Operator.MAX}:
        return _number(condition)
    if condition.key in _FLAGS:
        flag, wanted_flag = _FLAGS[condition.key], condition.words == (YES_NO[0],)
        return lambda facts: flag(facts) is wanted_flag
    if condition.key == "device_approved":
        wanted_approval = condition.words == (YES_NO[0],)
        return lambda facts: facts.channel is ChannelKind.REMOVABLE and approved(facts, devices) is wanted_approval
    if condition.key == "device":
        return _device(condition)
    if condition.key == "host":
        return _host(condition, hosts)
    wanted = values(condition.key, condition.words)
    positive = condition.operator is Operator.IS
    if condition.key == "group":
        return lambda facts: wanted.isdisjoint(facts.groups) is not positive
    read = READINGS[condition.key]
    return lambda facts: (read(facts) in wanted) is positive


def _number(condition: Condition) -> Test:
    read, limit = _NUMBERS[condition.key], threshold(condition)
    if condition.operator is Operator.MIN:
        return lambda facts: read(facts) >= limit
    return lambda facts: read(facts) <= limit


def _device(condition: Condition) -> Test:
    """Removable media only: elsewhere there is no device, and neither ``device`` nor ``device_not`` holds."""
    patterns, positive = condition.words, condition.operator is Operator.IS

    def test(facts: Facts) -> bool:
        if facts.channel is not ChannelKind.REMOVABLE:
            return False
        known = facts.device is not None and any(matches(pattern, facts.device) for pattern in patterns)
        return known is positive

    return test


def _host(condition: Condition, hosts: tuple[Host, ...]) -> Test:
    """Only where documents are synchronised: elsewhere there is no host, and neither form holds."""
    wanted, positive = values("host", condition.words), condition.operator is Operator.IS
    return lambda facts: (
        facts.channel is ChannelKind.CLOUD_SYNC and (host_class(facts.host, hosts) in wanted) is positive
    )


def reading(key: str, facts: Facts, devices: tuple[str, ...], hosts: tuple[Host, ...] = ()) -> str:
    """What the facts say about ``key``, in the words of a policy; empty when they say nothing."""
    if key in READINGS:
        return READINGS[key](facts)
    if key in _FLAGS:
        return YES_NO[0] if _FLAGS[key](facts) else YES_NO[1]
    if key == "confidence":
        return f"{confidence(facts) * 100:.4g}"
    if key in _NUMBERS:
        return str(_NUMBERS[key](facts))
    if key == "group":
        return ", ".join(facts.groups)
    if key == "host":
        return host_class(facts.host, hosts) if facts.channel is ChannelKind.CLOUD_SYNC else ""
    if facts.channel is not ChannelKind.REMOVABLE:
        return ""
    if key == "device":
        return identity(facts.device) if facts.device else ""
    return YES_NO[0] if approved(facts, devices) else YES_NO[1]
