"""The routes of the real application, served over a real socket."""

import re
import socket
import time
from datetime import datetime, timedelta

import pytest

from agent.crypto.signing import FileKey
from agent.errors import TransportError
from agent.fleet.enrolment import new_key
from agent.transport import signed, wire
from agent.transport.https import Answer, reply_in
from collector import app
from collector.access import COOKIE, Access
from collector.enrol.certificates import spki
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.service import Service
from collector.store.sql import month_of
from collector.store.tables import laptops
from collector.sync.identity import STATE_KEY
from tests.unit.collector.laptops import DAY_US, START_US, Laptop

TOKEN = "a-token-of-more-than-sixteen"
HOSTILE = '<script>alert(1)</script>"&\x1b[31m'


@pytest.fixture
def service(light_store):
    writer = Writer(light_store)
    yield Service(light_store, writer, Access(TOKEN), Witness(FileKey()), Verifiers(0))
    writer.close()


@pytest.fixture
def client(service, serve):
    return serve(app.build(service))


@pytest.fixture
def post(client):
    def post_(batch, token=TOKEN, **headers):
        return client.post(
            wire.PATH,
            content=batch.body,
            headers={**wire.headers(batch.letterhead), "Authorization": f"Bearer {token}", **headers},
        )

    return post_


@pytest.fixture
def reader(client):
    client.get("/", params={"token": TOKEN})
    assert COOKIE in client.cookies
    return client


def sample():
    laptop = Laptop()
    laptop.add("start", version="0.1.0")
    laptop.add("place", state="armed", volume="v", channel="removable", strength="hold")
    laptop.add(
        channel="removable",
        decision="block",
        wanted="block",
        judgement="medical",
        kind="lab-report",
        size=2048,
        act=True,
    )
    laptop.add("outcome", of=2, result="done", action="block")
    laptop.add(
        time_us=START_US + DAY_US,
        channel="downloads",
        decision="observe",
        service=HOSTILE,
        format=HOSTILE,
        size="x",
        kind=7,
    )
    laptop.add("future-kind", anything=[1, 2], nested={"a": HOSTILE})
    return laptop


def test_records_are_taken_with_the_token_only(post, client):
    batch = sample().batch()
    for token in ("", "wrong", TOKEN[:-1], "é" * 20):
        answer = post(batch, token=token.encode().decode("latin-1"))
        assert answer.status_code == 401
    assert client.post(wire.PATH, content=batch.body, headers=wire.headers(batch.letterhead)).status_code == 401
    answer = post(batch)
    assert (answer.status_code, answer.json()["size"]) == (200, 6)


def test_refusals_have_their_status(post, client):
    batch = sample().batch()
    assert post(batch, **{"Serment-Device": "../x"}).status_code == 400
    gap = sample().batch(3)
    answer = post(gap)
    assert (answer.status_code, answer.json()) == (409, {"have": 0, "why": "gap"})
    garbage = client.post(
        wire.PATH, content=b"garbage", headers={**wire.headers(batch.letterhead), "Authorization": f"Bearer {TOKEN}"}
    )
    assert garbage.status_code == 400
    huge = client.post(
        wire.PATH,
        content=bytes(wire.MAX_BODY_BYTES + 1),
        headers={**wire.headers(batch.letterhead), "Authorization": f"Bearer {TOKEN}"},
    )
    assert huge.status_code == 400
    assert client.get(wire.PATH).status_code == 405


def test_health_says_it_too_when_a_new_laptop_cannot_be_entered(client, service, post):
    with service.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON laptops BEGIN SELECT RAISE(FAIL, 'full'); END")
    answer = post(sample().batch())
    assert (answer.status_code, answer.json()) == (503, {"error": "the collector's database cannot be written"})
    assert client.get("/health").status_code == 503
    with service.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert post(sample().batch()).status_code == 200
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("public", [b"\0", b'{"size":' + b"9" * 400 + b"}"])
def test_a_record_that_is_not_of_its_form_any_more_breaks_no_page(post, reader, service, public):
    post(sample().batch())
    with service.engine.begin() as connection:
        month = month_of(int(time.time()))
        connection.exec_driver_sql(f"UPDATE events_{month} SET public = ? WHERE idx IN (2, 3)", (public,))
    assert "removable" in reader.get("/events").text
    for path in ("/v1/events", "/events/dev_one/2", "/events/dev_one/3"):
        assert reader.get(path).status_code == 200, path


