"""How a policy is refused: with file, line, rule, what was expected and what was found.

Owns the shape of the complaint and nothing else. The parser collects complaints, so that an administrator sees all of
them at once; the daemon raises the first one. What was found comes from the file: it is cut and made printable here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agent.errors import N_, PolicyError

SHOWN = 60  # characters of a value that are repeated to the administrator
_LONG = 12  # words of a list that is not repeated in the message
_NEAR = 0.7  # how alike two words must be (difflib's ratio) to be offered as a correction


def shown(text: str) -> str:
    """A value of the file, fit for one line of a terminal: quoted, cut, without control characters."""
    cut = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + '"'


def refusal(
    file: str, line: int, rule: str, message: str, *, expected: str = "", found: str = "", hint: str = "", **more: Any
) -> PolicyError:
    """A PolicyError whose ``where`` is ``file:line [rule]`` (what is unknown is left out)."""
    where = file + (f":{line}" if line else "") + (f" [{rule}]" if rule else "")
    return PolicyError(
        message, where=where, hint=hint, file=file, line=line, rule=rule, expected=expected, found=found, **more
    )


@dataclass(slots=True)
class Refusals:
    """What is wrong with one file so far. ``rule`` is the rule being read, or empty."""

    file: str
    rule: str = ""
    errors: list[PolicyError] = field(default_factory=list)

    def add(self, line: int, message: str, *, expected: str = "", found: str = "", hint: str = "", **more: Any) -> None:
        self.errors.append(
            refusal(self.file, line, self.rule, message, expected=expected, found=found, hint=hint, **more)
        )

    def unknown_key(self, line: int, key: str, known: Iterable[str]) -> None:
        """A key that the vocabulary does not have, with the nearest one that it has."""
        names = sorted(known)
        self.add(
            line, N_("unknown key {found}"), expected=", ".join(names), found=shown(key), **nearest(key, names)
        )  # fmt: skip

    def not_one_of(self, line: int, key: str, found: str, allowed: Iterable[str]) -> None:
        """A word outside the list that ``key`` takes."""
        words = list(allowed)
        near, message = nearest(found, words), N_("{key} should be one of {expected}; found {found}")
        if len(words) > _LONG:
            message = N_("{key} does not know the word {found}")
        elif near["hint"] != _SUGGEST:
            near = {"hint": ""}
        self.add(line, message, key=key, expected=", ".join(words), found=shown(found), **near)


_SUGGEST = N_("did you mean {near}?")


def nearest(word: str, known: list[str]) -> dict[str, str]:
    """The hint for a word that is not known: the most alike one, or the whole list."""
    import difflib

    alike = difflib.get_close_matches(word[:SHOWN], known, n=1, cutoff=_NEAR)
    if alike:
        return {"hint": _SUGGEST, "near": alike[0]}
    return {"hint": N_("known here: {expected}")}
