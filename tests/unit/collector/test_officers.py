"""Accounts, roles and what officers decide, over a real socket: who may, who may not, and what is told of it."""

import html
import json
import re
import threading
import time
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert

from agent.audit import chain, record
from agent.crypto.signing import FileKey
from agent.errors import ChangedError, UsageError
from agent.fleet.release import Ring
from collector import app, main
from collector.access import Access
from collector.backup import making
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.journal import Journal, note
from collector.officers import accounts, decisions, guard, sessions, tries
from collector.officers.roles import Right, Role, rights
from collector.pages import proofs, roster, watching
from collector.service import Service
from collector.store.sql import first_values, raise_alert
from collector.store.tables import acts, arrivals, events, laptops, officer_sessions
from collector.store.writing import writing
from tests.signed_fleet import SignedFleet, policy
from tests.unit.collector.laptops import START_US, Laptop
from tests.unit.collector.taking import Taking

PHRASE = "quatre chevaux boivent du lait"
HOSTILE = "<script>document.title='owned'</script>\"'&{{7*7}}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGES = ("today", "fleet", "policies", "alerts", "requests", "proofs", "risks", "keys", "acts")
NOW = int(time.time())


@pytest.fixture
def service(light_store):
    writer = Writer(light_store)
    yield Service(light_store, writer, Access("a-token-of-more-than-sixteen"), Witness(FileKey()), Verifiers(0))
    writer.close()


@pytest.fixture
def client(service, serve):
    return serve(app.build(service))


@pytest.fixture
def sign_in(service, client):
    """An account with these roles, signed in; with its passphrase by the one-time link."""

    def sign_in_(*roles, name="camille", phrase=False):
        link = accounts.add(service.engine, name, roles, NOW, "test")
        if not phrase:  # deriving one takes its time
            officer = accounts.of_link(service.engine, link, NOW)
            client.cookies[sessions.COOKIE] = sessions.begin(service.engine, officer, NOW, whole=True, how="test")
            return client
        answer = send(client, "/welcome", link=link, passphrase=PHRASE, again=PHRASE)
        assert answer.status_code == 303, answer.text
        return client

    return sign_in_


def send(client, path, headers=None, **fields):
    return client.post(path, urlencode(fields).encode(), {**FORM, **(headers or {})})


def act(client, path, **fields):
    """Send a form as the page would: with the token of the session."""
    token = re.search('name="csrf" value="([^"]+)"', client.get("/today").text).group(1)
    return send(client, path, csrf=token, **fields)


def told(engine):
    with engine.connect() as connection:
        return [(row.by_whom, row.what, json.loads(row.fields)) for row in connection.execute(acts.select())]


@pytest.fixture
def troubled(light_store):
    """A laptop with an alert of each of two kinds, a contest, and hostile words in its records."""
    laptop = Laptop()
    laptop.add("start", version="0.1.0")
    laptop.add("place", state="armed", volume="v", channel="removable", strength="hold", service=HOSTILE)
    laptop.add("policy", policy=HOSTILE, release="3", mode="enforce")
    laptop.add(channel="removable", decision="block", wanted="block", judgement="medical", kind="lab-report", act=True)
    laptop.add("contest", of=3, why=HOSTILE, by="owner")
    taking = Taking(light_store)
    taking.send(laptop.batch())
    taking.close()
    with light_store.engine.begin() as connection:
        raise_alert(connection, 1, "fork", 2, NOW - 50)
        raise_alert(connection, 1, "fork", 4, NOW - 40)
        raise_alert(connection, 1, HOSTILE, 4, NOW - 30)
    return light_store


# ---- roles


def test_each_role_may_do_its_own_and_no_role_nothing():
    assert rights([]) == {Right.TODAY}
    assert rights(["future"]) == {Right.TODAY}
    assert Right.ALERTS in rights([Role.ANALYST])
    assert Right.ALERTS not in rights([Role.AUTHOR, Role.KEY_OFFICER, Role.APPROVER])
    assert rights([Role.DPO]) == set(Right)


@pytest.mark.parametrize("role", list(Role))
def test_pages_of_another_role_are_refused(sign_in, role):
    client = sign_in(role)
    for page in PAGES:
        assert client.get(f"/{page}").status_code == (200 if page in rights([role]) else 403), page
    assert client.get("/risks/0").status_code == (200 if Right.TREAT_RISKS in rights([role]) else 403)
    assert client.get("/events").status_code == (200 if Right.RECORDS in rights([role]) else 401)


