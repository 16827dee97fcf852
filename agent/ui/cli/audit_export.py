"""The forms in which audit records leave for other programs: JSON Lines, CSV, OCSF. Pure: one record in, one value out.

OCSF 1.8.0: a transfer is a Data Security Finding (2006), everything else Event Log Activity (1008); what has no place
there goes whole into ``unmapped``. No form ever holds a private part.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

FORMATS = ("jsonl", "csv", "ocsf")
COLUMNS = (
    "i", "t", "k", "channel", "service", "judgement", "kind", "confidence", "patients", "format", "size", "ext",
    "decision", "wanted", "rule", "policy", "release", "mode", "act", "of", "result", "action", "held", "problem",
    "file", "volume", "user", "state", "what", "word",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DISPOSITIONS = {"observe": 15, "inform": 15, "justify": 15, "encrypt": 11, "block": 2}  # detected, corrected, blocked
_SEVERITIES = {"observe": 1, "inform": 2, "justify": 2, "encrypt": 3, "block": 3}


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


def ocsf(fields: Mapping[str, Any], log: str, version: str) -> dict[str, Any]:
    """The record as an OCSF event; ``log`` is the log's name, by which and the index it is one event for ever."""
    transfer = fields.get("k") == "transfer"
    decision = str(fields.get("decision", ""))
    uid = f"{log}/{fields['i']}"
    event: dict[str, Any] = {
        "class_uid": 2006 if transfer else 1008,
        "category_uid": 2 if transfer else 1,
        "type_uid": 200601 if transfer else 100899,
        "activity_id": 1 if transfer else 99,
        "severity_id": _SEVERITIES.get(decision, 1),
        "time": fields["t"] // 1000,
        "metadata": {
            "version": "1.8.0", "uid": uid, "sequence": fields["i"], "event_code": str(fields["k"]),
            "log_name": "serment-audit", "profiles": ["security_control", "host"] if transfer else ["host"],
            "product": {"name": "Serment", "vendor_name": "Serment", "version": version},
        },
        "device": {"type_id": 3, "uid": log, "os": {"type_id": 200, "name": "Linux"}},
        "unmapped": {"serment": dict(fields)},
    }  # fmt: skip
    if transfer:
        event |= _finding(fields, uid, decision)
    else:
        event["activity_name"] = str(fields["k"])
    return event


def _finding(fields: Mapping[str, Any], uid: str, decision: str) -> dict[str, Any]:
    score = fields.get("confidence", 0)
    return {
        "is_alert": decision not in {"", "observe"},
        "status_id": 1,
        "action_id": 2 if decision == "block" else 1,
        "disposition_id": _DISPOSITIONS.get(decision, 0),
        "confidence_score": score // 10 if isinstance(score, int) else 0,
        "finding_info": {
            "uid": uid, "title": str(fields.get("judgement", "")), "created_time": fields["t"] // 1000,
            "types": [f"dlp.{fields.get('channel', '')}"],
            "analytic": {"uid": str(fields.get("rule", "")), "name": str(fields.get("rule", "")), "type_id": 1},
        },
        "data_security": {
            "category_id": 1, "confidentiality_id": 6, "data_lifecycle_state_id": 3, "detection_system_id": 1,
            "detection_pattern": str(fields.get("kind", "")),
            "policy": {"uid": str(fields.get("policy", "")), "version": str(fields.get("release", ""))},
        },
        "actor": {"user": {"uid": str(fields.get("user", ""))}},
        "file": {"name": str(fields.get("file", "")), "type_id": 1, "ext": str(fields.get("ext", "")),
                 "size": fields.get("size", 0)},
    }  # fmt: skip
