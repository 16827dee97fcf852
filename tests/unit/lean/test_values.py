"""Classes of values made the lean way are what the standard library makes of the same text."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import json
import pickle
import pkgutil
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import agent
from agent.lean import values

TEXT = """
from __future__ import annotations
from typing import ClassVar
from {module} import MISSING, KW_ONLY, dataclass, field, fields, replace, asdict, is_dataclass, FrozenInstanceError

@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    tags: tuple[str, ...] = ()

    @property
    def sum(self) -> int:
        return self.x + self.y

@dataclass(slots=True)
class Bag:
    name: str
    held: dict[str, int] = field(default_factory=dict)
    made: list[int] = field(init=False, default_factory=list)
    plain: int = field(init=False, default=7)
    hidden: str = field(default="h", repr=False, compare=False)
    kind: ClassVar[str] = "bag"

@dataclass(frozen=True)
class Base:
    a: int
    b: str = "b"

@dataclass(frozen=True, slots=True)
class Below(Base):
    c: float = 0.5

@dataclass(slots=True)
class Late:
    a: int
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.a * 2

@dataclass(slots=True, eq=False)
class Same:
    a: int

@dataclass(unsafe_hash=True)
class Hashed:
    a: int
    b: int = field(default=1, compare=False)

@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    a: int
    b: int = 2

@dataclass
class Half:
    a: int
    _: KW_ONLY
    b: int = 2

@dataclass(frozen=True)
class OwnEquality:
    a: int

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "own"

@dataclass(slots=True)
class Ring:
    a: list[object] = field(default_factory=list)

class Heir(Bag):
    pass
"""


def made_by(module: str) -> ModuleType:
    made = ModuleType(f"made_by_{module.replace('.', '_')}")
    sys.modules[made.__name__] = made
    exec(TEXT.replace("{module}", module), made.__dict__)  # noqa: S102
    return made


LEAN, STANDARD = made_by("agent.lean.values"), made_by("dataclasses")


def outcome(act: Any) -> Any:
    """What comes of it, or what is raised: its class's name and text."""
    try:
        return act()
    except Exception as error:
        return type(error).__name__, str(error).partition(" ")[0]


ACTS: tuple[Any, ...] = (
    lambda m: repr(m.Point(1)),
    lambda m: repr(m.Point(1, tags=("a",))),
    lambda m: m.Point(1, 3).sum,
    lambda m: (m.Point(1) == m.Point(1), m.Point(1) == m.Point(2), m.Point(1) == (1, 2, ())),
    lambda m: hash(m.Point(1)) == hash(m.Point(1)),
    lambda m: len({m.Point(1), m.Point(1), m.Point(3)}),
    lambda m: outcome(lambda: setattr(m.Point(1), "x", 2)),
    lambda m: outcome(lambda: setattr(m.Base(1), "new", 2)),
    lambda m: outcome(lambda: delattr(m.Point(1), "x")),
    lambda m: issubclass(m.FrozenInstanceError, AttributeError),
    lambda m: outcome(lambda: m.Point())[0],
    lambda m: outcome(lambda: m.Point(1, 2, (), 4))[0],
    lambda m: outcome(lambda: m.Point(1, z=4))[0],
    lambda m: hasattr(m.Point(1), "__dict__"),
    lambda m: m.Point.__slots__,
    lambda m: m.Point.__match_args__,
    lambda m: m.Point.__module__ == m.__name__ and m.Point.__qualname__,
    lambda m: repr(m.replace(m.Point(1), y=9)),
    lambda m: outcome(lambda: m.replace(m.Bag("a"), made=[1]))[0],
    lambda m: repr(m.replace(m.Bag("a", {"x": 1}), name="b")),
    lambda m: m.asdict(m.Bag("a", {"x": 1})),
    lambda m: m.asdict(m.Ring([m.Point(1), {"k": (m.Point(2),)}])),
    lambda m: (repr(m.Bag("a")), m.Bag("a").plain, m.Bag.kind, m.Bag("a").made is m.Bag("b").made),
    lambda m: m.Bag("a", hidden="x") == m.Bag("a", hidden="y"),
    lambda m: outcome(lambda: hash(m.Bag("a")))[0],
    lambda m: outcome(lambda: setattr(m.Bag("a"), "new", 1))[0],
    lambda m: repr(m.Heir("a")),
    lambda m: m.Heir("a") == m.Bag("a"),
    lambda m: (repr(m.Below(1)), repr(m.Below(1, "x", 2.0)), m.Below.__slots__),
    lambda m: outcome(lambda: setattr(m.Below(1), "a", 2))[0],
    lambda m: repr(m.Late(4)),
    lambda m: (m.Same(1) == m.Same(1), len({m.Same(1), m.Same(1)})),
    lambda m: hash(m.Hashed(1, 2)) == hash(m.Hashed(1, 3)),
    lambda m: (repr(m.Named(a=1)), outcome(lambda: m.Named(1))[0], m.Named.__match_args__),
    lambda m: (repr(m.Half(1, b=3)), outcome(lambda: m.Half(1, 3))[0], m.Half.__match_args__),
    lambda m: (repr(m.OwnEquality(1)), m.OwnEquality(1) == 5),
    lambda m: outcome(lambda: hash(m.OwnEquality(1))),
    lambda m: [(f.name, f.type, f.init, f.repr, f.compare, f.kw_only) for f in m.fields(m.Bag)],
    lambda m: [f.name for f in m.fields(m.Half(1))],
    lambda m: (m.is_dataclass(m.Point), m.is_dataclass(m.Point(1)), m.is_dataclass(int), m.is_dataclass(3)),
    lambda m: outcome(lambda: m.fields(3))[0],
    lambda m: outcome(lambda: m.asdict(m.Point))[0],
    lambda m: repr(copy.deepcopy(m.Bag("a", {"x": 1}))),
    lambda m: pickle.loads(pickle.dumps(m.Point(1, 5))) == m.Point(1, 5),  # noqa: S301
    lambda m: repr(_ring(m)),
)  # fmt: skip


