"""What ``dataclasses`` of the standard library does, made when it is first used: a class costs a tenth until then.

The standard one compiles half a dozen functions a class while it is imported, which is a third of the agent's start
and a megabyte; and it needs ``inspect``, ``ast`` and ``dis``, another. Here ``__init__`` is compiled at the first
instance, the others are common to all classes. Same names, same meaning, for what our packages and those we load use:
no ``InitVar``, no ``order``, no ``weakref_slot``, no ``make_dataclass`` (refused, never ignored). A class without
documentation does not get its signature as one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import GenericAlias
from typing import Any

from agent.lean.making import fields_of, make
from agent.lean.parts import _FIELD, FIELDS, KW_ONLY, MISSING, Field, FrozenInstanceError, Params, field

__all__ = (
    "KW_ONLY",
    "MISSING",
    "_FIELD",
    "Field",
    "FrozenInstanceError",
    "asdict",
    "dataclass",
    "field",
    "fields",
    "is_dataclass",
    "replace",
)  # fmt: skip


def dataclass(
    cls: type | None = None, /, *, init: bool = True, repr: bool = True, eq: bool = True, order: bool = False,  # noqa: A002
    unsafe_hash: bool = False, frozen: bool = False, match_args: bool = True, kw_only: bool = False,
    slots: bool = False,
) -> Any:  # fmt: skip
    """As ``dataclasses.dataclass``. Raises TypeError for what cannot be, and for what is not made here."""
    if order:
        raise TypeError("order is not made here")
    params = Params(init=init, repr=repr, eq=eq, unsafe_hash=unsafe_hash, frozen=frozen)

    def decorate(made: type) -> Any:
        return make(made, params, match_args=match_args, kw_only=kw_only, slots=slots)

    return decorate if cls is None else decorate(cls)


def fields(given: Any) -> tuple[Field, ...]:
    """The fields of a class or of one of its values, in their order. Raises TypeError."""
    try:
        return fields_of(given)
    except AttributeError:
        raise TypeError("must be called with a dataclass type or instance") from None


def is_dataclass(given: Any) -> bool:
    """Whether it is such a class, or a value of one."""
    return hasattr(given if type(given) is not GenericAlias and isinstance(given, type) else type(given), FIELDS)


def replace(given: Any, /, **changes: Any) -> Any:
    """The same value with ``changes``. Raises TypeError, ValueError."""
    if isinstance(given, type) or not hasattr(type(given), FIELDS):
        raise TypeError("replace() should be called on dataclass instances")
    for each in fields(given):
        if not each.init:
            if each.name in changes:
                raise ValueError(f"field {each.name} is declared with init=False: not for replace()")
        elif each.name not in changes:
            changes[each.name] = getattr(given, each.name)
    return type(given)(**changes)


def asdict(given: Any, *, dict_factory: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """As a dictionary, with all that it holds. Raises TypeError."""
    if isinstance(given, type) or not hasattr(type(given), FIELDS):
        raise TypeError("asdict() should be called on dataclass instances")
    return _plain(given, dict_factory)


def _plain(value: Any, factory: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    if hasattr(type(value), FIELDS):
        return factory([(each.name, _plain(getattr(value, each.name), factory)) for each in fields(value)])
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_plain(each, factory) for each in value])
    if isinstance(value, list | tuple):
        return type(value)(_plain(each, factory) for each in value)
    if isinstance(value, dict):
        return type(value)((_plain(key, factory), _plain(each, factory)) for key, each in value.items())
    return copy.deepcopy(value)
