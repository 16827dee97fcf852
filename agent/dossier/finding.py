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
    """The media that ``asked`` may mean: its number in the list, a serial number (whose keyed digest is ``serial``),
    or the beginning of a digest of it or of one of its volumes.
    """
    listed = list(sticks)
    if asked.isdecimal() and 0 < int(asked) <= len(listed):
        return [listed[int(asked) - 1]]
    by_serial = [stick for stick in listed if serial and stick.serial == serial]
    if by_serial or len(asked) < LEAST:
        return by_serial
    word = asked.lower()
    return [stick for stick in listed if any(each.startswith(word) for each in (stick.serial, *stick.volumes) if each)]


def document(asked: str, records: Iterable[Taken]) -> frozenset[str]:
    """The digests of the files that ``asked`` names: number of a record, neutral name, or beginning of a digest."""
    found: set[str] = set()
    acts: dict[int, str] = {}
    for taken in records:
        fields = taken.fields
        if fields["k"] == "transfer":
            file = str(fields.get("file") or fields["i"])
            if str(fields["i"]) == asked or (len(asked) >= LEAST and file.startswith(asked.lower())):
                found.add(file)
            if fields.get("act") is True:
                acts[fields["i"]] = file
        elif fields["k"] == "outcome" and _names(fields, asked) and fields.get("of") in acts:
            found.add(acts[fields["of"]])
    return frozenset(found)


def _names(outcome: dict[str, Any], asked: str) -> bool:
    return asked in {str(outcome["i"]), str(outcome.get("held") or "")}
