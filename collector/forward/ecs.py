"""An event in the Elastic Common Schema (8.11), for Elasticsearch and what reads ECS. Pure."""

from __future__ import annotations

import time
from typing import Any

from collector.forward.event import Event

_CATEGORIES = {"transfer": "file", "outcome": "file", "release": "file", "restore": "file", "policy": "configuration",
               "place": "host", "emergency": "file"}  # fmt: skip
_TYPES = {"block": "denied", "observe": "info"}


def ecs(event: Event, received_ms: int) -> dict[str, Any]:
    """The event as a document. ``received_ms``: milliseconds since 1970 UTC."""
    decision, failed = event.text("decision"), event.text("result") not in {"", "done"}
    made: dict[str, Any] = {
        "@timestamp": instant(event.time_us), "ecs": {"version": "8.11"}, "message": event.said(),
        "event": {
            "id": event.uid, "kind": "alert" if event.is_alert else "event", "sequence": event.number,
            "category": [_CATEGORIES.get(event.kind, "host")], "type": [_TYPES.get(decision, "info")],
            "action": event.code, "outcome": "failure" if decision == "block" or failed else "success",
            "severity": event.level, "ingested": instant(received_ms * 1000), "module": "serment",
            "dataset": "serment.audit", "provider": "serment",
        },
        "host": {"id": event.laptop, "name": event.laptop},
        "observer": {"vendor": "Serment", "product": "Serment", "type": "dlp"},
        "serment": dict(event.fields),
    }  # fmt: skip
    if event.text("rule"):
        made["rule"] = {"id": event.text("rule"), "version": event.text("release")}
    if event.text("user"):
        made["user"] = {"id": event.text("user")}
    if event.group:
        made["labels"] = {"group": event.group}
    file = {"extension": event.text("ext"), "size": event.whole("size")}
    made |= {"file": {name: value for name, value in file.items() if value}} if any(file.values()) else {}
    device = event.table("device")
    names = {"manufacturer": "vendor", "model.name": "product", "serial_number": "serial"}
    found = {name: device[key] for name, key in names.items() if isinstance(device.get(key), str)}
    return made | ({"device": found} if found else {})


def instant(microseconds: int) -> str:
    """ISO 8601 with milliseconds, UTC. What no calendar holds becomes its end."""
    seconds = min(microseconds // 1_000_000, 253_402_300_799)  # the year 9999
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{microseconds // 1000 % 1000:03d}Z"
