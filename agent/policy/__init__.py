"""4. Facts about one transfer → a verdict, by rules that an administrator can read. Pure.

``load_policy`` turns the bytes of a policy file into something that decides, ``evaluate`` decides; ``explain``,
``lint``, ``testing`` and ``sentences`` say why. The format is described in docs/formats/policy.md. Nothing here opens
a file (but the shipped profiles), asks the clock or writes a log: bytes, facts and days arrive as arguments.

The names below are loaded when they are asked for: who needs the texts alone (the session helper) has no engine in
memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.policy.engine import CompiledPolicy, compile_policy, evaluate
    from agent.policy.load import load_policy
    from agent.policy.parser import parse_policy
    from agent.policy.profiles import profile_bytes
    from agent.policy.schema import Policy

__all__ = [
    "CompiledPolicy",
    "Policy",
    "compile_policy",
    "evaluate",
    "load_policy",
    "parse_policy",
    "profile_bytes",
]
_WHERE = {
    "CompiledPolicy": "engine", "Policy": "schema", "compile_policy": "engine", "evaluate": "engine",
    "load_policy": "load", "parse_policy": "parser", "profile_bytes": "profiles",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"agent.policy.{_WHERE[name]}"), name)
