"""Officers who sign in by the hospital's directory: the whole way over real sockets and TLS, and everything that may be
wrong with the answer. The directory is the tests' own (tests/directory.py): it really signs.
"""

import html
import json
import re
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from agent.crypto.signing import FileKey
from agent.errors import ConfigError, TransportError, UntrustedInputError
from collector import app, main
from collector.access import Access
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.officers import accounts, flows, members, sessions
from collector.officers import directory as asking
from collector.officers.identity_token import checked
from collector.officers.provider import read_provider
from collector.service import Service
from collector.store.tables import acts, officer_flows
from tests import browsers
from tests.directory import CLIENT, SECRET, Directory, Key, b64, joined

NOW = int(time.time())


@pytest.fixture(scope="module")
def keys():
    """Keys take their time."""
    return {"rsa": Key("one"), "ec": Key("two", "ES256"), "short": Key("three", bits=1024)}


@pytest.fixture(scope="module")
def one_directory(tmp_path_factory, keys):
    made = Directory(tmp_path_factory.mktemp("directory"), keys["rsa"])
    yield made
    made.close()


@pytest.fixture
def directory(one_directory):
    one_directory.begin()
    return one_directory


def written(tmp_path, directory, text=""):
    (tmp_path / "secret").write_text(SECRET + "\n")
    path = tmp_path / "oidc.toml"
    path.write_text(
        text
        or f'issuer = "{directory.issuer}"\nclient_id = "{CLIENT}"\nclient_secret_file = "secret"\n'
        f'ca_file = "{directory.ca_file}"\nlabel = "CHU"\n[roles]\ndpo = ["serment-dpo"]\nanalyst = ["soc", "rssi"]\n'
    )
    return path


@pytest.fixture
def service(light_store, tmp_path, directory):
    writer = Writer(light_store)
    made = Service(light_store, writer, Access("a-token-of-more-than-sixteen"), Witness(FileKey()), Verifiers(0))
    made.directory = asking.Directory(read_provider(written(tmp_path, directory)))
    yield made
    writer.close()


@pytest.fixture
def client(service, serve, server):
    service.pages_url = f"http://localhost:{server[1]}"
    return serve(app.build(service))


def out(client, go_on="/today"):
    """The address that the browser is sent to."""
    answer = client.get("/login/directory", {"next": go_on})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def at_directory(directory, address):
    """What the browser asks the collector for when it comes back."""
    with urllib3.PoolManager(ca_certs=str(directory.ca_file), retries=False) as pool:
        answer = pool.request("GET", address, redirect=False)
    assert answer.status == 302
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def sign_in(client, directory, go_on="/today"):
    return client.get(at_directory(directory, out(client, go_on)))


def word(answer):
    """Why nobody is signed in now."""
    assert answer.status_code == 401, answer.text
    return re.search(r"\((\w+)\)", answer.text).group(1)


def leave(client):
    csrf = re.search('name="csrf" value="([^"]+)"', client.get("/today").text).group(1)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.post("/logout", urlencode({"csrf": csrf}), kind)


def signed_in(client):
    return client.get("/today").status_code == 200


def told(engine):
    with engine.connect() as connection:
        return [(row.by_whom, row.what, json.loads(row.fields)) for row in connection.execute(acts.select())]


# ---- the way that is meant


def test_somebody_whom_the_directory_knows_comes_in_with_the_roles_it_says(client, directory, service):
    assert "/login/directory" in client.get("/login").text and "CHU" in client.get("/login").text
    answer = sign_in(client, directory, "/risks")
    assert answer.status_code == 200 and 'content="0; url=/risks"' in answer.text
    assert signed_in(client) and client.get("/acts").status_code == 200
    assert told(service.engine) == [
        ("directory", "officer.added", {"officer": "camille", "roles": "dpo"}),
        ("camille", "officer.signed_in", {"how": "directory"}),
    ]
    assert accounts.of_passphrase(service.engine, "camille", "") is None


