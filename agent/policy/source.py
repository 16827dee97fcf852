"""The bytes of a policy file → a tree of texts with their lines. Owns everything that is YAML; knows no vocabulary.

YAML is read as events, never as Python values: every scalar stays the text that stands in the file, so that ``no``,
``0951`` or ``2027-01-31`` mean what the vocabulary says and not what YAML 1.1 guesses. Refused here: more than 1 MiB,
bytes that are not UTF-8, control and text-direction characters (a person approves this file by reading it), aliases
and anchors (bombs), tags, keys that appear twice, keys that are no plain text, a second document, deep nesting.
Raises PolicyError and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.errors import N_, PolicyError
from agent.policy.refusal import refusal, shown

MAX_BYTES = 1 << 20
MAX_DEPTH = 8  # the format itself needs 5
MAX_NODES = 200_000
MAX_TEXT = 2_000  # characters of one scalar

# all but what YAML 1.1 calls printable; also NEL and the line separators (they would shift the line numbers) and the
# characters that make text read differently from what it is (bidirectional controls). Said as what is forbidden, which
# compiles ten times faster than the complement of what is allowed.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)

_UNREADABLE = N_("holds the character {found}, which cannot be read on a screen")


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, as it is written (quotes removed). ``line`` is 1-based."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order of the file; keys are unique."""

    entries: tuple[tuple[Text, Node], ...]
    line: int


Node = Text | Items | Table


def describe(node: Node) -> str:
    """What a node is, for « found … »; signs, not words: they stand in messages of any language."""
    if isinstance(node, Text):
        return shown(node.text)
    return "[…]" if isinstance(node, Items) else "{…}"


def read_tree(data: bytes, file: str) -> Table:
    """The tree of a policy file. Raises PolicyError for the first problem."""
    text = _decode(data, file)
    try:
        root = _Builder(file, _events(text)).document()
    except _yaml_error() as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        why = getattr(error, "problem", None) or "unreadable"
        line = mark.line + 1 if mark else 0
        raise refusal(file, line, "", N_("is not valid YAML: {why}"), expected="YAML", why=why) from error
    if not isinstance(root, Table):
        raise refusal(
            file, root.line, "", N_("should begin with «serment: 1»; found {found}"),
            expected="a table", found=describe(root), hint=N_("see docs/formats/policy.md"),
        )  # fmt: skip
    return root


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise refusal(file, 0, "", N_("is larger than {expected} bytes"), expected=str(MAX_BYTES), found=str(len(data)))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refusal(file, line, "", N_("is not UTF-8 text"), expected="UTF-8") from error
    if bad := _FORBIDDEN.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise refusal(
            file, line, "", _UNREADABLE,
            expected="printable text", found=f"U+{ord(bad.group()):04X}", hint=N_("remove it"),
        )  # fmt: skip
    return text


def _yaml_error() -> type[Exception]:
    import yaml

    return yaml.YAMLError


def _events(text: str) -> Iterator[Any]:
    """YAML events, one at a time: a bomb is refused before it is read to its end."""
    import yaml

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    yield from yaml.parse(text, Loader=loader)


class _Builder:
    """Events → nodes, with every limit. One use."""

    def __init__(self, file: str, events: Iterator[Any]) -> None:
        self._file = file
        self._events = events
        self._nodes = 0

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                if root is not None:
                    raise self._refuse(event, N_("holds a second document"), hint=N_("one policy a file"))
                root = self._node(next(self._events), 1)
        if root is None:
            raise refusal(self._file, 0, "", N_("is empty"), expected="a policy", hint=N_("see docs/formats/policy.md"))
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        name = type(event).__name__
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise self._refuse(event, N_("is nested too deep or too long"))
        if name == "AliasEvent" or event.anchor is not None:
            raise self._refuse(event, N_("anchors and aliases are not allowed"), hint=N_("write the value out"))
        if event.tag is not None:
            raise self._refuse(event, N_("tags are not allowed"), found=shown(event.tag), hint=N_("remove it"))
        if name == "ScalarEvent":
            if len(event.value) > MAX_TEXT:
                raise self._refuse(event, N_("a text is longer than {limit} characters"), limit=MAX_TEXT)
            if bad := _FORBIDDEN.search(event.value):  # written as an escape: "\u202e"
                raise self._refuse(event, _UNREADABLE, found=f"U+{ord(bad.group()):04X}", hint=N_("remove it"))
            empty = event.implicit[0] and event.value in {"~", "null"}
            return Text("" if empty else event.value, line)
        return self._items(line, depth) if name == "SequenceStartEvent" else self._table(line, depth)

    def _items(self, line: int, depth: int) -> Items:
        items = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._node(event, depth + 1))
        return Items(tuple(items), line)

    def _table(self, line: int, depth: int) -> Table:
        entries: dict[str, tuple[Text, Node]] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._node(event, depth + 1)
            if not isinstance(key, Text):
                raise self._refuse(event, N_("a key should be a word"), found=describe(key))
            if key.text in entries:
                raise self._refuse(
                    event, N_("key {found} appears twice; first on line {first}"),
                    found=shown(key.text), first=entries[key.text][0].line,
                )  # fmt: skip
            entries[key.text] = (key, self._node(next(self._events), depth + 1))
        return Table(tuple(entries.values()), line)

    def _refuse(self, event: Any, message: str, *, hint: str = "", found: str = "", **more: Any) -> PolicyError:
        return refusal(self._file, event.start_mark.line + 1, "", message, found=found, hint=hint, **more)
