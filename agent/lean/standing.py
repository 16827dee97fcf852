"""Stand-ins for modules of the standard library of which a resident process uses next to nothing, or only at its start.

Each answers what is asked of it all day by itself, and is the module from the moment that something else is wanted of
it. Owns nothing; ``agent.lean.begin`` puts them where the modules would be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from agent.lean import Later

_OBSERVERS = "watchdog.observers"


class Platform(Later):
    """``platform``, which ``uuid`` asks on which system it is while it is imported."""

    def system(self) -> str:
        """As ``platform.system``."""
        return os.uname().sysname


class Addresses(Later):
    """``urllib.parse``, of which others hold a function for the day on which they have an address."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        for word in ("quote_from_bytes", "urlsplit"):
            setattr(self, word, _put_off(self, word))


def _put_off(module: Later, word: str) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        return getattr(module.itself(), word)(*given, **named)

    return call


class Observers(Later):
    """``watchdog.observers``, which makes observers of all sorts ready; we want the one module below it that reads."""

    @property
    def __path__(self) -> list[str]:  # type: ignore[override]
        from importlib.util import find_spec  # that finds the package and does not load it

        found = find_spec("watchdog")
        if found is None or found.submodule_search_locations is None:
            raise AttributeError("__path__")
        return [os.path.join(folder, "observers") for folder in found.submodule_search_locations]


class Logging(Later):
    """``logging``, of which libraries want a logger each, and seldom say anything."""

    def getLogger(self, name: str | None = None) -> Any:  # noqa: N802 - its name
        """As ``logging.getLogger``."""
        return Quiet(self, name)


class Quiet:
    """A logger. What it is told of the least weight is lost, as it is where nobody has set logging up."""

    def __init__(self, module: Logging, name: str | None) -> None:
        self._module, self._name = module, name

    def debug(self, *given: Any, **named: Any) -> None:
        """As ``Logger.debug``."""
        if sys.modules.get("logging") is not self._module:
            self.__getattr__("debug")(*given, **named)

    def __getattr__(self, word: str) -> Any:
        return getattr(self._module.itself().getLogger(self._name), word)


def stand_ins() -> tuple[ModuleType, ...]:
    """One of each, to be put where the modules would be."""
    return Platform("platform"), Addresses("urllib.parse"), Logging("logging"), Observers(_OBSERVERS)
