"""The ``__init__`` of a class of values, written out and compiled when the first of them is made. See ``values``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def compiled(cls: type, fields: Sequence[Any], missing: object, *, frozen: bool) -> Callable[..., None]:
    """``__init__`` as the standard library would write it. ``missing`` stands for « no default »."""
    known = _known(fields, missing)
    given = [each for each in fields if each.init]
    words = [_parameter(each, known) for each in given if not each.kw_only]
    if by_name := [_parameter(each, known) for each in given if each.kw_only]:
        words += ["*", *by_name]
    values = [(each.name, value) for each in fields if (value := _value(each, known))]
    body = [f"_set(_self, {name!r}, {value})" if frozen else f"_self.{name} = {value}" for name, value in values]
    if hasattr(cls, "__post_init__"):
        body.append("_self.__post_init__()")
    text = f"def __init__({', '.join(['_self', *words])}):\n " + "\n ".join(body or ["pass"])
    space: dict[str, Any] = {}
    exec(text, known, space)  # noqa: S102 - names of fields, which Python itself has read as names
    made: Callable[..., None] = space["__init__"]
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return made


def _known(fields: Sequence[Any], missing: object) -> dict[str, Any]:
    """What the text speaks of: defaults and factories, by field."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_made": missing}
    known |= {f"_factory_{each.name}": each.default_factory for each in fields if each.default_factory is not missing}
    return known | {f"_default_{each.name}": each.default for each in fields if each.default is not missing}


def _parameter(field: Any, known: Mapping[str, Any]) -> str:
    if f"_factory_{field.name}" in known:
        return f"{field.name}=_made"
    return f"{field.name}=_default_{field.name}" if f"_default_{field.name}" in known else str(field.name)


def _value(field: Any, known: Mapping[str, Any]) -> str:
    """What a field is set to; empty: it has nothing yet."""
    if f"_factory_{field.name}" in known:
        made = f"_factory_{field.name}()"
        return f"{made} if {field.name} is _made else {field.name}" if field.init else made
    if field.init:
        return str(field.name)
    default = f"_default_{field.name}"  # a class with slots has it nowhere else
    return default if default in known else ""