def test_acts_of_another_role_are_refused_and_change_nothing(sign_in, troubled):
    client = sign_in("author", "key-officer")
    risk = {"title": "t", "treatment": "accepted", "owner": "o", "decided_on": "2026-01-01", "review_on": "2027-01-01"}
    assert act(client, "/alerts", laptop="dev_one", kind="fork", verdict="normal", upto=NOW, why="x").status_code == 403
    assert act(client, "/requests", laptop="dev_one", index=4, answer="granted", why="x").status_code == 403
    assert act(client, "/risks/0", version=0, **risk).status_code == 403
    assert act(client, "/proofs/export", laptop="dev_one").status_code == 403
    assert {story.state for story in watching.stories(troubled.engine, NOW)[0]} == {"open"}
    assert decisions.all_risks(troubled.engine) == []


# ---- signing in


def test_nobody_sees_anything_without_signing_in(client, troubled):
    for page in PAGES:
        answer = client.get(f"/{page}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next=/{page}")
    for path in ("/alerts", "/requests", "/proofs", "/proofs/export", "/risks/0", "/logout"):
        assert send(client, path, csrf="x").status_code == 303


def test_there_is_no_account_to_begin_with(client):
    for name, word in (("admin", "admin"), ("serment", "serment"), ("", ""), ("root", "")):
        assert send(client, "/login", name=name, passphrase=word).status_code == 401
    assert sessions.COOKIE not in client.cookies


def test_a_link_opens_once(service, client):
    link = accounts.add(service.engine, "camille", ["dpo"], NOW, "test")
    assert "camille" in client.get("/welcome", {"link": link}).text
    assert client.get("/welcome", {"link": link}).status_code == 200  # looking does not use it up
    assert send(client, "/welcome", link=link, passphrase="short", again="short").status_code == 400
    assert send(client, "/welcome", link=link, passphrase=PHRASE, again=PHRASE + "x").status_code == 400
    assert (
        send(client, "/welcome", link=link, passphrase="camille camille 1", again="camille camille 1").status_code
        == 400
    )
    assert send(client, "/welcome", link=link, passphrase=PHRASE, again=PHRASE).status_code == 303
    assert client.get("/welcome", {"link": link}).status_code == 410
    assert send(client, "/welcome", link=link, passphrase=PHRASE, again=PHRASE).status_code == 410
    assert send(client, "/welcome", link="", passphrase=PHRASE, again=PHRASE).status_code == 410


def test_a_link_that_is_old_opens_nothing(service):
    link = accounts.add(service.engine, "camille", ["dpo"], NOW - accounts.LINK_S - 1, "test")
    assert accounts.of_link(service.engine, link, NOW) is None
    assert accounts.choose_passphrase(service.engine, link, PHRASE, NOW) is None


def test_the_passphrase_signs_in_and_the_cookie_is_kept_from_scripts(sign_in, service, client):
    sign_in("dpo", phrase=True)
    client.cookies.clear()
    assert send(client, "/login", name="camille", passphrase=PHRASE + "!").status_code == 401
    assert sessions.COOKIE not in client.cookies
    answer = send(client, "/login", name=" Camille ", passphrase=PHRASE, next="/fleet")
    assert (answer.status_code, answer.headers["location"]) == (303, "/fleet")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get("/fleet").status_code == 200
    with service.engine.connect() as connection:
        kept = connection.execute(officer_sessions.select()).all()
    assert client.cookies[sessions.COOKIE] not in repr(kept)


@pytest.mark.parametrize(
    "go_on", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\r\nx: y", "/é", ""]
)
def test_after_signing_in_nobody_is_sent_elsewhere(go_on):
    assert guard.target(go_on) == "/today"
    assert guard.target("/risks?a=b") == "/risks?a=b"


def test_the_cookie_is_for_https_alone_where_pages_are(service, serve):
    service.pages_url = "https://serment.example"
    client = serve(app.build(service))
    link = accounts.add(service.engine, "camille", ["dpo"], NOW, "test")
    assert (
        "secure" in send(client, "/welcome", link=link, passphrase=PHRASE, again=PHRASE).headers["set-cookie"].lower()
    )


def test_guessing_is_slowed_down_for_names_that_exist_and_that_do_not(sign_in, service, client):
    sign_in("dpo", phrase=True)
    for name in ("camille", "nobody"):
        for _ in range(tries.FREE):
            assert send(client, "/login", name=name, passphrase="wrong wrong wrong").status_code == 401
        answer = send(client, "/login", name=name, passphrase=PHRASE)
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
    assert tries.wait(service.engine, "camille", int(time.time()) + tries.MAX_WAIT_S) == 0


