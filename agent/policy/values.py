"""One node of the tree → one value, or a complaint. Every reader records what is wrong and returns None then.

What each kind of value looks like in the file is decided here: words, yes and no, numbers, sizes, days, texts in two
languages, names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from agent.errors import N_
from agent.model import Decision
from agent.policy.devices import normal_pattern
from agent.policy.refusal import Refusals
from agent.policy.schema import Localised
from agent.policy.source import Items, Node, Table, Text, describe
from agent.policy.vocabulary import LANGUAGES, YES_NO

MAX_WORDS = 1_000  # in one list
MAX_MESSAGE = 500  # characters that a clinician is shown
_TRUTH = {"yes": True, "true": True, "oui": True, "no": False, "false": False, "non": False}
_EXTENSION = re.compile("[a-z0-9]{1,16}")  # what documents are told to have: ``agent.daemon.case``
_NAME = re.compile(r"[^\s\x00-\x1f*?,]{1,64}")
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_POLICY_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}) ?([a-zA-Z]{0,3})", re.ASCII)
_UNITS = {"": 1, "b": 1, "o": 1}
for _power, _letter in enumerate("kmgt", start=1):
    _UNITS |= dict.fromkeys((_letter + "b", _letter + "o"), 1000**_power)
    _UNITS |= dict.fromkeys((_letter + "ib", _letter + "io"), 1024**_power)


def table(out: Refusals, key: str, node: Node) -> Table | None:
    if isinstance(node, Table):
        return node
    out.add(
        node.line, N_("{key} should be a table of keys and values; found {found}"),
        key=key, expected="a table", found=describe(node),
    )  # fmt: skip
    return None


def items(out: Refusals, key: str, node: Node) -> Items | None:
    if isinstance(node, Items):
        return node
    out.add(
        node.line, N_("{key} should be a list; found {found}"),
        key=key, expected="a list", found=describe(node), hint=N_("begin each line with a dash"),
    )  # fmt: skip
    return None


def text(out: Refusals, key: str, node: Node, limit: int = MAX_MESSAGE) -> str | None:
    """Some text, not empty, at most ``limit`` characters; one line, for a notice has no line breaks of its own."""
    if isinstance(node, Text) and 0 < len(node.text.strip()) <= limit:
        return " ".join(node.text.split())
    out.add(
        node.line, N_("{key} should be a text of 1 to {limit} characters; found {found}"),
        key=key, limit=limit, expected=f"text of 1 to {limit} characters", found=describe(node),
    )  # fmt: skip
    return None


def word(out: Refusals, key: str, node: Node, allowed: Iterable[str]) -> str | None:
    """One word of a closed list."""
    if isinstance(node, Text) and node.text in (known := list(allowed)):
        return node.text if known else None
    out.not_one_of(node.line, key, node.text if isinstance(node, Text) else describe(node), allowed)
    return None


def decision(out: Refusals, key: str, node: Node) -> Decision | None:
    found = word(out, key, node, [each.value for each in Decision])
    return None if found is None else Decision(found)


def flag(out: Refusals, key: str, node: Node) -> str | None:
    """``yes`` or ``no``; true, false, oui and non are read as such."""
    if isinstance(node, Text) and node.text.lower() in _TRUTH:
        return YES_NO[0] if _TRUTH[node.text.lower()] else YES_NO[1]
    out.add(
        node.line, N_("{key} should be yes or no; found {found}"), key=key, expected="yes, no", found=describe(node)
    )  # fmt: skip
    return None


def whole(out: Refusals, key: str, node: Node, high: int) -> int | None:
    """A whole number from 0 to ``high``."""
    if isinstance(node, Text) and _WHOLE.fullmatch(node.text) and int(node.text) <= high:
        return int(node.text)
    out.add(
        node.line, N_("{key} should be a whole number from 0 to {high}; found {found}"),
        key=key, high=high, expected=f"0 to {high}", found=describe(node),
    )  # fmt: skip
    return None


def size(out: Refusals, key: str, node: Node, high: int) -> int | None:
    """Bytes: ``10 MB`` is ten million, ``10 MiB`` is ten times 2^20; o stands for B; without a unit, bytes."""
    if isinstance(node, Text) and (match := _SIZE.fullmatch(node.text)):
        unit = _UNITS.get(match[2].lower())
        if unit and int(match[1]) * unit <= high:
            return int(match[1]) * unit
    out.add(
        node.line, N_("{key} should be a size such as 500 kB, 10 MB or 2 GiB; found {found}"),
        key=key, expected="a size", found=describe(node),
    )  # fmt: skip
    return None


def day(out: Refusals, key: str, node: Node) -> str | None:
    """A day of the calendar, written 2027-01-31."""
    if isinstance(node, Text) and _DAY.fullmatch(node.text):
        try:
            return date.fromisoformat(node.text).isoformat()
        except ValueError:
            pass
    out.add(
        node.line, N_("{key} should be a day such as 2027-01-31; found {found}"),
        key=key, expected="a day", found=describe(node),
    )  # fmt: skip
    return None


def name(out: Refusals, key: str, node: Node) -> str | None:
    """A name of the administrator's world: no blanks, no wildcards. Services and extensions are lower case."""
    if isinstance(node, Text) and _NAME.fullmatch(node.text):
        lower = node.text if key in {"user", "group"} else node.text.lower()
        if key != "extension" or _EXTENSION.fullmatch(lower):
            return lower
    out.add(
        node.line, N_("{key} should be a name of up to 64 characters without blanks, * or ?; found {found}"),
        key=key, expected="a name", found=describe(node),
        hint=N_("an extension is the last one, without its dot: gz, not tar.gz") if key == "extension" else "",
    )  # fmt: skip
    return None


