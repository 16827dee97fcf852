"""What a field of a class of values is; the same names as in ``dataclasses``. See ``values``."""

from __future__ import annotations

from types import GenericAlias, MappingProxyType
from typing import Any

FIELDS, PARAMS = "__dataclass_fields__", "__dataclass_params__"
_EMPTY: MappingProxyType[Any, Any] = MappingProxyType({})


class FrozenInstanceError(AttributeError):
    """Somebody tried to change a frozen value."""


class _Missing:
    """No default."""


class _Kind:
    """What ``_field_type`` says, as msgspec asks it."""

    def __init__(self, name: str) -> None:
        self.name = name


class KW_ONLY:  # noqa: N801 - the standard name
    """Fields after it are given by name."""


MISSING = _Missing()
_FIELD, _FIELD_CLASSVAR, _FIELD_INITVAR = _Kind("_FIELD"), _Kind("_FIELD_CLASSVAR"), _Kind("_FIELD_INITVAR")


class Field:
    """One field of a class, as ``fields`` gives it."""

    __slots__ = (
        "_field_type", "compare", "default", "default_factory", "hash", "init", "kw_only", "metadata", "name", "repr",
        "type",
    )  # fmt: skip
    __class_getitem__: Any = classmethod(GenericAlias)
    name: str
    type: Any

    def __init__(
        self, default: Any, default_factory: Any, init: bool, repr: bool, hash: bool | None, compare: bool,  # noqa: A002
        metadata: Any, kw_only: Any,
    ) -> None:  # fmt: skip
        self.default, self.default_factory, self.init, self.repr = default, default_factory, init, repr
        self.hash, self.compare, self.kw_only, self._field_type = hash, compare, kw_only, _FIELD
        self.metadata = _EMPTY if metadata is None else MappingProxyType(metadata)


class Params:
    """How a class was made, as msgspec and others ask it."""

    __slots__ = ("eq", "frozen", "init", "order", "repr", "unsafe_hash")

    def __init__(self, *, init: bool, repr: bool, eq: bool, unsafe_hash: bool, frozen: bool) -> None:  # noqa: A002
        self.init, self.repr, self.eq, self.order = init, repr, eq, False
        self.unsafe_hash, self.frozen = unsafe_hash, frozen


def field(
    *, default: Any = MISSING, default_factory: Any = MISSING, init: bool = True, repr: bool = True,  # noqa: A002
    hash: bool | None = None, compare: bool = True, metadata: Any = None, kw_only: Any = MISSING,  # noqa: A002
) -> Any:  # fmt: skip
    """As ``dataclasses.field``. Raises ValueError for two defaults."""
    if default is not MISSING and default_factory is not MISSING:
        raise ValueError("cannot specify both default and default_factory")
    return Field(default, default_factory, init, repr, hash, compare, metadata, kw_only)
