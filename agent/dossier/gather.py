"""Records in their order → facts about one device, one document or one time. Pure: nothing is opened here.

One pass, and only what is about the matter stays in memory. The same file that is judged again (plugged in anew, its
pictures read later) is one document, by the keyed digest that the records carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agent.dossier.clock import ClockWatch
from agent.dossier.model import Document, Evidence, Facts, Fate, InForce, Scope, Stick
from agent.dossier.watching import Watching

_LEAVING = frozenset(("removable", "cloud_sync"))
_ENDS = {"encrypt": (Fate.SEALED, Fate.SEALED_AFTER)}
_REFUSALS = (Fate.REFUSED, Fate.REMOVED_AFTER)


class Taken(NamedTuple):
    """A record as the log gives it: decoded, its bytes, the hash of its private part, and that part."""

    fields: dict[str, Any]
    public: bytes
    private_hash: bytes
    private: bytes = b""


@dataclass(slots=True)
class _Seen:
    """A document while its records come in."""

    transfer: dict[str, Any]
    records: list[int]
    outcome: dict[str, Any] | None = None
    given_back: bool = False


@dataclass(slots=True)
class Gathered:
    """The facts, the records that they rest on, and the private parts of the documents (by number of the record)."""

    facts: Facts
    evidence: tuple[Evidence, ...]
    private: dict[int, bytes]


@dataclass(slots=True)
class Gatherer:
    """``take`` every record in its order; then ``gathered``."""

    scope: Scope
    clock: ClockWatch = field(default_factory=ClockWatch)
    watching: Watching = field(default_factory=Watching)
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _of: dict[int, str] = field(default_factory=dict)  # number of a transfer → which document
    _held: dict[str, str] = field(default_factory=dict)
    _sticks: dict[str, Stick] = field(default_factory=dict)
    _stick_of: dict[str, str] = field(default_factory=dict)  # volume → which device
    _policies: list[dict[str, Any]] = field(default_factory=list)
    _evidence: dict[int, Evidence] = field(default_factory=dict)
    _private: dict[int, bytes] = field(default_factory=dict)
    _plain: set[str] = field(default_factory=set)
    _sealed: dict[str, str] = field(default_factory=dict)  # file → how it came
    _downloads: int = 0
    _counted: int = 0
    _records: int = 0
    _last_us: int = 0
    _first_in: int = -1  # of a time that was asked for
    _last_in: int = -1

    def take(self, taken: Taken) -> None:
        """One more record."""
        record = taken.fields
        self.clock.see(record)
        self.watching.see(record)
        self._records += 1
        self._last_us = record["t"]
        if self.scope.kind == "time" and self.scope.since <= record["t"] < self.scope.until:
            self._first_in = record["i"] if self._first_in < 0 else self._first_in
            self._last_in = record["i"]
        by_kind = {"transfer": self._transfer, "outcome": self._outcome, "place": self._place, "policy": self._policy,
                   "release": self._given, "restore": self._given, "coalesced": self._coalesced}  # fmt: skip
        act = by_kind.get(record["k"])
        if act is not None and act(taken.fields):
            self._evidence[record["i"]] = Evidence(record["i"], taken.public, taken.private_hash)
            if taken.private:
                self._private[record["i"]] = taken.private

    # ---- one kind of record each; True: the dossier rests on it

    def _transfer(self, record: dict[str, Any]) -> bool:
        device = _device(record)
        stick = self._note_stick(record, device)
        if not self._wanted(record, device):
            return False
        if _text(record, "channel") not in _LEAVING:
            self._downloads += 1
            return False
        if record.get("kind") == "sealed":  # encrypted already: what we sealed, seen again, or somebody's own
            self._sealed.setdefault(str(record.get("file") or record["i"]), _text(record, "arrival"))
            return False
        file = self._file(record)
        if _text(record, "judgement") not in {"medical", "undecidable"}:
            self._plain.add(file)
            self._seen.pop(file, None)  # a second look found that it is not about a patient
            return False
        self._plain.discard(file)
        seen = self._seen.get(file)
        if seen is None:
            self._seen[file] = _Seen(record, [record["i"]])
            if stick is not None:
                stick.documents += 1
        else:
            seen.records.append(record["i"])
            if not _repeats(seen, record):
                seen.transfer, seen.outcome, seen.given_back = record, None, False
        self._of[record["i"]] = file
        return True

    def _outcome(self, record: dict[str, Any]) -> bool:
        file = self._of.get(_number(record.get("of"), -1))
        seen = self._seen.get(file) if file is not None else None
        if file is None or seen is None:
            return False
        seen.records.append(record["i"])
        if seen.transfer["i"] == record.get("of"):
            seen.outcome = record
        if record.get("held"):
            self._held[str(record["held"])] = file
        return True

    def _given(self, record: dict[str, Any]) -> bool:
        seen = self._seen.get(self._held.get(str(record.get("held")), ""))
        if seen is None:
            return False
        seen.given_back = True
        seen.records.append(record["i"])
        return True

    def _place(self, record: dict[str, Any]) -> bool:
        device = _device(record)
        stick = self._note_stick(record, device)
        if stick is not None:
            stick.taken_out = record.get("state") == "gone"
            stick.strengths.add(str(record.get("strength") or ""))
        return self.scope.kind == "device" and self._names(record, device)

    def _policy(self, record: dict[str, Any]) -> bool:
        self._policies.append(record)
        return record.get("state") == "in-force"

    def _coalesced(self, record: dict[str, Any]) -> bool:
        self._counted += _number(record.get("count"))
        return True

    # ---- devices

    def _note_stick(self, record: dict[str, Any], device: Mapping[str, Any]) -> Stick | None:
        if record.get("channel") != "removable":
            return None
        volume = str(record.get("volume") or "")
        key = str(device.get("serial") or "") or self._stick_of.get(volume, volume)
        stick = self._sticks.get(key)
        if stick is None:
            stick = self._sticks[key] = Stick(str(device.get("serial") or ""), first=record["i"], first_us=record["t"])
        self._stick_of[volume] = key
        stick.volumes.add(volume)
        stick.words.update({name: str(word) for name, word in device.items() if name != "serial" and word})
        stick.last, stick.last_us = record["i"], record["t"]
        stick.taken_out = False
        return stick

    def sticks(self) -> tuple[Stick, ...]:
        """Every removable medium seen so far, by when it was seen first."""
        return tuple(sorted(self._sticks.values(), key=lambda stick: stick.first))

    def _names(self, record: Mapping[str, Any], device: Mapping[str, Any]) -> bool:
        return not self.scope.digests.isdisjoint((str(device.get("serial") or ""), str(record.get("volume") or "")))

    def _file(self, record: Mapping[str, Any]) -> str:
        """Which document a transfer is about: one that was let go later has another digest than when it was held."""
        return self._held.get(_text(record, "released")) or str(record.get("file") or record["i"])

    def _wanted(self, record: Mapping[str, Any], device: Mapping[str, Any]) -> bool:
        if self.scope.kind == "device":
            return self._names(record, device)
        if self.scope.kind == "document":
            named = str(record.get("file") or record["i"])
            return not self.scope.digests.isdisjoint((named, self._file(record)))
        return self.scope.since <= int(record["t"]) < self.scope.until

    # ---- the end

    def gathered(self) -> Gathered:
        """What all records together say."""
        documents = sorted((self._document(seen) for seen in self._seen.values()), key=lambda each: each.number)
        sticks = self._concerned(documents)
        first, last = self._window(documents, sticks)
        steps = tuple(step for step in self.clock.steps if 0 <= first <= step.number)
        facts = Facts(
            self.scope, tuple(documents), len(self._plain), len(self._sealed), "new" in self._sealed.values(),
            self._downloads, self._counted, sticks,
            self._in_force(first, last), self.watching.spans(first, last) if first >= 0 else (), steps,
            self.clock.starts(first, last),
            first, last, self._first_us(documents, sticks), self._end_us(documents, sticks), self._records,
            self._last_us,
        )  # fmt: skip
        kept = self._kept(facts)
        private = {each.number: self._private[each.number] for each in documents if each.number in self._private}
        return Gathered(
            facts, tuple(each for _, each in sorted(self._evidence.items()) if each.number in kept), private
        )

    def _kept(self, facts: Facts) -> set[int]:
        policies = {policy.number for policy in facts.policies if policy.during}
        dropped = {record["i"] for record in self._policies} - policies
        return set(self._evidence) - dropped

    def _document(self, seen: _Seen) -> Document:
        record, outcome = seen.transfer, seen.outcome or {}
        to = outcome.get("to")
        return Document(
            record["i"], tuple(seen.records), record["t"], self.clock.shift(record),
            _text(record, "channel"), _text(record, "service"), _text(record, "volume"), _text(record, "judgement"),
            _text(record, "kind"), _text(record, "problem"), _text(record, "ext"), _number(record.get("size")),
            _number(record.get("patients")), record.get("test") is True, _text(record, "arrival"),
            _text(record, "decision"), _text(record, "rule"), _text(record, "release"), fate(record, seen.outcome),
            _text(outcome, "held"), tuple(str(each) for each in to) if isinstance(to, list) else (), seen.given_back,
        )  # fmt: skip

    def _concerned(self, documents: Iterable[Document]) -> tuple[Stick, ...]:
        volumes = {document.place for document in documents}
        if self.scope.kind == "device":
            wanted = [s for s in self._sticks.values() if {s.serial, *s.volumes} & self.scope.digests]
        else:
            wanted = [stick for stick in self._sticks.values() if stick.volumes & volumes]
        return tuple(sorted(wanted, key=lambda stick: stick.first))

    def _window(self, documents: list[Document], sticks: tuple[Stick, ...]) -> tuple[int, int]:
        if self.scope.kind == "time":
            return self._first_in, self._last_in
        numbers = [number for document in documents for number in document.records]
        if self.scope.kind == "device":
            numbers += [number for stick in sticks for number in (stick.first, stick.last)]
        return (min(numbers), max(numbers)) if numbers else (-1, -1)

    def _first_us(self, documents: list[Document], sticks: tuple[Stick, ...]) -> int:
        if self.scope.kind == "time":
            return self.scope.since
        known = [stick.first_us for stick in sticks] if self.scope.kind == "device" else []
        return min([document.time_us for document in documents] + known, default=0)

    def _end_us(self, documents: list[Document], sticks: tuple[Stick, ...]) -> int:
        if self.scope.kind == "time":
            return self.scope.until
        known = [stick.last_us for stick in sticks] if self.scope.kind == "device" else []
        return max([document.time_us for document in documents] + known, default=0)

    def _in_force(self, first: int, last: int) -> tuple[InForce, ...]:
        """Each policy that came into force, once in a row; which of them governed the records first to last."""
        found: list[InForce] = []
        changes = [record for record in self._policies if record.get("state") == "in-force"]
        changes = [
            record for at, record in enumerate(changes)
            if at == 0 or record.get("release") != changes[at - 1].get("release")
        ]  # fmt: skip
        for at, record in enumerate(changes):
            ended = changes[at + 1]["i"] if at + 1 < len(changes) else None
            during = first >= 0 and record["i"] <= last and (ended is None or ended > first)
            found.append(
                InForce(record["i"], record["t"], _text(record, "policy"), _text(record, "release"), during=during)
            )
        return tuple(found)


def fate(transfer: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> Fate:
    """Where the bytes went, by the transfer record and its outcome record."""
    if _text(transfer, "decision") in {"observe", "inform"}:
        return Fate.CLEAR
    before = bool(transfer.get("hold"))
    result = (outcome or {}).get("result")
    if result == "done":
        held, after = _ENDS.get(str((outcome or {}).get("action")), _REFUSALS)
        return held if before else after
    if result == "failed":
        return Fate.REFUSED if before else Fate.CLEAR
    return Fate.UNKNOWN


def _repeats(seen: _Seen, record: Mapping[str, Any]) -> bool:
    """A look at what lies there since long says nothing new of how it came; the final look at pictures does."""
    return record.get("arrival") == "existing" and not record.get("act") and seen.transfer.get("arrival") == "new"


def _device(record: Mapping[str, Any]) -> Mapping[str, Any]:
    device = record.get("device")
    return device if isinstance(device, dict) else {}


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object, other: int = 0) -> int:
    return value if type(value) is int else other