def test_a_stranger_who_names_a_laptop_does_not_keep_it_out(client, service, server):
    service.open, key = False, new_key()
    service.store.laptop("dev_one", int(time.time()))
    with service.engine.begin() as connection:
        connection.execute(laptops.update().values(key=spki(key.public_key())))
    batch = sample().batch()
    headers = wire.headers(batch.letterhead)
    headers |= signed.sign("POST", wire.PATH, headers, batch.body, "dev_one", 5, key)
    with socket.create_connection(("127.0.0.1", server[1])) as stranger:
        begun = {**wire.headers(batch.letterhead), "Signature-Input": "x", "Host": "h", "Content-Length": "10"}
        lines = [f"POST {wire.PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in begun.items()), "", ""]
        stranger.sendall("\r\n".join(lines).encode())
        deadline = time.monotonic() + 10
        while not service.busy and time.monotonic() < deadline:  # it waits for a body that does not come
            time.sleep(0.01)
        time.sleep(0.3)
        assert service.busy == 1
        assert client.post(wire.PATH, batch.body, headers).status_code == 200


def test_a_laptop_that_a_restored_collector_does_not_know_is_not_told_that_it_was_denied(service, serve):
    made = app.build(service)

    async def certified(scope, receive, send):
        await made({**scope, "state": {STATE_KEY: "dev_one"}}, receive, send)

    batch, client = sample().batch(), serve(certified)
    answer = client.post(wire.PATH, batch.body, wire.headers(batch.letterhead))
    assert (answer.status_code, answer.json()) == (401, {"error": "certificate"})
    with pytest.raises(TransportError, match="does not know this laptop") as told:
        reply_in(Answer(answer.status_code, answer.content))
    assert told.value.fields["kind"] == "refused"
    service.store.laptop("dev_one", int(time.time()))
    with service.engine.begin() as connection:
        connection.execute(laptops.update().values(denied_at=1))
    assert client.post(wire.PATH, batch.body, wire.headers(batch.letterhead)).json() == {"error": "denied"}


def test_health_says_when_nothing_can_be_stored(client, service, post):
    assert client.get("/health").json()["status"] == "ok"
    month = month_of(int(time.time()))
    with service.engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW events")
        connection.exec_driver_sql(f"ALTER TABLE events_{month} RENAME TO elsewhere")
    assert post(sample().batch()).status_code == 503
    assert client.get("/health").status_code == 503
    with service.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE elsewhere RENAME TO events_{month}")
    assert post(sample().batch()).status_code == 200
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("path", ["/", "/events", "/events/dev_one/2", "/v1/events", "/v1/laptops"])
def test_nothing_is_shown_without_the_token(client, post, path):
    post(sample().batch())
    client.cookies[COOKIE] = "0" * 64
    answer = client.get(path)
    assert answer.status_code == 401
    assert "dev_one" not in answer.text


def test_a_wrong_token_in_the_address(client):
    answer = client.get("/", params={"token": "wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_cookie_is_strict_and_is_not_the_token(client):
    cookie = client.get("/", params={"token": TOKEN}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie


PAGES = ["/", "/events", "/events?kind=all", "/events/dev_one/2", "/events/dev_one/4", "/events/dev_one/5", "/nowhere"]


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_closed_and_escaped(reader, post, path, lang):
    post(sample().batch())
    answer = reader.get(path, headers={"Accept-Language": f"{lang}-XX, de;q=0.5"})
    html = answer.text
    assert answer.status_code == (404 if path == "/nowhere" else 200)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert f'<html lang="{lang}">' in html
    assert "<main" in html
    assert len(re.findall("<h1", html)) == 1
    assert html.count("<table") == html.count("<caption") == html.count('tabindex="0"')
    assert "<script" not in html
    assert " style=" not in html
    assert not re.search(r'(?:src|href|action)="(?!/|#)', html)
    for control in re.findall(r"<(?:select|input)[^>]*>", html):
        assert f'<label for="{re.search(r" id=.([a-z]+)", control)[1]}"' in html
    for scope in re.findall(r"<th [^>]*>", html):
        assert "scope=" in scope


def test_the_language_of_the_link_is_that_of_the_pages(client):
    client.get("/", params={"token": TOKEN, "lang": "fr"})
    assert '<html lang="fr">' in client.get("/", headers={"Accept-Language": "en"}).text


def test_language_is_chosen_and_remembered(reader):
    assert '<html lang="fr">' in reader.get("/", headers={"Accept-Language": "de"}).text
    assert '<html lang="en">' in reader.get("/?lang=en").text
    assert '<html lang="en">' in reader.get("/events", headers={"Accept-Language": "fr"}).text
    assert '<html lang="fr">' in reader.get("/?lang=fr", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {0, 1, 2, 4, 5}),
        ("kind=all", {0, 1, 2, 3, 4, 5}),
        ("kind=outcome", {3}),
        ("channel=downloads", {4}),
        ("decision=block", {2}),
        ("laptop=dev_one", {0, 1, 2, 4, 5}),
        ("laptop=dev_two", set()),
        ("decision=block&channel=downloads", set()),
        ("day=nonsense&before=1.2", {0, 1, 2, 4, 5}),
        ("kind=%27%20OR%201=1--", set()),
        ("day=9999-12-31", {0, 1, 2, 4, 5}),
        ("day=2001-01-01", set()),
    ],
)
def test_filters(reader, post, query, shown):
    post(sample().batch())
    html = reader.get(f"/events?{query}").text
    assert {int(number) for number in re.findall(r'href="/events/dev_one/(\d+)"', html)} == shown


def test_a_day_is_the_collectors_day(reader, post):
    post(sample().batch())
    day = datetime.fromtimestamp(START_US / 1e6).astimezone().date()
    for shift, expected in ((0, 4), (1, 1), (2, 0)):
        html = reader.get(f"/events?day={day + timedelta(days=shift)}").text
        assert len(set(re.findall(r'href="/events/dev_one/(\d+)"', html))) == expected


def test_paging_by_links(reader, post):
    post(Laptop().fill(120).batch())
    path, seen = "/events", []
    while path:
        html = reader.get(path).text
        seen += re.findall(r'href="/events/dev_one/(\d+)"', html)
        link = re.search(r'<a href="([^"]+)" rel="next"', html)
        path = link and link[1].replace("&amp;", "&")
    assert sorted(map(int, seen)) == list(range(120))


def test_events_as_json(client, post):
    post(Laptop().fill(30).batch())
    auth = {"Authorization": f"Bearer {TOKEN}"}
    seen, before = [], ""
    while before is not None:
        answer = client.get("/v1/events", params={"limit": 12, "before": before}, headers=auth).json()
        seen += [event["record"]["i"] for event in answer["events"]]
        before = answer["next"]
    assert sorted(seen) == list(range(30))
    laptops = client.get("/v1/laptops", headers=auth).json()
    assert (laptops["records"], laptops["laptops"][0]["records"], laptops["next"]) == (30, 30, None)
    post(Laptop("dev_two").fill(2).batch())
    first = client.get("/v1/laptops", params={"limit": 1}, headers=auth).json()
    second = client.get("/v1/laptops", params={"limit": 1, "before": first["next"]}, headers=auth).json()
    assert {each["laptops"][0]["laptop"] for each in (first, second)} == {"dev_one", "dev_two"}
    assert (
        client.get("/v1/laptops", params={"limit": 1, "before": second["next"]}, headers=auth).json()["laptops"] == []
    )
    assert client.get("/v1/laptops", params={"limit": 1001}, headers=auth).status_code == 400


def test_alerts_are_on_the_first_page(reader, post):
    post(Laptop().fill(3).batch())
    post(Laptop(seed="other").fill(5).batch())
    html = reader.get("/?lang=en").text
    assert "Records were rewritten on the laptop" in html


@pytest.mark.parametrize(
    "path", ["/events/dev_one/99999999999999999999", "/events/dev_one/x", "/static/../app.py", "/static/%2e%2e/app.py"]
)
def test_odd_addresses_are_not_found(reader, path):
    assert reader.get(path).status_code == 404


def test_figures_for_prometheus(client, post, service):
    assert client.get("/metrics").status_code == 401
    post(Laptop().fill(3).batch())
    post(Laptop(seed="other").fill(5).batch())
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    figures = dict(line.split(" ") for line in text.splitlines() if not line.startswith("#"))
    assert (figures["serment_collector_records_total"], figures["serment_collector_laptops"]) == ("3", "1")
    assert (figures["serment_collector_alerts"], figures["serment_collector_storage_failing"]) == ("1", "0")
    assert "dev_one" not in text


def test_the_interface_is_described(client):
    import yaml

    described = yaml.safe_load(client.get("/openapi.yaml").text)
    assert {wire.PATH, "/v1/enrol", "/v1/renew", "/health"} <= set(described["paths"])


def test_a_laptop_is_visited_once_at_a_time_and_a_flood_is_sent_away(client, post, service):
    service.visiting.add("dev_one")
    answer = post(Laptop().fill(1).batch())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    service.visiting.clear()
    service.admission.rate = service.admission.burst = service.admission.tokens = 0.5
    answer = post(Laptop().fill(1).batch())
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_part_of_the_answer_comes_from_others(client, post, service):
    seen = []

    def part(laptop, report):
        seen.append((laptop.device, dict(report)))
        return {"policy": {"timestamp": 7}, "ask": ["renew"]}

    service.parts = [part]
    laptop = Laptop().fill(2)
    batch = wire.build(laptop.batch().letterhead, laptop.publics, b'{"v":"0.1","tuf":3}')
    answer = post(batch).json()
    assert (answer["policy"], answer["ask"]) == ({"timestamp": 7}, ["renew"])
    assert seen == [("dev_one", {"v": "0.1", "tuf": 3})]
    assert [each.report for each in service.store.reports()] == [b'{"v":"0.1","tuf":3}']
    for report in (b"[1]", b"{", b"\xff", b"[" * 9000):
        assert post(wire.build(laptop.batch(2, 2).letterhead, [], report)).status_code == 200
    assert seen[-1][1] == {}


def test_a_number_of_thousands_of_digits_is_an_address_like_any_that_leads_nowhere(reader):
    for path in ("/events/a/" + "9" * 5000, "/risks/" + "9" * 5000, "/events/" + "a" * 5000 + "/1"):
        assert reader.get(path).status_code == 404
    assert reader.get("/events/a/" + "9" * 200).status_code == 404