def test_signing_out_ends_the_session_on_the_server(sign_in):
    client = sign_in("dpo")
    cookie = dict(client.cookies)
    assert act(client, "/logout").status_code == 303
    client.cookies.update(cookie)
    assert client.get("/today").status_code == 303


def test_a_session_ends_by_itself_and_with_its_account(service):
    accounts.add(service.engine, "camille", ["dpo"], NOW, "test")
    officer = accounts.Officer(1, "camille", ("dpo",))
    cookie = sessions.begin(service.engine, officer, NOW, whole=True, how="passphrase")
    assert sessions.find(service.engine, cookie, NOW + sessions.IDLE_S - 1).officer.name == "camille"
    for minutes in range(50, 12 * 60, 50):
        assert sessions.find(service.engine, cookie, NOW + minutes * 60)
    assert sessions.find(service.engine, cookie, NOW + sessions.LIFE_S) is None
    idle = sessions.begin(service.engine, officer, NOW, whole=True, how="passphrase")
    assert sessions.find(service.engine, idle, NOW + sessions.IDLE_S) is None
    fresh = sessions.begin(service.engine, officer, NOW, whole=True, how="passphrase")
    accounts.close(service.engine, "camille", NOW, "test")
    assert sessions.find(service.engine, fresh, NOW) is None
    assert accounts.of_passphrase(service.engine, "camille", PHRASE) is None


def test_a_new_link_takes_passphrase_and_sessions_away(sign_in, service, client):
    sign_in("dpo", phrase=True)
    accounts.link(service.engine, "camille", NOW, "test")
    assert client.get("/today").status_code == 303
    assert send(client, "/login", name="camille", passphrase=PHRASE).status_code == 401


def test_a_session_that_waits_for_its_passkey_may_do_nothing_else(service, client):
    accounts.add(service.engine, "camille", ["dpo"], NOW, "test")
    officer = accounts.Officer(1, "camille", ("dpo",))
    client.cookies[sessions.COOKIE] = sessions.begin(service.engine, officer, NOW, whole=False, how="passphrase")
    for page in (*PAGES, "account"):
        assert client.get(f"/{page}").headers["location"] == "/login/passkey"
    assert client.get("/events").status_code == 401
    assert client.get("/v1/events").status_code == 401


# ---- forms


def test_a_form_of_another_site_does_nothing(sign_in, service, troubled):
    client = sign_in("dpo")
    fields = {"laptop": "dev_one", "kind": "fork", "verdict": "normal", "upto": NOW, "why": "x"}
    token = re.search('name="csrf" value="([^"]+)"', client.get("/today").text).group(1)
    assert send(client, "/alerts", **fields).status_code == 403
    assert send(client, "/alerts", csrf="x", **fields).status_code == 403
    elsewhere = ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    for headers in elsewhere:
        assert send(client, "/alerts", headers, csrf=token, **fields).status_code == 403
        assert send(client, "/login", headers, name="camille", passphrase=PHRASE).status_code == 403
    body = json.dumps({"csrf": token}).encode()
    assert client.post("/alerts", body, {"Content-Type": "text/plain"}).status_code == 403
    assert client.post("/alerts", b"csrf=" + b"x" * 270_000, FORM).status_code == 403
    assert {story.state for story in watching.stories(service.engine, NOW)[0]} == {"open"}
    assert send(client, "/alerts", csrf=token, **fields).status_code == 303


# ---- alerts


