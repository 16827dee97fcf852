"""1. Where a file can leave or arrive. A channel says which places are to be guarded; the watcher says which files.

A channel owns the knowledge of its places and nothing else: it never opens a document, never decides. The agent asks
``places()`` at start, whenever one of ``descriptors()`` becomes readable, and once a minute; it compares with what is
guarded and starts or stops guarding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.model import ChannelKind, FileEvent, Place

Sink = Callable[[FileEvent], None]
"""Takes an event; may block for a moment when the queue is full (back-pressure), never drops one in silence."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that weakens the guard, for ``status`` and ``doctor``. ``word`` is stable; the texts are keys."""

    word: str
    message: str
    hint: str = ""
    fields: tuple[tuple[str, str], ...] = ()


class Channel(Protocol):
    @property
    def kind(self) -> ChannelKind: ...

    def places(self) -> tuple[Place, ...]:
        """What is there to guard at this instant. Never raises: what fails becomes a Trouble."""

    def descriptors(self) -> tuple[int, ...]:
        """Descriptors that poll readable (or exceptional, POLLPRI) when ``places()`` may have changed."""

    def drain(self) -> None:
        """Take what is waiting on the descriptors."""

    def troubles(self) -> tuple[Trouble, ...]: ...

    def close(self) -> None: ...
