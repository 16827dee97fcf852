"""Holds a value against the vendored part of OCSF's schema. What the part does not hold is wrong too."""

import json
import re
from pathlib import Path

_VECTOR = Path(__file__).parents[3] / "vectors" / "ocsf" / "ocsf-1.8.0-subset.json"
SCHEMA = json.loads(_VECTOR.read_text())
_BASE = {"string_t": str, "integer_t": int, "long_t": int, "boolean_t": bool, "float_t": (int, float), "json_t": object}


def complaints(event):
    """Everything that is wrong with an event."""
    class_ = SCHEMA["classes"].get(str(event.get("class_uid")))
    if class_ is None:
        return [f"class_uid {event.get('class_uid')}"]
    wrong = list(_table(event, class_["attributes"], "event"))
    if event["category_uid"] != class_["category_uid"]:
        wrong.append("category_uid")
    if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        wrong.append("type_uid")
    return wrong


def _table(value, attributes, where):
    for name, rule in attributes.items():
        if rule.get("required") and name not in value:
            yield f"{where}.{name} is missing"
    for name, found in value.items():
        if name not in attributes:
            yield f"{where}.{name} is unknown"
            continue
        rule = attributes[name]
        for each in found if rule.get("array") and isinstance(found, list) else [found]:
            yield from _value(each, rule, f"{where}.{name}")
        if bool(rule.get("array")) is not isinstance(found, list):
            yield f"{where}.{name}: array or not"


def _value(value, rule, where):
    if rule["type"] == "object":
        if not isinstance(value, dict):
            yield f"{where}: no object"
    elif rule["type"] in SCHEMA["objects"]:
        if not isinstance(value, dict):
            yield f"{where}: no object"
            return
        yield from _table(value, SCHEMA["objects"][rule["type"]], where)
    else:
        yield from _scalar(value, rule, where)


def _scalar(value, rule, where):
    kind = SCHEMA["types"].get(rule["type"], {})
    base = _BASE[rule["type"] if rule["type"] in _BASE else kind.get("type", "string_t")]
    if not isinstance(value, base) or (base is int and isinstance(value, bool)):
        yield f"{where}: {value!r} is no {rule['type']}"
    elif "enum" in rule and value not in rule["enum"]:
        yield f"{where}: {value!r} is not one of {rule['enum']}"
    elif "regex" in kind and isinstance(value, str) and not re.search(kind["regex"], value):
        yield f"{where}: {value!r} has not the form of {rule['type']}"
    elif "max_len" in kind and isinstance(value, str) and len(value) > kind["max_len"]:
        yield f"{where}: too long"
