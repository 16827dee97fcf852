"""``serment policy lint|test|explain``: check a policy file, run its tests, and see why it decides as it does; for
``build|sign|apply`` see ``policy_push``, for ``plan`` see ``policy_plan``.

Exit codes: 0 well, 1 tests fail or errors stand, 64 usage, 65 the file cannot be used.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agent.config import PROFILES
from agent.errors import N_, PolicyError, UsageError
from agent.i18n import Count
from agent.ui import wording
from agent.ui.asked_file import first_bytes
from agent.ui.cli import policy_plan, policy_push
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

if TYPE_CHECKING:
    from agent.policy.explain import Explanation

MAX_POLICY_BYTES = 1 << 20


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="lint|test|explain|plan|build|sign|apply")
    lint = actions.add_parser("lint", help=translate(N_("everything that is wrong or unwise, and each rule in words")))
    test = actions.add_parser("test", help=translate(N_("run the tests of the file")))
    explain = actions.add_parser("explain", help=translate(N_("why a document is treated as it is")))
    planned = actions.add_parser("plan", help=translate(N_("what a new policy changes, and would have changed")))
    for sub in (lint, test, explain, planned):
        sub.add_argument("file", metavar="FILE", help=translate(N_("a policy file, or: monitor, enforce")))
        sub.add_argument("--json", action="store_true", help=translate(N_("JSON")))
    policy_plan.arguments(planned, translate)
    policy_push.arguments(actions, translate)
    explain.add_argument(
        "facts", nargs="*", metavar="KEY=WORD", help=translate(N_("the facts, such as action=copy document=cda"))
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    if args.action in policy_push.ACTIONS:
        return policy_push.run(args, terminal)
    if args.action == "plan":
        return policy_plan.run(args, _read, terminal)
    act = {"lint": _lint, "test": _test, "explain": _explain}[args.action]
    return act(args, _read(args.file), terminal)


def _read(name: str) -> bytes:
    if name in PROFILES:
        from agent.policy.profiles import profile_bytes

        return profile_bytes(name)
    return first_bytes(name, MAX_POLICY_BYTES + 1)


def _lint(args: argparse.Namespace, data: bytes, terminal: Terminal) -> int:
    from agent.policy.lint import Level, lint
    from agent.policy.load import everything_wrong
    from agent.policy.parser import parse_policy
    from agent.policy.sentences import policy_sentences

    wrong = everything_wrong(data, args.file)
    for error in wrong:
        _remark("error", error, args, terminal)
    if wrong:
        return 1
    policy = parse_policy(data, args.file)
    for remark in lint(policy, today=time.strftime("%Y-%m-%d")):
        if remark.level is Level.WARNING:
            _remark("warning", remark.problem, args, terminal)
    for rule, sentence in policy_sentences(policy, terminal.translate):
        if args.json:
            terminal.data({"rule": rule, "sentence": sentence})
        else:
            terminal.line(wording.labelled(rule, sentence, terminal.translate))
    return 0


def _remark(level: str, error: PolicyError, args: argparse.Namespace, terminal: Terminal) -> None:
    if args.json:
        fields = {key: value for key, value in error.fields.items() if isinstance(value, str | int)}
        terminal.data({"level": level, "text": error.render(terminal.translate), **fields})
        return
    word = terminal.translate(N_("error")) if level == "error" else terminal.translate(N_("warning"))
    terminal.line(wording.labelled(word, error.render(terminal.translate), terminal.translate))


def _test(args: argparse.Namespace, data: bytes, terminal: Terminal) -> int:
    from agent.policy.engine import compile_policy
    from agent.policy.parser import parse_policy
    from agent.policy.testing import run_tests

    results = run_tests(compile_policy(parse_policy(data, args.file)))
    failed = [result for result in results if not result.passed]
    for result in results:
        if args.json:
            terminal.data({"line": result.test.line, "passed": result.passed, "decision": str(result.verdict.decision),
                           "expected": str(result.test.expect), "rule": result.verdict.rule})  # fmt: skip
        elif not result.passed:
            text = terminal.translate(N_("line {line}: expected {expected}, found {found} (rule {rule})"))
            terminal.line(
                text.format(line=result.test.line, expected=result.test.expect, found=result.verdict.decision,
                            rule=result.verdict.rule or "-")
            )  # fmt: skip
    if not args.json:
        summary = terminal.translate(N_("{passed} {passed:test|tests} passed, {failed} failed"))
        terminal.line(summary.format(passed=Count(len(results) - len(failed)), failed=len(failed)))
    return 1 if failed else 0


def _explain(args: argparse.Namespace, data: bytes, terminal: Terminal) -> int:
    from agent.policy.explain import as_json, explain
    from agent.policy.given import facts_from_words
    from agent.policy.load import load_policy

    compiled = load_policy(data, args.file)
    facts = facts_from_words(_words(args.facts), compiled.policy.devices, compiled.policy.hosts)
    explanation = explain(compiled, facts)
    if args.json:
        terminal.data(as_json(explanation))
    else:
        _print(explanation, terminal)
    return 0


def _words(given: list[str]) -> Mapping[str, str]:
    words: dict[str, Any] = {}
    for item in given:
        key, equals, word = item.partition("=")
        if not equals:
            raise UsageError(N_("facts are given as KEY=WORD, not: {item}"), item=printable(item, 60))
        words[key] = word
    return words if {"action", "destination"} & set(words) else {"action": "copy", **words}


def _print(explanation: Explanation, terminal: Terminal) -> None:
    verdict = explanation.verdict
    text = terminal.translate(N_("decision: {decision} (wanted: {wanted}), rule: {rule}"))
    terminal.line(
        text.format(
            decision=verdict.decision, wanted=verdict.wanted, rule=verdict.rule or terminal.translate(N_("none"))
        )
    )
    for rule in explanation.rules:
        terminal.line(f"{'✓' if rule.matches and not rule.relaxed else '✗'} {rule.id} → {rule.then}")
        for condition in rule.conditions:
            terminal.line(
                f"    {'✓' if condition.holds else '✗'} {condition.name}: {condition.asked} ({condition.found})"
            )
        for exception in rule.exceptions:
            terminal.line(f"    {'✓' if exception.holds else '✗'} {exception.by}, {exception.until}: {exception.why}")
