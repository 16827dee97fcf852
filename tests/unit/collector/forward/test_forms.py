"""Records as OCSF, ECS, CEF and syslog: valid, without secrets, whatever a laptop wrote."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit.ocsf import ocsf
from agent.audit.record import Kind
from agent.ui.cli import audit_export
from collector.forward.cef import cef
from collector.forward.ecs import ecs, instant
from collector.forward.event import REDACTABLE, make_event
from collector.forward.syslog import message
from tests.unit.collector.forward.conftest import TRANSFER
from tests.unit.collector.forward.schema import SCHEMA, complaints

T = 1_795_289_704_123_456
NOW = T // 1000 + 7000


def event(kind="transfer", redact=(), **fields):
    return make_event("dev_one", "cardiologie", {"i": 48213, "t": T, "k": kind} | fields, redact)


BLOCKED = make_event("dev_one", "cardiologie", TRANSFER | {"i": 48213, "t": T, "k": "transfer"})


def test_a_blocked_copy_is_a_data_security_finding():
    made = ocsf(BLOCKED, NOW)
    assert complaints(made) == []
    assert (made["class_uid"], made["disposition_id"], made["action_id"], made["is_alert"]) == (2006, 2, 2, True)
    assert made["metadata"]["uid"] == "dev_one:48213" and made["time"] == T // 1000
    assert made["data_security"]["discovery_details"] == [{"type": "nir", "count": 2}, {"type": "person", "count": 1}]


@pytest.mark.parametrize("kind", [*Kind, "of-a-newer-laptop"])
def test_every_kind_of_record_is_valid(kind):
    bare = event(str(kind))
    full = event(str(kind), **{name: value for name, value in TRANSFER.items() if name != "kind"}, of=7, state="armed",
                 result="failed", problem="disk-full", what="chain")  # fmt: skip
    assert complaints(ocsf(bare, NOW)) == []
    assert complaints(ocsf(full, NOW)) == []
    json.dumps(ecs(full, NOW))


@pytest.mark.parametrize("kind", [*Kind, "of-a-newer-laptop"])
def test_a_laptop_exports_what_its_collector_forwards(kind):
    fields = TRANSFER | {"i": 48213, "t": T, "k": str(kind), "of": 7, "state": "armed", "result": "failed"}
    exported = audit_export.ocsf(fields, "serment-log/" + "ab" * 16)
    assert complaints(exported) == []
    forwarded = ocsf(make_event("serment-log/" + "ab" * 16, "", fields), NOW)
    assert forwarded["metadata"].pop("logged_time") == NOW
    assert exported == forwarded


def test_six_classes_are_used():
    kinds = {
        ocsf(event(str(kind), channel="removable"), NOW)["class_uid"] for kind in Kind
    }  # fmt: skip
    assert kinds == {int(uid) for uid in SCHEMA["classes"]}


def test_the_schema_sees_what_is_wrong():
    made = ocsf(BLOCKED, NOW)
    assert complaints(made | {"severity_id": 42}) and complaints(made | {"nonsense": 1})
    assert complaints({name: value for name, value in made.items() if name != "metadata"})
    assert complaints(made | {"type_uid": 1}) and complaints(made | {"message": 3})


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(fields=st.dictionaries(st.sampled_from([*TRANSFER, "of", "result", "state", "what"]), values),
       kind=st.sampled_from([str(kind) for kind in Kind]), when=st.integers(0, 2**53))  # fmt: skip
def test_whatever_a_laptop_wrote_becomes_an_event(fields, kind, when):
    found = make_event("dev_one", "", fields | {"i": 3, "t": when, "k": kind})
    json.dumps([ocsf(found, NOW), ecs(found, NOW)])
    line = cef(found, NOW)
    assert "\n" not in line and "\r" not in line
    frame = message(found, line, 'k"]\\')
    length, _, rest = frame.partition(b" ")
    assert int(length) == len(rest) and b"\n" not in rest


def test_nothing_breaks_out_of_its_field():
    hostile = make_event(
        "dev_one", "", {"i": 1, "t": T, "k": "transfer", "rule": "a|b\\c=d\nact=allowed", "channel": "x|y"}
    )
    line = cef(hostile, NOW)
    assert "cs1=a|b\\\\c\\=d act\\=allowed@" in line
    assert line.split("|")[4].endswith("x\\") and "\n" not in line
    assert b'intake_key="a\\]\\"b"' in message(hostile, line, 'a]"b')


@pytest.mark.parametrize("name", REDACTABLE)
def test_what_is_left_out_is_nowhere(name):
    fields = TRANSFER | {
        "i": 1,
        "t": T,
        "k": "transfer",
        "root": "r" * 64,
        "head": "h" * 64,
        "reason": "zq",
        "held": "zz",
    }
    mark = "q7marker" if name != "evidence" else {"q7marker": 1}
    fields[name] = {"product": "q7marker"} if name == "device" else mark
    group = "q7marker" if name == "group" else "g"
    for redact, there in (((), True), ((name,), False)):
        found = make_event("dev_one", group, fields, redact)
        written = json.dumps([ocsf(found, NOW), ecs(found, NOW)]) + cef(found, NOW)
        assert ("q7marker" in written) is there


def test_ecs_and_its_times():
    made = ecs(BLOCKED, NOW)
    assert made["@timestamp"] == "2026-11-21T19:35:04.123Z"
    assert made["event"]["type"] == ["denied"] and made["event"]["id"] == "dev_one:48213"
    assert made["rule"] == {"id": "usb-01", "version": "0123456789ab"} and made["host"]["id"] == "dev_one"
    assert instant(2**53).startswith("2255-") and instant(2**62).startswith("9999-12-31")


def test_cef_of_a_blocked_copy():
    line = cef(BLOCKED, NOW)
    assert line.startswith("CEF:0|Serment|Serment|") and "|transfer.removable.block|" in line
    for part in ("|5|", "act=blocked", "suser=9fa0c3d277e1", "cs1=usb-01@0123456789ab", "cn1=48213", "fsize=184213"):
        assert part in line
