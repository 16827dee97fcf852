"""A policy that was read, as plain values and back, so that who decides by it need not read the file again. Pure.

Reading takes the YAML library, the vocabulary, the linter and the policy's tests; deciding takes none of them. What
is kept here has been found good by ``load_policy``. The policy's own tests are left out: they have passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

from agent.crypto.recipients import Named, NamedRecipient
from agent.model import Decision, Mode
from agent.policy.answers import Answers, Attach, BreakGlass, Reason, SecureMail
from agent.policy.hosts import Host
from agent.policy.schema import Condition, Defaults, Exception_, Operator, Policy, Rule

_VALUES: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        Policy, Rule, Condition, Exception_, Defaults, Host, Named, NamedRecipient, Answers, Reason, SecureMail,
        BreakGlass,
    )
}  # fmt: skip
_WORDS: Mapping[str, type[StrEnum]] = {kind.__name__: kind for kind in (Decision, Mode, Operator, Attach)}
_KIND = "?"  # no field has this name
_DEEPEST = 20


def to_plain(policy: Policy) -> Any:
    """What JSON can write. Raises ValueError: a value that a policy does not have."""
    return _plain(replace(policy, tests=()))


def from_plain(plain: Any) -> Policy:
    """The policy that ``to_plain`` was given, without its tests. Raises ValueError: it is none."""
    try:
        policy = _value(plain, _DEEPEST)
    except (KeyError, TypeError) as error:
        raise ValueError("no policy") from error
    if not isinstance(policy, Policy):
        raise ValueError("no policy")  # noqa: TRY004 - what was kept is wrong, not how this is called
    return policy


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return {_KIND: type(value).__name__, "word": value.value}
    if is_dataclass(value) and not isinstance(value, type):
        return {_KIND: type(value).__name__} | {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return {_KIND: "set", "of": sorted(value)}
    if value is None or type(value) in {str, int, bool, float}:
        return value
    raise ValueError(type(value).__name__)


def _value(plain: Any, deepest: int) -> Any:
    if deepest == 0:
        raise ValueError("too deep")
    if isinstance(plain, list):
        return tuple(_value(each, deepest - 1) for each in plain)
    if not isinstance(plain, dict):
        return plain
    kind = plain.pop(_KIND)
    if kind == "set":
        return frozenset(map(str, plain["of"]))
    if kind in _WORDS:
        return _WORDS[kind](plain["word"])
    return _VALUES[kind](**{name: _value(each, deepest - 1) for name, each in plain.items()})
