"""The one catalogue: French and English. Messages are English keys; ``locale/fr`` holds the French texts.

Pure parts never translate: they return codes and keys. Only the edge (ui, placeholders, the collector's pages) does.
"""

from __future__ import annotations

import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("fr", "en")
_LOCALE = Path(__file__).parent / "locale"
_HEAD = struct.Struct("<5I")  # magic number, revision, how many, where the messages are, where the texts (GNU gettext)
_MAGIC = 0x950412DE
_ENTRY = struct.Struct("<2I")  # length and place


class Count(int):
    """A number that a sentence counts with: ``"{rows} {rows:row|rows}".format(rows=Count(1))`` is « 1 row ».

    Plural forms of gettext belong to a whole message and one number; a sentence here may count two things. With a bar
    behind both words none counts as one does: ``{rows:ligne|lignes|}``. Any other format specification is that of
    ``int``.
    """

    def __format__(self, specification: str) -> str:
        one, *many = specification.split("|")
        if not many:
            return int.__format__(self, specification)
        return one if self == 1 or (self == 0 and len(many) > 1) else many[0]


class _Messages(Sequence[bytes]):
    """One table of a .mo file, sorted as the format wants the messages to be; nothing of it is copied."""

    def __init__(self, data: mmap.mmap, count: int, at: int) -> None:
        self._data, self._count, self._at = data, count, at

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]
        length, at = _ENTRY.unpack_from(self._data, self._at + _ENTRY.size * number)
        return self._data[at : at + length]


class Catalogue:
    """The texts of one language, looked up where they lie in the file: half a megabyte that nobody keeps in memory.

    ``gettext`` and ``ngettext`` as of the standard library's translations, for messages without plural and context.
    """

    def __init__(self, file: Path, *, none_is_one: bool = False) -> None:
        """A file that is not there, or is none of gettext's, has no texts: messages are said as they are.

        ``none_is_one``: the language counts none as it counts one (« 0 document »); its texts need not say so.
        """
        self._none_is_one = none_is_one
        self._messages: _Messages | None = None
        try:
            with file.open("rb") as opened:
                data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
            magic, _revision, count, messages, texts = _HEAD.unpack_from(data)
        except (OSError, ValueError, struct.error):
            return
        if magic == _MAGIC and max(messages, texts) + _ENTRY.size * count <= len(data):
            self._messages, self._texts = _Messages(data, count, messages), _Messages(data, count, texts)

    def gettext(self, message: str) -> str:
        """The text of ``message`` in this language; ``message`` itself when there is none."""
        if self._messages is None:
            return message
        wanted = message.encode()
        number = bisect_left(self._messages, wanted)
        found = number < len(self._messages) and self._messages[number] == wanted
        text = (self._texts[number].decode() or message) if found else message
        return _counting_none_as_one(text) if self._none_is_one and "|" in text else text

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The text for so many."""
        return self.gettext(one if number == 1 else many)


def _counting_none_as_one(text: str) -> str:
    """The text with a bar behind the words of each count: see ``Count``."""
    *pieces, last = text.split("}")
    return "}".join([*(each + "|" if "|" in each.rpartition("{")[2] else each for each in pieces), last])


@lru_cache(maxsize=4)
def catalogue(language: str) -> Catalogue:
    """The texts of a language (``fr`` or ``en``); English, the language of the keys, when there is no other."""
    file = _LOCALE / (language if language in LANGUAGES else "none") / "LC_MESSAGES" / "serment.mo"
    return Catalogue(file, none_is_one=language == "fr")


def preferred(environment: Mapping[str, str] = os.environ) -> str:
    """``fr`` or ``en`` by the usual variables (LANGUAGE, LC_ALL, LC_MESSAGES, LANG); French when they say nothing."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for value in environment.get(name, "").split(":"):
            if value[:2] in LANGUAGES:
                return value[:2]
            if value and value not in {"C", "POSIX"} and not value.startswith("C."):
                return "en"
    return "fr"
