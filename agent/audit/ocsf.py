"""An event as OCSF 1.8.0. Pure. What has no place in a class goes whole into ``unmapped``.

transfer → Data Security Finding 2006 · outcome, release, restore → File System Activity 1001 · a removable place →
Peripheral Activity 1010 · policy → Device Config State Change 5019 · key and dossier acts → Entity Management 3004 ·
everything else → Event Log Activity 1008. tests/vectors/ocsf holds the part of the schema that this is checked against.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from agent.audit.event import Event

VERSION = "1.8.0"
_DISPOSITIONS = {"observe": 15, "inform": 15, "justify": 15, "encrypt": 11, "block": 2}  # detected, corrected, blocked
_ACTIONS = {"block": 2, "encrypt": 99}  # denied; other (a sealed copy went)
_LOG = {"start": 6, "stop": 7, "purge": 2, "erasure": 2}
_FILE = {"release": 2, "restore": 1}  # read, create
_ENTITY = {"keys": 3, "hold": 3, "patients": 3, "dossier": 1, "review": 3, "contest": 1}  # update, create
_DRIVES = {"removable": 2, "cloud_sync": 4, "downloads": 3}  # removable, remote, fixed


def ocsf(event: Event, received_ms: int | None = None) -> dict[str, Any]:
    """The event as a value for JSON. ``received_ms``: when a collector stored it, milliseconds since 1970 UTC."""
    kind = event.kind
    if kind == "transfer":
        return _finding(event, received_ms)
    if kind in {"outcome", *_FILE}:
        return _act(event, received_ms)
    if kind == "place" and event.text("channel") == "removable":
        return _peripheral(event, received_ms)
    if kind == "policy":
        policy = _filled(uid=event.text("policy"), version=event.text("release"), is_applied=not event.text("problem"))
        state = _base(event, received_ms, 5019, 99 if event.text("problem") else 1, "refused")
        return {**state, "policy": policy}
    if kind in _ENTITY:
        entity = {"entity": {"type": kind, "uid": event.laptop}}
        return _base(event, received_ms, 3004, _ENTITY[kind], kind) | entity
    return _base(event, received_ms, 1008, _LOG.get(kind, 99), kind) | {"log_name": "serment-audit"}


def _base(event: Event, received_ms: int | None, class_uid: int, activity: int, name: str) -> dict[str, Any]:
    metadata = _filled(
        version=VERSION, uid=event.uid, sequence=event.number, event_code=event.code, log_name="serment-audit",
        logged_time=received_ms, profiles=["host", "security_control"],
        product={"name": "Serment", "vendor_name": "Serment", "version": _version()},
    )  # fmt: skip
    if isinstance(event.fields.get("of"), int):
        metadata["correlation_uid"] = f"{event.laptop}:{event.whole('of')}"
    device: dict[str, Any] = {
        "type_id": 3, "uid": event.laptop, "hostname": event.laptop, "is_managed": True,
        "os": {"type_id": 200, "name": "Linux"},
    }  # fmt: skip
    if event.group:
        device["groups"] = [{"uid": event.group, "name": event.group}]
    made: dict[str, Any] = {
        "class_uid": class_uid, "category_uid": class_uid // 1000, "activity_id": activity,
        "type_uid": class_uid * 100 + activity, "severity_id": event.level, "time": event.time_us // 1000,
        "message": event.said(), "metadata": metadata, "device": device, "is_alert": event.is_alert,
        "unmapped": {"serment": dict(event.fields)},
    }  # fmt: skip
    if activity == 99:
        made["activity_name"] = name
    return made


def _finding(event: Event, received_ms: int | None) -> dict[str, Any]:
    decision, rule, release = event.text("decision"), event.text("rule"), event.text("release")
    score = min(event.whole("confidence"), 1000) // 10
    finding = {
        "uid": event.uid, "title": f"{event.text('judgement')} {event.text('kind')}".strip(),
        "created_time": event.time_us // 1000, "types": [f"dlp.{event.text('channel')}"],
    }  # fmt: skip
    if rule:
        finding["analytic"] = _filled(uid=rule, name=rule, type_id=1, version=release)
    policy = _filled(
        uid=event.text("policy"), name=event.text("policy"), version=release, is_applied=event.text("mode") != "observe"
    )
    security = _filled(
        category_id=1, confidentiality_id=6 if event.text("judgement") == "medical" else 0, data_lifecycle_state_id=3,
        detection_system_id=1, detection_pattern=event.text("kind"), policy=policy,
        classifier_details={"type": "rules", "name": "serment", "uid": event.text("engine")},
        discovery_details=[
            {"type": str(name), "count": count} for name, count in event.table("evidence").items()
            if isinstance(count, int)
        ],
    )  # fmt: skip
    made = _base(event, received_ms, 2006, 1, "") | {
        "status_id": 1, "action_id": _ACTIONS.get(decision, 1), "disposition_id": _DISPOSITIONS.get(decision, 15),
        "finding_info": finding, "data_security": security, "file": _file(event),
    }  # fmt: skip
    if "confidence" in event.fields:
        made |= {"confidence_score": score, "confidence_id": 3 if score >= 80 else 2 if score >= 50 else 1}
    if event.text("user"):
        made["actor"] = _actor(event)
    if event.table("device"):
        made["resources"] = [_resource(event)]
    return made


def _act(event: Event, received_ms: int | None) -> dict[str, Any]:
    done = event.text("result") in {"", "done"}
    activity = _FILE.get(event.kind, 99)
    made = _base(event, received_ms, 1001, activity, event.text("action") or event.kind)
    extra = _filled(status_id=1 if done else 2, status_detail=event.text("problem") or event.text("result"))
    return {**made, **extra, "actor": _actor(event), "file": _file(event)}


def _peripheral(event: Event, received_ms: int | None) -> dict[str, Any]:
    device = event.table("device")
    peripheral = _filled(
        name=_word(device, "product") or "removable", vendor_name=_word(device, "vendor"),
        model=_word(device, "product"), serial_number=_word(device, "serial"), uid=event.text("volume"),
        **{"class": "storage"},
    )  # fmt: skip
    made = _base(event, received_ms, 1010, 2 if event.text("state") == "gone" else 1, "")
    return {**made, "actor": _actor(event), "peripheral_device": peripheral}


def _actor(event: Event) -> dict[str, Any]:
    """Who did it, by pseudonym; where the record names nobody, the agent itself."""
    user = event.text("user")
    return {"user": {"uid": user, "type_id": 1}} if user else {"app_name": "serment-agent"}


def _file(event: Event) -> dict[str, Any]:
    """Never a name: the keyed digest stands for it, or the record's number."""
    digest = event.text("file") or event.uid
    found = _filled(name=digest, ext=event.text("ext"), type_id=1)
    if event.whole("size"):
        found["size"] = event.whole("size")
    if event.text("channel") in _DRIVES:
        found["drive_type_id"] = _DRIVES[event.text("channel")]
    if event.text("file"):
        found["hashes"] = [{"algorithm_id": 99, "algorithm": "HMAC-SHA-256", "value": digest}]
    return found


def _resource(event: Event) -> dict[str, Any]:
    device = event.table("device")
    parts = [_word(device, name) for name in ("bus", "vendor_id", "product_id", "serial")]
    name = f"{_word(device, 'vendor')} {_word(device, 'product')}".strip()
    return _filled(uid=":".join(parts), name=name, type="removable-storage")


def _word(table: Any, name: str) -> str:
    value = table.get(name)
    return value if isinstance(value, str) else ""


@cache
def _version() -> str:
    return version("serment")


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None, [], {})}