ROLES = {"groups": ["serment-dpo"]}


def test_roles_that_are_only_at_userinfo_are_fetched_there(client, directory, service):
    directory.person = {"sub": "p-1", "preferred_username": "Camille"}
    directory.info = (200, {"sub": "p-1", "preferred_username": "Somebody", "iss": "https://evil.example", **ROLES})
    assert sign_in(client, directory).status_code == 200 and signed_in(client)
    assert directory.bearers == ["Bearer x"]
    assert told(service.engine)[0] == ("directory", "officer.added", {"officer": "camille", "roles": "dpo"})


def test_userinfo_is_not_asked_when_the_token_says_it_and_never_adds_to_it(client, directory):
    directory.person["groups"] = ["nobody"]
    directory.info = (200, {"sub": "p-1", **ROLES})
    assert sign_in(client, directory).status_code == 403
    assert directory.bearers == []


@pytest.mark.parametrize(
    ("info", "why"),
    [
        ((200, {"sub": "p-2", **ROLES}), "userinfo"),  # of somebody else
        ((200, ROLES), "userinfo"),  # of nobody
        ((200, ["a"]), "userinfo"),
        ((401, {}), "userinfo"),
        ((302, {}), "userinfo"),
        ((200, {"sub": "p-1", "x": "y" * asking.MAX_ANSWER, **ROLES}), "userinfo"),
    ],
)
def test_a_userinfo_that_is_not_of_this_person_signs_nobody_in(asked, directory, info, why):
    directory.person = {"sub": "p-1"}
    directory.info = info
    with pytest.raises(UntrustedInputError) as refused:
        redeemed(asked, directory)
    assert refused.value.fields["word"] == why


def test_a_userinfo_without_tls_is_never_asked(asked, directory):
    directory.person, directory.info = {"sub": "p-1"}, (200, {"sub": "p-1", **ROLES})
    directory.said = {"userinfo_endpoint": directory.issuer.replace("https:", "http:") + "/userinfo"}
    with pytest.raises(UntrustedInputError) as refused:
        redeemed(asked, directory)
    assert (refused.value.fields["word"], directory.bearers) == ("discovery", [])


@pytest.mark.parametrize("access", ["a b", "a\r\nX: y", "", 7, None, "x" * 20000, "caf\u00e9"])
def test_an_access_token_that_is_no_header_is_not_sent(asked, directory, access, monkeypatch):
    directory.person, directory.info = {"sub": "p-1"}, (200, {"sub": "p-1", **ROLES})
    redeem = directory.redeem
    monkeypatch.setattr(directory, "redeem", lambda *given: {**redeem(*given), "access_token": access})
    assert "groups" not in redeemed(asked, directory)
    assert directory.bearers == []