def _ring(m: ModuleType) -> Any:
    ring = m.Ring()
    ring.a.append(ring)
    return ring


@pytest.mark.parametrize("number", range(len(ACTS)))
def test_they_do_what_the_standard_librarys_do(number: int) -> None:
    assert ACTS[number](LEAN) == ACTS[number](STANDARD)


REFUSED = (
    "@d.dataclass\nclass A:\n  a: int = 1\n  b: int",
    "@d.dataclass\nclass A:\n  a: list = []",
    "@d.dataclass\nclass A:\n  a = d.field()",
    "@d.dataclass(frozen=True)\nclass A:\n  def __setattr__(self, n, v): ...",
    "@d.dataclass(slots=True)\nclass A:\n  __slots__ = ()\n  a: int",
    "@d.dataclass\nclass A:\n  a: int\n@d.dataclass(frozen=True)\nclass B(A):\n  b: int",
    "d.field(default=1, default_factory=list)",
    "@d.dataclass(unsafe_hash=True)\nclass A:\n  a: int\n  def __hash__(self): return 1",
)


@pytest.mark.parametrize("text", REFUSED)
def test_they_refuse_what_the_standard_library_refuses(text: str) -> None:
    raised = []
    for module in (values, dataclasses):
        with pytest.raises((TypeError, ValueError)) as refused:
            exec(text, {"d": module})  # noqa: S102
        raised.append(refused.type)
    assert raised[0] is raised[1]


@pytest.mark.parametrize(
    "text", ["@d.dataclass(order=True)\nclass A:\n  a: int", "@d.dataclass\nclass A:\n  a: 'InitVar[int]'"]
)
def test_what_is_not_made_here_is_refused_not_ignored(text: str) -> None:
    with pytest.raises(TypeError, match="not made here"):
        exec(text, {"d": values})  # noqa: S102


def test_every_class_of_ours_has_the_same_fields_defaults_and_abilities_either_way() -> None:
    """In two interpreters: all modules that the agent and the helper may load, with and without ``begin``."""
    wanted = [name for name in _modules() if not name.endswith("__main__")]
    plain, lean = (_described(wanted, begin) for begin in ("", "from agent.lean import begin; begin()"))
    assert len(plain) > 100
    assert lean == plain


def _modules() -> list[str]:
    roots = (
        "actions",
        "audit",
        "channels",
        "crypto",
        "daemon",
        "fleet",
        "fsys",
        "gates",
        "helper",
        "policy",
        "transport",
    )
    names = ["agent.config", "agent.document", "agent.findings", "agent.model"]
    for root in roots:
        package = importlib.import_module(f"agent.{root}")
        names += [each.name for each in pkgutil.walk_packages(package.__path__, f"agent.{root}.")]
    assert agent.__name__ == "agent"
    return names


_DESCRIBE = """
import importlib, json, sys
names = json.load(sys.stdin)
found = {}
for name in names:
    try:
        module = importlib.import_module(name)
    except ImportError:
        continue
    for word, each in vars(module).items():
        if isinstance(each, type) and each.__module__ == name and "__dataclass_fields__" in vars(each):
            found[name + "." + word] = [
                [f.name, str(f.type), f.init, f.repr, f.compare, bool(f.kw_only), str(type(f.default)),
                 type(f.default_factory).__name__ if "issing" not in str(type(f.default_factory)).lower() else ""]
                for f in each.__dataclass_fields__.values() if f._field_type.name == "_FIELD"
            ] + [list(vars(each).get("__slots__", ["none"])), each.__hash__ is None, list(each.__match_args__),
                 "__eq__" in vars(each), "__repr__" in vars(each), "__setattr__" in vars(each)]
text = json.dumps(found)
print(text.replace("dataclasses._MISSING_TYPE", "missing").replace("agent.lean.parts._Missing", "missing"))
"""


def _described(names: list[str], begin: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", f"{begin}\n{_DESCRIBE}"], input=json.dumps(names), capture_output=True, text=True,
        check=True, timeout=120,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found
