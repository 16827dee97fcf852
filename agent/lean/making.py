"""How a class of values gets its methods: one set for all, but for ``__init__``. See ``values``."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator
from operator import attrgetter
from reprlib import recursive_repr
from types import MemberDescriptorType
from typing import Any

from agent.lean.parts import (
    _FIELD,
    _FIELD_CLASSVAR,
    FIELDS,
    KW_ONLY,
    MISSING,
    PARAMS,
    Field,
    FrozenInstanceError,
    Params,
    field,
)  # fmt: skip
from agent.lean.written import compiled


def fields_of(given: Any) -> tuple[Field, ...]:
    """The fields of a class of values, in their order. Raises AttributeError: it is none."""
    return tuple(each for each in getattr(given, FIELDS).values() if each._field_type is _FIELD)


def make(cls: Any, params: Params, *, match_args: bool, kw_only: bool, slots: bool) -> Any:
    found: dict[str, Field] = {}
    for base in cls.__mro__[-1:0:-1]:
        if inherited := getattr(base, FIELDS, None):
            if getattr(base, PARAMS).frozen is not params.frozen:
                raise TypeError("cannot inherit frozen dataclass from a non-frozen one, or the reverse")
            found.update(inherited)
    found.update((each.name, each) for each in _own_fields(cls, kw_only=kw_only))
    _check_order(found)
    setattr(cls, FIELDS, found)
    setattr(cls, PARAMS, params)
    own = cls.__dict__
    hashes = "__hash__" in own and not (own["__hash__"] is None and "__eq__" in own)
    if match_args and "__match_args__" not in own:
        words = (each.name for each in found.values() if each._field_type is _FIELD and each.init and not each.kw_only)
        setattr(cls, "__match_args__", tuple(words))  # noqa: B010 - the plain form is a declaration, for mypy
    if params.repr and "__repr__" not in own:
        cls.__repr__ = _repr
    if params.init and "__init__" not in own:
        cls.__init__ = _first
    _set_comparing(cls, found, params, hashes=hashes)
    if params.frozen:
        for name in ("__setattr__", "__delattr__"):
            if name in own:
                raise TypeError(f"cannot overwrite attribute {name} in class {cls.__name__}")
    if slots:
        cls = _slotted(cls, found, frozen=params.frozen)
    if params.frozen:
        _freeze(cls)
    if params.init and cls.__init__ is _first:
        cls.__init__ = _starter(cls)
    abc.update_abstractmethods(cls)
    return cls


def _own_fields(cls: Any, *, kw_only: bool) -> Iterator[Field]:
    kinds = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 - inspect is what is to stay out
    for name, kind in kinds.items():
        text = kind if isinstance(kind, str) else ""
        if kind is KW_ONLY or text in {"KW_ONLY", "dataclasses.KW_ONLY"}:
            kw_only = True
            continue
        if "InitVar" in text or "InitVar" in str(kind):
            raise TypeError("InitVar is not made here")
        default = cls.__dict__.get(name, MISSING)
        if isinstance(default, MemberDescriptorType):  # a slot of the name, no value
            default = MISSING
        made = default if isinstance(default, Field) else field(default=default)
        made.name, made.type = name, kind
        if made.kw_only is MISSING:
            made.kw_only = kw_only
        if text.startswith(("ClassVar", "typing.ClassVar", "t.ClassVar")) or str(kind).startswith("typing.ClassVar"):
            made._field_type = _FIELD_CLASSVAR
        elif made.default.__class__.__hash__ is None:
            raise ValueError(f"mutable default {type(made.default)} for field {name}: use default_factory")
        if isinstance(default, Field):
            if made.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, made.default)
        yield made
    for name, value in cls.__dict__.items():
        if isinstance(value, Field) and name not in kinds:
            raise TypeError(f"{name!r} is a field but has no type annotation")


def _check_order(found: dict[str, Field]) -> None:
    seen = False
    for each in found.values():
        if each.init and not each.kw_only and each._field_type is _FIELD:
            given = each.default is not MISSING or each.default_factory is not MISSING
            if seen and not given:
                raise TypeError(f"non-default argument {each.name!r} follows default argument")
            seen = seen or given


def _set_comparing(cls: Any, found: dict[str, Field], params: Params, *, hashes: bool) -> None:
    """``__eq__`` and ``__hash__``, by the table of the standard library."""
    real = [each for each in found.values() if each._field_type is _FIELD]
    if params.eq and "__eq__" not in cls.__dict__:
        values = _getter([each.name for each in real if each.compare])

        def equal(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        cls.__eq__ = equal
    if params.unsafe_hash and hashes:
        raise TypeError(f"cannot overwrite attribute __hash__ in class {cls.__name__}")
    if params.unsafe_hash or (params.eq and params.frozen and not hashes):
        hashed = _getter([each.name for each in real if (each.compare if each.hash is None else each.hash)])
        cls.__hash__ = lambda self: hash(hashed(self))
    elif params.eq and not params.frozen and not hashes:
        cls.__hash__ = None


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of these attributes, as a tuple: ``attrgetter`` gives one only of two and more."""
    if len(names) > 1:
        return attrgetter(*names)
    return (lambda value: (getattr(value, names[0]),)) if names else (lambda _value: ())


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields_of(self) if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _freeze(cls: Any) -> None:
    names = frozenset(cls.__dict__[FIELDS])

    def set_(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    cls.__setattr__, cls.__delattr__ = set_, delete


def _slotted(cls: Any, found: dict[str, Field], *, frozen: bool) -> Any:
    """The class again, with slots. Raises TypeError when it has some."""
    if "__slots__" in cls.__dict__:
        raise TypeError(f"{cls.__name__} already specifies __slots__")
    had = {name for base in cls.__mro__[1:-1] for name in _slots_of(base)}
    body = dict(cls.__dict__)
    names = tuple(each.name for each in found.values() if each._field_type is _FIELD)
    body["__slots__"] = tuple(name for name in names if name not in had)
    for name in (*names, "__dict__", "__weakref__"):
        body.pop(name, None)
    qualname = cls.__qualname__
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = qualname
    if frozen:
        if "__getstate__" not in cls.__dict__:
            made.__getstate__ = _getstate
        if "__setstate__" not in cls.__dict__:
            made.__setstate__ = _setstate
    return made


def _slots_of(base: Any) -> tuple[str, ...]:
    slots = base.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields_of(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields_of(self), state, strict=True):
        object.__setattr__(self, each.name, value)


def _first(self: Any, *given: Any, **named: Any) -> None:
    """Stands where ``__init__`` will be, while the class is made."""
    raise NotImplementedError


def _starter(cls: Any) -> Callable[..., None]:
    """The ``__init__`` of a class that has no instance yet: makes the true one, and is no more."""

    def start(self: Any, /, *given: Any, **named: Any) -> None:
        found = [each for each in cls.__dict__[FIELDS].values() if each._field_type is _FIELD]
        made = compiled(cls, found, MISSING, frozen=cls.__dict__[PARAMS].frozen)
        cls.__init__ = made
        made(self, *given, **named)

    start.__qualname__ = f"{cls.__qualname__}.__init__"
    start.__module__ = cls.__module__
    return start