def test_signing_out_ends_the_session_at_the_directory_too(client, directory, service):
    directory.said = {"end_session_endpoint": f"{directory.issuer}/logout?a=1"}
    sign_in(client, directory)
    answer = leave(client)
    assert answer.status_code == 200 and not signed_in(client)
    place = urlsplit(html.unescape(re.search('content="0; url=([^"]+)"', answer.text).group(1)))
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{directory.issuer}/logout"
    assert parse_qs(place.query) == {
        "a": ["1"], "client_id": [CLIENT], "post_logout_redirect_uri": [service.pages_url + "/login"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "place", [None, "http://127.0.0.1/logout", "javascript:alert(1)", "https://a@b/", ["https://x"]]
)
def test_signing_out_goes_to_no_odd_place(client, directory, place):
    directory.said = {"end_session_endpoint": place}
    sign_in(client, directory)
    answer = leave(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not signed_in(client)


def test_strangers_tokens_make_no_more_requests_for_keys_than_twice_a_minute(client, directory, keys):
    sign_in(client, directory)
    directory.signing = keys["ec"]  # that it never publishes
    for _ in range(3):
        assert word(sign_in(client, directory)) == "key"
    assert directory.asked.count("/keys") == 1


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_new_keys_of_the_directory_are_found_and_the_old_ones_go(client, directory, service, keys, key, monkeypatch):
    monkeypatch.setattr(asking, "AGAIN_S", 0.0)
    sign_in(client, directory)
    directory.signing = keys["ec"] if key == "ec" else Key("four")
    directory.keys = [directory.signing]
    client.cookies.clear()
    assert sign_in(client, directory).status_code == 200 and signed_in(client)
    directory.signing = keys["rsa"]
    assert word(sign_in(client, directory)) == "key"


def test_roles_follow_the_directory_and_whoever_has_none_is_out_at_once(client, directory, service):
    sign_in(client, directory)
    first = dict(client.cookies)
    directory.person["groups"] = ["soc", "something else"]
    sign_in(client, directory)
    assert client.get("/acts").status_code == 403 and client.get("/alerts").status_code == 200
    client.cookies = first  # the session of before has the roles of now
    assert client.get("/acts").status_code == 403
    directory.person["groups"] = ["something else"]
    answer = sign_in(client, directory)
    assert answer.status_code == 403 and not signed_in(client)
    assert [what for _, what, _ in told(service.engine)][-1] == "officer.turned_away"
    assert accounts.listed(service.engine)[0]["roles"] == []


@pytest.mark.parametrize("groups", [None, "", 7, {"serment-dpo": 1}, [["serment-dpo"]], [], "serment", ["SERMENT-DPO"]])
def test_odd_claims_give_no_role(asked, groups):
    assert asked.provider.roles_of({"groups": groups}) == ()
    assert asked.provider.roles_of({"groups": ["serment-dpo", 7, "soc"]}) == ("analyst", "dpo")


def test_without_a_role_no_account_is_made(client, directory, service):
    directory.person["groups"] = []
    assert sign_in(client, directory).status_code == 403
    assert accounts.listed(service.engine) == [] and not signed_in(client)


def test_a_closed_account_stays_closed(client, directory, service):
    sign_in(client, directory)
    accounts.close(service.engine, "camille", NOW, "test")
    assert not signed_in(client)
    assert sign_in(client, directory).status_code == 403 and not signed_in(client)


def test_nobody_becomes_somebody_else_by_their_name(client, directory, service):
    accounts.add(service.engine, "camille", ["author"], NOW, "test")
    sign_in(client, directory)
    directory.person = {**directory.person, "sub": "p-2"}
    client.cookies.clear()
    sign_in(client, directory)
    names = [one["name"] for one in accounts.listed(service.engine)]
    assert len(names) == 3 and names[0] == "camille" and all(name.startswith("camille") for name in names)
    assert [one["directory"] for one in accounts.listed(service.engine)] == [False, True, True]


def test_a_name_of_any_kind_becomes_one_that_a_journal_may_hold(light_store):
    for number, name in enumerate((None, 7, "", "..", "<script>", "Ü", "x" * 5000, "root\n", "é@chu.example")):
        officer = members.come_in(light_store.engine, "https://x", f"s{number}", name, ["dpo"], NOW)
        assert re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,63}", officer.name), name
        again = members.come_in(light_store.engine, "https://x", f"s{number}", "another name", ["dpo"], NOW)
        assert again == officer


def test_two_first_sign_ins_at_once_make_one_account_and_one_flow_is_taken_once(engine):
    """On either database: several collectors share PostgreSQL."""
    flow = flows.begin(engine, "/today", NOW)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: members.come_in(engine, "https://x", "s", "camille", ["dpo"], NOW), range(8)))
        taken = list(pool.map(lambda _: flows.take(engine, flow.cookie, flow.state, NOW), range(8)))
    assert {(officer.id, officer.name) for officer in found} == {(found[0].id, "camille")}
    assert [one["name"] for one in accounts.listed(engine)] == ["camille"]
    assert [each.verifier for each in taken if each is not None] == [flow.verifier]
    assert members.come_in(engine, "https://x", "another", "camille", ["dpo"], NOW).name.startswith("camille.")


