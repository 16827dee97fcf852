"""Patient records in lines of « key = value » under [headings]: INI and TOML files of devices and small programs.

Takes the text of a file, gives the records in it to ``records``; a configuration has the lines and no patient. Only a
text that consists of such lines is one: a letter or a program with an assignment in it is not.
"""

from __future__ import annotations

import re
from typing import Any

from agent.detection.structured.base import Recognised
from agent.detection.structured.records import recognise_records

_HEADING = re.compile(r"\[{1,2}\s*([^\[\]\n]{1,60}?)\s*\]{1,2}")
_LINE = re.compile(r"([\w.\-\"' ]{1,60}?)\s{0,8}=\s{0,8}(.{0,4000})")
_HEAD = 8_000  # characters that tell what the text is
_LOOK = 40  # lines that tell what the text is
_LEAST, _SHARE = 4, 0.8
_MOST = 100_000  # lines


def recognise_keyed(text: str) -> Recognised | None:
    """Judge a file of headings and keys; None when it is none, or nobody's record is in it."""
    text = text.lstrip("\ufeff")
    if "=" not in text[:2_000] or not _is_keyed(text[:_HEAD].split("\n")):
        return None
    return recognise_records(_tree(text.split("\n", _MOST)[:_MOST]))


def _is_keyed(lines: list[str]) -> bool:
    told = [line.strip() for line in lines if line.strip() and line.lstrip()[:1] not in "#;"][:_LOOK]
    fitting = [line for line in told if _LINE.fullmatch(line)]
    headings = sum(_HEADING.fullmatch(line) is not None for line in told)
    return len(fitting) >= _LEAST and headings > 0 and len(fitting) + headings >= _SHARE * len(told)


def _tree(lines: list[str]) -> dict[str, Any]:
    """Headings as keys, of lists where one comes several times."""
    tree: dict[str, Any] = {}
    here = tree
    for line in lines:
        bare = line.strip()
        if heading := _HEADING.fullmatch(bare):
            here = {}
            tree.setdefault(heading[1][:60], []).append(here)
        elif bare and bare[0] not in "#;" and (found := _LINE.fullmatch(bare)):
            here[found[1].strip(" \"'")] = found[2].strip().strip("\"'")
    return tree
