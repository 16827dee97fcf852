"""Approved destinations: the hosts of a policy's list, and what a place's host is by that list. Pure.

The list is a part of the policy, so whoever signs the policy signs it, and nobody else can lengthen it. A host is what
a channel read in the settings of a program; whoever owns those settings can write another one there. The list keeps
honest people to the hospital's services; it is no lock (docs/formats/policy.md says so).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OWN, HDS, MSSANTE = "own", "hds", "mssante"
APPROVED = (OWN, HDS, MSSANTE)
OTHER, UNKNOWN = "other", "unknown"
PLACEHOLDER = "{approved}"
MAX_SHOWN = 3  # in one message to a clinician
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_MAX_HOST = 253


@dataclass(frozen=True, slots=True)
class Host:
    """``pattern``: a name, or ``*.`` and a name: whatever lies below it, at any depth, and not itself."""

    pattern: str
    kind: str  # one of APPROVED
    name: tuple[tuple[str, str], ...] = ()  # as people call it, by language
    line: int = 0


def normal_host(text: str) -> str:
    """A host's name in lower case, without the final dot; "" when it is none (an address with port or path, too)."""
    name = text.strip().lower().removesuffix(".")
    return name if len(name) <= _MAX_HOST and _HOST.fullmatch(name) else ""


def host_class(host: str, hosts: tuple[Host, ...]) -> str:
    """own, hds or mssante by the first entry that means ``host``; other: none does; unknown: the host is not known."""
    if not host:
        return UNKNOWN
    return next((each.kind for each in hosts if _means(each.pattern, host)), OTHER)


def _means(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def example_host(wanted: str, hosts: tuple[Host, ...]) -> str | None:
    """A host of that class, for tests that only name the class; None: the list has none."""
    if wanted == UNKNOWN:
        return ""
    if wanted == OTHER:
        return "elsewhere.invalid"
    found = next((each.pattern for each in hosts if each.kind == wanted), None)
    return None if found is None else found.replace("*.", "example.", 1)


def spoken(text: str, language: str, hosts: tuple[Host, ...]) -> str:
    """``text`` with the names of what is approved in the place of ``{approved}``: the first that have a name."""
    if PLACEHOLDER not in text:
        return text
    names = [dict(each.name).get(language) or each.name[0][1] for each in hosts if each.name]
    return text.replace(PLACEHOLDER, ", ".join(list(dict.fromkeys(names))[:MAX_SHOWN]))
