"""What somebody asks for → the digests that the log has for it: a medium, a document. Pure, one pass of records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.dossier.gather import Gatherer, Taken
from agent.dossier.model import Scope, Stick

LEAST = 4
"""Digits of a digest that have to be given."""


def media(records: Iterable[Taken]) -> tuple[Stick, ...]:
    """Every removable medium that the log tells of, by when it was seen first."""
    gatherer = Gatherer(Scope("device"))
    for taken in records:
        gatherer.take(taken)
    return gatherer.sticks()


def digests_of(asked: str, serial: str, sticks: Iterable[Stick]) -> list[Stick]:
    """The media that ``asked`` may mean: a serial number (whose keyed digest is ``serial``), its number in the list,
    or the beginning of a digest of it or of one of its volumes.
    """
    listed = list(sticks)
    by_serial = [stick for stick in listed if serial and stick.serial == serial]
    numbered = {str(number): stick for number, stick in enumerate(listed, 1)}  # « 000000000001 » is a serial number
    if asked in numbered and not by_serial:
        return [numbered[asked]]
    if by_serial or len(asked) < LEAST:
        return by_serial
    word = asked.lower()
    return [stick for stick in listed if any(each.startswith(word) for each in (stick.serial, *stick.volumes) if each)]


def document(asked: str, records: Iterable[Taken]) -> frozenset[str]:
    """The digests of the files that ``asked`` names: number of a record or neutral name, else beginning of a digest."""
    found: set[str] = set()
    begun: set[str] = set()
    acts: dict[int, str] = {}
    for taken in records:
        fields = taken.fields
        if fields["k"] == "transfer":
            file = str(fields.get("file") or fields["i"])
            if str(fields["i"]) == asked:
                found.add(file)
            if len(asked) >= LEAST and file.startswith(asked.lower()):
                begun.add(file)
            if fields.get("act") is True:
                acts[fields["i"]] = file
        elif fields["k"] == "outcome" and _names(fields, asked) and fields.get("of") in acts:
            found.add(acts[fields["of"]])
    return frozenset(found or begun)


def _names(outcome: dict[str, Any], asked: str) -> bool:
    return asked in {str(outcome["i"]), str(outcome.get("held") or "")}