def test_alerts_are_stories_and_are_decided(sign_in, service, troubled):
    client = sign_in("analyst")
    story = next(each for each in watching.stories(service.engine, NOW)[0] if each.kind == "fork")
    assert (story.count, story.state, story.first_index) == (2, "open", 2)
    decide = {"laptop": "dev_one", "kind": "fork", "upto": story.last_at, "why": "restored from a backup"}
    assert act(client, "/alerts", **{**decide, "verdict": "fine"}).status_code == 400
    assert act(client, "/alerts", **{**decide, "verdict": "normal", "why": " "}).status_code == 400
    assert act(client, "/alerts", **{**decide, "verdict": "normal", "laptop": "other"}).status_code == 400
    assert act(client, "/alerts", **{**decide, "verdict": "exception", "until": "2020-01-01"}).status_code == 400
    assert act(client, "/alerts", verdict="normal", **decide).status_code == 303
    story = next(each for each in watching.stories(service.engine, NOW)[0] if each.kind == "fork")
    assert (story.state, story.by, story.why) == ("normal", "camille", "restored from a backup")
    with service.engine.begin() as connection:
        raise_alert(connection, 1, "fork", 9, NOW + 5)
    story = next(each for each in watching.stories(service.engine, NOW)[0] if each.kind == "fork")
    assert (story.state, story.again) == ("open", True)
    tomorrow = time.strftime("%Y-%m-%d", time.localtime(NOW + 86400))
    assert act(client, "/alerts", verdict="exception", until=tomorrow, **decide).status_code == 303
    state = {day: watching.stories(service.engine, NOW + day * 86400)[0] for day in (0, 3)}
    assert next(each for each in state[0] if each.kind == "fork").state == "exception"
    assert next(each for each in state[3] if each.kind == "fork").state == "open"
    assert ("camille", "alert.decided") in [entry[:2] for entry in told(service.engine)]


def test_what_came_after_the_page_was_made_is_not_decided_with_it(service, troubled):
    form = {"laptop": "dev_one", "kind": "fork", "verdict": "normal", "upto": str(NOW - 45), "why": "seen"}
    decisions.decide_story(service.engine, form, "camille")
    story = next(each for each in watching.stories(service.engine, NOW)[0] if each.kind == "fork")
    assert (story.state, story.again) == ("open", True)


def test_requests_are_answered(sign_in, service, troubled):
    client = sign_in("dpo")
    assert [each.index for each in watching.asked(service.engine)[0]] == [4]
    assert act(client, "/requests", laptop="dev_one", index=3, answer="granted", why="x").status_code == 400
    assert act(client, "/requests", laptop="dev_one", index="9" * 17, answer="granted", why="x").status_code == 400
    assert act(client, "/requests", laptop="dev_one", index=4, answer="granted", why="a blank form").status_code == 303
    assert [(each.answer, each.by) for each in watching.asked(service.engine)[0]] == [("granted", "camille")]
    assert "a blank form" in client.get("/requests").text


# ---- risks


RISK = {
    "title": "Lost stick",
    "treatment": "reduced",
    "owner": "RSSI",
    "decided_on": "2026-01-02",
    "review_on": "2026-06-01",
}


def test_the_risk_register(sign_in, service):
    client = sign_in("approver")
    assert act(client, "/risks/0", version=0, **{**RISK, "title": HOSTILE}).status_code == 303
    for wrong in ({"treatment": "ignored"}, {"owner": ""}, {"review_on": "2025-01-01"}, {"decided_on": "soon"}):
        answer = act(client, "/risks/0", version=0, **{**RISK, **wrong})
        assert answer.status_code == 400 and "Lost stick" in answer.text  # what was typed is not lost
    (risk,) = decisions.all_risks(service.engine)
    assert (risk.owner, risk.review_on) == ("RSSI", "2026-06-01")
    text = client.get("/risks").text
    assert html.escape(HOSTILE, quote=False)[:20] in text and "<script>document" not in text
    assert "&lt;script&gt;" in client.get("/today").text  # its review is due
    assert client.get("/risks/99").status_code == 404
    what, fields = told(service.engine)[-1][1:]
    assert (what, fields["treatment"]) == ("risk.kept", "reduced")


def test_two_officers_do_not_overwrite_one_another(service):
    decisions.keep_risk(service.engine, 0, {**RISK, "version": "0"}, "a")
    decisions.keep_risk(service.engine, 1, {**RISK, "version": "1", "owner": "first"}, "a")
    with pytest.raises(ChangedError):
        decisions.keep_risk(service.engine, 1, {**RISK, "version": "1", "owner": "second"}, "b")
    assert decisions.all_risks(service.engine)[0].owner == "first"


