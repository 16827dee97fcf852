"""What one policy decision costs, for a policy of 100 rules: budget 2 µs.

    python bench/policy.py [--rules N] [--json]

Each figure is the best of several rounds and stands beside the cost of a bare Python function call, measured in the
same round: the ratio is what compares between machines. ``seen`` is a transfer of a class that was decided before
(nearly all of them), ``first`` one that has to go through the rules, ``load`` reading, checking and compiling the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from agent.model import Facts
from agent.policy import CompiledPolicy, evaluate, load_policy
from agent.policy.engine import decide
from agent.policy.given import facts_from_words

ROUNDS = 7
BUDGET_US = 2.0
_ACTIONS = (("copy", "patients_min"), ("sync", "patients_min"), ("download", "size_min"))


def policy_text(rules: int) -> bytes:
    """A policy whose rules differ in thresholds, extensions, groups and devices, with an exception on every tenth."""
    lines = ["serment: 1", "policy: bench/many", "date: 2026-11-01", 'devices: ["usb:0951:1666:*"]', "rules:"]
    tests = ["tests:"]
    for number in range(rules):
        action, key = _ACTIONS[number % 3]
        name = f"rule-{number}"
        approved = ", device_approved: no" if action == "copy" else ""
        when = (
            f"{{action: {action}, judgement: medical, extension: e{number}, confidence_min: {number % 100},"
            f" {key}: {number + 1}{approved}}}"
        )
        lines.append(f"  - {{id: {name}, when: {when}, then: encrypt, mode: enforce")
        if number % 10 == 0:
            lines[-1] += f", unless: [{{group: g{number}, until: 2027-06-30, by: bench, why: bench}}]"
        lines[-1] += "}"
        given = f"{{action: {action}, extension: e{number}, patients: {number + 1}, size: {number + 1}}}"
        tests.append(f"  - {{given: {given}, expect: encrypt, rule: {name}}}")
    return "\n".join([*lines, *tests, ""]).encode()


def best(action: Callable[[], object], count: int) -> float:
    """Microseconds for one call of ``action``: the best of the rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(count):
            action()
        times.append((time.perf_counter() - start) / count * 1e6)
    return min(times)


def measure(compiled: CompiledPolicy, facts: Facts, data: bytes) -> dict[str, float]:
    def bare() -> None:
        return None

    return {
        "bare_call_us": best(bare, 200_000),
        "seen_us": best(lambda: evaluate(compiled, facts), 50_000),
        "first_us": best(lambda: decide(compiled, facts), 2_000),
        "load_ms": best(lambda: load_policy(data, "bench"), 1) / 1e3,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="cost of a policy decision")
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    data = policy_text(args.rules)
    compiled = load_policy(data, "bench")
    words = {"action": "copy", "extension": "e99", "patients": "1", "group": "g0", "device": "usb:0781:5567:AA"}
    result = measure(compiled, facts_from_words(words), data)
    bare = result["bare_call_us"]
    result |= {
        "rules": args.rules, "seen_ratio": result["seen_us"] / bare, "first_ratio": result["first_us"] / bare,
        "budget_us": BUDGET_US, "within_budget": result["seen_us"] <= BUDGET_US,
    }  # fmt: skip
    if args.json:
        json.dump({key: round(value, 3) for key, value in result.items()}, sys.stdout)
        sys.stdout.write("\n")
    else:
        print(f"{args.rules} rules; a bare call takes {bare:.3f} µs")
        print(f"decision, class seen before {result['seen_us']:8.2f} µs = {result['seen_ratio']:6.1f} bare calls")
        print(f"decision, from the rules    {result['first_us']:8.2f} µs = {result['first_ratio']:6.1f} bare calls")
        print(f"load (read, check, compile) {result['load_ms']:8.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
