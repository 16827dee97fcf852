"""The forms in which audit records leave for other programs: JSON Lines, CSV, OCSF. Pure: one record in, one value out.

OCSF is the collector's own form (``agent.audit.ocsf``). No form ever holds a private part.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from agent.audit.event import Event
from agent.audit.ocsf import ocsf as as_ocsf

FORMATS = ("jsonl", "csv", "ocsf")
COLUMNS = (
    "i", "t", "k", "channel", "service", "judgement", "kind", "confidence", "patients", "format", "size", "ext",
    "decision", "wanted", "rule", "policy", "release", "mode", "act", "of", "result", "action", "held", "problem",
    "file", "volume", "user", "state", "what", "word",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def json_line(fields: Mapping[str, Any]) -> str:
    """The record as it is."""
    return json.dumps(dict(fields), ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def csv_line(values: Mapping[str, Any]) -> str:
    """One line, without its end; a value that a spreadsheet would compute is quoted by an apostrophe."""
    target = io.StringIO()
    csv.writer(target, lineterminator="").writerow([_cell(values.get(name)) for name in COLUMNS])
    return target.getvalue()


def csv_head() -> str:
    return ",".join(COLUMNS)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text if isinstance(value, str) and text.startswith(_FORMULA) else text


def ocsf(fields: Mapping[str, Any], log: str) -> dict[str, Any]:
    """The record as an OCSF event; ``log`` is the log's name, by which and the index it is one event for ever."""
    return as_ocsf(Event(log, "", fields["i"], fields))
