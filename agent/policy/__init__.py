"""4. Facts about one transfer → a verdict, by rules that an administrator can read. Pure.

``load_policy`` turns the bytes of a policy file into something that decides, ``evaluate`` decides; ``explain``,
``lint``, ``testing`` and ``sentences`` say why. The format is described in docs/formats/policy.md. Nothing here opens
a file (but the shipped profiles), asks the clock or writes a log: bytes, facts and days arrive as arguments.
"""

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
