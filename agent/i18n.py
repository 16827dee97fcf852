"""The one catalogue: French and English. Messages are English keys; ``locale/fr`` holds the French texts.

Pure parts never translate: they return codes and keys. Only the edge (ui, placeholders, the collector's pages) does.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("fr", "en")
_LOCALE = Path(__file__).parent / "locale"


class Count(int):
    """A number that a sentence counts with: ``"{rows} {rows:row|rows}".format(rows=Count(1))`` is « 1 row ».

    Plural forms of gettext belong to a whole message and one number; a sentence here may count two things. Any other
    format specification is that of ``int``.
    """

    def __format__(self, specification: str) -> str:
        one, bar, many = specification.partition("|")
        return (one if self == 1 else many) if bar else int.__format__(self, specification)


@lru_cache(maxsize=4)
def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of a language (``fr`` or ``en``); English, the language of the keys, when there is no other."""
    return gettext.translation("serment", localedir=_LOCALE, languages=[language], fallback=True)


def preferred(environment: Mapping[str, str] = os.environ) -> str:
    """``fr`` or ``en`` by the usual variables (LANGUAGE, LC_ALL, LC_MESSAGES, LANG); French when they say nothing."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for value in environment.get(name, "").split(":"):
            if value[:2] in LANGUAGES:
                return value[:2]
            if value and value not in {"C", "POSIX"} and not value.startswith("C."):
                return "en"
    return "fr"
