"""Where the order in the file decides: of two rules that are as strict, and of approved destinations, the first that
means something speaks. What a new order changes, for the plan. Pure.

Errs towards « may »: two rules meet unless it is certain that they never match together.
"""

from __future__ import annotations

from agent.model import Decision, Mode
from agent.policy.hosts import OTHER, Host, host_class
from agent.policy.reach import SEVERAL, Reach, reach
from agent.policy.schema import Policy, Rule

MAX_TOLD = 50
_NOBODYS = "_"  # no part of a host's name: a host below a pattern that no entry names itself


def least(rule: Rule) -> Decision:
    """What a rule comes to where the clinician takes the offer to go on with a reason; a sealed file is no less."""
    return Decision.JUSTIFY if rule.offer is Decision.JUSTIFY else rule.then


def turned(before: Policy, after: Policy) -> tuple[list[tuple[str, str]], bool]:
    """The rules (who spoke first, and who does now) that changed places, are as strict and may match together; and
    whether one that offers more now speaks first.
    """
    place = {rule.id: number for number, rule in enumerate(before.rules)}
    common = [(place[rule.id], rule, reach(rule)) for rule in _in_force(after) if rule.id in place]
    found, milder = [], False
    for number, (was, rule, reached) in enumerate(common):
        for later, other, others in common[number + 1 :]:
            if later < was and other.then is rule.then and _meet(reached, others):
                found.append((other.id, rule.id))
                milder = milder or least(rule).severity < least(other).severity
    return found, milder


def goes_before(rule: Rule, before: Policy, after: Policy) -> bool:
    """Whether ``rule`` of ``after`` may speak in the place of one that was there, is as strict and offers less."""
    if rule.mode is not Mode.ENFORCE or least(rule) is rule.then:
        return False
    known, reached = {each.id for each in _in_force(before)}, reach(rule)
    behind = after.rules[after.rules.index(rule) + 1 :]
    return any(
        other.then is rule.then and least(other).severity > least(rule).severity and _meet(reached, reach(other))
        for other in behind
        if other.id in known and other.mode is Mode.ENFORCE
    )


def _in_force(policy: Policy) -> list[Rule]:
    return [rule for rule in policy.rules if rule.mode is Mode.ENFORCE]


def _meet(one: Reach, other: Reach) -> bool:
    """Whether some facts may let both match."""
    for key, words in one.closed.items():  # what no rule narrows is one shared object
        if words is not other.closed[key] and words.isdisjoint(other.closed[key]):
            return False
    for key, (low, high) in one.ranges.items():
        least_other, most_other = other.ranges[key]
        if low > most_other or least_other > high:
            return False
    for key, found in one.open.items():
        if found is not other.open[key] and not found.meets(other.open[key], several=key in SEVERAL):
            return False
    return True


def hosts_moved(before: tuple[Host, ...], after: tuple[Host, ...]) -> tuple[set[str], set[str], bool]:
    """What the list meant and means no longer, what it means now (pattern and kind), and whether something is approved
    that was not, or as another kind. Every host is meant as one of the patterns is, or the first label below it.
    """
    if [(each.pattern, each.kind) for each in before] == [(each.pattern, each.kind) for each in after]:
        return set(), set(), False
    gone, come = ({f"{each.pattern} ({each.kind})" for each in hosts} for hosts in (before, after))
    gone, come = gone - come, come - gone
    milder = bool(come)
    for pattern in {each.pattern for each in (*before, *after)}:
        host = pattern.replace("*", _NOBODYS, 1)
        was, now = host_class(host, before), host_class(host, after)
        if was == now:
            continue
        if was != OTHER:
            gone.add(f"{pattern} ({was})")
        if now != OTHER:
            come.add(f"{pattern} ({now})")
            milder = True
    return gone, come, milder
