"""Facts → their class: two transfers of one class get the same verdict from this policy, whatever else differs. Pure.

A policy looks at few things: it compares the size with three numbers, not with every number. The class keeps of each
fact only what some rule can tell apart, so the engine decides once a class and remembers. Sizes, names and serials
that no rule mentions fall together; so a hostile file cannot make the number of classes grow.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable

from agent.model import ChannelKind, Device, Facts
from agent.policy.devices import matches
from agent.policy.hosts import host_class
from agent.policy.matching import confidence, threshold
from agent.policy.schema import Condition, Operator, Policy
from agent.policy.vocabulary import REMOVABLE

Classify = Callable[[Facts], Hashable]
_DEVICES_KEPT = 256


def conditions(policy: Policy) -> tuple[Condition, ...]:
    """Every condition of a policy, those of exceptions included."""
    found: list[Condition] = []
    for rule in policy.rules:
        found.extend(rule.when)
        for exception in rule.unless:
            found.extend(exception.scope)
    return tuple(found)


def classifier(policy: Policy) -> Classify:
    """The function from facts to class for this policy."""
    every = conditions(policy)
    certain, persons, bytes_ = (_steps(every, key) for key in ("confidence", "patients", "size"))
    services = _mentioned(every, "service") | frozenset(REMOVABLE)
    extensions, users = _mentioned(every, "extension"), _mentioned(every, "user")
    groups = _mentioned(every, "group")
    device_class = _devices(policy, every)
    none: frozenset[str] = frozenset()
    dated = any(rule.unless for rule in policy.rules)
    hosted = any(condition.key == "host" for condition in every)
    listed = any(condition.key == "patient_list" for condition in every)

    def classify(facts: Facts) -> Hashable:
        findings = facts.findings
        return (
            facts.channel,
            facts.arrival == "existing",
            findings.judgement,
            findings.kind,
            findings.identified,
            findings.test_data,
            listed and findings.listed,
            findings.problem,
            facts.service if facts.service in services else "",
            bisect_right(certain, confidence(facts)) if certain else 0,
            bisect_right(persons, findings.patients) if persons else 0,
            bisect_right(bytes_, facts.size) if bytes_ else 0,
            facts.extension if facts.extension in extensions else "",
            facts.user if facts.user in users else "",
            groups.intersection(facts.groups) if groups and facts.groups else none,
            device_class(facts) if device_class else None,
            host_class(facts.host, policy.hosts) if hosted and facts.channel is ChannelKind.CLOUD_SYNC else "",
            facts.day if dated else "",
        )

    return classify


def _mentioned(every: tuple[Condition, ...], key: str) -> frozenset[str]:
    return frozenset(word for condition in every if condition.key == key for word in condition.words)


def _steps(every: tuple[Condition, ...], key: str) -> tuple[float, ...]:
    """The numbers at which some rule changes its mind: from there on, upwards."""
    steps = set()
    for condition in every:
        if condition.key == key and condition.operator is Operator.MIN:
            steps.add(threshold(condition))
        elif condition.key == key:
            steps.add(math.nextafter(threshold(condition), math.inf) if key == "confidence" else condition.number + 1)
    return tuple(sorted(steps))


def _devices(policy: Policy, every: tuple[Condition, ...]) -> Callable[[Facts], Hashable] | None:
    """Which of the patterns mean the device; None when no rule looks at devices."""
    if not any(condition.key in {"device", "device_approved"} for condition in every):
        return None
    patterns = tuple(sorted(_mentioned(every, "device")))
    seen: dict[tuple[str, str, str, str], Hashable] = {}
    latest: tuple[Device | None, Hashable] = (None, None)  # transfers come in runs to one and the same device

    def device_class(facts: Facts) -> Hashable:
        nonlocal latest
        device, (last, known) = facts.device, latest
        if device is last:
            return known
        if device is None:
            return None
        key = (device.bus, device.vendor_id, device.product_id, device.serial)
        found = seen.get(key)
        if found is None:
            if len(seen) >= _DEVICES_KEPT:
                seen.clear()
            is_approved = any(matches(pattern, device) for pattern in policy.devices)
            found = seen[key] = (is_approved, frozenset(p for p in patterns if matches(p, device)))
        latest = (device, found)
        return found

    return device_class
