"""The reader's language for the writers of a dossier: a translation, and the words of codes. Pure.

Whoever calls brings both: the catalogue belongs to the edge, and so do the names of channels and kinds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import LABELLED, N_
from agent.i18n import Count

_SIZES = ((1, N_("{number} bytes")), (1 << 10, N_("{number} kB")), (1 << 20, N_("{number} MB")))
_DATE = N_("%Y-%m-%d at %H:%M:%S")
_DETAIL = re.compile(r"\s*[(:]?\s*\{[a-z_]+\}[^)]*\)?")
_BOTH = N_("{local} ({zone}; {utc} UTC)")
TO_COMPLETE = N_("[to be completed]")


@dataclass(frozen=True, slots=True)
class Words:
    """``tables``: by name (channel, kind, problem, judgement, trouble), code → catalogue key."""

    language: str
    translate: Callable[[str], str]
    tables: Mapping[str, Mapping[Any, str]]

    def say(self, text: str, /, **fields: object) -> str:
        """A text of the catalogue; whole numbers may be counted with."""
        counted = {key: Count(value) if type(value) is int else value for key, value in fields.items()}
        return self.translate(text).format(**counted)

    def word(self, table: str, code: object) -> str:
        """The words of ``code``; one that a newer version wrote is shown as it is."""
        text = self.tables.get(table, {}).get(str(code))
        return self.translate(text) if text is not None else str(code)

    def trouble(self, code: str) -> str:
        """The words of a trouble, without the details that the log does not keep."""
        return _DETAIL.sub("", self.word("trouble", code))

    def labelled(self, name: str, text: str) -> str:
        """« name: text »."""
        return self.say(LABELLED, name=name, text=text)

    def size(self, count: int) -> str:
        """A number of bytes as people say it."""
        unit, text = next(pair for pair in reversed(_SIZES) if count >= pair[0] * 0.97 or pair[0] == 1)
        number = f"{count / unit:.1f}" if unit > 1 else str(count)
        return self.say(text, number=number.replace(".", self.translate(N_("."))))

    def when(self, moment: Mapping[str, str] | None) -> str:
        """A moment as the dossier has it: local, with the zone, and UTC beside."""
        if moment is None:
            return self.translate(N_("not known"))
        local, utc = dt.datetime.fromisoformat(moment["local"]), dt.datetime.fromisoformat(moment["utc"])
        shown = local.strftime(self.translate(_DATE))
        if not local.utcoffset():
            return f"{shown} UTC"
        return self.say(_BOTH, local=shown, zone=zone(moment), utc=f"{utc:%H:%M:%S}")

    def short(self, moment: Mapping[str, str] | None) -> str:
        """Without seconds and UTC, for tables that say the zone once."""
        if moment is None:
            return self.translate(N_("not known"))
        return dt.datetime.fromisoformat(moment["local"]).strftime(self.translate(N_("%Y-%m-%d %H:%M")))


def zone(moment: Mapping[str, str]) -> str:
    """« UTC+01:00 »."""
    return f"UTC{moment['local'][19:]}"
