"""Plans over stored facts, on both databases, and the route that gives them."""

import json
import time

import pytest

from agent.crypto.signing import FileKey
from agent.policy.profiles import profile_bytes
from collector import app
from collector.access import Access
from collector.authoring import backtest, routes
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.service import Service
from collector.store.tables import laptops
from tests.unit.collector.laptops import DAY_US, Laptop

TOKEN = "a-token-of-more-than-sixteen"
MONITOR, ENFORCE = profile_bytes("monitor"), profile_bytes("enforce")
WORDS = {language: (lambda text: text) for language in ("fr", "en")}
FIELDS = {"channel": "removable", "service": "usb", "arrival": "new", "judgement": "medical", "kind": "clinical-note",
          "confidence": 930, "identified": True, "patients": 1, "decision": "observe", "wanted": "observe"}  # fmt: skip


def stored(taking, now_us):
    for name in ("dev_one", "dev_two"):
        laptop = Laptop(name)
        for days in (40, 29, 3, 1):
            laptop.add(**FIELDS, time_us=now_us - days * DAY_US)
        laptop.add("outcome", of=1, result="done", time_us=now_us - DAY_US)
        taking.send(laptop.batch())
    with taking.store.engine.begin() as connection:
        connection.execute(laptops.update().where(laptops.c.device == "dev_two").values(group_name="cardiologie"))


def test_the_last_days_are_replayed(store, taking):
    now_us = time.time_ns() // 1000
    stored(taking, now_us)
    made = backtest.plan(store, ENFORCE, MONITOR, now_us, 30, WORDS, "en")
    assert (made["days"], made["backtest"]["facts"], made["backtest"]["laptops"]) == (30, 6, 2)
    (change,) = made["backtest"]["done"]
    assert (change["before"], change["after"], change["count"]) == ("observe", "encrypt", 6)
    assert change["services"] == {"": 3, "cardiologie": 3}
    assert backtest.plan(store, ENFORCE, MONITOR, now_us, 92, WORDS, "en")["backtest"]["facts"] == 8


@pytest.fixture
def client(light_store, serve):
    writer = Writer(light_store)
    yield serve(app.build(Service(light_store, writer, Access(TOKEN), Witness(FileKey()), Verifiers(0))))
    writer.close()


def ask(client, body, token=TOKEN):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/v1/plan", content=content, headers={"Authorization": f"Bearer {token}"})


def test_the_route_gives_a_plan_to_who_has_the_token(client):
    answer = ask(client, {"new": ENFORCE.decode(), "old": MONITOR.decode(), "language": "en"})
    assert answer.status_code == 200
    assert answer.json()["backtest"]["facts"] == 0 and answer.json()["changes"]
    assert ask(client, {"new": ""}, "another-token-of-sixteen").status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"new": 1}', b'{"new": "a", "days": 1000}', b'{"new": "a", "else": 1}', b'{"new": "\\ud800"}',
             b"x" * (routes.MAX_BODY + 1)],
)  # fmt: skip
def test_other_bodies_are_refused(client, body):
    assert ask(client, body).status_code == 400


def test_a_policy_that_is_none_is_said(client):
    answer = ask(client, {"new": "serment: 9", "language": "en"})
    assert answer.status_code == 422 and answer.json()["text"]


def test_one_at_a_time(client):
    with routes._one_at_a_time:
        answer = ask(client, {"new": ENFORCE.decode()})
    assert answer.status_code == 429 and answer.headers["retry-after"]
    assert ask(client, {"new": ENFORCE.decode()}).status_code == 200
