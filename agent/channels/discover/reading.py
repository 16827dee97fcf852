"""A user's home as the discovery child reads it: bounded, regular files only, never blocking.

Handed to every client's module. Symbolic links are followed (people keep their settings in a repository): the child
has the rights of that user and no others, so a link leads nowhere that the user could not read anyway.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

MAX_FILE = 4 << 20  # bytes of a text file; a larger one is no configuration
MAX_DATABASE = 1 << 30  # bytes of an SQLite file
MAX_ENTRIES = 4_000  # of one folder
MAX_ROWS = 256
MAX_STEPS = 2_000  # thousand SQLite instructions


@dataclass(frozen=True, slots=True)
class Found:
    """A folder that a client synchronises or saves to; or, with ``problem``, why it cannot be known."""

    service: str
    path: bytes = b""
    problem: str = ""
    host: str = ""  # where it goes, as the settings say it: a host's name, or ""


class Home:
    """Reads below one home; relative names are text of ours, not of the user."""

    def __init__(self, path: bytes) -> None:
        self.path = path

    def at(self, relative: str) -> bytes:
        return os.path.join(self.path, os.fsencode(relative))

    def read(self, relative: str) -> str | None:
        """The text of a regular file (UTF-8, broken bytes kept), or None when there is none that can be read."""
        try:
            fd = os.open(self.at(relative), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except (OSError, ValueError):
            return None
        try:
            state = os.fstat(fd)
            if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_FILE:
                return None
            data = b""
            while len(data) <= MAX_FILE and (block := os.read(fd, MAX_FILE + 1 - len(data))):
                data += block
            return None if len(data) > MAX_FILE else data.decode("utf-8", "surrogateescape")
        except OSError:
            return None
        finally:
            os.close(fd)

    def folders(self, relative: str) -> list[str]:
        """The names of the folders in a folder, at most MAX_ENTRIES looked at; empty when there is none."""
        try:
            with os.scandir(os.fsdecode(self.at(relative))) as entries:
                return sorted(
                    entry.name for _, entry in zip(range(MAX_ENTRIES), entries, strict=False) if entry.is_dir()
                )
        except (OSError, ValueError):
            return []

    def files(self, relative: str, suffix: str) -> list[str]:
        """The names of the files in a folder that end in ``suffix``."""
        try:
            with os.scandir(os.fsdecode(self.at(relative))) as entries:
                names = [entry.name for _, entry in zip(range(MAX_ENTRIES), entries, strict=False)]
        except (OSError, ValueError):
            return []
        return sorted(name for name in names if name.endswith(suffix))

    def is_folder(self, relative: str) -> bool:
        return os.path.isdir(self.at(relative))

    def exists(self, relative: str) -> bool:
        return os.path.lexists(self.at(relative))

    def expand(self, text: str) -> bytes | None:
        """An absolute path from a setting: ``~``, ``$HOME``, ``%h`` and ``file://`` understood; otherwise None."""
        try:
            if b"\0" in os.fsencode(text):
                return None
        except UnicodeEncodeError:  # half a surrogate pair, from an escape in JSON: no file has such a name
            return None
        for prefix in ("~/", "$HOME/", "${HOME}/", "%h/"):
            if text.startswith(prefix):
                return os.path.normpath(self.at(text[len(prefix) :].lstrip("/") or "."))
        if text in {"~", "$HOME", "${HOME}", "%h"}:
            return self.path
        if not text.startswith("/"):
            return None
        return os.path.normpath(os.fsencode(text))

    def rows(self, relative: str, query: str) -> Iterator[tuple[object, ...]]:
        """At most MAX_ROWS rows of an SQLite file; nothing when it is none, is locked, or takes too long."""
        import sqlite3

        path = self.at(relative)
        try:
            state = os.stat(path)
        except (OSError, ValueError):
            return
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_DATABASE:
            return
        for mode in ("mode=ro", "mode=ro&immutable=1"):  # the second when the write-ahead log cannot be shared
            try:
                yield from _query(path, mode, query)
                return
            except (sqlite3.Error, UnicodeDecodeError):  # the second: a message that quotes a broken name
                continue


def _query(path: bytes, mode: str, query: str) -> list[tuple[object, ...]]:
    import sqlite3
    from urllib.parse import quote_from_bytes

    connection = sqlite3.connect(f"file:{quote_from_bytes(path)}?{mode}", uri=True, timeout=0.2)
    try:
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        budget = iter(range(MAX_STEPS))
        connection.set_progress_handler(lambda: next(budget, None) is None, 1000)
        return list(connection.execute(query).fetchmany(MAX_ROWS))
    finally:
        connection.close()


def qt_value(text: str) -> str:
    r"""A value of a Qt INI file: quotes taken off, ``\x`` (hexadecimal, greedy), octal and C escapes undone.

    Source: Qt documentation, QSettings, section «Format::IniFormat».
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    out, position = [], 0
    while position < len(text):
        if text[position] != "\\" or position + 1 == len(text):
            out.append(text[position])
            position += 1
            continue
        char, position = text[position + 1], position + 2
        if char == "x":
            end = position
            while end < len(text) and end < position + 4 and text[end] in "0123456789abcdefABCDEF":
                end += 1
            out.append(chr(int(text[position:end], 16)) if end > position else "")
            position = end
        else:
            out.append(_C_ESCAPES.get(char, char))
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_C_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def ini_items(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, key and raw value of every line of an INI file, whatever else is in it."""
    section = ""
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("[") and bare.endswith("]"):
            section = bare[1:-1]
        elif "=" in bare and not bare.startswith((";", "#")):
            key, _, value = bare.partition("=")
            yield section, key.strip(), value.strip()
