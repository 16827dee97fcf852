"""What the records say of the laptop they come from: version, policy, what is guarded and how strongly. Pure.

Fields that are missing or of another type are passed over: a laptop of another version must not stop its own records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from agent.audit.record import Kind

MAX_PLACES = 64
MAX_WORD = 80


class Guard(msgspec.Struct, frozen=True):
    """One place under guard, without its name."""

    channel: str = ""
    service: str = ""
    strength: str = ""


class Summary(msgspec.Struct):
    """The last word on a laptop. ``places`` by their keyed digest; ``running`` None until a start or stop came."""

    version: str = ""
    policy: str = ""
    release: str = ""
    mode: str = ""
    running: bool | None = None
    places: dict[str, Guard] = {}

    def take(self, fields: Mapping[str, Any]) -> None:
        """Bring the summary up to date with one more record."""
        kind = fields["k"]
        if kind == Kind.START:
            self.running, self.places = True, {}
            self.version = word(fields, "version") or self.version
        elif kind == Kind.STOP:
            self.running, self.places = False, {}
        elif kind == Kind.POLICY:
            self.policy = word(fields, "policy") or self.policy
            self.release = word(fields, "release") or self.release
            self.mode = word(fields, "mode") or word(fields, "profile") or self.mode
        elif kind == Kind.PLACE:
            self._take_place(fields)

    def _take_place(self, fields: Mapping[str, Any]) -> None:
        guard = Guard(word(fields, "channel"), word(fields, "service"), word(fields, "strength"))
        key = word(fields, "place") or word(fields, "volume") or f"{guard.channel}/{guard.service}"
        if word(fields, "state") in {"gone", "lost"}:
            self.places.pop(key, None)
        elif len(self.places) < MAX_PLACES or key in self.places:
            self.places[key] = guard

    @property
    def guard(self) -> str:
        """hold, after-write, off or "" (nothing was told): the weakest of its places."""
        found = {guard.strength for guard in self.places.values()}
        return next((strength for strength in ("off", "after-write", "hold") if strength in found), "")

    def strengths(self) -> dict[tuple[str, str], int]:
        """How many places there are of each channel and strength."""
        counts: dict[tuple[str, str], int] = {}
        for guard in self.places.values():
            pair = (guard.channel, guard.strength)
            counts[pair] = counts.get(pair, 0) + 1
        return dict(sorted(counts.items()))


def word(fields: Mapping[str, Any], key: str) -> str:
    """A short text of a record; "" when it is missing or of another type."""
    value = fields.get(key)
    return value[:MAX_WORD] if isinstance(value, str) else ""


def to_json(summary: Summary) -> str:
    return msgspec.json.encode(summary).decode()


def from_json(text: str) -> Summary:
    try:
        return msgspec.json.decode(text, type=Summary)
    except msgspec.MsgspecError:
        return Summary()
