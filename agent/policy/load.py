"""The one call of the daemon: the bytes of a policy file → a policy that decides, or the reason why not. Pure.

All or nothing: read, checked for sense, its own tests run, compiled. The daemon keeps the last good policy when this
raises; it never gets half of one.
"""

from __future__ import annotations

from agent.errors import PolicyError
from agent.policy.engine import CompiledPolicy, compile_policy
from agent.policy.lint import errors, lint
from agent.policy.parser import parse_policy
from agent.policy.testing import failures


def load_policy(data: bytes, file: str) -> CompiledPolicy:
    """The compiled policy. Raises PolicyError: the first thing that is wrong, by file, line, rule, expected, found."""
    policy = parse_policy(data, file)
    compiled = compile_policy(policy)
    complaints = errors(lint(policy)) or failures(compiled)
    if complaints:
        raise complaints[0]
    return compiled


def everything_wrong(data: bytes, file: str) -> list[PolicyError]:
    """All that keeps ``data`` from being loaded, for ``serment policy lint``; empty when ``load_policy`` succeeds."""
    from agent.policy.parser import problems

    found = problems(data, file)
    if found:
        return found
    policy = parse_policy(data, file)
    return [*errors(lint(policy)), *failures(compile_policy(policy))]
