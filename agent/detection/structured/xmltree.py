"""Hostile XML into a small bounded tree, with the namespaces resolved leniently.

Entities are never expanded and nothing external is read; depth, element count and text are bounded; a broken tail
keeps what came before it. Real exports forget to declare prefixes, so prefixes are resolved here and not by expat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

MAX_ELEMENTS = 100_000
MAX_DEPTH = 64  # deeper elements are read over, not kept
MAX_TEXT = 2_000  # characters kept of one element's own text
_SLICE = 65_536
_MAX_ENTITIES = 64  # declarations; more, or one made of others, is a bomb and the document is left there
_TAIL = 4_000  # bytes at the end in which the root is looked for
_INVALID_TOKEN = 4  # XML_ERROR_INVALID_TOKEN, what expat says of bytes that are not in the declared encoding


class _EnoughError(Exception):
    """Enough was read, or the document asks for what is refused."""


class Node:
    """One element: local name, namespace (or the undeclared prefix, or ""), attributes by local name, own text."""

    __slots__ = ("attributes", "children", "name", "space", "text")

    def __init__(self, name: str, space: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.space = space
        self.attributes = attributes
        self.text = ""
        self.children: list[Node] = []

    def get(self, attribute: str) -> str:
        """An attribute's value, "" when absent."""
        return self.attributes.get(attribute, "")

    def all(self, *path: str) -> list[Node]:
        """The descendants reached by this path of local names; every match of every step, in document order."""
        found = [self]
        for name in path:
            found = [child for node in found for child in node.children if child.name == name]
        return found

    def first(self, *path: str) -> Node | None:
        """The first descendant on this path, or None."""
        return next(iter(self.all(*path)), None)

    def say(self, *path: str) -> str:
        """The stripped text of the first element on this path, "" when there is none."""
        node = self.first(*path)
        return node.text.strip() if node is not None else ""

    def walk(self) -> Iterator[Node]:
        """The element itself and all below it, in document order, without recursion."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


class _Builder:
    def __init__(self, stop: frozenset[str], limit: int) -> None:
        self.root: Node | None = None
        self._stack: list[Node] = []
        self._scopes: list[dict[str, str]] = [{}]
        self._depth = 0
        self._count = 0
        self._stop = stop
        self._limit = limit
        self._entities = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._count > self._limit:
            raise _EnoughError
        if self._depth > MAX_DEPTH:
            return
        node = self._make(tag, attributes)
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self.root = node
        self._stack.append(node)
        if node.name in self._stop:
            raise _EnoughError

    def _make(self, tag: str, attributes: dict[str, str]) -> Node:
        scope = self._scopes[-1]
        declared = {key[6:]: value for key, value in attributes.items() if key == "xmlns" or key.startswith("xmlns:")}
        if declared:
            scope = {**scope, **declared}
            if len(scope) > 256:
                raise _EnoughError
        self._scopes.append(scope)
        prefix, _, local = tag.rpartition(":")
        kept = {key.rpartition(":")[2]: value for key, value in attributes.items() if not key.startswith("xmlns")}
        return Node(local, scope.get(prefix, prefix), kept)

    def end(self, _tag: str) -> None:
        if self._depth <= MAX_DEPTH:
            self._stack.pop()
            self._scopes.pop()
        self._depth -= 1

    def text(self, data: str) -> None:
        if self._depth <= MAX_DEPTH and self._stack and len(self._stack[-1].text) < MAX_TEXT:
            self._stack[-1].text += data[:MAX_TEXT]

    def entity(self, _name: str, _parameter: bool, value: str | None, *_source: object) -> None:
        self._entities += 1
        if self._entities > _MAX_ENTITIES or (
            value is not None and ("&" in value or "%" in value or len(value) > 1_000)
        ):
            raise _EnoughError


def _pass(_data: str) -> None:
    """With a default handler expat hands over references to declared entities as they are, unexpanded."""


def _run(raw: bytes, builder: _Builder, encoding: str | None) -> int:
    """Feed expat; the error code, 0 for a clean or a deliberately stopped parse."""
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = builder.entity
    parser.DefaultHandler = _pass
    try:
        for offset in range(0, len(raw), _SLICE):
            parser.Parse(raw[offset : offset + _SLICE], False)
    except _EnoughError:
        return 0
    except expat.ExpatError as error:
        return error.code
    except (ValueError, LookupError):  # an encoding that Python does not know
        return _INVALID_TOKEN
    return 0


def parse(raw: bytes, *, stop: frozenset[str] = frozenset(), limit: int = MAX_ELEMENTS) -> Node | None:
    """The root element, or None when there is none. Reading ends at the first element named in ``stop`` (kept, empty),
    after ``limit`` elements, or where the document breaks. Bytes that are not in the declared encoding are read as
    Latin-1, as old French software writes them.
    """
    raw = raw.lstrip(b" \t\r\n\x0b\x00") if raw[:1].isspace() or raw[:1] == b"\x0b" else raw
    builder = _Builder(stop, limit)
    if _run(raw, builder, None) == _INVALID_TOKEN and raw[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        second = _Builder(stop, limit)
        _run(raw, second, "iso-8859-1")
        return second.root if second.root is not None else builder.root
    return builder.root


def is_closed(raw: bytes, name: str) -> bool:
    """Whether the element ``name`` is closed at the end of the document; False for one that was cut."""
    tail = raw[-_TAIL:].replace(b"\0", b"").rstrip()
    element = re.escape(name.encode("utf-8", "replace"))
    closing = rb"(?:</(?:[\w.-]{1,60}:)?" + element + rb"\s*|<(?:[\w.-]{1,60}:)?" + element + rb"\b[^<>]*/)>"
    return re.search(closing, tail) is not None


def root_of(raw: bytes) -> Node | None:
    """The root element alone (its attributes, no children), cheaply."""
    return parse(raw, limit=1)