def identifier(out: Refusals, key: str, node: Node, *, slashes: bool = False) -> str | None:
    """The name of a rule or (with slashes) of a policy."""
    if isinstance(node, Text) and (_POLICY_NAME if slashes else _IDENTIFIER).fullmatch(node.text):
        return node.text
    out.add(
        node.line, N_("{key} should be lower-case letters, digits, dots and dashes; found {found}"),
        key=key, expected="a name such as usb-01", found=describe(node),
    )  # fmt: skip
    return None


def device(out: Refusals, key: str, node: Node) -> str | None:
    """A device pattern, in normal form."""
    pattern = normal_pattern(node.text) if isinstance(node, Text) else None
    if pattern is None:
        out.add(
            node.line, N_("{key} should be a device such as usb:0951:1666:*; found {found}"),
            key=key, expected="bus:vendor:product:serial", found=describe(node),
            hint=N_("bus:vendor:product:serial; vendor and product are four hexadecimal digits or *"),
        )  # fmt: skip
    return pattern


def localised(out: Refusals, key: str, node: Node) -> Localised:
    """Texts by language: ``{fr: …, en: …}``."""
    found = table(out, key, node)
    if found is None:
        return ()
    if not found.entries:
        out.add(node.line, N_("{key} is empty"), key=key, expected=", ".join(LANGUAGES), found="nothing")
    result = []
    for language, value in found.entries:
        if language.text not in LANGUAGES:
            out.unknown_key(language.line, language.text, LANGUAGES)
        elif (content := text(out, f"{key}.{language.text}", value)) is not None:
            result.append((language.text, content))
    return tuple(result)


def one_or_more(out: Refusals, key: str, node: Node) -> tuple[Node, ...]:
    """The items of a list, or the single value; an empty list is refused: it would mean « never » in silence."""
    if not isinstance(node, Items):
        return (node,)
    if not 0 < len(node.items) <= MAX_WORDS:
        out.add(
            node.line, N_("{key} should hold 1 to {limit} values; found {found}"),
            key=key, limit=MAX_WORDS, expected=f"1 to {MAX_WORDS}", found=str(len(node.items)),
        )  # fmt: skip
        return ()
    return node.items