def test_a_database_that_fails_is_said_and_no_word_of_an_officer_is_logged(sign_in, service, caplog):
    client = sign_in("dpo")
    token = re.search('name="csrf" value="([^"]+)"', client.get("/today").text).group(1)
    with service.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON risks BEGIN SELECT RAISE(FAIL, 'full'); END")
    answer = send(client, "/risks/0", csrf=token, **RISK | {"version": "0", "note": "Dr Vernicourt"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "base de données" in answer.text and "content-security-policy" in answer.headers
    assert "/risks/0: the database: IntegrityError" in caplog.text
    assert "Vernicourt" not in caplog.text and "Traceback" not in caplog.text
    with service.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE laptops")
    answer = client.get("/v1/laptops", headers={"Authorization": "Bearer a-token-of-more-than-sixteen"})
    assert (answer.status_code, answer.json()) == (503, {"error": "database"})


# ---- proofs


def test_a_log_is_verified_and_exported(sign_in, service, troubled):
    client = sign_in("analyst")
    answer = act(client, "/proofs", laptop="dev_one")
    assert answer.status_code == 200 and "tag good" in answer.text
    lines = [json.loads(line) for line in act(client, "/proofs/export", laptop="dev_one").text.splitlines()]
    assert (lines[0]["format"], lines[0]["size"], len(lines)) == (proofs.FORMAT, 5, 6)
    assert [what for _, what, _ in told(service.engine)][-2:] == ["proof.verified", "proof.exported"]
    assert act(client, "/proofs", laptop=HOSTILE).status_code == 404


def test_a_record_that_was_changed_taken_out_or_put_in_is_found(light_store, troubled):
    laptop = light_store.laptop("dev_one", NOW, make=False)
    assert proofs.verify(light_store, laptop).fits is True
    (month,) = light_store.months()
    with light_store.engine.begin() as connection:
        public = connection.execute(events.select().where(events.c.idx == 3)).first().public
        other = public.replace(b"lab-report", b"lab-repork")
        assert other != public
        connection.exec_driver_sql(f"UPDATE events_{month} SET public = ? WHERE idx = 3", (other,))
    found = proofs.verify(light_store, laptop)
    assert (found.good, found.broken, found.fits) == (False, 4, False)
    with light_store.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM events_{month} WHERE idx = 3")
    found = proofs.verify(light_store, laptop)
    assert (found.held, found.fits, found.root) == (4, None, "")
    assert (found.good, found.lost) == (False, 1)


@pytest.fixture
def grown(light_store):
    """A log of sixty records, of which retention has forgotten the first ten."""
    taking = Taking(light_store)
    laptop = Laptop().fill(10)
    taking.send(laptop.batch())
    light_store.forget(light_store.months()[0])
    with light_store.engine.begin() as connection:
        connection.execute(arrivals.delete())
    for _ in range(5):
        laptop.fill(10)
        taking.send(laptop.batch(len(laptop.publics) - 10))
    taking.close()
    return laptop


@pytest.mark.parametrize(
    ("change", "lost", "ends", "good"),
    [
        ("SELECT 1", 0, True, True),
        ("DELETE FROM {} WHERE idx BETWEEN 20 AND 29", 10, True, False),
        ("DELETE FROM {} WHERE idx >= 50", 10, True, False),
        ("DELETE FROM {}", 50, True, False),
        ("UPDATE {} SET public = x'{last}' WHERE idx = 59", 0, False, False),
    ],
)
def test_records_that_are_gone_before_their_time_are_found(light_store, grown, change, lost, ends, good):
    last = record.encode(59, START_US, 1, "0badcafe", "transfer", chain.link(grown.heads[59]), {"n": 10})
    with light_store.engine.begin() as connection:
        connection.exec_driver_sql(change.format(f"events_{light_store.months()[-1]}", last=last.hex()))
    found = proofs.verify(light_store, light_store.laptop("dev_one", NOW, make=False))
    assert (found.fits, found.broken, found.lost, found.ends, found.good) == (None, None, lost, ends, good)


def test_a_log_that_is_rewritten_to_its_end_is_found(light_store, grown):
    other = Laptop()
    other.publics, other.head = grown.publics[:30], grown.heads[30]
    for _ in range(30):
        other.add(forged=True)
    with light_store.engine.begin() as connection:
        for index in range(30, 60):
            statement = f"UPDATE events_{light_store.months()[-1]} SET public = ? WHERE idx = ?"
            connection.exec_driver_sql(statement, (other.publics[index][0], index))
    found = proofs.verify(light_store, light_store.laptop("dev_one", NOW, make=False))
    assert (found.broken, found.lost, found.ends, found.good) == (None, 0, False, False)


def test_what_retention_has_forgotten_is_no_loss(sign_in, service, light_store, grown):
    client = sign_in("analyst")
    client.cookies["lang"] = "en"
    found = act(client, "/proofs", laptop="dev_one").text
    assert "tag good" in found and "In order as far as it is held" in found and "Intact" not in found


# ---- policies


def test_a_published_policy_its_ring_and_its_hold_are_shown(sign_in, service, tmp_path):
    fleet = SignedFleet(tmp_path / "officers")
    fleet.root()
    fleet.release(1, policy("block"), rings=(Ring(10), Ring(1000)))
    service.policies = fleet.repository
    client = sign_in("author")
    client.cookies["lang"] = "en"
    text = client.get("/policies").text
    assert "Release 1 is for 10 of 1000 laptops" in text
    assert "block it" in text and "usb-01" in text
    assert "Nothing needs a decision" in client.get("/today").text
    steer(fleet, "--hold", HOSTILE)
    assert ">Held<" in client.get("/policies").text and "<script>document" not in client.get("/policies").text
    assert "1 matter needs a decision" in client.get("/today").text


def steer(fleet, *words):
    assert main.main(["publish", *words, "--data", str(fleet.data)]) == 0


def test_a_draft_is_compared_and_forgotten(sign_in, service, light_store):
    now_us = time.time_ns() // 1000
    laptop = Laptop()
    for _ in range(3):
        laptop.add(
            channel="removable", service="usb", arrival="new", judgement="medical", kind="clinical-note", confidence=930,
            identified=True, patients=1, decision="observe", wanted="observe", time_us=now_us - 86_400_000_000,
        )  # fmt: skip
    taking = Taking(light_store)
    taking.send(laptop.batch())
    taking.close()
    client = sign_in("author")
    client.cookies["lang"] = "en"
    text = act(client, "/policies", draft=policy("block").decode()).text
    assert "3 transfers of 1 laptop were judged again" in text
    assert "+3 Blocked (before: Observed), on 1 laptop" in text
    assert act(client, "/policies", draft="rules: [").status_code == 400
    assert act(client, "/policies", draft=" ").status_code == 400
    assert act(client, "/policies", draft="x" * 65_537).status_code == 400
    assert "<script>document" not in act(client, "/policies", draft=HOSTILE).text
    assert "usb-01" not in client.get("/policies").text


def upload(client, file, name="policy.yaml", csrf=True, boundary="edge", **fields):
    """The form with a file, as a browser sends it."""
    token = re.search('name="csrf" value="([^"]+)"', client.get("/today").text).group(1)
    fields = {"csrf": token, "draft": ""} | fields if csrf else fields
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
             for key, value in fields.items()]  # fmt: skip
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain'
    parts += [f"--{boundary}\r\n{disposition}\r\n\r\n".encode() + file + f"\r\n--{boundary}--\r\n".encode()]
    return client.post("/policies", b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={boundary}"})


def test_a_draft_comes_as_a_file_and_its_plan_is_whole(sign_in, service, tmp_path):
    fleet = SignedFleet(tmp_path / "officers")
    fleet.root()
    fleet.release(1, policy("block"), rings=(Ring(1000),))
    service.policies = fleet.repository
    client = sign_in("author")
    client.cookies["lang"] = "en"
    draft = policy("block").replace(b"usb-01", b"usb-02")
    text = html.unescape(upload(client, b"\xef\xbb\xbf" + draft).text)
    assert text.index("rule removed") < text.index("new rule")  # what protects no more comes first
    assert "It protects less, or may" in text and "its own tests pass" in text
    assert "What clinicians will see" in text and 'lang="fr"><p><code>usb-02</code>' in text
    assert "The approvers, as many as the fleet's root asks for" in text and "emergency release" not in text
    failing = html.unescape(upload(client, policy("block", expect="observe")).text)
    assert "It cannot be published like this" in failing and "its own tests pass" not in failing
    lifted = html.unescape(upload(client, draft.replace(b"mode: enforce", b"mode: observe")).text)
    assert "on trial: not shown yet" in lifted


def test_a_file_that_is_none_is_refused(sign_in):
    client = sign_in("author")
    assert upload(client, b"\xff\xfe\x00").status_code == 403  # not a form of ours
    assert upload(client, b"x" * 300_000).status_code == 403
    assert upload(client, policy("block"), csrf=False).status_code == 403
    assert upload(client, policy("block"), csrf=False, **{f"f{at}": "x" for at in range(40)}).status_code == 403
    assert upload(client, b"rules: [", name='..\\"; filename=x').status_code in {400, 403}
    hollow = {"Content-Type": "multipart/form-data"}
    for body, headers in ((b"--x\r\n\r\n", hollow), (b"--x", {"Content-Type": "multipart/form-data; boundary=x"})):
        assert client.post("/policies", body, headers).status_code == 403


# ---- hostile words


def test_what_laptops_say_is_never_markup(sign_in, service, troubled):
    client = sign_in("dpo")
    with service.engine.begin() as connection:
        connection.execute(laptops.update().values(device=HOSTILE, group_name=HOSTILE))
    for page in (*PAGES, "fleet?group=" + "x", "fleet?only=weak", "events", "proofs?laptop=x"):
        text = client.get(f"/{page}").text
        assert "<script>document" not in text, page
        assert "49&" not in text
    assert "&lt;script&gt;document" in client.get("/fleet").text


def test_a_record_with_fields_of_other_types_is_shown(light_store, sign_in):
    laptop = Laptop("dev_odd")
    laptop.add("contest", of="x", why=["a", 1], by=7)
    laptop.add("emergency", state={"a": 1}, channel=3)
    laptop.add("keys", what=[1])
    taking = Taking(light_store)
    taking.send(laptop.batch())
    taking.close()
    client = sign_in("dpo")
    for page in PAGES:
        assert client.get(f"/{page}").status_code == 200


# ---- figures


def test_today_says_what_the_store_holds(sign_in, troubled):
    client = sign_in("dpo")
    client.cookies["lang"] = "en"
    text = client.get("/today").text
    assert "1 of 1 laptop is protected; 0 have been silent" in text
    assert "3 matters need a decision of yours" in text
    assert "Nothing needs" not in text


def test_an_old_backup_is_a_matter_for_who_sees_acts(sign_in, service, client):
    with service.engine.begin() as connection:
        values = first_values("dev_old", NOW) | {"first_seen": NOW - making.OLD_S - 60}
        connection.execute(laptops.insert().values(values))
    client = sign_in("dpo")
    client.cookies["lang"] = "en"
    assert "There is no backup of the collector." in client.get("/today").text
    with service.engine.begin() as connection:
        note(connection, "test", making.ACT)
        connection.execute(acts.update().values(at=NOW - making.OLD_S - 60))
    text = client.get("/today").text
    assert "The last backup of the collector is of" in text and "1 matter needs" in text
    with service.engine.begin() as connection:
        note(connection, "test", making.ACT)
    assert "backup" not in client.get("/today").text
    metrics = client.get("/metrics", headers={"Authorization": "Bearer a-token-of-more-than-sixteen"}).text
    assert 0 <= int(re.search("^serment_collector_backup_age_seconds (.*)$", metrics, re.M).group(1)) < 3600


def test_who_is_protected(light_store, troubled):
    ((one,), total, more) = roster.page(light_store.engine, NOW)
    assert (total, more) == (1, False)
    assert (one.protected, one.guard, one.silent) == (True, "hold", False)
    assert roster.counts(light_store.engine, NOW) == roster.Counts(1, 1, 0, 0)
    ((later,), _, _) = roster.page(light_store.engine, NOW + 2 * 86400)
    assert roster.counts(light_store.engine, NOW + 2 * 86400) == roster.Counts(1, 0, 1, 0)
    assert (later.protected, later.silent) == (False, True)
    assert roster.in_force(light_store.engine) == [(HOSTILE[: len(HOSTILE)], "3", "enforce", 1)]


def test_a_large_fleet_is_shown_in_pages_and_laptops_are_typed_then(light_store, sign_in):
    with light_store.engine.begin() as connection:
        for number in range(205):
            connection.execute(insert(laptops), first_values(f"dev_{number:03}", NOW - number) | {"group_name": "a&b"})
            raise_alert(connection, number + 1, "fork", 1, NOW - number)
    client = sign_in("dpo")
    client.cookies["lang"] = "en"
    seen, path = [], "/fleet?group=a%26b"
    while path:
        page = client.get(path).text
        assert "205 of 205 laptops" in page
        seen += re.findall(r'<th scope="row">(dev_\d+)</th>', page)
        found = re.search(r'href="(/fleet[^"]*)" rel="next"', page)
        path = html.unescape(found.group(1)) if found else ""
    assert seen == [f"dev_{number:03}" for number in reversed(range(205))]
    first, last = client.get("/alerts").text, client.get("/alerts?skip=200").text
    assert "205 of 205 stories need a decision" in first and 'href="/alerts?skip=50" rel="next"' in first
    assert "dev_204" in last and "dev_000" not in last and 'href="/alerts?skip=150" rel="prev"' in last
    today = client.get("/today").text
    assert "205 matters need" in today and today.count("dev_") == 10
    for address in ("/proofs", "/events"):
        assert '<input id="laptop" name="laptop"' in client.get(address).text
    assert "Intact" in act(client, "/proofs", laptop="dev_007").text
    token = {"Authorization": "Bearer a-token-of-more-than-sixteen"}
    assert client.get("/", headers=token).text.count('href="/events?laptop=dev_') == 50 + 100  # laptops and alerts


# ---- the command, the journal


def test_accounts_are_made_by_the_command(tmp_path, capsys):
    data = ["--data", str(tmp_path / "data")]
    assert main.main(["officer", "add", "camille", "--role", "dpo", "--role", "analyst", "--json", *data]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["link"].startswith("http://localhost:8440/welcome?link=")
    assert main.main(["officer", "list", "--json", *data]) == 0
    (one,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (one["name"], one["roles"], one["ready"]) == ("camille", ["analyst", "dpo"], False)
    for wrong in (["add", "camille", "--role", "dpo"], ["add", "x y", "--role", "dpo"], ["add", "dominique"], ["link", "nobody"],
                  ["add", "dominique", "--role", "root"], ["close"], ["close", "nobody"]):  # fmt: skip
        assert main.main(["officer", *wrong, *data]) == 64
    assert main.main(["officer", "close", "camille", *data]) == 0
    assert main.main(["officer", "link", "camille", *data]) == 64


def test_the_address_of_the_pages():
    assert main.pages_url("https://serment.hopital.example/") == "https://serment.hopital.example"
    for wrong in ("http://serment.hopital.example", "serment", "https://a/b", "javascript:alert(1)", "https://"):
        with pytest.raises(UsageError):
            main.pages_url(wrong)


def test_acts_come_into_the_collectors_own_log(sign_in, service, tmp_path):
    sign_in("dpo", phrase=True)
    expected = [what for _, what, _ in told(service.engine)]
    assert expected == ["officer.added", "officer.passphrase", "officer.signed_in"]
    journal = Journal(tmp_path)
    try:
        assert journal.take_over(service.store) == 3
        decisions.keep_risk(service.engine, 0, {**{key: value * 999 for key, value in RISK.items() if key in {"title", "owner"}},
            "treatment": "accepted", "decided_on": "2026-01-02", "review_on": "2026-06-01", "note": "é" * 9999, "version": "0"}, "camille")  # fmt: skip
        assert journal.take_over(service.store) == 1  # the longest that there is fits into a record
    finally:
        journal.close()


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_the_same_on_both_databases(store):
    link = accounts.add(store.engine, "camille", ["dpo"], NOW, "test")
    officer = accounts.choose_passphrase(store.engine, link, PHRASE, NOW)
    assert accounts.of_passphrase(store.engine, "camille", PHRASE) == officer
    cookie = sessions.begin(store.engine, officer, NOW, whole=True, how="link")
    session = sessions.find(store.engine, cookie, NOW)
    store.laptop("dev_one", NOW)
    with store.engine.begin() as connection:
        raise_alert(connection, 1, "fork", 2, NOW)
    form = {"laptop": "dev_one", "kind": "fork", "verdict": "incident", "upto": str(NOW), "why": "x"}
    decisions.decide_story(store.engine, form, session.officer.name)
    assert [story.state for story in watching.stories(store.engine, NOW)[0]] == ["incident"]
    decisions.keep_risk(store.engine, 0, {**RISK, "version": "0"}, "camille")
    assert [risk.version for risk in decisions.all_risks(store.engine)] == [1]
    tries.failed(store.engine, "camille", NOW)
    assert watching.asked(store.engine)[0] == []


# ---- beside what laptops bring


def test_officers_act_while_records_are_being_stored(light_store):
    """A transaction that reads and then writes must not fail because another one committed in between."""
    engine, stop = light_store.engine, threading.Event()

    def store():
        while not stop.is_set():
            with writing(engine) as connection:
                note(connection, "x", "x")

    busy = [threading.Thread(target=store) for _ in range(3)]
    for thread in busy:
        thread.start()
    try:
        for number in range(40):
            name = f"officer{number}"
            link = accounts.add(engine, name, ["dpo"], NOW, "test")
            assert accounts.link(engine, name, NOW, "test") != link
            accounts.close(engine, name, NOW, "test")
    finally:
        stop.set()
        for thread in busy:
            thread.join(60)
    assert len(accounts.listed(engine)) == 40
