"""The bytes of a policy file → Policy, or every reason why not. Pure.

Reads the tree that ``source`` made; the vocabulary is ``vocabulary``'s, single values are ``values``'. Unknown keys
are refused at every level: a rule that this version does not understand is never half applied. What is well formed
but makes no sense (a rule that can never match, a failing test) is ``lint``'s and ``load``'s to say.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta

from agent.crypto.recipients import Named
from agent.errors import N_, PolicyError
from agent.model import Decision, Mode
from agent.policy import values
from agent.policy.answers import Answers
from agent.policy.answers_reader import read_answers
from agent.policy.conditions import read_scope, read_when
from agent.policy.given import read_given
from agent.policy.hosts import PLACEHOLDER, Host, spoken
from agent.policy.hosts_reader import read_hosts
from agent.policy.named import read_recipients
from agent.policy.refusal import Refusals, shown
from agent.policy.schema import Defaults, Exception_, Policy, PolicyTest, Rule
from agent.policy.source import Node, Table, describe, read_tree
from agent.policy.vocabulary import EXCEPTION_DAYS, FORMAT, SCOPE_KEYS

NO_RULE = "none"  # the word of a test that expects no rule to match
MAX_RULES = 1_000
MAX_TESTS = 10_000
MAX_EXCEPTIONS = 100  # of one rule
MAX_DEVICES = 10_000

_TOP = ("serment", "policy", "title", "date", "defaults", "devices", "hosts", "recipients", "names", "answers", "rules",
        "tests")  # fmt: skip
NAMES = ("owner", "administrator")  # who is shown names of documents in the audit log; the owner always is
_RULE = ("id", "title", "when", "then", "offer", "unless", "mode", "message")
_EXCEPTION = (*SCOPE_KEYS, "until", "by", "why")
_TEST = ("given", "expect", "rule", "wanted")
_DEFAULTS = ("existing", "arriving", "nothing_matches")
_OFFERS = (Decision.JUSTIFY, Decision.ENCRYPT)


def parse_policy(data: bytes, file: str) -> Policy:
    """The policy in ``data``; ``file`` is only for messages. Raises PolicyError for the first problem in the file."""
    policy, errors = _read(data, file)
    if policy is None or errors:
        raise errors[0]
    return policy


def problems(data: bytes, file: str) -> list[PolicyError]:
    """Everything that keeps ``data`` from being a policy, by line; empty when it is one."""
    return _read(data, file)[1]


def _read(data: bytes, file: str) -> tuple[Policy | None, list[PolicyError]]:
    try:
        tree = read_tree(data, file)
    except PolicyError as error:
        return None, [error]
    out = Refusals(file)
    policy = _policy(out, tree, file, hashlib.sha256(data).hexdigest()[:12])
    return policy, sorted(out.errors, key=lambda error: int(str(error.fields["line"])))


def _known(out: Refusals, table: Table, names: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Node]:
    """The entries of a table by name; complains about names that are unknown or missing."""
    found = {}
    for key, value in table.entries:
        if key.text in names:
            found[key.text] = value
        else:
            out.unknown_key(key.line, key.text, names)
    for name in needed:
        if name not in found:
            out.add(table.line, N_("{key} is missing"), key=name, expected=name, found="nothing")
    return found


def _policy(out: Refusals, tree: Table, file: str, release: str) -> Policy:
    top = _known(out, tree, _TOP, ("serment", "policy", "rules", "tests"))
    if "serment" in top and describe(top["serment"]) != shown(FORMAT):
        out.add(
            top["serment"].line, N_("format {found} is not known; this version reads format {expected}"),
            expected=FORMAT, found=describe(top["serment"]), hint=N_("write «serment: 1», or update Serment"),
        )  # fmt: skip
    day = values.day(out, "date", top["date"]) if "date" in top else None
    devices = _devices(out, top["devices"]) if "devices" in top else ()
    hosts = read_hosts(out, top["hosts"]) if "hosts" in top else ()
    rules = (
        tuple(_speaking(out, rule, hosts) for rule in _rules(out, top["rules"], day or "")) if "rules" in top else ()
    )
    return Policy(
        name=(values.identifier(out, "policy", top["policy"], slashes=True) if "policy" in top else None) or "",
        title=values.localised(out, "title", top["title"]) if "title" in top else (),
        date=day or "",
        defaults=_defaults(out, top["defaults"]) if "defaults" in top else Defaults(),
        devices=devices,
        hosts=hosts,
        recipients=read_recipients(out, top["recipients"]) if "recipients" in top else Named(),
        names=(values.word(out, "names", top["names"], NAMES) if "names" in top else None) or NAMES[0],
        answers=read_answers(out, top["answers"], (rule.id for rule in rules)) if "answers" in top else Answers(),
        rules=rules,
        tests=_tests(out, top["tests"], devices, hosts) if "tests" in top else (),
        file=file,
        release=release,
    )


def _listed(out: Refusals, key: str, node: Node, limit: int) -> tuple[Node, ...]:
    """The items of a list with 1 to ``limit`` of them. Empty means refuse: no rules is not « everything may go »."""
    found = values.items(out, key, node)
    if found is None:
        return ()
    if 0 < len(found.items) <= limit:
        return found.items
    out.add(
        node.line, N_("{key} should hold 1 to {limit} entries; found {found}"),
        key=key, limit=limit, expected=f"1 to {limit}", found=str(len(found.items)),
    )  # fmt: skip
    return ()


def _devices(out: Refusals, node: Node) -> tuple[str, ...]:
    found = values.items(out, "devices", node)
    if found is not None and len(found.items) > MAX_DEVICES:
        _listed(out, "devices", node, MAX_DEVICES)
        return ()
    patterns = (values.device(out, "devices", item) for item in (found.items if found else ()))
    return tuple(pattern for pattern in patterns if pattern is not None)


def _defaults(out: Refusals, node: Node) -> Defaults:
    table = values.table(out, "defaults", node)
    if table is None:
        return Defaults()
    found = _known(out, table, _DEFAULTS, ())
    plain = Defaults()
    existing = _mode(out, "existing", found["existing"]) if "existing" in found else plain.existing
    arriving = _mode(out, "arriving", found["arriving"]) if "arriving" in found else plain.arriving
    nothing = values.decision(out, "nothing_matches", found["nothing_matches"]) if "nothing_matches" in found else None
    return Defaults(existing, arriving, nothing or plain.nothing_matches, frozenset(found))


def _mode(out: Refusals, key: str, node: Node) -> Mode:
    return Mode(values.word(out, key, node, [mode.value for mode in Mode]) or Mode.OBSERVE)


def _rules(out: Refusals, node: Node, day: str) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for item in _listed(out, "rules", node, MAX_RULES):
        rule = _rule(out, item, day)
        out.rule = ""
        if rule is None:
            continue
        if rule.id in rules:
            out.add(
                rule.line, N_("two rules have the id {found}; the first is on line {first}"),
                expected="another id", found=shown(rule.id), first=rules[rule.id].line,
            )  # fmt: skip
        rules.setdefault(rule.id, rule)
    return tuple(rules.values())


def _rule(out: Refusals, node: Node, day: str) -> Rule | None:
    table = values.table(out, "rules", node)
    if table is None:
        return None
    identity = next((value for key, value in table.entries if key.text == "id"), None)
    name = None if identity is None else values.identifier(out, "id", identity)
    if name == NO_RULE and identity is not None:
        out.add(identity.line, N_("no rule can be called {found}"), expected="another id", found=shown(name))
    out.rule = name or ""
    found = _known(out, table, _RULE, ("id", "when", "then"))
    when = read_when(out, found["when"]) if "when" in found else ()
    then = values.decision(out, "then", found["then"]) if "then" in found else None
    rule = Rule(
        id=name or "",
        when=when,
        then=then or Decision.BLOCK,
        mode=_mode(out, "mode", found["mode"]) if "mode" in found else Mode.OBSERVE,
        offer=_offer(out, found["offer"], then) if "offer" in found else None,
        title=values.localised(out, "title", found["title"]) if "title" in found else (),
        message=values.localised(out, "message", found["message"]) if "message" in found else (),
        unless=_exceptions(out, found["unless"], day) if "unless" in found else (),
        line=node.line,
    )
    return rule if name else None


def _speaking(out: Refusals, rule: Rule, hosts: tuple[Host, ...]) -> Rule:
    """The rule with the names of what is approved in its message."""
    if any(PLACEHOLDER in text for _, text in rule.message) and not any(host.name for host in hosts):
        out.add(
            rule.line, N_("the message says {found}, but no entry of «hosts» has a name"),
            expected="a name", found=PLACEHOLDER, hint=N_("give the host that clinicians should use a name"),
        )  # fmt: skip
    return replace(rule, message=tuple((code, spoken(text, code, hosts)) for code, text in rule.message))


def _offer(out: Refusals, node: Node, then: Decision | None) -> Decision | None:
    """The safe way out shown to the clinician: milder than what the rule does."""
    milder = [each.value for each in _OFFERS if then is None or each.severity < then.severity]
    if not milder:
        out.add(
            node.line, N_("nothing can be offered where the rule says {then}"),
            then=then, expected="no offer", found=describe(node), hint=N_("remove «offer»"),
        )  # fmt: skip
        return None
    word = values.word(out, "offer", node, milder)
    return None if word is None else Decision(word)


def _exceptions(out: Refusals, node: Node, day: str) -> tuple[Exception_, ...]:
    found = (_exception(out, item, day) for item in _listed(out, "unless", node, MAX_EXCEPTIONS))
    return tuple(exception for exception in found if exception is not None)


def _exception(out: Refusals, node: Node, day: str) -> Exception_ | None:
    table = values.table(out, "unless", node)
    if table is None:
        return None
    found = _known(out, table, _EXCEPTION, ("until", "by", "why"))
    if not any(key in found for key in SCOPE_KEYS):
        out.add(
            node.line, N_("an exception should say whom it spares"),
            expected=", ".join(SCOPE_KEYS), found="nothing", hint=N_("add one of {expected}"),
        )  # fmt: skip
    until = values.day(out, "until", found["until"]) if "until" in found else None
    if until and day and date.fromisoformat(until) - date.fromisoformat(day) > timedelta(days=EXCEPTION_DAYS):
        out.add(
            found["until"].line, N_("until should be at most {days} days after the date of the policy; found {found}"),
            days=EXCEPTION_DAYS, expected=f"at most {EXCEPTION_DAYS} days after {day}", found=until,
            hint=N_("shorten it, or renew it with the next release"),
        )  # fmt: skip
    return Exception_(
        scope=read_scope(out, table, SCOPE_KEYS),
        until=until or "",
        by=(values.text(out, "by", found["by"], 100) if "by" in found else None) or "",
        why=(values.text(out, "why", found["why"], 200) if "why" in found else None) or "",
        line=node.line,
    )


def _tests(out: Refusals, node: Node, devices: tuple[str, ...], hosts: tuple[Host, ...]) -> tuple[PolicyTest, ...]:
    found = (_test(out, item, devices, hosts) for item in _listed(out, "tests", node, MAX_TESTS))
    return tuple(test for test in found if test is not None)


def _test(
    out: Refusals, node: Node, devices: tuple[str, ...], hosts: tuple[Host, ...]
) -> PolicyTest | None:  # fmt: skip
    table = values.table(out, "tests", node)
    if table is None:
        return None
    found = _known(out, table, _TEST, ("given", "expect"))
    facts = read_given(out, found["given"], devices, hosts) if "given" in found else None
    expect = values.decision(out, "expect", found["expect"]) if "expect" in found else None
    wanted = values.decision(out, "wanted", found["wanted"]) if "wanted" in found else None
    rule = values.identifier(out, "rule", found["rule"]) if "rule" in found else None
    if facts is None or expect is None:
        return None
    return PolicyTest(facts, expect, "" if rule == NO_RULE else rule, wanted, node.line)
