"""For processes that live all day (agent, session helper): the same modules with less memory, and made faster.

``begin`` comes before any other import of such a process. What it replaces behaves the same (``tests/unit/lean``);
every other process of ours, readers and commands among them, has the standard library's. Owns nothing but what stands
in ``sys.modules`` under the names it replaces.
"""

from __future__ import annotations

import gc
import sys
import threading
from importlib import import_module
from types import ModuleType

_SELDOM = (
    "locale", "msgspec._json_schema", "msgspec.inspect", "shutil", "tempfile", "textwrap", "traceback",
)  # fmt: skip
"""Imported by what we need, for what we seldom or never do: loaded when something of them is wanted."""
_DONE_WITHOUT = ("typing_extensions",)  # msgspec takes what it finds there, and does as well with typing
_lock = threading.RLock()


class Later(ModuleType):
    """Stands for a module until something of it is wanted; then for that module, whoever holds which."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # the machinery of imports asks this way
            raise AttributeError(name)
        return getattr(self.itself(), name)

    def itself(self) -> ModuleType:
        """The module, loaded now if it was not. Raises ImportError."""
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return import_module(self.__name__)


def let_go(*names: str) -> None:
    """Forget modules that have done their work, with what lies below them: they are loaded anew if wanted again."""
    below = tuple(f"{each}." for each in names)
    for name in [name for name in sys.modules if name in names or name.startswith(below)]:
        if getattr(getattr(sys.modules[name], "__spec__", None), "_initializing", False):
            continue  # another thread loads it just now
        parent, _dot, word = name.rpartition(".")
        if parent in sys.modules and sys.modules[parent].__dict__.get(word) is sys.modules[name]:
            delattr(sys.modules[parent], word)
        del sys.modules[name]
    gc.collect()


def classes() -> None:
    """Classes of values alone, for a process of few modules: ``dataclasses`` brings ``inspect`` and ``ast``."""
    from agent.lean import values

    sys.modules.setdefault("dataclasses", values)


def begun() -> None:
    """The start is over: from now on garbage is looked for as ever."""
    gc.enable()


def begin(*seldom: str) -> None:
    """Replace what may be replaced; what somebody has imported already stays as it is. ``seldom``: modules that this
    process wants later, if ever. Garbage in cycles is not looked for until ``begun``.
    """
    native = import_module("_datetime")  # what ``datetime`` is: a Python copy is made and thrown away before

    gc.disable()  # what a start makes, stays: to look through it again and again finds nothing (see ``begun``)
    from agent.lean.standing import stand_ins

    classes()
    sys.modules.setdefault("datetime", native)
    for name in (*_SELDOM, *seldom):
        sys.modules.setdefault(name, Later(name))
    for module in stand_ins():
        parent, _dot, word = module.__name__.rpartition(".")
        ours = sys.modules.setdefault(module.__name__, module) is module
        if ours and parent and not hasattr(type(module), "__path__"):  # what leads to modules needs no parent yet
            setattr(import_module(parent), word, module)
    for name in _DONE_WITHOUT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # « not there », as imports understand it