def test_an_account_of_the_directory_gets_no_passphrase_by_a_link(client, directory, service, tmp_path, capsys):
    sign_in(client, directory)
    assert main.main(["officer", "link", "camille", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip().endswith("/login/directory")
    assert not signed_in(client)  # what was open is closed, as by any new link
    assert main.main(["officer", "list", "--json", "--data", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["directory"] is True


def test_without_a_directory_there_is_no_way_by_it(client, service):
    service.directory = None
    assert "/login/directory" not in client.get("/login").text
    for path in ("/login/directory", "/login/directory/back?code=x&state=y"):
        assert client.get(path).headers["location"] == "/login"


# ---- what is wrong with a token


def without(name):
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def changed(**values):
    return lambda claims: claims | values


WRONG = [
    (changed(iss="https://another.example"), "issuer"),
    (changed(iss="https://127.0.0.1"), "issuer"),
    (without("iss"), "issuer"),
    (changed(aud="another"), "audience"),
    (changed(aud=["another", "more"]), "audience"),
    (changed(aud=[CLIENT, "another"]), "audience"),  # for several, and nobody says who asked
    (changed(aud=[CLIENT, "another"], azp="another"), "audience"),
    (changed(azp="another"), "audience"),
    (without("aud"), "audience"),
    (changed(aud={CLIENT: 1}), "audience"),
    (changed(nonce="another"), "nonce"),
    (without("nonce"), "nonce"),
    (changed(nonce=["x"]), "nonce"),
    (changed(exp=NOW - 3600), "expired"),
    (without("exp"), "malformed"),
    (changed(exp="tomorrow"), "malformed"),
    (changed(exp=float("inf")), "malformed"),
    (changed(exp=True), "malformed"),
    (changed(iat=NOW + 3600), "early"),
    (changed(nbf=NOW + 3600), "early"),
    (changed(iat=NOW - 86400), "old"),
    (without("iat"), "malformed"),
    (without("sub"), "subject"),
    (changed(sub=""), "subject"),
    (changed(sub="x" * 256), "subject"),
    (changed(sub=7), "subject"),
]


def redeemed(asked, directory):
    """Who a code stands for, asked of the directory as the collector does between a sign-in's two pages."""
    verifier, nonce, back = "v" * 43, "n" * 43, "https://serment.chu.example/back"
    query = parse_qs(urlsplit(asked.address(back, "s" * 43, nonce, verifier)).query)
    code = directory.code({name: values[0] for name, values in query.items()})
    return asked.claims(code, verifier, nonce, back)


@pytest.fixture
def asked(tmp_path, directory):
    return asking.Directory(read_provider(written(tmp_path, directory)))


@pytest.mark.parametrize(("spoil", "why"), WRONG)
def test_a_token_that_says_something_else_is_refused(asked, directory, spoil, why):
    assert redeemed(asked, directory)["sub"] == "p-1"
    directory.spoil = spoil
    with pytest.raises(UntrustedInputError) as refusal:
        redeemed(asked, directory)
    assert refusal.value.fields["word"] == why


def test_what_is_refused_makes_no_account_and_no_session_and_is_told(client, directory, service, capsys):
    directory.spoil = changed(nonce="another")
    assert word(sign_in(client, directory)) == "nonce"
    assert not signed_in(client) and accounts.listed(service.engine) == []
    assert "nonce" in capsys.readouterr().err and service.counts["sign_ins_refused"] == 1


def test_a_token_for_several_that_we_asked_for_is_ours(asked, directory):
    directory.spoil = changed(aud=["another", CLIENT], azp=CLIENT)
    assert redeemed(asked, directory)["azp"] == CLIENT


def hmac_by(secret):
    """The oldest trick: the public key, or the client's secret, as the key of an HMAC."""
    import hashlib
    import hmac

    def write(header, claims):
        text = joined({**header, "alg": "HS256"}, claims)
        return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    return write


def key_of_its_own(header, claims):
    """A token that brings the key that it is to be checked with."""
    key = Key("mine", "ES256")
    text = joined({**header, "alg": "ES256", "kid": "mine", "jwk": key.public()}, claims)
    return f"{text}.{b64(key.sign(text.encode()))}"


def stranger(kid):
    def write(header, claims):
        key = Key("x", "ES256")
        text = joined({**header, "alg": "ES256", **({"kid": kid} if kid else {})}, claims)
        return f"{text}.{b64(key.sign(text.encode()))}"

    return write


UNSIGNED = [
    (lambda header, claims: joined({**header, "alg": "none"}, claims) + ".", "algorithm"),
    (lambda header, claims: joined({"alg": "None"}, claims) + ".", "algorithm"),
    (lambda header, claims: joined({**header, "alg": ["RS256"]}, claims) + ".", "algorithm"),
    (lambda header, claims: joined(header, claims) + ".", "signature"),
    (lambda header, claims: joined(header, claims) + ".AAAA", "signature"),
    (hmac_by(SECRET.encode()), "algorithm"),
    (key_of_its_own, "key"),
    (stranger("one"), "key"),
    (stranger(""), "key"),
    (lambda header, claims: joined({**header, "crit": ["x"]}, claims) + ".AAAA", "malformed"),
    (lambda header, claims: joined({**header, "kid": {}}, claims) + ".AAAA", "key"),
    (lambda header, claims: "[" * 20000 + ".a.b", "malformed"),
    (lambda header, claims: "a.b", "malformed"),
    (lambda header, claims: "", "malformed"),
    (lambda header, claims: "é.e.e", "malformed"),
    (lambda header, claims: "x" * 70_000 + ".a.b", "malformed"),
    (lambda header, claims: 7, "token"),
    (lambda header, claims: "a.b.c.d.e", "malformed"),  # encrypted: not asked for
]


@pytest.mark.parametrize(("write", "why"), UNSIGNED)
def test_a_token_that_the_directory_did_not_sign_is_refused(asked, directory, write, why):
    assert redeemed(asked, directory)["sub"] == "p-1"
    directory.write = write
    with pytest.raises(UntrustedInputError) as refusal:
        redeemed(asked, directory)
    assert refusal.value.fields["word"] == why


def test_a_token_whose_claims_were_changed_afterwards_is_refused(asked, directory):
    def write(header, claims):
        head, _, signature = directory.signed(header, claims).split(".")
        return f"{head}.{b64(json.dumps({**claims, 'sub': 'p-2'}).encode())}.{signature}"

    directory.write = write
    with pytest.raises(UntrustedInputError, match="signature"):
        redeemed(asked, directory)


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_key_that_is_too_short_counts_for_nothing(asked, directory, keys):
    directory.keys, directory.signing = [keys["short"]], keys["short"]
    with pytest.raises(UntrustedInputError, match="key"):
        redeemed(asked, directory)


def test_a_key_for_encryption_signs_nothing(keys):
    claims = {"iss": "i", "aud": "c", "nonce": "n", "iat": NOW, "exp": NOW + 60, "sub": "s"}
    text = joined({"alg": "ES256", "kid": "two"}, claims)
    token = f"{text}.{b64(keys['ec'].sign(text.encode()))}"
    assert checked(token, [keys["ec"].public()], "i", "c", "n", NOW)["sub"] == "s"
    for spoilt in ({"use": "enc"}, {"kty": "oct", "k": "AAAA"}, {"x": "AA"}):
        with pytest.raises(UntrustedInputError, match="key"):
            checked(token, [{**keys["ec"].public(), **spoilt}], "i", "c", "n", NOW)


# ---- what is wrong with the answer, or with who brings it


def test_a_code_serves_once(client, directory):
    back = at_directory(directory, out(client))
    assert client.get(back).status_code == 200 and signed_in(client)
    cookie = client.cookies.pop(sessions.COOKIE)
    assert word(client.get(back)) == "state"  # the sign-in is over
    asked = directory.asked.count("/token")
    address = out(client)
    state = parse_qs(urlsplit(address).query)["state"][0]
    used = parse_qs(urlsplit(back).query)["code"][0]
    query = urlencode({"code": used, "state": state, "iss": directory.issuer})
    assert word(client.get(f"/login/directory/back?{query}")) == "code"  # the directory's own refusal
    assert directory.asked.count("/token") == asked + 1
    assert cookie not in client.cookies.values()


def test_an_answer_in_another_browser_signs_nobody_in(client, directory, serve, service):
    """Somebody sends a link with the code of their own: the other one must not end up in that account."""
    back = at_directory(directory, out(client))
    other = serve(app.build(service))
    assert word(other.get(back)) == "state"
    other.get("/login/directory")
    assert word(other.get(back)) == "state"
    assert client.get(back).status_code == 200  # and whom it belongs to was not thrown out by it


def test_a_code_that_was_taken_on_its_way_is_worth_nothing_without_the_verifier(client, directory):
    thiefs = out(client)
    client.cookies.clear()
    stolen = parse_qs(urlsplit(at_directory(directory, out(client))).query)["code"][0]
    client.cookies.clear()
    mine = parse_qs(urlsplit(out(client)).query)["state"][0]
    query = urlencode({"code": stolen, "state": mine, "iss": directory.issuer})
    assert word(client.get(f"/login/directory/back?{query}")) == "code"
    assert thiefs.startswith(directory.issuer)


def test_an_answer_of_another_directory_is_refused_before_its_code_goes_anywhere(client, directory):
    back = at_directory(directory, out(client))
    parts = parse_qs(urlsplit(back).query)
    for issuer in ({"iss": "https://another.example"}, {}):  # mixed up; the right one left out
        state = parse_qs(urlsplit(out(client)).query)["state"][0]
        query = urlencode({"code": parts["code"][0], "state": state, **issuer})
        assert word(client.get(f"/login/directory/back?{query}")) == "issuer"
    assert "/token" not in directory.asked


def test_somebody_who_was_refused_there_is_not_signed_in_here(client, directory):
    state = parse_qs(urlsplit(out(client)).query)["state"][0]
    query = urlencode({"error": "access_denied", "state": state, "iss": directory.issuer})
    assert word(client.get(f"/login/directory/back?{query}")) == "denied"
    state = parse_qs(urlsplit(out(client)).query)["state"][0]  # and not by a code that comes with a refusal
    query = urlencode({"error": "access_denied", "code": "x", "state": state, "iss": directory.issuer})
    assert word(client.get(f"/login/directory/back?{query}")) == "denied"
    for query in ("", "?state=x", "?code=x", "?code=x&state=y&state=z", "?state=" + "x" * 9000):
        assert word(client.get("/login/directory/back" + query)) == "state"


def test_a_sign_in_that_took_too_long_is_over(service):
    flow = flows.begin(service.engine, "/today", NOW)
    assert flows.take(service.engine, flow.cookie, flow.state, NOW + flows.LIFE_S + 1) is None
    assert flows.take(service.engine, flow.cookie, "another", NOW) is None
    assert flows.take(service.engine, flow.cookie, flow.state, NOW).verifier == flow.verifier
    assert flows.take(service.engine, flow.cookie, flow.state, NOW) is None


def test_sign_ins_that_nobody_ends_are_bounded_and_forgotten(service, monkeypatch):
    monkeypatch.setattr(flows, "MOST", 3)
    for _ in range(3):
        flows.begin(service.engine, "/today", NOW)
    with pytest.raises(TransportError):
        flows.begin(service.engine, "/today", NOW)
    flows.begin(service.engine, "/today", NOW + flows.LIFE_S + 1)
    with service.engine.connect() as connection:
        assert len(connection.execute(officer_flows.select()).all()) == 1


def test_one_goes_on_within_the_pages_only(client, directory):
    for path in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert 'url=/today"' in sign_in(client, directory, path).text


def test_the_cookies_are_told_apart_and_kept_from_scripts(client, directory, service):
    service.pages_url = "https://serment.chu.example"
    answer = client.get("/login/directory")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/login/directory"} <= set(cookie.split("; "))
    back = parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"]
    assert back == ["https://serment.chu.example/login/directory/back"]


# ---- the directory itself


@pytest.mark.parametrize(
    ("said", "why"),
    [({"issuer": "https://another.example"}, "issuer"), ({"token_endpoint": "http://127.0.0.1:1/token"}, "discovery"),
     ({"jwks_uri": None}, "discovery"), ({"authorization_endpoint": "javascript:alert(1)"}, "discovery"),
     ({"authorization_endpoint": "https://u@x/"}, "discovery"), ({"jwks_uri": "https://"}, "discovery")],
)  # fmt: skip
def test_a_directory_that_describes_itself_wrongly_is_not_used(asked, directory, said, why):
    directory.said = said
    with pytest.raises(UntrustedInputError, match=why):
        asked.said()


def test_a_directory_that_does_not_answer_keeps_few_waiting_and_nobody_twice(service, monkeypatch):
    directory, asked, go_on = service.directory, [], threading.Event()

    def silent(*_):
        asked.append(1)
        assert go_on.wait(20)
        raise asking._away("no answer")

    monkeypatch.setattr(directory, "_get", silent)
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(directory.address, "back", "state", "nonce", "verifier") for _ in range(20)]
        rest = set(waiting)
        try:
            while len(rest) > asking.AT_ONCE:
                more, rest = wait(rest, 10, FIRST_COMPLETED)
                assert more
        finally:
            go_on.set()
    assert all(isinstance(each.exception(), TransportError) for each in waiting)
    with pytest.raises(TransportError):
        directory.sign_out("back")
    assert len(asked) == 1
    monkeypatch.undo()
    monkeypatch.setattr(asking, "REST_S", 0.0)
    assert directory.address("back", "state", "nonce", "verifier").startswith("https://")


def test_a_directory_that_is_away_or_somebody_else_leaves_the_passphrase(client, directory, service, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    stranger_ = Directory(other, directory.keys[0])  # another authority
    try:
        for issuer, ca in ((stranger_.issuer, directory.ca_file), ("https://127.0.0.1:1", directory.ca_file)):
            text = f'issuer = "{issuer}"\nclient_id = "x"\nca_file = "{ca}"\n[roles]\ndpo = ["x"]\n'
            service.directory = asking.Directory(read_provider(written(tmp_path, directory, text)))
            answer = client.get("/login/directory")
            assert answer.status_code == 503 and "/login" in answer.text
            assert client.get("/login").status_code == 200
    finally:
        stranger_.close()


def test_a_wrong_secret_signs_nobody_in(client, directory, service, tmp_path):
    path = written(tmp_path, directory)
    (tmp_path / "secret").write_text("another\n")
    service.directory = asking.Directory(read_provider(path))
    assert word(sign_in(client, directory)) == "code"


def test_a_way_of_being_recognised_that_was_asked_for_must_be_told(client, directory, service, tmp_path):
    text = written(tmp_path, directory).read_text().replace("label", 'acr = "eidas1"\nlabel')
    service.directory = asking.Directory(read_provider(written(tmp_path, directory, text)))
    assert parse_qs(urlsplit(out(client)).query)["acr_values"] == ["eidas1"]
    assert word(sign_in(client, directory)) == "acr"
    directory.person["acr"] = "eidas1"
    assert sign_in(client, directory).status_code == 200


# ---- its file

GOOD = 'issuer = "https://idp.example"\nclient_id = "serment"\n[roles]\ndpo = ["x"]\n'


def test_a_claim_that_lies_within_another_and_a_claim_with_dots(tmp_path):
    path = tmp_path / "oidc.toml"
    path.write_text('roles_claim = ["realm_access", "roles"]\n' + GOOD)
    found = read_provider(path)
    assert found.roles_of({"realm_access": {"roles": ["x"]}}) == ("dpo",)
    assert found.roles_of({"realm_access": ["x"]}) == found.roles_of({"roles": ["x"]}) == ()
    path.write_text('roles_claim = "https://idp.example/roles"\n' + GOOD)
    assert read_provider(path).roles_of({"https://idp.example/roles": "x"}) == ("dpo",)


@pytest.mark.parametrize(
    "text",
    ["", "[", "\xff", GOOD.replace("https", "http"), GOOD.replace("client_id", "client"), "more = 1\n" + GOOD,
     GOOD.replace('["x"]', "[]"), GOOD.replace('["x"]', '[""]'), GOOD.replace('["x"]', '"x"'), GOOD.replace("dpo", "admin"),
     GOOD.split("[roles]")[0], "client_id = 7\n" + GOOD.replace("client_id", "label"), "roles_claim = []\n" + GOOD,
     'client_secret_file = "missing"\n' + GOOD, GOOD.replace("idp.example", "u:p@idp.example")],
)  # fmt: skip
def test_a_file_that_is_not_quite_right_stops_the_start(tmp_path, text, capsys):
    path = tmp_path / "oidc.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as refusal:
        read_provider(path)
    assert str(tmp_path) in str(refusal.value) and refusal.value.hint
    started = ["run", "--data", str(tmp_path / "d"), "--port", "0", "--oidc", str(path), "--pages-url", "https://x"]
    assert main.main(started) == 78
    assert str(tmp_path) in capsys.readouterr().err


def test_the_secret_is_in_no_message(tmp_path):
    (tmp_path / "secret").write_text("shh-very-secret")
    (tmp_path / "oidc.toml").write_text('client_secret_file = "secret"\n' + GOOD)
    found = read_provider(tmp_path / "oidc.toml")
    assert found.secret == "shh-very-secret" and "shh" not in repr(found)


def test_it_needs_the_address_of_the_pages(tmp_path, capsys):
    path = tmp_path / "oidc.toml"
    path.write_text(GOOD)
    assert main.main(["run", "--data", str(tmp_path / "d"), "--port", "0", "--oidc", str(path)]) == 64
    assert "--pages-url" in capsys.readouterr().err


# ---- a real browser


def test_in_a_real_browser(service, server, directory, tmp_path):
    """Cookies that browsers keep from a redirect that began elsewhere: the directory is another site."""
    if lacking := browsers.missing("chromium"):
        pytest.skip(f"{lacking} is not installed: make test-packages")
    switch, port = server
    service.pages_url = f"http://localhost:{port}"
    switch.application = app.build(service)
    with browsers.browser("chromium", tmp_path, any_certificate=True) as tab:
        tab.call("browsingContext.navigate", context=tab.context, url=f"{service.pages_url}/login?next=/risks&lang=en",
                 wait="complete")  # fmt: skip
        assert tab.run("document.querySelector('a.button').innerText") == "Sign in with CHU"
        tab.run("setTimeout(() => document.querySelector('a.button').click()) && true")
        where, until = "", time.monotonic() + 60  # asked of the browser: pages come and go meanwhile
        while where != f"{service.pages_url}/risks" and time.monotonic() < until:
            where = tab.call("browsingContext.getTree", root=tab.context)["contexts"][0]["url"]
            time.sleep(0.05)
        tab.call("browsingContext.navigate", context=tab.context, url=f"{service.pages_url}/account", wait="complete")
        assert tab.run("document.body.innerText.includes('camille')") and where.endswith("/risks")
        assert directory.issuer + "/auth" in " ".join(tab.requests())
        assert not [text for text in tab.complaints() if "Content Security" in text]
